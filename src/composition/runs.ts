/** `polyphony.runs`: what a user does with existing runs, in terms of the engine. */
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { ExecutionEngine, RunHandle } from '../core/run/engine.ts';
import type { ContinueOptions, Runs } from '../core/run/runs.ts';
import { rootOf } from '../runs/journal/root.ts';
import { assertItemNamed } from '../runs/stored/given-answer.ts';
import { assertContinuingAnswer } from './checked-engine.ts';
import { replayKnown, type WatchParts, watchRun } from './watch.ts';

export function createRuns(parts: WatchParts): Runs {
  const { engine } = parts;
  return {
    list: (filter) => engine.list(filter),
    show: (runId) => engine.inspect(runId),
    watch: (runId, options = {}) => watchRun(parts, runId, options.signal),
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
    cancel: (runId, reason) => engine.cancel(runId, reason),
    replay: (runId) => replayKnown(engine, runId),
  };
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

/**
 * Whether a run that was driven here when it was answered continues by itself. A run that was suspended at that moment does
 * not, and its journal says so. A run that took the answer and ended, in any way, must not be resumed.
 */
async function tookAnswer(engine: ExecutionEngine, handle: RunHandle): Promise<boolean> {
  const { status } = await engine.inspect(handle.runId);
  return status === 'running' || (await handle.result()).status !== 'suspended';
}
