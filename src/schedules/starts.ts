/**
 * Runs that something started and that have not ended. Each is in the store before it begins and until it has ended, so that
 * a process that is killed at any point loses none. The id of the run says for what it was started, so that however many
 * processes try, one run is the result.
 */
import { type ErrorRecord, errorRecord } from '../core/errors.ts';
import type { NanoUsd } from '../core/money/money.ts';
import type { RunStatus } from '../core/run/engine.ts';
import type { KeyValueStore } from '../core/stores.ts';

/** One run that a schedule or a trigger asks for. */
export interface Start {
  readonly runId: string;
  /** The schedule or the trigger, such as `schedules.digest`. */
  readonly by: string;
  /** A plan file or `workflow:<id>`. */
  readonly run: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly budgetUsd?: number;
  /** What it was started for, for people: the due time or the path of the file. */
  readonly reason: string;
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
}

/** Nothing is told of a run that another process drives. */
export type StartEvent =
  | { readonly type: 'begun'; readonly start: Start; readonly resumed: boolean }
  | { readonly type: 'ended'; readonly start: Start; readonly ending: Ending };

export interface Starts {
  /** Puts the start into the store; from then on it will run, whatever happens to this process. @throws what the store throws */
  open(due: DueStart): Promise<void>;
  /** Runs it to its end. Never rejects because of the run. @throws what the store throws */
  drive(start: Start, signal: AbortSignal): Promise<void>;
  /** Continues what a process left behind, and waits for it. */
  recover(signal: AbortSignal): Promise<void>;
}

export interface StartsParts {
  readonly store: KeyValueStore;
  readonly starter: RunStarter;
  readonly onEvent: (event: StartEvent) => void;
}

const PREFIX = 'schedules/open/';
/** The most starts that are recovered in one pass. */
const MOST_OPEN = 1000;
/** Runs that are recovered at the same time. */
const AT_ONCE = 4;

interface Opened {
  readonly start: Start;
  /** Its process was told to stop: the run was not cancelled by anybody. */
  readonly interrupted: boolean;
}

export function createStarts(parts: StartsParts): Starts {
  const { store, starter, onEvent } = parts;
  const driven = new Set<string>();

  async function drive(start: Start, signal: AbortSignal, resumed: boolean): Promise<void> {
    if (driven.has(start.runId) || signal.aborted) return;
    driven.add(start.runId);
    try {
      const onBegun = (): void => onEvent({ type: 'begun', start, resumed });
      const ending = await endingOf(
        () => (resumed ? starter.resume(start.runId, signal, onBegun) : starter.start(start, signal, onBegun)),
        signal,
      );
      if (ending.status !== 'elsewhere') onEvent({ type: 'ended', start, ending });
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

  async function recoverOne(key: string, signal: AbortSignal): Promise<void> {
    const opened = openedOf(await store.get(key));
    if (opened === undefined || driven.has(opened.start.runId) || signal.aborted) return;
    const status = await starter.status(opened.start.runId);
    if (status === undefined) await drive(opened.start, signal, false);
    else if (mayGoOn(status, opened)) await drive(opened.start, signal, true);
    else await store.delete(key);
  }

  return {
    async open({ start, taken }) {
      await store.set(PREFIX + start.runId, { start, interrupted: false } satisfies Opened);
      await taken();
    },
    drive: (start, signal) => drive(start, signal, false),
    async recover(signal) {
      const keys = [...(await store.keys(PREFIX, MOST_OPEN))];
      const work = async (): Promise<void> => {
        for (let key = keys.shift(); key !== undefined; key = keys.shift()) await recoverOne(key, signal);
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
    },
  };
}

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
