/** The early end of a run: a node with `finish` that is done ends it, and its output is that of the run. */
import type { RunState } from '../state/run-state.ts';
import type { Task } from '../state/task.ts';

/** The node that ends the run; of several that are done, the first of the plan. */
export function finishingTask({ tasks }: RunState): Task | undefined {
  for (const task of tasks.values()) if (task.node.finish === true && task.ending === 'done') return task;
  return undefined;
}
