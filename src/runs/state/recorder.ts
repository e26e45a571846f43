/**
 * The only path of an event into the journal and the stream.
 *
 * R1. Events get their `seq` when they happen, gapless, and are shown in that order.
 * R2. An event that the journal keeps is shown, and its `committed` called, only after its append was committed.
 * R3. One append is in flight at a time; what happens meanwhile goes into the next one.
 * R4. A full store takes what fits: of a batch that has no room, the first records that have.
 * R5. After a failed append nothing is journalled. What was waiting is still shown, so that its owners go on, but not the
 *     end of the run: another one follows, which says that the store failed.
 * R6. The journal gets what `written` makes of an event, readers get all of it. An event that may not be written did not happen.
 */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { type RunEvent, TRANSIENT_EVENTS } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import type { Written } from '../records/written.ts';
import { storeFailure } from './store-failure.ts';
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
  /** Appends everything recorded; resolves once all of it is committed, or never will be. */
  drain(): Promise<void>;
  /** Whether the journal holds any record of the run. */
  hasRecords(): boolean;
  /** Shows an event that the journal holds already. */
  show(event: RunEvent): void;
  /**
   * What is recorded until `endTurn`, within the same call, has one time: to read the clock for each record would be a fifth of
   * a step that does nothing.
   */
  beginTurn(): void;
  endTurn(): void;
  /** A reading of the monotonic clock within a turn, in milliseconds. */
  tick(nowMs: number): void;
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
  readonly onBroken: (error: PolyphonyError) => void;
  /** Called with an event that may not be written. */
  readonly onRefused: (event: RunEvent) => void;
}

/** The events since the last append. `committed[i]` belongs to `events[i]`; `kept` is what the journal keeps of them. */
interface Batch {
  readonly events: RunEvent[];
  readonly committed: ((() => void) | Task | undefined)[];
  readonly kept: RunEvent[];
}

/** The last record of a run in this process. */
const ENDS: ReadonlySet<RunEvent['type']> = new Set(['run-finished', 'run-failed', 'run-cancelled', 'run-suspended']);

/** A large plan records hardly anything but the first two, so these are asked for first. */
const isKept = ({ type }: RunEvent): boolean =>
  type === 'node-finished' || type === 'node-started' || !TRANSIENT_EVENTS.has(type);

const isFull = (error: unknown): boolean => error instanceof PolyphonyError && error.code === 'store-full';

const emptyBatch = (): Batch => ({ events: [], committed: [], kept: [] });

/** The events up to the last one that was kept, and all after it. */
function splitAfter({ events, committed, kept }: Batch, count: number): readonly [Batch, Batch] {
  // By number, because the journal may get a shorter form of an event.
  const last = kept[count - 1]?.seq;
  const at = last === undefined ? 0 : events.findIndex(({ seq }) => seq === last) + 1;
  return [
    { events: events.slice(0, at), committed: committed.slice(0, at), kept: kept.slice(0, count) },
    { events: events.slice(at), committed: committed.slice(at), kept: kept.slice(count) },
  ];
}

/** Both batches in order, without the end of the run: it is always the last event. */
function withoutEnd(first: Batch, second: Batch): Batch {
  const events = [...first.events, ...second.events];
  const committed = [...first.committed, ...second.committed];
  const last = events.at(-1);
  if (last !== undefined && ENDS.has(last.type)) {
    events.pop();
    committed.pop();
  }
  return { events, committed, kept: [] };
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { runId, clock, journal, publish } = options;
  let seq = options.firstSeq;
  let outbox = emptyBatch();
  let inFlight = false;
  let detached = false;
  let hasRecords = options.firstSeq > 0;
  let drained: (() => void)[] = [];
  const time = timeOfTurns(clock);

  const settle = ({ events, committed: callbacks }: Batch): void => {
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index];
      if (event !== undefined) publish(event);
      const then = callbacks[index];
      if (typeof then === 'function') then();
      else if (then !== undefined) options.onEnd(then);
    }
  };
  const idle = (): boolean => !inFlight && outbox.events.length === 0;
  const broken = (batch: Batch, error: unknown): void => {
    const isFirst = !detached;
    detached = true;
    const recorded = batch.events.length + outbox.events.length;
    outbox = withoutEnd(batch, outbox);
    seq -= recorded - outbox.events.length;
    if (isFirst) options.onBroken(storeFailure(error, 'append'));
    else options.onCommitted();
  };
  const append = ({ kept }: Batch): Promise<void> | undefined =>
    detached || kept.length === 0 ? undefined : journal.append(runId, kept);
  const record = (draft: EventDraft, committed?: (() => void) | Task): boolean => {
    const event = stamp(draft, seq, time.now(), runId);
    if (!detached && isKept(event)) {
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
      if (!detached && batch.kept.length > 0) hasRecords = true;
      settle(batch);
      return;
    }
    inFlight = true;
    commit.then(
      () => committed(batch),
      async (error: unknown) => {
        const kept = isFull(error) ? await keepWhatFits(batch) : 0;
        if (kept > 0) hasRecords = true;
        if (kept === batch.kept.length) {
          committed(batch);
          return;
        }
        inFlight = false;
        const [before, after] = splitAfter(batch, kept);
        settle(before);
        broken(after, error);
        goOn();
      },
    );
  };
  const committed = (batch: Batch): void => {
    inFlight = false;
    hasRecords = true;
    settle(batch);
    options.onCommitted();
    goOn();
  };
  /** After the run has ended nobody else flushes. */
  const goOn = (): void => {
    if (drained.length === 0) return;
    while (!inFlight && outbox.events.length > 0) flush();
    if (!idle()) return;
    const waiting = drained;
    drained = [];
    for (const resolve of waiting) resolve();
  };
  /**
   * The whole batch does not fit, but its first records may: work that is recorded is not done and paid again.
   *
   * @returns how many were kept
   */
  const keepWhatFits = async ({ kept }: Batch): Promise<number> => {
    let count = 0;
    try {
      for (const event of kept.length > 1 ? kept : []) {
        if (detached) break;
        await journal.append(runId, [event]);
        count += 1;
      }
    } catch {
      // The run ends with the error of the whole batch.
    }
    return count;
  };
  return {
    record,
    recordEnd: record,
    flush,
    idle,
    pending: () => !inFlight && outbox.events.length > 0,
    detach() {
      detached = true;
    },
    drain: () =>
      new Promise<void>((resolve) => {
        drained.push(resolve);
        goOn();
      }),
    hasRecords: () => hasRecords,
    show: publish,
    beginTurn: time.begin,
    endTurn: time.end,
    tick: time.tick,
  };
}

/**
 * The time of the records of one run: read once for what is recorded together, and again only when the clock may show another one.
 * That is after a step of it, which a reading of the monotonic clock tells.
 */
function timeOfTurns(clock: Clock) {
  const { stepMs = 0 } = clock;
  let isTurn = false;
  let isKnown = false;
  let at = 0;
  let tickMs = Number.NEGATIVE_INFINITY;
  /** `at` was read at this tick, or later. */
  let readMs = Number.NEGATIVE_INFINITY;
  return {
    now(): number {
      if (isKnown) return at;
      at = clock.now();
      readMs = tickMs;
      isKnown = isTurn;
      return at;
    },
    begin(): void {
      isTurn = true;
      isKnown = false;
    },
    end(): void {
      isTurn = false;
      isKnown = false;
    },
    tick(nowMs: number): void {
      tickMs = nowMs;
      isKnown = isTurn && nowMs - readMs < stepMs;
    },
  };
}
