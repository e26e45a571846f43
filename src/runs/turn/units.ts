/** Units: which one a driver runs next, while there is money, and what follows from its result. */

import { asPolyphonyError, errorRecord, PolyphonyError } from '../../core/errors.ts';
import { copyJson } from '../../core/json/copy-json.ts';
import { handledAs, standInOf } from '../../core/plan/stand-in.ts';
import { type TimeLimits, timeLimitsOf, waitsOutside } from '../../core/plan/steps.ts';
import { type NodeResult, SuspendRun } from '../../core/run/engine.ts';
import { compiledOf } from '../state/compiled-node.ts';
import { reserveForNode } from '../state/money.ts';
import type { RunState } from '../state/run-state.ts';
import { scopeOf } from '../state/scope.ts';
import { type Items, idempotencyKey, isAsking, type Task, Unit } from '../state/task.ts';
import { addItem, holdItems, holdValue, itemsMeter, releaseInFlight, sizeOf } from '../state/values.ts';
import { holdError } from '../unit/kept-errors.ts';
import { giveSlotBack } from '../unit/slots.ts';
import { ask, enqueue, suspendIfAsking } from './asking.ts';
import { callsOf } from './count-calls.ts';
import { cancel, end, fail, fallbackResult, holdErrors, resultOfItems } from './ending.ts';
import { stopUnits } from './stop.ts';
import { mayHaveToUndo } from './undo.ts';

/**
 * The most urgent unit that can start now: its node has begun, its money is reserved. The driver runs it and passes it to
 * `settleUnit`, once. Undefined: nothing can start at the moment.
 */
export function nextUnit(run: RunState): Unit | undefined {
  if (run.streamingPlan?.whole !== undefined) return undefined;
  while (run.stopping === undefined && run.revision === undefined) {
    const task = run.queue.pop();
    if (task === undefined) return undefined;
    task.queued = false;
    let key: string | undefined;
    if (task.phase === 'ready') {
      if (!reserveForNode(run, task)) {
        run.waitingForBudget.push(task);
        continue;
      }
      key = idempotencyKey(run.runId, task);
      begin(run, task, key);
    }
    const unit = task.phase === 'running' ? unitOf(run, task, key) : undefined;
    if (unit !== undefined) return unit;
  }
  return undefined;
}

/** Whether `nextUnit` may return a unit. */
export const mayStart = ({ queue, stopping, revision, streamingPlan }: RunState): boolean =>
  queue.size() > 0 && stopping === undefined && revision === undefined && streamingPlan?.whole === undefined;

const NO_LIMITS: TimeLimits = { seconds: undefined, attemptSeconds: undefined };

function begin(run: RunState, task: Task, key: string): void {
  const { clock } = run.host.runtime;
  task.phase = 'running';
  task.startedAt = clock.monotonic();
  run.recorder.tick(task.startedAt);
  const { runId } = run;
  run.recorder.record({
    seq: 0,
    at: 0,
    runId,
    type: 'node-started',
    nodeId: task.id,
    idempotencyKey: key,
  });
  const { seconds } = task.node.limits === undefined ? NO_LIMITS : timeLimitsOf(task.node);
  if (seconds !== undefined && !waitsOutside(task.node.use))
    run.driver.limitNode(task, seconds * 1000, () => expire(run, task, seconds));
  if (task.node.each === undefined) return;
  try {
    task.each = itemsOf(run, task);
  } catch (error) {
    fail(run, task, error);
    return;
  }
  if (task.each.finished === task.each.values.length) finishItems(run, task, task.each);
}

function expire(run: RunState, task: Task, seconds: number): void {
  const { retries = 0, seconds: own } = task.node.limits ?? {};
  const what = own === seconds ? 'limits.seconds' : `${own} for each of ${retries + 1} attempts: limits.seconds`;
  // Three times 0.2 is 0.6000000000000001.
  const all = Number(seconds.toPrecision(12));
  const message = `Node ${task.id} took longer than its limit of ${all} seconds (${what}): raise the limit, or set onError.`;
  failWhenStopped(run, task, new PolyphonyError('timeout', message));
}

function itemsOf(run: RunState, task: Task): Items {
  const values = compiledOf(task).each?.render(scopeOf(run, { task }), itemsMeter(run.values, task));
  if (!Array.isArray(values)) {
    const got = values === null ? 'null' : `of type ${typeof values}`;
    const message = `Node ${task.id} runs once per item of ${task.node.each}, but that value is ${got}, not an array: refer to an array, or give one for a missing value, such as {{list ?? []}}.`;
    throw new PolyphonyError('invalid-request', message);
  }
  if (values.length > run.bounds.items) {
    const message = `Node ${task.id} has ${values.length} items, but at most ${run.bounds.items} are allowed (bounds.items): split the array.`;
    throw new PolyphonyError('invalid-request', message);
  }
  const results = new Array(values.length).fill(undefined);
  const items: Items = { values, results, next: 0, ready: [], finished: 0, bytes: 0, depth: 0 };
  for (const [index, result] of task.progress?.items ?? []) {
    if (index >= values.length) continue;
    items.results[index] = result;
    items.finished += 1;
    addItem(run.values, items, sizeOf(run.values, result.output, { noun: 'The result', nodeId: task.id }), task.id);
  }
  return items;
}

/** The next item to start: not finished, not waiting for an answer. */
function nextItem(task: Task): number | undefined {
  const { each, progress } = task;
  if (each === undefined) return task.units.length === 0 ? -1 : undefined;
  const ready = each.ready.shift();
  if (ready !== undefined) return ready;
  while (each.next < each.values.length) {
    const item = each.next;
    each.next += 1;
    const goesOn = progress?.again.has(item) === true || !isAsking(task, item);
    if (each.results[item] === undefined && goesOn) return item;
  }
  return undefined;
}

const mayHaveItems = ({ next, values, ready }: Items): boolean => next < values.length || ready.length > 0;

function unitOf(run: RunState, task: Task, key: string | undefined): Unit | undefined {
  if (task.failure !== undefined || task.cancelled !== undefined) return undefined;
  const { each } = task;
  const atOnce = task.node.limits?.concurrency ?? Number.POSITIVE_INFINITY;
  // What an item waits for may come while as many others run as may.
  if (each !== undefined && task.units.length >= atOnce) return undefined;
  const item = nextItem(task);
  if (item === undefined) {
    suspendIfAsking(run, task);
    return undefined;
  }
  const unit = createUnit(run, task, item, item === -1 ? key : undefined);
  if (each !== undefined && mayHaveItems(each) && task.units.length < atOnce) enqueue(run, task);
  return unit;
}

function createUnit(run: RunState, task: Task, item: number, key: string | undefined): Unit {
  // A node that is one unit begins with it; to read the clock twice would be a tenth of a step that does nothing.
  const startedAt = item === -1 && task.progress === undefined ? task.startedAt : run.host.runtime.clock.monotonic();
  const unit = new Unit(task, item, key ?? idempotencyKey(run.runId, task, item), startedAt);
  task.progress?.again.delete(item);
  // A list that grows by itself begins with room for 17, and most nodes are one unit.
  if (task.units.length === 0) task.units = [unit];
  else task.units.push(unit);
  run.active += 1;
  run.slots.taken += 1;
  return unit;
}

/** Settles a unit with its result, or with its error when there is no result. Only the first call per unit counts. */
export function settleUnit(run: RunState, unit: Unit, result: NodeResult | undefined, error: unknown): void {
  if (unit.settled) return;
  unit.settled = true;
  const { task } = unit;
  run.active -= 1;
  giveSlotBack(run, unit);
  releaseInFlight(run.values, unit);
  if (task.units.length === 1) task.units.pop();
  else task.units.splice(task.units.indexOf(unit), 1);
  const isStopped = task.cancelled !== undefined || run.stopping !== undefined || task.failure !== undefined;
  if (isStopped && !(task.node.undo !== undefined && result !== undefined)) settleStopped(run, task);
  else if (error instanceof SuspendRun) settleQuestion(run, unit, error);
  else if (task.each !== undefined) {
    settleItem(run, unit, task.each, result, error);
    if (isStopped && task.phase === 'running') settleStopped(run, task);
  } else if (result !== undefined) {
    const { runId } = run;
    end(run, task, 'done', { seq: 0, at: 0, runId, type: 'node-finished', nodeId: task.id, result }, result);
  } else fail(run, task, error);
  run.driver.wake();
}

/** Ends a node that was signalled to stop, with its last unit. What it finished in the meantime does not count. */
function settleStopped(run: RunState, task: Task): void {
  if (task.units.length > 0) return;
  if (task.failure !== undefined && run.stopping === undefined) fail(run, task, task.failure);
  else
    cancel(run, task, task.cancelled ?? (run.stopping?.type === 'failed' ? 'the run failed' : 'the run was cancelled'));
}

function failWhenStopped(run: RunState, task: Task, error: PolyphonyError): void {
  task.failure ??= error;
  if (task.units.length > 0) stopUnits(run, task, error);
  else fail(run, task, task.failure);
  run.driver.wake();
}

function settleQuestion(run: RunState, unit: Unit, asked: SuspendRun): void {
  const { task } = unit;
  try {
    ask(run, unit, asked);
  } catch (error) {
    if (task.each === undefined) fail(run, task, error);
    else settleItem(run, unit, task.each, undefined, error);
  }
}

function settleItem(run: RunState, unit: Unit, each: Items, result: NodeResult | undefined, error: unknown): void {
  const { task, item } = unit;
  if (result === undefined && handledAs(task.node) === undefined) {
    failWhenStopped(run, task, asPolyphonyError(error));
    return;
  }
  const outcome = result ?? itemFallback(run, unit, copyJson(standInOf(task.node)), error);
  const failed = result === undefined ? { error: errorRecord(error) } : {};
  try {
    if (failed.error !== undefined) holdError(run.values, failed.error, task.id);
    countItem(run, unit, each, outcome, result !== undefined);
  } catch (tooLarge) {
    failWhenStopped(run, task, asPolyphonyError(tooLarge));
    return;
  }
  each.results[item] = outcome;
  each.finished += 1;
  if (task.node.undo !== undefined && result !== undefined) mayHaveToUndo(run, task, item, result);
  run.recorder.record({
    type: 'item-finished',
    nodeId: task.id,
    item,
    result: outcome,
    ...failed,
    ...callsOf(unit.used),
  });
  if (each.finished === each.values.length) finishItems(run, task, each);
  else if (task.units.length === 0 || mayHaveItems(each)) enqueue(run, task);
}

/** The result of a call was counted when it was booked; a fallback is counted here. */
function countItem({ values }: RunState, unit: Unit, each: Items, { output }: NodeResult, isBooked: boolean): void {
  const { id } = unit.task;
  const known = isBooked ? unit.used?.size : undefined;
  addItem(values, each, known ?? holdValue(values, output, { noun: 'The fallback', nodeId: id }), id);
}

function itemFallback(run: RunState, unit: Unit, output: unknown, error: unknown): NodeResult {
  return { ...fallbackResult(run, unit.task, output, error), usage: unit.usage, costNanoUsd: unit.costNanoUsd };
}

function finishItems(run: RunState, task: Task, each: Items): void {
  const outputs = each.results.map((result) => result?.output ?? null);
  try {
    holdItems(run.values, each, outputs, task.id);
    holdErrors(run, task, each);
  } catch (error) {
    fail(run, task, error);
    return;
  }
  const result = resultOfItems(run, task, each, outputs);
  end(run, task, 'done', { type: 'node-finished', nodeId: task.id, result }, result);
}
