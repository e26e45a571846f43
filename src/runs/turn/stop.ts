/** Stops units, nodes and runs: the rules decide what has to stop and why, the driver stops it. */
import { asPolyphonyError, leftForNow, PolyphonyError, sameError } from '../../core/errors.ts';
import type { RunState, Stopping, StreamingPlan } from '../state/run-state.ts';
import type { Task } from '../state/task.ts';

/** Stops all units of a node. A unit that does not stop is settled after the grace period. */
export function stopUnits(run: RunState, task: Task, reason: PolyphonyError): void {
  // The reason may be what another unit has thrown, with what that one cost.
  const uncharged = sameError(reason);
  for (const unit of task.units) unit.stop ??= uncharged;
  run.driver.stopUnits(task, reason);
}

/** From now on nothing starts, and running units are signalled to stop. Only the first reason counts. */
export function stop(run: RunState, stopping: Stopping): void {
  if (run.result !== undefined) return;
  // Who cancels a run that stops already waits no longer for its store either.
  if (stopping.type === 'cancelled' && !run.mayLeave) {
    run.mayLeave = true;
    run.driver.wake();
  }
  if (run.stopping !== undefined) return;
  run.stopping = stopping;
  run.queue.clear();
  run.waitingForBudget = [];
  const reason = reasonOf(stopping);
  const { revision, streamingPlan, driver } = run;
  if (revision?.asking === true) {
    stopPlanner(run, reason, () => {
      revision.asking = false;
    });
  }
  if (streamingPlan !== undefined) stopStreaming(run, streamingPlan, reason);
  for (const task of run.tasks.values()) if (task.units.length > 0) stopUnits(run, task, reason);
  driver.wake();
}

/** Nothing more can be written: stops running units and ends the run in this process. Another process may resume it. */
export function abandon(run: RunState, error: unknown): void {
  run.recorder.detach();
  run.unrecorded ??= asPolyphonyError(error, 'store-corrupt');
  run.mayLeave = true;
  run.closing = undefined;
  stop(run, { type: 'failed', error: run.unrecorded });
  run.driver.wake();
}

function stopStreaming(run: RunState, streaming: StreamingPlan, reason: PolyphonyError): void {
  if (streaming.whole !== undefined) {
    run.streamingPlan = undefined;
    return;
  }
  stopPlanner(run, reason, () => {
    run.streamingPlan = undefined;
  });
}

function stopPlanner({ driver }: RunState, reason: PolyphonyError, giveUp: () => void): void {
  driver.planner?.stop(reason, () => {
    giveUp();
    driver.wake();
  });
}

/** Limits the run to the plan's seconds, less the time that earlier processes drove it. */
export function limitSeconds(run: RunState): void {
  const seconds = run.plan.plan.budget?.seconds;
  if (seconds === undefined) return;
  const message = `The run took longer than its limit of ${seconds} seconds (budget.seconds): raise the limit, or shorten the plan.`;
  const error = new PolyphonyError('budget-exceeded', message, { details: { scope: 'run', seconds } });
  const left = Math.max(0, seconds * 1000 - (run.activeMs - run.plannedMs));
  run.driver.limitRun(left, () => stop(run, { type: 'failed', error }));
}

function reasonOf(stopping: Stopping): PolyphonyError {
  if (stopping.type === 'cancelled') {
    const message = `The run was cancelled: ${stopping.reason}.`;
    return stopping.isLeft === true ? leftForNow(message) : new PolyphonyError('cancelled', message);
  }
  return new PolyphonyError('cancelled', `The run failed: ${stopping.error.message}`, { cause: stopping.error });
}
