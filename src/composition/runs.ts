/** `polyphony.runs`: what a user does with existing runs, in terms of the engine. */
import type { ExecutionEngine, RunHandle } from '../core/run/engine.ts';
import type { Runs } from '../core/run/runs.ts';
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
      const before = await parts.live(runId);
      await engine.answer(runId, nodeId, answer);
      const driving = before !== undefined && (await tookAnswer(engine, before));
      return driving ? before : engine.resume(runId, options);
    },
    cancel: (runId, reason) => engine.cancel(runId, reason),
    replay: (runId) => replayKnown(engine, runId),
  };
}

/**
 * Whether a run that was driven here when it was answered continues by itself. A run that was suspended at that moment does
 * not, and its journal says so. A run that took the answer and ended, in any way, must not be resumed.
 */
async function tookAnswer(engine: ExecutionEngine, handle: RunHandle): Promise<boolean> {
  const { status } = await engine.inspect(handle.runId);
  return status === 'running' || (await handle.result()).status !== 'suspended';
}
