/**
 * Runs that something started and that have not ended. Each is in the store before it begins and until it has ended, so that
 * a process that is killed at any point loses none. The id of the run says for what it was started, so that however many
 * processes try, one run is the result.
 */
import type { Clock } from '../core/clock.ts';
import { type ErrorRecord, errorRecord } from '../core/errors.ts';
import type { NanoUsd } from '../core/money/money.ts';
import type { RunStatus } from '../core/run/engine.ts';
import type { KeyValueStore } from '../core/stores.ts';

/** One run that a schedule or a trigger asks for, or one that waits for a moment and is only continued. */
export interface Start {
  readonly runId: string;
  /** The schedule or the trigger, such as `schedules.digest`; `wait` for a run that waits. */
  readonly by: string;
  /** A plan file or `workflow:<id>`; empty for a run that waits. */
  readonly run: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly budgetUsd?: number;
  /** What it was started for, for people: the due time or the path of the file. */
  readonly reason: string;
  /** Epoch milliseconds: when a run that waits goes on. Absent: it is started at once. */
  readonly dueMs?: number;
}

/** A start that is due, and how that is written down so that it is not due again. */
export interface DueStart {
  readonly start: Start;
  taken(): Promise<void>;
}

/** How a run ended in this process. `elsewhere`: another process drives it, or has driven it to its end. */
export interface Ending {
  readonly status: RunStatus | 'elsewhere';
  readonly costNanoUsd?: NanoUsd | null;
  readonly ms?: number;
  readonly error?: ErrorRecord;
}

/** What drives the runs. */
export interface RunStarter {
  /** Starts the run and follows it until it ends or is suspended. `onBegun`: this process drives it. */
  start(start: Start, signal: AbortSignal, onBegun: () => void): Promise<Ending>;
  /** The same for a run that was begun before. */
  resume(runId: string, signal: AbortSignal, onBegun: () => void): Promise<Ending>;
  /** Undefined: there is no such run. */
  status(runId: string): Promise<RunStatus | undefined>;
  /** When time itself goes on with a suspended run, in epoch milliseconds. Undefined: it does not, or the run is not suspended. */
  moment(runId: string): Promise<number | undefined>;
}

/** Nothing is told of a run that another process drives. */
export type StartEvent =
  | { readonly type: 'begun'; readonly start: Start; readonly resumed: boolean }
  | { readonly type: 'ended'; readonly start: Start; readonly ending: Ending }
  /** A run that waits cannot go on in this process, and stays as it is. */
  | { readonly type: 'left'; readonly start: Start; readonly error: ErrorRecord };

export interface Starts {
  /** Puts the start into the store; from then on it will run, whatever happens to this process. @throws what the store throws */
  open(due: DueStart): Promise<void>;
  /** Runs it to its end. Never rejects because of the run. @throws what the store throws */
  drive(start: Start, signal: AbortSignal): Promise<void>;
  /** Continues a run that waits, once its moment has come. Never rejects because of the run. @throws what the store throws */
  wake(start: Start, signal: AbortSignal): Promise<void>;
  /** The ids of runs that have not ended: this process drives them, another does, or nobody any more. @throws what the store throws */
  opened(): Promise<readonly string[]>;
  /** Continues such a run to its end if nobody drives it. Never rejects because of the run. @throws what the store throws */
  recover(runId: string, signal: AbortSignal): Promise<void>;
}

export interface StartsParts {
  readonly store: KeyValueStore;
  readonly starter: RunStarter;
  readonly onEvent: (event: StartEvent) => void;
  readonly clock: Pick<Clock, 'now'>;
}

const PREFIX = 'schedules/open/';
/** The most starts that are looked at in one pass. */
const MOST_OPEN = 1000;

interface Opened {
  readonly start: Start;
  /** Its process was told to stop: the run was not cancelled by anybody. */
  readonly interrupted: boolean;
}

export function createStarts(parts: StartsParts): Starts {
  const { store, starter, onEvent, clock } = parts;
  const driven = new Set<string>();
  /** Runs that cannot go on here, with the moment that they waited for. */
  const left = new Map<string, number>();

  async function drive(start: Start, signal: AbortSignal, resumed: boolean): Promise<void> {
    if (driven.has(start.runId) || signal.aborted) return;
    driven.add(start.runId);
    try {
      let begun = false;
      const onBegun = (): void => {
        begun = true;
        onEvent({ type: 'begun', start, resumed });
      };
      const ending = await endingOf(
        () => (resumed ? starter.resume(start.runId, signal, onBegun) : starter.start(start, signal, onBegun)),
        signal,
      );
      const { status, error } = ending;
      // A process that lacks what the run needs leaves it to one that has it.
      const isLeft = start.dueMs !== undefined && !begun && error !== undefined && !error.code.startsWith('store-');
      if (isLeft) {
        left.set(start.runId, start.dueMs);
        onEvent({ type: 'left', start, error });
      } else if (status !== 'elsewhere') onEvent({ type: 'ended', start, ending });
      await close(start, ending, signal);
    } finally {
      driven.delete(start.runId);
    }
  }

  /** What another process drives is its to close; what was stopped or hit a failing store stays open for a later pass. */
  async function close(start: Start, { status, error }: Ending, signal: AbortSignal): Promise<void> {
    if (status === 'elsewhere' || status === 'running' || status === 'interrupted') return;
    if (signal.aborted && status !== 'done' && status !== 'suspended') {
      await store.set(PREFIX + start.runId, { start, interrupted: true } satisfies Opened);
    } else if (error === undefined || !error.code.startsWith('store-')) await store.delete(PREFIX + start.runId);
  }

  /** Another process may have continued it, until its end or until a later moment. */
  async function wake(start: Start, signal: AbortSignal): Promise<void> {
    const { runId, dueMs = 0 } = start;
    if (driven.has(runId) || dueMs > clock.now() || left.get(runId) === dueMs) return;
    const at = await starter.moment(runId);
    if (at !== undefined && at <= clock.now()) await drive(start, signal, true);
    else if (!isUnderWay(await starter.status(runId))) await store.delete(PREFIX + runId);
  }

  async function recover(runId: string, signal: AbortSignal): Promise<void> {
    const key = PREFIX + runId;
    const opened = driven.has(runId) ? undefined : openedOf(await store.get(key));
    if (opened === undefined || driven.has(runId) || signal.aborted) return;
    const status = await starter.status(runId);
    if (opened.start.dueMs !== undefined && status === 'suspended') await wake(opened.start, signal);
    else if (status === undefined && opened.start.dueMs === undefined) await drive(opened.start, signal, false);
    else if (status !== undefined && mayGoOn(status, opened)) await drive(opened.start, signal, true);
    else await store.delete(key);
  }

  return {
    async open({ start, taken }) {
      await store.set(PREFIX + start.runId, { start, interrupted: false } satisfies Opened);
      await taken();
    },
    drive: (start, signal) => drive(start, signal, false),
    wake,
    opened: async () => (await store.keys(PREFIX, MOST_OPEN)).map((key) => key.slice(PREFIX.length)),
    recover,
  };
}

const isUnderWay = (status: RunStatus | undefined): boolean => status === 'running' || status === 'interrupted';

/** Where a store cannot tell whether somebody drives a run, it says `running`: to resume it is then refused, or not. */
const mayGoOn = (status: RunStatus, { interrupted }: Opened): boolean =>
  status === 'running' || status === 'interrupted' || (status === 'cancelled' && interrupted);

async function endingOf(work: () => Promise<Ending>, signal: AbortSignal): Promise<Ending> {
  try {
    return await work();
  } catch (error) {
    return signal.aborted ? { status: 'cancelled' } : { status: 'failed', error: errorRecord(error) };
  }
}

function openedOf(value: unknown): Opened | undefined {
  return typeof value === 'object' && value !== null && 'start' in value ? (value as Opened) : undefined;
}
