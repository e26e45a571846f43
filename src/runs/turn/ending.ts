/** How nodes end, and what that means for their dependents. */

import { asPolyphonyError, errorRecord, PolyphonyError } from '../../core/errors.ts';
import { copyJson } from '../../core/json/copy-json.ts';
import type { Warning } from '../../core/model/model.ts';
import { nanoToUsd } from '../../core/money/money.ts';
import { addUsage, NO_USAGE } from '../../core/money/usage.ts';
import { handledAs, standInOf } from '../../core/plan/stand-in.ts';
import type { NodeEnding, NodeResult, Paid, RunEvent } from '../../core/run/engine.ts';
import { errorAsData, errorsOfItems, factsOfFailure, factsOfItems } from '../state/answer-facts.ts';
import { compiledOf } from '../state/compiled-node.ts';
import { releaseReservation } from '../state/money.ts';
import type { EventDraft } from '../state/recorder.ts';
import type { Calls, RunState } from '../state/run-state.ts';
import { scopeOf } from '../state/scope.ts';
import { BRANCH_FAILED, countEnded, DEPENDENCY_FAILED, type Items, NOT_NEEDED, type Task } from '../state/task.ts';
import { addItem, holdItems, holdValue } from '../state/values.ts';
import { endingError } from '../unit/kept-errors.ts';
import { takeCalls } from './count-calls.ts';
import { finishingTask } from './early-end.ts';
import { canRevise, reviseAsWanted, startRevision } from './revision.ts';
import { stop, stopUnits } from './stop.ts';
import { mayHaveToUndo } from './undo.ts';

type Stamp = 'seq' | 'at' | 'runId';

/** Records how a node ended; its dependents are considered once that is committed. */
export function end(run: RunState, task: Task, ending: NodeEnding, event: EventDraft, result?: NodeResult): void {
  release(run, task, 'settling');
  task.settled = ending;
  task.settledResult = result;
  run.recorder.recordEnd(task.used === undefined ? event : Object.assign(event, takeCalls(task)), task);
}

/** Nothing runs for the node any more: cancels its timers and frees its reservation. */
function release(run: RunState, task: Task, phase: 'settling' | 'ended'): void {
  task.phase = phase;
  run.driver.releaseNode(task);
  releaseReservation(run, task);
}

/** Called when the end of the node is committed. */
export function ended(run: RunState, task: Task): void {
  task.phase = 'ended';
  task.ending = task.settled;
  task.result = task.settledResult;
  run.alive -= 1;
  const { node, result } = task;
  if (node.undo !== undefined && node.each === undefined && task.ending === 'done' && result !== undefined)
    mayHaveToUndo(run, task, -1, result);
  if (run.waitingForBudget.length > 0) {
    for (const waiting of run.waitingForBudget) run.queue.push(waiting);
    run.waitingForBudget = [];
  }
  if (node.finish === true && task.ending === 'done') finishEarly(run);
  if (node.onError === 'replan') reviseAsWanted(run, [task]);
  for (const dependent of task.dependents) {
    countEnded(dependent, task);
    if (dependent.phase === 'waiting' && run.stopping === undefined) consider(run, dependent);
  }
}

/** Decides from its counters whether a waiting node starts, is skipped, or can no longer start. */
export function consider(run: RunState, task: Task): void {
  if (task.quorum > 0) {
    if (task.succeeded >= task.quorum) makeReady(run, task);
    else if (task.succeeded + task.open >= task.quorum) return;
    else if (task.succeeded > 0 || task.broken > 0) failQuorum(run, task);
    // Where no branch was taken there is nothing to join; one that is still open may be.
    else if (task.open === 0) skip(run, task, 'everything that it waits for was skipped');
  } else if (task.broken > 0) cancel(run, task, run.failure === undefined ? DEPENDENCY_FAILED : BRANCH_FAILED);
  else if (task.open > 0) return;
  else if (isSkipped(run, task)) skip(run, task, 'everything that it refers to was skipped');
  else makeReady(run, task);
}

function isSkipped(run: RunState, { valid, succeeded, dependencies }: Task): boolean {
  if (succeeded === dependencies.length) return false;
  if (valid.data.length === 0 || valid.hasFallback || valid.node.when !== undefined) return false;
  return valid.data.every((id) => run.tasks.get(id)?.ending === 'skipped');
}

function makeReady(run: RunState, task: Task): void {
  const { when } = task.node;
  if (when !== undefined) {
    try {
      if (compiledOf(task).when?.(scopeOf(run, { task })) !== true) {
        skip(run, task, `its condition does not hold: ${when}`);
        return;
      }
    } catch (error) {
      fail(run, task, error);
      return;
    }
  }
  task.phase = 'ready';
  run.recorder.record({ seq: 0, at: 0, runId: run.runId, type: 'node-ready', nodeId: task.id });
  run.queue.push(task);
  if (task.open > 0) dropUnneeded(run, task);
}

function skip(run: RunState, task: Task, reason: string): void {
  end(run, task, 'skipped', { type: 'node-skipped', nodeId: task.id, reason });
  if (task.open > 0) dropUnneeded(run, task);
}

function failQuorum(run: RunState, task: Task): void {
  const cause = task.dependencies.find(({ ending }) => ending === 'failed')?.error;
  const why = cause === undefined ? 'the others were skipped or cancelled.' : cause.message;
  const count = `${task.quorum} of ${task.dependencies.length}`;
  const message = `Node ${task.id} needs ${count} nodes to succeed, but only ${task.succeeded} did: ${why}`;
  fail(run, task, new PolyphonyError(cause?.code ?? 'invalid-request', message, { cause }));
}

/** After the plan has changed: starts, skips and cancels nodes as the plan requires. */
export function considerAll(run: RunState): void {
  if (run.stopping !== undefined || run.streamingPlan !== undefined) return;
  finishEarly(run);
  for (const task of run.tasks.values()) {
    if (task.phase === 'waiting') consider(run, task);
    else if (task.open > 0) dropUnneeded(run, task);
  }
}

/** Cancels the dependencies of a node that has stopped waiting, unless another node waits for them. */
export function dropUnneeded(run: RunState, task: Task): void {
  // A partial plan does not show which nodes are needed.
  if (run.streamingPlan !== undefined) return;
  for (const dependency of task.dependencies) {
    const over = dependency.phase === 'ended' || dependency.phase === 'settling';
    if (over || dependency.inOutput || dependency.cancelled !== undefined) continue;
    if (dependency.dependents.some(({ phase }) => phase === 'waiting')) continue;
    cancel(run, dependency, NOT_NEEDED);
  }
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

/** Ends the node as cancelled, immediately or when its units have stopped. */
export function cancel(run: RunState, task: Task, reason: string): void {
  if (task.units.length > 0) {
    task.cancelled = reason;
    stopUnits(run, task, new PolyphonyError('cancelled', `Node ${task.id} was cancelled: ${reason}.`));
    return;
  }
  const event = { type: 'node-cancelled', nodeId: task.id, reason, ...paidOf(task) } as const;
  if (run.streamingPlan?.dropped.delete(task)) {
    release(run, task, 'ended');
    run.recorder.record(event);
    return;
  }
  end(run, task, 'cancelled', event);
  if (run.stopping === undefined && reason !== BRANCH_FAILED) dropUnneeded(run, task);
}

/** The node failed for good: its `onError` handles that, or its dependents can do without it, or the run fails. */
export function fail(run: RunState, task: Task, cause: unknown): void {
  const error = asPolyphonyError(cause);
  const kept = endingError(run.values, error);
  task.error = kept;
  const handled = handledAs(task.node);
  const event = { type: 'node-failed', nodeId: task.id, error: errorRecord(kept), ...paidOf(task) } as const;
  const goesOn = run.stopping === undefined;
  if (goesOn && handled !== undefined) {
    const stand = copyJson(standInOf(task.node));
    const result = keptItems(run, task, stand, kept) ?? fallbackResult(run, task, stand, kept);
    end(run, task, 'handled', { ...event, handled, result }, result);
  } else if (goesOn && run.streamingPlan !== undefined) {
    hold(run, task, event);
    return;
  } else if (goesOn && task.node.onError === 'replan' && canRevise(run)) {
    startRevision(run, task, kept, { ...event, handled: 'replan' });
    return;
  } else if (goesOn && isAbsorbed(task)) end(run, task, 'failed', { ...event, handled: 'wait' });
  else if (goesOn && run.plan.plan.failFast === false) {
    run.failure ??= { type: 'failed', error, nodeId: task.id };
    end(run, task, 'failed', { ...event, handled: 'branch' });
    return;
  } else {
    end(run, task, 'failed', event);
    stop(run, { type: 'failed', error, nodeId: task.id });
    return;
  }
  if (task.open > 0) dropUnneeded(run, task);
}

function paidOf(task: Task): Paid & Partial<Calls> {
  const { priced, paid, usage } = task;
  return { ...takeCalls(task), costNanoUsd: priced ? paid : null, ...(usage === NO_USAGE ? {} : { usage }) };
}

/** A partial plan does not show whether its dependents can do without the node, so the whole plan decides. */
function hold(run: RunState, task: Task, event: Omit<Extract<RunEvent, { type: 'node-failed' }>, Stamp>): void {
  release(run, task, 'settling');
  task.failures += 1;
  task.startedAt = -1;
  run.streamingPlan?.failed.add(task);
  run.recorder.record({ ...event, handled: 'plan' });
}

/** The result that references see when `onError` gives the output. */
export function fallbackResult(run: RunState, task: Task, output: unknown, error: unknown): NodeResult {
  const costNanoUsd = task.priced ? task.paid : null;
  const costUsd = costNanoUsd === null ? null : nanoToUsd(costNanoUsd);
  const ms = task.startedAt < 0 ? 0 : run.host.runtime.clock.monotonic() - task.startedAt;
  const meta = { ...factsOfFailure(error), costUsd, ms, warnings: [], error: errorAsData(error) };
  return { output, meta, usage: task.usage, costNanoUsd };
}

/**
 * What an `each` finished before it was cut, with the stand-in for every other item; undefined where there are no items yet, or
 * the list has no room in the run.
 */
function keptItems(run: RunState, task: Task, standIn: unknown, error: PolyphonyError): NodeResult | undefined {
  const { each, id } = task;
  if (each === undefined) return undefined;
  const left = each.values.length - each.finished;
  try {
    const size = holdValue(run.values, standIn, { noun: 'The fallback', nodeId: id });
    for (let item = 0; item < left; item += 1) addItem(run.values, each, size, id);
    const outputs = each.results.map((result) => (result === undefined ? standIn : result.output));
    holdItems(run.values, each, outputs, id);
    holdErrors(run, task, each);
    const message = `${left} of the ${outputs.length} items of node ${id} had not finished and have the value of onError. ${errorAsData(error).message}`;
    const result = resultOfItems(run, task, each, outputs, [{ code: 'items-unfinished', message }]);
    return { ...result, meta: { ...result.meta, error: errorAsData(error) } };
  } catch {
    return undefined;
  }
}

/** The result of an `each`: its outputs, with what its items and the node itself report. */
export function resultOfItems(
  run: RunState,
  task: Task,
  each: Items,
  output: readonly unknown[],
  warnings: readonly Warning[] = [],
): NodeResult {
  const costNanoUsd = task.priced ? task.paid : null;
  const errors = errorsOfItems(each.results);
  const meta = {
    costUsd: costNanoUsd === null ? null : nanoToUsd(costNanoUsd),
    ms: run.host.runtime.clock.monotonic() - task.startedAt,
    warnings: [...each.results.flatMap((result) => result?.meta.warnings ?? []), ...warnings],
    ...(errors === undefined ? {} : { errors }),
    ...factsOfItems(each.results),
  };
  const usage = task.usage === NO_USAGE ? {} : { usage: addUsage(NO_USAGE, task.usage) };
  return { output, meta, ...usage, costNanoUsd };
}

/** Counts what the errors of its items are for those who read them: `resultOfItems` makes them. @throws limit-exceeded */
export function holdErrors(run: RunState, task: Task, each: Items): void {
  const errors = errorsOfItems(each.results);
  if (errors !== undefined) holdValue(run.values, errors, { noun: 'The list of errors', nodeId: task.id });
}

/** All its dependents wait for any or for a quorum, and so can do without it. */
function isAbsorbed(task: Task): boolean {
  if (task.inOutput || task.dependents.length === 0) return false;
  return task.dependents.every(
    (dependent) => dependent.phase !== 'waiting' || dependent.quorum > 0 || isAbsorbed(dependent),
  );
}
