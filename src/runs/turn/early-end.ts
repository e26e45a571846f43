/** The early end of a run: a node with `finish` that is done ends it, and its output is that of the run. */
import type { RunState } from '../state/run-state.ts';
import type { Task } from '../state/task.ts';
import { cancel, end } from './ending.ts';

/** The node that ends the run; of several that are done, the first of the plan. */
export function finishingTask({ tasks }: RunState): Task | undefined {
  for (const task of tasks.values()) if (task.node.finish === true && task.ending === 'done') return task;
  return undefined;
}

/** Ends all that has not ended: what runs is cancelled, what waits is skipped. Not while the plan is still being written. */
export function finishEarly(run: RunState): void {
  if (run.stopping !== undefined || run.failure !== undefined || run.streamingPlan !== undefined) return;
  const by = finishingTask(run);
  if (by === undefined) return;
  const reason = `node ${by.id} ended the run`;
  run.queue.clear();
  run.waitingForBudget = [];
  for (const task of run.tasks.values()) {
    const { phase, id } = task;
    if (phase === 'ended' || phase === 'settling') continue;
    if (phase === 'waiting' || phase === 'ready')
      end(run, task, 'skipped', { type: 'node-skipped', nodeId: id, reason });
    else cancel(run, task, reason);
  }
}
