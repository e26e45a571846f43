/** What follows when nothing can start: the whole plan after a partial one, a revised plan, or the end of the run. */

import { defined } from '../../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import { copyJson } from '../../core/json/copy-json.ts';
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { RunResult } from '../../core/run/engine.ts';
import { compileTemplate } from '../../language/template.ts';
import { reload } from '../journal/rebuild.ts';
import { unaffordable } from '../state/money.ts';
import { notRecorded } from '../state/not-recorded.ts';
import type { EventDraft } from '../state/recorder.ts';
import { resultOf, totalsOf } from '../state/result.ts';
import type { Revision, RunState } from '../state/run-state.ts';
import { scopeOf } from '../state/scope.ts';
import { isStoreFailure } from '../state/store-failure.ts';
import { assertOutput, outputMeter } from '../state/values.ts';
import { waitsForSlot } from '../unit/slots.ts';
import { isNear, takeAllDue } from './asking.ts';
import { finishingTask } from './early-end.ts';
import { cancel, considerAll, fail } from './ending.ts';
import { stop } from './stop.ts';
import { canMerge, merge } from './streaming-plan.ts';
import { hasToUndo, undoNext } from './undo.ts';

/**
 * Called when `nextUnit` returns nothing, or the driver has no free slot. Merges, revises, suspends or ends the run when that
 * is due. True: something has changed, so take another turn. False: wait for a unit, the planner, a commit or a caller.
 */
export function advance(run: RunState): boolean {
  if (canMerge(run)) merge(run);
  if (run.mayLeave && !run.leaving && waitsForStore(run)) {
    run.leaving = true;
    run.driver.limitRun(STORE_GRACE_MS, () => leave(run));
  }
  return run.recorder.pending() || (isQuiet(run) && conclude(run));
}

const isQuiet = (run: RunState): boolean =>
  run.active === 0 &&
  run.recorder.idle() &&
  run.result === undefined &&
  run.streamingPlan === undefined &&
  !waitsForSlot(run);

/**
 * How long the end of a run that was cancelled waits for its last records. A store that works takes a fraction of that; one
 * that another process locks writes them in the background.
 */
export const STORE_GRACE_MS = 250;

/** Everything has stopped; only commits are missing. */
const waitsForStore = (run: RunState): boolean =>
  run.active === 0 &&
  !run.recorder.idle() &&
  run.result === undefined &&
  run.streamingPlan === undefined &&
  run.revision?.asking !== true &&
  !hasToUndo(run);

/** Ends the run with records that are not committed yet: the driver sees to it that they are written. */
export function leave(run: RunState): void {
  // The first call may only cancel the nodes that are left.
  for (let call = 0; call < 2 && run.closing === undefined; call += 1) concludeStopped(run);
  run.closing?.();
}

/** Nothing runs and nothing can start: decides what follows. */
function conclude(run: RunState): boolean {
  if (run.stopping !== undefined) return concludeStopped(run);
  const { revision } = run;
  if (revision !== undefined) return revision.plan !== undefined && revise(run, revision.plan, revision);
  if (run.alive === 0 && run.failure === undefined) return finish(run);
  if (run.alive === 0 && run.failure !== undefined) {
    stop(run, run.failure);
    return true;
  }
  const unfunded = run.waitingForBudget.shift();
  if (unfunded !== undefined) {
    fail(run, unfunded, unaffordable(run, unfunded));
    return true;
  }
  const waiting = [...run.tasks.values()].filter(({ phase }) => phase === 'suspended').map(({ id }) => id);
  if (waiting.length > 0) return !isNear(run) && close(run, 'suspended', { type: 'run-suspended', waiting });
  const stuck = [...run.tasks.values()].find(({ phase }) => phase !== 'ended');
  const message = `Node ${stuck?.id} can never start, because it waits for a node that is not in the plan: validate the plan.`;
  stop(run, { type: 'failed', error: new PolyphonyError('invalid-plan', message) });
  return true;
}

function concludeStopped(run: RunState): boolean {
  const { stopping } = run;
  // The planner's last call is charged to the run, so the run waits for it.
  if (stopping === undefined || run.revision?.asking === true) return false;
  const left = [...run.tasks.values()].filter(({ phase }) => phase === 'running');
  for (const task of left) cancel(run, task, stopping.type === 'failed' ? 'the run failed' : 'the run was cancelled');
  if (left.length > 0) return true;
  if (hasToUndo(run)) return undoNext(run, stopping);
  const totals = totalsOf(run);
  if (stopping.type === 'cancelled') {
    return close(run, 'cancelled', { type: 'run-cancelled', reason: stopping.reason, ...totals });
  }
  const { nodeId } = stopping;
  const error = run.unrecorded ?? stopping.error;
  const { code, message, retryable, details } = error;
  const record = { code, message, retryable, ...defined({ details }) };
  const place = nodeId === undefined ? {} : { nodeId };
  return close(run, 'failed', { type: 'run-failed', error: record, ...place, ...totals });
}

function finish(run: RunState): boolean {
  try {
    const found = outputOf(run);
    if (found === undefined) {
      run.driver.wakeLater();
      return false;
    }
    const { value: output } = found;
    assertOutput(run.values, output);
    return close(run, 'done', { type: 'run-finished', output, ...totalsOf(run) }, output);
  } catch (error) {
    stop(run, { type: 'failed', error: asPolyphonyError(error) });
    return true;
  }
}

/**
 * The plan's output, or without one the outputs of the nodes that nothing depends on; that of a node which ended the run early.
 * Undefined where it has expressions that are not all worked out: ask again.
 */
function outputOf(run: RunState): { readonly value: unknown } | undefined {
  const early = finishingTask(run);
  if (early !== undefined) return { value: early.result?.output };
  const { output } = run.plan.plan;
  if (run.output === undefined && output !== undefined) {
    const template = compileTemplate(copyJson(output));
    const [scope, meter] = [scopeOf(run), outputMeter(run.values)];
    if (template.inParts === undefined) return { value: template.render(scope, meter) };
    run.output = template.inParts(scope, meter);
  }
  if (run.output !== undefined) return run.output.next() ? { value: run.output.value() } : undefined;
  const leaves = [...run.tasks.values()].filter(({ dependents }) => dependents.length === 0);
  return { value: Object.fromEntries(leaves.map(({ id, result }) => [id, result?.output ?? null])) };
}

/** Reloads the run from its journal with the revised plan; nothing starts before that. */
function revise(run: RunState, plan: ValidPlan, revision: Revision): boolean {
  revision.plan = undefined;
  run.revisions += 1;
  run.queue.clear();
  run.waitingForBudget = [];
  const { plan: revised, hash: planHash, repaired } = plan;
  run.repaired = [...run.repaired, ...(repaired ?? [])];
  const resume = (): void => {
    run.revision = undefined;
    considerAll(run);
    takeAllDue(run);
    run.driver.wake();
  };
  const refuse = (error: unknown): void => {
    run.revision = undefined;
    stop(run, { type: 'failed', error: asPolyphonyError(error) });
  };
  const { reason, kept } = revision;
  const more = defined({ repaired, kept });
  run.recorder.record({ type: 'plan-revised', plan: revised, planHash, ...more, reason }, () => {
    if (run.unrecorded === undefined) reload(run, plan).then(resume, refuse);
  });
  return true;
}

/** Writes the last record of the run in this process, then settles the run. */
function close(run: RunState, status: RunResult['status'], event: EventDraft, output?: unknown): boolean {
  const settle = (): void => settleRun(run, resultOf(run, status, output));
  run.closing = settle;
  run.recorder.record(event, settle);
  return true;
}

/** Ends the run in this process. Only the first result counts. */
function settleRun(run: RunState, result: RunResult): void {
  if (run.result !== undefined) return;
  run.result = result;
  run.driver.settle(result);
}

/** Ends a run that never began. */
export function refuse(run: RunState, cause: unknown): void {
  const error = asPolyphonyError(cause);
  run.stopping = { type: 'failed', error: isStoreFailure(error) ? notRecorded(run, error) : error };
  settleRun(run, resultOf(run, 'failed'));
}

/** Ends a run that was stopped before it began. */
export function refuseStopped(run: RunState): void {
  settleRun(run, resultOf(run, run.stopping?.type === 'failed' ? 'failed' : 'cancelled'));
}
