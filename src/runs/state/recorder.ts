/**
 * The only path of an event into the journal and the stream.
 *
 * R1. Events get their `seq` when they happen, gapless, and are shown in that order.
 * R2. An event that the journal keeps is shown, and its `committed` called, only after its append was committed.
 * R3. One append is in flight at a time; what happens meanwhile goes into the next one.
 * R4. A full store takes what fits: of a batch that has no room, the first records that have.
 * R6. The journal gets what `written` makes of an event, readers get all of it. An event that may not be written did not happen.
 */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { type RunEvent, TRANSIENT_EVENTS } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import type { Written } from '../records/written.ts';
import type { Task } from './task.ts';

type Unstamped<E> = E extends unknown ? Omit<E, 'seq' | 'at' | 'runId'> : never;
/** An event before it has its number, time and run. Frequent events reserve these fields, which saves a copy of each. */
export type EventDraft = Unstamped<RunEvent> & { seq?: number; at?: number; runId?: string };

/** Completes the draft in place: it belongs to the recorder once it is recorded. */
export function stamp(draft: EventDraft, seq: number, at: number, runId: string): RunEvent {
  draft.seq = seq;
  draft.at = at;
  draft.runId = runId;
  return draft as RunEvent;
}

export interface Recorder {
  /** @returns false when the run may not write that much more: then nothing was recorded, and `onRefused` was called */
  record(event: EventDraft, committed?: () => void): boolean;
  /** As `record`, for the end of a node: takes the task, which saves a closure per node. */
  recordEnd(event: EventDraft, task: Task): boolean;
  /** Appends everything recorded to the journal; does nothing while an append is in flight. */
  flush(): void;
  /** Nothing is waiting or in flight. */
  idle(): boolean;
  /** Events are waiting, and no append is in flight. */
  pending(): boolean;
  /** From now on nothing is journalled, because another process has the run or the journal is broken. */
  detach(): void;
  /** Shows an event that the journal holds already. */
  show(event: RunEvent): void;
}

export interface RecorderOptions {
  readonly runId: string;
  readonly clock: Clock;
  readonly journal: RunJournal;
  readonly firstSeq: number;
  readonly written: Written;
  /** Every event, in order. */
  readonly publish: (event: RunEvent) => void;
  /** Called when the end of a node is committed. */
  readonly onEnd: (task: Task) => void;
  /** Called after each asynchronous commit. */
  readonly onCommitted: () => void;
  readonly onBroken: (error: unknown) => void;
  /** Called with an event that may not be written. */
  readonly onRefused: (event: RunEvent) => void;
}

/** The events since the last append. `committed[i]` belongs to `events[i]`; `kept` is what the journal keeps of them. */
interface Batch {
  readonly events: RunEvent[];
  readonly committed: ((() => void) | Task | undefined)[];
  readonly kept: RunEvent[];
}

const isFull = (error: unknown): boolean => error instanceof PolyphonyError && error.code === 'store-full';

const emptyBatch = (): Batch => ({ events: [], committed: [], kept: [] });

export function createRecorder(options: RecorderOptions): Recorder {
  const { runId, clock, journal, publish } = options;
  let seq = options.firstSeq;
  let outbox = emptyBatch();
  let inFlight = false;
  let detached = false;

  const settle = ({ events, committed }: Batch): void => {
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index];
      if (event !== undefined) publish(event);
      const then = committed[index];
      if (typeof then === 'function') then();
      else if (then !== undefined) options.onEnd(then);
    }
  };
  const broken = (batch: Batch, error: unknown): void => {
    detached = true;
    outbox = {
      events: [...batch.events, ...outbox.events],
      committed: [...batch.committed, ...outbox.committed],
      kept: [],
    };
    options.onBroken(error);
  };
  const append = ({ kept }: Batch): Promise<void> | undefined =>
    detached || kept.length === 0 ? undefined : journal.append(runId, kept);
  const record = (draft: EventDraft, committed?: (() => void) | Task): boolean => {
    const event = stamp(draft, seq, clock.now(), runId);
    if (!detached && !TRANSIENT_EVENTS.has(event.type)) {
      const kept = options.written.keep(event);
      if (kept === undefined) {
        options.onRefused(event);
        return false;
      }
      outbox.kept.push(kept);
    }
    seq += 1;
    outbox.events.push(event);
    outbox.committed.push(committed);
    return true;
  };
  const flush = (): void => {
    if (inFlight || outbox.events.length === 0) return;
    const batch = outbox;
    outbox = emptyBatch();
    let commit: Promise<void> | undefined;
    try {
      commit = append(batch);
    } catch (error) {
      broken(batch, error);
      return;
    }
    if (commit === undefined) {
      settle(batch);
      return;
    }
    inFlight = true;
    commit.then(
      () => {
        inFlight = false;
        settle(batch);
        options.onCommitted();
      },
      async (error: unknown) => {
        if (isFull(error)) await keepWhatFits(batch);
        inFlight = false;
        broken(batch, error);
      },
    );
  };
  /** The whole batch does not fit, but its first records may: work that is recorded is not done and paid again. */
  const keepWhatFits = async ({ kept }: Batch): Promise<void> => {
    try {
      for (const event of kept.length > 1 ? kept : []) await journal.append(runId, [event]);
    } catch {
      // The run ends with the error of the whole batch.
    }
  };
  return {
    record,
    recordEnd: record,
    flush,
    idle: () => !inFlight && outbox.events.length === 0,
    pending: () => !inFlight && outbox.events.length > 0,
    detach() {
      detached = true;
    },
    show: publish,
  };
}
