/** What follows when a record would be more than a run may write. */
import { defined } from '../../core/defined.ts';
import type { RunEvent } from '../../core/run/engine.ts';
import { tooMuchWritten } from '../records/written.ts';
import type { RunState } from '../state/run-state.ts';
import { refuse } from './concluding.ts';
import { fail } from './ending.ts';
import { stop } from './stop.ts';

/** Ends the run. A refused answer is the error of the one who gave it. */
export function refuseRecord(run: RunState, event: RunEvent): void {
  if (event.type === 'answer') return;
  const error = tooMuchWritten(event, run.writtenBytes.limit);
  if (event.type === 'run-started' || event.type === 'run-resumed') {
    refuse(run, error);
    return;
  }
  const nodeId = 'nodeId' in event ? event.nodeId : undefined;
  stop(run, { type: 'failed', error, ...defined({ nodeId }) });
  const task = nodeId === undefined ? undefined : run.tasks.get(nodeId);
  // Its end was not recorded, so this one is: it says what the node has cost.
  if (task?.phase === 'settling') fail(run, task, error);
}
