/** Tells, once a day for each, of models that end and still answer, and of sessions that went elsewhere because of it. */
import type { Clock } from '../../core/clock.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import { DAY_MS, dayName, dayOf } from '../../core/money/calendar.ts';
import type { Logger } from '../../core/plugin.ts';
import type { KeyValueStore } from '../../core/stores.ts';
import type { GatewayEvents } from '../gateway-events.ts';

const MAX_NAMES = 4096;
/** How long the record of a shift is kept. */
const KEPT_MS = 400 * DAY_MS;

export interface ShiftParts {
  readonly clock: Clock;
  readonly events: GatewayEvents;
  readonly keyValue: KeyValueStore;
  readonly logger: Logger | undefined;
}

export interface Shifts {
  used(what: string, endsOn: string | null): void;
  shifted(from: string, to: string): void;
}

/** Counts since the day on which it was told last. */
interface Told {
  day: number;
  calls: number;
}

export function createShifts(parts: ShiftParts): Shifts {
  const { clock, events } = parts;
  const told = new Map<string, Told>();
  /** The calls to tell of, once a day; undefined on the days on which that was done. */
  const due = (name: string): number | undefined => {
    const today = dayOf(clock.now());
    const known = told.get(name) ?? first(told, name);
    known.calls += 1;
    if (known.day === today) return undefined;
    const { calls } = known;
    Object.assign(known, { day: today, calls: 0 });
    return calls;
  };
  return {
    used(what, endsOn) {
      if (due(what) === undefined) return;
      events.tell({ type: 'model-deprecated', level: 'warn', what, endsOn, message: endsSoon(what, endsOn) });
    },
    shifted(from, to) {
      const calls = due(`${from} ${to}`);
      if (calls === undefined) return;
      const message = `${from} ends, so new sessions get ${to}.`;
      events.tell({ type: 'model-shifted', level: 'warn', from, to, calls, message });
      void record(parts, from, to, calls);
    },
  };
}

function first(told: Map<string, Told>, name: string): Told {
  const [oldest] = told.keys();
  if (told.size >= MAX_NAMES && oldest !== undefined) told.delete(oldest);
  const made: Told = { day: -1, calls: 0 };
  told.set(name, made);
  return made;
}

/** For audits: stays after the process, whoever listens. */
async function record({ keyValue, clock, logger }: ShiftParts, from: string, to: string, calls: number): Promise<void> {
  const at = clock.now();
  try {
    await keyValue.set(
      `lifecycle:shift:${dayName(dayOf(at))}:${from}:${to}`,
      { at, from, to, calls },
      { ttlMs: KEPT_MS },
    );
  } catch (error) {
    logger?.warn({ from, to }, `The record of a shift could not be written: ${asPolyphonyError(error).message}`);
  }
}

export const endsSoon = (what: string, endsOn: string | null): string =>
  `${what} ${endsOn === null ? 'is deprecated' : `ends on ${endsOn}`}: choose another model, or set one in its place (models.lifecycle.replacedBy in the config).`;
