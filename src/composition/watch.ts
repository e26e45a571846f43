/** The events of a run: from its handle where this process drives it, otherwise from its journal, which is polled. */
import type { Runtime } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import { joinedSignal, onAbort } from '../core/on-abort.ts';
import type { ExecutionEngine, RunEvent, RunHandle } from '../core/run/engine.ts';
import { fullEvents } from '../core/run/full-events.ts';
import type { RunJournal } from '../core/stores.ts';
import { rootOf } from '../runs/journal/root.ts';
import { sleep } from '../system/clock.ts';

export interface WatchParts {
  readonly engine: ExecutionEngine;
  readonly journal: RunJournal;
  readonly runtime: Runtime;
  /** The handle of a run that this process drives now. */
  readonly live: (runId: string) => Promise<RunHandle | undefined>;
  /** Aborts when the polyphony is closed. */
  readonly closing: AbortSignal;
}

const PAUSE_MS = 300;
/** Time without an event after which to check whether the run's process still lives. */
const IDLE_MS = 5000;
const CLAIM_MS = 1000;

/** Events after which nobody drives the run until it is resumed. */
const ENDS: ReadonlySet<RunEvent['type']> = new Set(['run-finished', 'run-failed', 'run-cancelled', 'run-suspended']);

export async function* watchRun(
  parts: WatchParts,
  runId: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<RunEvent> {
  const { signal: ended, release } = joinedSignal(signal === undefined ? [parts.closing] : [signal, parts.closing]);
  try {
    const handle = await parts.live(runId);
    const events = handle === undefined ? polled(parts, runId, ended) : liveEvents(parts.engine, handle);
    yield* untilAborted(events, ended);
  } finally {
    release();
  }
}

/** @throws not-found for a run that the journal does not know */
export async function* replayKnown(engine: ExecutionEngine, runId: string): AsyncGenerator<RunEvent> {
  let known = false;
  for await (const event of fullEvents(engine.replay(runId))) {
    known = true;
    yield event;
  }
  if (!known) {
    throw new PolyphonyError('not-found', `The journal has no run ${runId}: list the runs to find the right id.`);
  }
}

/** A handle begins where this process began to drive the run; earlier events are in the journal. */
async function* liveEvents(engine: ExecutionEngine, handle: RunHandle): AsyncGenerator<RunEvent> {
  let first = true;
  for await (const event of handle.events()) {
    if (first) yield* eventsBefore(engine, event);
    first = false;
    yield event;
  }
}

async function* eventsBefore(engine: ExecutionEngine, { runId, seq }: RunEvent): AsyncGenerator<RunEvent> {
  if (seq === 0) return;
  for await (const event of fullEvents(engine.replay(runId))) {
    if (event.seq >= seq) return;
    yield event;
  }
}

/** Ends after the run's last event, when its process is gone, and when the signal aborts. */
async function* polled(parts: WatchParts, runId: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
  const { clock } = parts.runtime;
  let seen = -1;
  let hasEnded = false;
  let lastEventAt = clock.monotonic();
  while (!signal.aborted) {
    const began = clock.monotonic();
    for await (const event of replayKnown(parts.engine, runId)) {
      if (event.seq <= seen) continue;
      seen = event.seq;
      lastEventAt = clock.monotonic();
      if (event.type !== 'answer') hasEnded = ENDS.has(event.type);
      yield event;
    }
    if (hasEnded) return;
    const now = clock.monotonic();
    if (now - lastEventAt > IDLE_MS) {
      if (await isAbandoned(parts, runId)) return;
      lastEventAt = now;
    }
    // A long journal takes a while to read: at most a tenth of the time is spent on that.
    await sleep(clock, Math.max(PAUSE_MS, 10 * (now - began)), signal).catch(() => undefined);
  }
}

/**
 * Nobody holds its lease. A journal that cannot tell is asked for the lease, which is given back immediately: whoever resumes the
 * run at that moment is refused.
 */
async function isAbandoned({ journal, runtime }: WatchParts, runId: string): Promise<boolean> {
  const root = await rootOf(journal, runId);
  if (journal.held !== undefined) return !(await journal.held([root])).has(root);
  const owner = runtime.ids('watch');
  if (!(await journal.claim(root, owner, CLAIM_MS))) return false;
  await journal.release(root, owner);
  return true;
}

/** Stops waiting for the next event when the signal aborts, and closes the source. */
async function* untilAborted<T>(source: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  let leave = (): void => undefined;
  const stopFollowing = onAbort(signal, () => leave());
  try {
    while (!signal.aborted) {
      // One promise per event, so that a long watch does not accumulate listeners on the signal.
      const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        leave = () => resolve(undefined);
        source.next().then(resolve, reject);
      });
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    stopFollowing();
    // Not awaited, because a source that waits for an event closes only when that event arrives.
    source.return(undefined).catch(() => undefined);
  }
}
