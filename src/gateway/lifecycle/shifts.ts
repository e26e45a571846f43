/**
 * Tells, once a day for each, of models that end and still answer; and of each session, or call without one, that went elsewhere because of
 * it, with a record for audits.
 *
 * S1. A session is told and written down once, however often its calls are routed, as far as the last few thousand of them.
 * S2. Beyond sixty a minute of a process they are summed: one event and one record for each pair of models, at the end of the minute or at
 *     `close`.
 */
import type { Clock, Runtime } from '../../core/clock.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import { DAY_MS, dayName, dayOf } from '../../core/money/calendar.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import { settlesWithin } from '../../system/clock.ts';
import type { GatewayEvents } from '../gateway-events.ts';
import type { Asked } from '../routing/arrangement/arrange.ts';

const MAX_NAMES = 4096;
/** How long the record of a shift is kept. */
const KEPT_MS = 400 * DAY_MS;
const MOST_A_MINUTE = 60;
const MINUTE_MS = 60_000;
const CLOSE_MS = 5000;

export interface ShiftParts {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly events: GatewayEvents;
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
}

export interface Shifts {
  used(what: string, endsOn: string | null): void;
  shifted(from: string, to: string, asked: Asked): void;
  close(): Promise<void>;
}

/** What is told and written down. */
interface Shift {
  readonly from: string;
  readonly to: string;
  calls: number;
  /** How many of them are sessions; the others are calls without one. */
  sessions: number;
  /** Of a single one: the id of its call, and its session. */
  readonly call?: string;
  readonly session?: string;
}

export function createShifts(parts: ShiftParts): Shifts {
  const { clock, events } = parts;
  /** The day on which a model was told last. */
  const days = new Map<string, number>();
  const movers = new Map<string, true>();
  const sums = new Map<string, Shift>();
  const writing = new Set<Promise<void>>();
  let minuteBeganMs = Number.NEGATIVE_INFINITY;
  let inMinute = 0;
  let cancel: (() => void) | undefined;
  const tell = (shift: Shift): void => {
    const { from, to, calls, sessions } = shift;
    const message = `${from} ends, so ${moversOf(calls, sessions)} ${to}.`;
    events.tell({ type: 'model-shifted', level: 'warn', from, to, calls, sessions, message });
    const written = record(parts, shift).finally(() => writing.delete(written));
    writing.add(written);
  };
  const tellSums = (): void => {
    cancel?.();
    cancel = undefined;
    for (const sum of sums.values()) tell(sum);
    sums.clear();
  };
  const add = (shift: Shift, leftMs: number): void => {
    const { from, to } = shift;
    const pair = `${from} ${to}`;
    const sum = sums.get(pair) ?? { from, to, calls: 0, sessions: 0 };
    sum.calls += shift.calls;
    sum.sessions += shift.sessions;
    sums.set(pair, sum);
    cancel ??= clock.schedule(leftMs, tellSums, { background: true });
  };
  return {
    used(what, endsOn) {
      const today = dayOf(clock.now());
      if (days.get(what) === today) return;
      remember(days, what, today);
      events.tell({ type: 'model-deprecated', level: 'warn', what, endsOn, message: endsSoon(what, endsOn) });
    },
    shifted(from, to, asked) {
      const mover = asked && `${from} ${to} ${asked.session === undefined ? asked.id : `session ${asked.session}`}`;
      if (mover !== undefined && movers.has(mover)) return;
      if (mover !== undefined) remember(movers, mover, true);
      const nowMs = clock.monotonic();
      if (nowMs - minuteBeganMs >= MINUTE_MS) {
        minuteBeganMs = nowMs;
        inMinute = 0;
      }
      inMinute += 1;
      const shift = shiftOf(from, to, asked);
      if (inMinute > MOST_A_MINUTE) add(shift, minuteBeganMs + MINUTE_MS - nowMs);
      else tell(shift);
    },
    async close() {
      tellSums();
      if (writing.size > 0) await settlesWithin(clock, CLOSE_MS, Promise.all(writing));
    },
  };
}

function shiftOf(from: string, to: string, asked: Asked): Shift {
  const session = asked?.session;
  const shift = { from, to, calls: 1, sessions: session === undefined ? 0 : 1 };
  if (asked === undefined) return shift;
  return session === undefined ? { ...shift, call: asked.id } : { ...shift, call: asked.id, session };
}

function moversOf(calls: number, sessions: number): string {
  const alone = calls - sessions;
  const ofSessions = sessions === 1 ? 'a new session' : `${sessions} new sessions`;
  const ofCalls = alone === 1 ? 'a call without a session' : `${alone} calls without a session`;
  const movers = [...(sessions > 0 ? [ofSessions] : []), ...(alone > 0 ? [ofCalls] : [])].join(' and ');
  return `${movers} ${calls === 1 ? 'gets' : 'get'}`;
}

/** The oldest is forgotten where there are many. */
function remember<T>(all: Map<string, T>, name: string, value: T): void {
  const [oldest] = all.keys();
  if (all.size >= MAX_NAMES && oldest !== undefined) all.delete(oldest);
  all.set(name, value);
}

/** For audits: stays after the process, whoever listens. Never rejects. */
async function record({ keyValue, clock, logger, runtime }: ShiftParts, shift: Shift): Promise<void> {
  const at = clock.now();
  const key = `lifecycle:shift:${dayName(dayOf(at))}:${runtime.ids('shift')}`;
  try {
    await keyValue.set(key, { at, ...shift }, { ttlMs: KEPT_MS });
  } catch (error) {
    const { from, to } = shift;
    logger?.warn({ from, to }, `The record of a shift could not be written: ${asPolyphonyError(error).message}`);
  }
}

export const endsSoon = (what: string, endsOn: string | null): string =>
  `${what} ${endsOn === null ? 'is deprecated' : `ends on ${endsOn}`}: choose another model, or set one in its place (models.lifecycle.replacedBy in the config).`;
