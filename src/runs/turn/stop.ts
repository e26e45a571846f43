/** Stopping units, nodes and runs: signals first, patience for a while, then going on without. */
import { PolyphonyError } from '../../core/errors.ts';
import type { Revision, RunState, Stopping, StreamingPlan } from '../state/run-state.ts';
import type { Task, Unit } from '../state/task.ts';

/** Made when first asked for: most steps of a large plan never look at it. */
export function signalOf(unit: Unit): AbortSignal {
  if (unit.controller === undefined) {
    unit.controller = new AbortController();
    if (unit.stop !== undefined) unit.controller.abort(unit.stop);
  }
  return unit.controller.signal;
}

/** Signals all units of a node, and gives up waiting for those that do not heed it. */
export function stopUnits(run: RunState, task: Task, reason: PolyphonyError): void {
  const { clock } = run.host.runtime;
  const giveUp = (): void => {
    for (const unit of [...task.units]) run.giveUp(unit, reason);
  };
  addTimer(task, clock.schedule(run.host.graceMs, giveUp));
  for (const unit of [...task.units]) {
    unit.stop ??= own(reason);
    unit.controller?.abort(unit.stop);
  }
}

/** One error a unit: what a stopped call cost is remembered by the error that it throws, which may be this one. */
function own(reason: PolyphonyError): PolyphonyError {
  const { code, message, retryable, details, cause } = reason;
  return new PolyphonyError(code, message, { retryable, cause, ...(details === undefined ? {} : { details }) });
}

/** From now on nothing starts; what runs is told to stop. The first reason stands. */
export function stop(run: RunState, stopping: Stopping): void {
  if (run.stopping !== undefined || run.result !== undefined) return;
  run.stopping = stopping;
  run.queue.clear();
  run.waitingForBudget = [];
  const reason = reasonOf(stopping);
  if (run.revision?.asking === true) stopRevision(run, run.revision, reason);
  if (run.writing !== undefined) stopWriting(run, run.writing, reason);
  for (const task of run.tasks.values()) if (task.units.length > 0) stopUnits(run, task, reason);
  run.wake();
}

function stopWriting(run: RunState, writing: StreamingPlan, reason: PolyphonyError): void {
  if (writing.whole !== undefined) {
    run.writing = undefined;
    return;
  }
  stopPlanner(run, writing.controller, reason, () => {
    run.writing = undefined;
  });
}

function stopRevision(run: RunState, revision: Revision, reason: PolyphonyError): void {
  stopPlanner(run, revision.controller, reason, () => {
    revision.asking = false;
  });
}

function stopPlanner(run: RunState, controller: AbortController, reason: PolyphonyError, giveUp: () => void): void {
  const { runtime, graceMs } = run.host;
  const onGrace = (): void => {
    giveUp();
    run.wake();
  };
  run.cleanups.push(runtime.clock.schedule(graceMs, onGrace));
  controller.abort(reason);
}

/** The plan's seconds, less those that it ran in earlier stretches. */
export function limitSeconds(run: RunState): void {
  const seconds = run.plan.plan.budget?.seconds;
  if (seconds === undefined) return;
  const message = `The run used up its ${seconds} seconds (budget.seconds): raise them, or ask for less.`;
  const error = new PolyphonyError('budget-exceeded', message, { details: { scope: 'run', seconds } });
  const { clock } = run.host.runtime;
  const left = Math.max(0, seconds * 1000 - (run.activeMs - run.plannedMs));
  run.cleanups.push(clock.schedule(left, () => stop(run, { type: 'failed', error })));
}

function reasonOf(stopping: Stopping): PolyphonyError {
  if (stopping.type === 'cancelled')
    return new PolyphonyError('cancelled', `The run was cancelled: ${stopping.reason}.`);
  return new PolyphonyError('cancelled', `The run failed: ${stopping.error.message}`, { cause: stopping.error });
}

export function clearTimers(task: Task): void {
  for (const cancelTimer of task.cancelTimers ?? []) cancelTimer();
  task.cancelTimers = undefined;
}

export function addTimer(task: Task, cancelTimer: () => void): void {
  task.cancelTimers ??= [];
  task.cancelTimers.push(cancelTimer);
}
