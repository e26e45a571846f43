/**
 * The one way of an event into journal and stream.
 *
 * R1. Events get their `seq` when they happen, gapless, and are shown in that order.
 * R2. An event that the journal keeps is shown, and its `committed` called, only after its append was committed.
 * R3. One append is in flight at a time; what happens meanwhile goes into the next one.
 */
import type { Clock } from '../core/clock.ts';
import { type RunEvent, TRANSIENT_EVENTS } from '../core/engine.ts';
import type { RunJournal } from '../core/stores.ts';

type Unstamped<E> = E extends unknown ? Omit<E, 'seq' | 'at' | 'runId'> : never;
/** An event before it has its number, time and run. */
export type EventDraft = Unstamped<RunEvent>;

export interface Recorder {
  record(event: EventDraft, committed?: () => void): void;
  /** Hands everything recorded to the journal; at once when no append is in flight. */
  flush(): void;
  /** Nothing is waiting and nothing in flight. */
  idle(): boolean;
  /** Recorded and neither committed nor handed over. */
  pending(): boolean;
  /** From now on nothing is journalled: another process has the run, or the journal is broken. */
  detach(): void;
  /** Shows an event that the journal holds already. */
  show(event: RunEvent): void;
}

export interface RecorderOptions {
  readonly runId: string;
  readonly clock: Clock;
  readonly journal: RunJournal;
  readonly firstSeq: number;
  /** Every event, in order. */
  readonly publish: (event: RunEvent) => void;
  /** After a commit that took time. */
  readonly onCommitted: () => void;
  readonly onBroken: (error: unknown) => void;
}

interface Entry {
  readonly event: RunEvent;
  readonly committed: (() => void) | undefined;
}

export function createRecorder(options: RecorderOptions): Recorder {
  const { runId, clock, journal, publish } = options;
  let seq = options.firstSeq;
  let outbox: Entry[] = [];
  let inFlight = false;
  let detached = false;

  const settle = (batch: readonly Entry[]): void => {
    for (const { event, committed } of batch) {
      publish(event);
      committed?.();
    }
  };
  const broken = (batch: readonly Entry[], error: unknown): void => {
    detached = true;
    outbox = [...batch, ...outbox];
    options.onBroken(error);
  };
  const append = (batch: readonly Entry[]): Promise<void> | undefined => {
    if (detached) return undefined;
    const kept: RunEvent[] = [];
    for (const { event } of batch) if (!TRANSIENT_EVENTS.has(event.type)) kept.push(event);
    return kept.length === 0 ? undefined : journal.append(runId, kept);
  };
  const flush = (): void => {
    if (inFlight || outbox.length === 0) return;
    const batch = outbox;
    outbox = [];
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
      (error: unknown) => {
        inFlight = false;
        broken(batch, error);
      },
    );
  };
  return {
    record(draft, committed) {
      const event = { seq, at: clock.now(), runId, ...draft } as RunEvent;
      seq += 1;
      outbox.push({ event, committed });
    },
    flush,
    idle: () => !inFlight && outbox.length === 0,
    pending: () => !inFlight && outbox.length > 0,
    detach() {
      detached = true;
    },
    show: publish,
  };
}
