/** The events of a run, whoever drives it: the handle's where this process does, else the journal's, read again and again. */
import type { Runtime } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { ExecutionEngine, RunEvent, RunHandle } from '../core/run/engine.ts';
import type { RunJournal } from '../core/stores.ts';
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
/** Silence after which somebody has to ask whether the run's process still lives. */
const SILENCE_MS = 5000;
const CLAIM_MS = 1000;

/** Events after which nobody drives the run until it is resumed. */
const ENDS: ReadonlySet<RunEvent['type']> = new Set(['run-finished', 'run-failed', 'run-cancelled', 'run-suspended']);

export async function* watchRun(
  parts: WatchParts,
  runId: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<RunEvent> {
  const ended = AbortSignal.any(signal === undefined ? [parts.closing] : [signal, parts.closing]);
  const handle = await parts.live(runId);
  const events = handle === undefined ? polled(parts, runId, ended) : liveEvents(parts.engine, handle);
  yield* untilAborted(events, ended);
}

/** @throws not-found for a run that the journal does not know */
export async function* replayKnown(engine: ExecutionEngine, runId: string): AsyncGenerator<RunEvent> {
  let known = false;
  for await (const event of engine.replay(runId)) {
    known = true;
    yield event;
  }
  if (!known) {
    throw new PolyphonyError('not-found', `The journal has no run ${runId}: list the runs to find the right id.`);
  }
}

/** A handle begins where this process took the run up; what happened before is in the journal. */
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
  for await (const event of engine.replay(runId)) {
    if (event.seq >= seq) return;
    yield event;
  }
}

/** Ends after the run's last event, when its process is gone, and when the signal aborts. */
async function* polled(parts: WatchParts, runId: string, signal: AbortSignal): AsyncGenerator<RunEvent> {
  const { clock } = parts.runtime;
  let seen = -1;
  let hasEnded = false;
  let heardAt = clock.monotonic();
  while (!signal.aborted) {
    const began = clock.monotonic();
    for await (const event of replayKnown(parts.engine, runId)) {
      if (event.seq <= seen) continue;
      seen = event.seq;
      heardAt = clock.monotonic();
      if (event.type !== 'answer') hasEnded = ENDS.has(event.type);
      yield event;
    }
    if (hasEnded) return;
    const now = clock.monotonic();
    if (now - heardAt > SILENCE_MS) {
      if (await isAbandoned(parts, runId)) return;
      heardAt = now;
    }
    // A long journal takes a while to read: no more than a tenth of the time goes into that.
    await sleep(clock, Math.max(PAUSE_MS, 10 * (now - began)), signal).catch(() => undefined);
  }
}

/** Whoever can take the lease is the only one. It is given back at once. */
async function isAbandoned({ engine, journal, runtime }: WatchParts, runId: string): Promise<boolean> {
  const root = await rootOf(engine, runId);
  const owner = runtime.ids('watch');
  if (!(await journal.claim(root, owner, CLAIM_MS))) return false;
  await journal.release(root, owner);
  return true;
}

/** Runs within runs have no lease of their own. */
async function rootOf(engine: ExecutionEngine, runId: string): Promise<string> {
  for await (const event of engine.replay(runId)) {
    const parent = event.type === 'run-started' ? event.parent : undefined;
    return parent?.kind === 'nested' ? rootOf(engine, parent.runId) : runId;
  }
  return runId;
}

/** Stops waiting for the next event when the signal aborts, and lets go of the source. */
async function* untilAborted<T>(source: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  let leave = (): void => undefined;
  const onAbort = (): void => leave();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      // A promise per event, so that a long watch piles up nothing on the signal.
      const next = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        leave = () => resolve(undefined);
        source.next().then(resolve, reject);
      });
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: a source that waits for an event ends when it comes.
    source.return(undefined).catch(() => undefined);
  }
}
