/**
 * One run: the scheduler. The laws below are tested in test/laws.
 *
 * S1. A node starts once all it waits for has ended and those ends are committed; no node ends twice.
 * S2. There are no supersteps: whatever can start after an end is committed starts in the same turn.
 * S3. At most `concurrency` runner calls are in flight, and at most `limits.concurrency` of one node's items.
 * S4. Of several ready nodes the one with the longest expected remaining path starts first.
 * S5. After a stop nothing starts; what runs is signalled in the same tick, and the run ends when it has settled.
 * S6. A run ends once: after its last unit has settled, its records are committed, and before its lease is released.
 * S7. `turn` is the only place that starts, ends or suspends anything; everything else changes state and calls `wake`.
 */

import { asPolyphonyError, PolyphonyError } from '../core/errors.ts';
import type { ValidPlan } from '../core/plan/plan.ts';
import type { RunResult } from '../core/run/engine.ts';
import { renderValue } from '../language/template.ts';
import { reload } from '../runs/journal/rebuild.ts';
import { unaffordable } from '../runs/state/money.ts';
import type { EventDraft } from '../runs/state/recorder.ts';
import { resultOf, totalsOf } from '../runs/state/result.ts';
import type { Revision, RunState } from '../runs/state/run-state.ts';
import { scopeOf } from '../runs/state/scope.ts';
import { cancel, considerAll, fail } from '../runs/turn/ending.ts';
import { clearTimers, stop } from '../runs/turn/stop.ts';
import { canMerge, merge } from '../runs/turn/streaming-plan.ts';
import { giveUp, startReady } from './units.ts';

/** Begins, or goes on with, what the state holds. */
export function drive(run: RunState): void {
  let turning = false;
  let again = false;
  const turn = (): void => {
    again = true;
    if (turning || run.result !== undefined) return;
    turning = true;
    while (again) {
      again = false;
      run.recorder.flush();
      startReady(run);
      if (canMerge(run)) merge(run);
      if (run.recorder.pending() || (isQuiet(run) && conclude(run))) again = true;
    }
    turning = false;
  };
  let scheduled = false;
  // Ends that come in one go are committed in one go.
  run.wake = () => {
    if (scheduled) return;
    scheduled = true;
    queueMicrotask(() => {
      scheduled = false;
      turn();
    });
  };
  run.giveUp = (unit, reason) => giveUp(run, unit, reason);
  considerAll(run);
  turn();
}

const isQuiet = (run: RunState): boolean =>
  run.active === 0 && run.recorder.idle() && run.result === undefined && run.writing === undefined;

/** Nothing runs and nothing can start: finds out why. True when something happened that needs another look. */
function conclude(run: RunState): boolean {
  if (run.stopping !== undefined) return concludeStopped(run);
  const { revision } = run;
  if (revision !== undefined) return revision.plan !== undefined && revise(run, revision.plan, revision);
  if (run.alive === 0) return finish(run);
  const poor = run.waitingForBudget.shift();
  if (poor !== undefined) {
    fail(run, poor, unaffordable(run, poor));
    return true;
  }
  const waiting = [...run.tasks.values()].filter(({ phase }) => phase === 'suspended').map(({ id }) => id);
  if (waiting.length > 0) return close(run, 'suspended', { type: 'run-suspended', waiting });
  const stuck = [...run.tasks.values()].find(({ phase }) => phase !== 'ended');
  const message = `Node ${stuck?.id} can never start: the plan does not list what it waits for. Validate the plan.`;
  stop(run, { type: 'failed', error: new PolyphonyError('invalid-plan', message) });
  return true;
}

function concludeStopped(run: RunState): boolean {
  const { stopping } = run;
  // The planner's last call is charged to the run, so it is waited for.
  if (stopping === undefined || run.revision?.asking === true) return false;
  const left = [...run.tasks.values()].filter(({ phase }) => phase === 'running');
  for (const task of left) cancel(run, task, stopping.type === 'failed' ? 'the run failed' : 'the run was cancelled');
  if (left.length > 0) return true;
  const totals = totalsOf(run);
  if (stopping.type === 'cancelled') {
    return close(run, 'cancelled', { type: 'run-cancelled', reason: stopping.reason, ...totals });
  }
  const { error, nodeId } = stopping;
  const { code, message, retryable, details } = error;
  const record = { code, message, retryable, ...(details === undefined ? {} : { details }) };
  const place = nodeId === undefined ? {} : { nodeId };
  return close(run, 'failed', { type: 'run-failed', error: record, ...place, ...totals });
}

function finish(run: RunState): boolean {
  try {
    const output = outputOf(run);
    return close(run, 'done', { type: 'run-finished', output, ...totalsOf(run) }, output);
  } catch (error) {
    stop(run, { type: 'failed', error: asPolyphonyError(error) });
    return true;
  }
}

/** The plan's output, or without one the outputs of the nodes that nothing depends on. */
function outputOf(run: RunState): unknown {
  const { output } = run.plan.plan;
  if (output !== undefined) return renderValue(output, scopeOf(run));
  const leaves = [...run.tasks.values()].filter(({ dependents }) => dependents.length === 0);
  return Object.fromEntries(leaves.map(({ id, result }) => [id, result?.output ?? null]));
}

/** Starts again from the journal on the revised plan; nothing starts before. */
function revise(run: RunState, plan: ValidPlan, revision: Revision): boolean {
  revision.plan = undefined;
  run.revisions += 1;
  run.queue.clear();
  run.waitingForBudget = [];
  const { plan: revised, hash: planHash } = plan;
  const resume = (): void => {
    run.revision = undefined;
    considerAll(run);
    run.wake();
  };
  const refuse = (error: unknown): void => {
    run.revision = undefined;
    stop(run, { type: 'failed', error: asPolyphonyError(error) });
  };
  run.recorder.record({ type: 'plan-revised', plan: revised, planHash, reason: revision.reason }, () => {
    reload(run, plan).then(resume, refuse);
  });
  return true;
}

/** The last record of the run in this process. */
function close(run: RunState, status: RunResult['status'], event: EventDraft, output?: unknown): boolean {
  run.recorder.record(event, () => settleRun(run, resultOf(run, status, output)));
  return true;
}

/** Gives back all that the run holds, then its result. */
export function settleRun(run: RunState, result: RunResult): void {
  if (run.result !== undefined) return;
  run.result = result;
  for (const task of run.tasks.values()) if (task.cancelTimers !== undefined) clearTimers(task);
  const done = (): void => {
    run.log.close();
    run.resolve(result);
  };
  const cleanups = run.cleanups.map((cleanup) => Promise.resolve().then(cleanup));
  void Promise.allSettled(cleanups).then(done);
}
