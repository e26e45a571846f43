/** `polyphony.runs`: what a user does with existing runs, in terms of the engine. */
import { assertKnownFields, SIGNAL } from '../core/checked-options.ts';
import { defined } from '../core/defined.ts';
import { asPolyphonyError, errorRecord, PolyphonyError } from '../core/errors.ts';
import type { EventOptions, ExecutionEngine, RunHandle } from '../core/run/engine.ts';
import type { ContinueOptions, EventOutcome, Runs } from '../core/run/runs.ts';
import { nearest } from '../language/suggest.ts';
import { rootOf } from '../runs/journal/root.ts';
import { assertItemNamed } from '../runs/stored/given-answer.ts';
import { assertContinuingAnswer } from './checked-engine.ts';
import { replayKnown, type WatchParts, watchRun } from './watch.ts';

export interface RunsParts extends WatchParts {
  readonly engine: ExecutionEngine & Required<Pick<ExecutionEngine, 'event'>>;
}

export function createRuns(parts: RunsParts): Runs {
  const { engine } = parts;
  return {
    list: (filter) => engine.list(filter),
    show: (runId) => engine.inspect(runId),
    watch(runId, options = {}) {
      assertKnownFields('A watch of a run', options, { signal: SIGNAL }, nearest);
      return watchRun(parts, runId, options.signal);
    },
    resume: (runId, options) => engine.resume(runId, options),
    fork: (runId, options) => engine.fork(runId, options),
    async answer(runId, nodeId, answer, options) {
      assertContinuingAnswer(options);
      const { item, ...continuing } = options ?? {};
      assertItemNamed(await engine.inspect(runId), { runId, nodeId, ...defined({ item }) });
      // A nested run goes on with the run around it.
      const rootId = await rootOf(parts.journal, runId);
      const before = await parts.live(rootId);
      await engine.answer(runId, nodeId, answer, defined({ item }));
      const driving = before !== undefined && (await tookAnswer(engine, before));
      return driving ? before : resumeOrJoin(parts, rootId, continuing);
    },
    event: (name, payload, options) => sendEvent(parts, name, payload, options),
    cancel: (runId, reason) => engine.cancel(runId, reason),
    replay: (runId) => replayKnown(engine, runId),
  };
}

async function sendEvent(
  parts: RunsParts,
  name: string,
  payload: unknown,
  options: EventOptions | undefined,
): Promise<EventOutcome> {
  const receipt = await parts.engine.event(name, payload, options);
  const runs: RunHandle[] = [];
  const left: EventOutcome['left'][number][] = [];
  for (const runId of new Set(receipt.delivered.map((taken) => taken.runId))) {
    try {
      const before = await parts.live(runId);
      const driving = before !== undefined && (await tookAnswer(parts.engine, before));
      const handle = driving ? before : await resumeHere(parts, runId);
      if (handle !== undefined) runs.push(handle);
    } catch (error) {
      left.push({ runId, error: errorRecord(asPolyphonyError(error)) });
    }
  }
  return { ...receipt, runs, left };
}

/** Where two nodes are answered at once, both answers are recorded before the run goes on, and one of the two resumes it. */
async function resumeOrJoin(
  { engine, live }: WatchParts,
  runId: string,
  options: ContinueOptions | undefined,
): Promise<RunHandle> {
  try {
    return await engine.resume(runId, options);
  } catch (error) {
    const joined = error instanceof PolyphonyError && error.code === 'store-busy' ? await live(runId) : undefined;
    if (joined === undefined) throw error;
    return joined;
  }
}

/** Tries to resume a run that others let go of each time before it could be. */
const MOST_TRIES = 3;

/** Undefined: another process has resumed the run since the event was recorded in it, and goes on with it. */
async function resumeHere(parts: RunsParts, runId: string): Promise<RunHandle | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await resumeOrJoin(parts, runId, undefined);
    } catch (error) {
      if (!(error instanceof PolyphonyError) || error.code !== 'store-busy') throw error;
      if ((await parts.journal.held?.([runId]))?.has(runId) === true) return undefined;
      const { status } = await parts.engine.inspect(runId);
      if (status === 'done' || status === 'failed' || status === 'cancelled') return undefined;
      if (tries >= MOST_TRIES) throw error;
    }
  }
}

/**
 * Whether a run that was driven here when it was answered continues by itself. A run that was suspended at that moment does
 * not, and its journal says so. A run that took the answer and ended, in any way, must not be resumed.
 */
async function tookAnswer(engine: ExecutionEngine, handle: RunHandle): Promise<boolean> {
  const { status } = await engine.inspect(handle.runId);
  return status === 'running' || (await handle.result()).status !== 'suspended';
}
