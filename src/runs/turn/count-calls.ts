/**
 * Counts the calls of models against the operator's limits.
 *
 * C1. A run and the runs nested in it share one count, which begins with what the journal of the outermost one tells.
 * C2. The end of a node, or of an item, is recorded with the calls that were made for it in this process, nested runs included.
 * C3. The call that would exceed a limit is not made, and the whole run fails: no `onError` goes on without it.
 */
import { PolyphonyError } from '../../core/errors.ts';
import { type CountedCall, callsExceeded } from '../../core/run/run-limits.ts';
import type { Calls, RunState } from '../state/run-state.ts';
import { type Task, type Unit, useOfTask, useOfUnit } from '../state/task.ts';
import { stop } from './stop.ts';

/** @throws limit-exceeded */
export function countCall(run: RunState, unit: Unit | undefined, what: CountedCall): void {
  const { counted } = run;
  const most = counted.limits[what];
  if (counted[what] >= most) throw exceeded(run, what, most);
  counted[what] += 1;
  if (unit !== undefined) useOfUnit(unit)[what] += 1;
  addUpwards(unit === undefined ? run.within : { run, task: unit.task }, what, 1);
}

/** Counts what an earlier process did for a nested run, which no record of the runs around it tells yet. */
export function countRestored(run: RunState, calls: Calls): void {
  for (const what of ['calls', 'plannerCalls'] as const) {
    run.counted[what] += calls[what];
    addUpwards(run.within, what, calls[what]);
  }
}

/** What is recorded with the end of a node: each call once, also where a node ends again. */
export function takeCalls(task: Task): Partial<Calls> {
  const { used } = task;
  const taken = callsOf(used);
  if (used !== undefined) Object.assign(used, NONE);
  return taken;
}

const NONE: Calls = { calls: 0, plannerCalls: 0 };
const NO_CALLS: Partial<Calls> = {};

/** Only what there is: most nodes call no model. */
export function callsOf(made: Calls | undefined): Partial<Calls> {
  if (made === undefined) return NO_CALLS;
  const { calls, plannerCalls } = made;
  const some: { calls?: number; plannerCalls?: number } = {};
  if (calls !== 0) some.calls = calls;
  if (plannerCalls !== 0) some.plannerCalls = plannerCalls;
  return some;
}

/** Limits the run to the operator's seconds, less the time that earlier processes drove it. Those nested in it end with it. */
export function limitRunSeconds(run: RunState): void {
  const { seconds } = run.counted.limits;
  if (seconds === undefined || run.within !== undefined) return;
  const message = `Run ${run.runId} took longer than the ${seconds} seconds that its operator allows (limits.run.seconds): raise the limit in the config, or split the work.`;
  const error = new PolyphonyError('budget-exceeded', message, {
    details: { scope: 'run', limit: 'seconds', seconds },
  });
  run.driver.limitRun(Math.max(0, seconds * 1000 - run.activeMs), () => stop(run, { type: 'failed', error }));
}

function addUpwards(from: RunState['within'], what: CountedCall, count: number): void {
  for (let at = from; at !== undefined; at = at.run.within) useOfTask(at.task)[what] += count;
}

function exceeded(run: RunState, what: CountedCall, most: number): PolyphonyError {
  const root = rootOf(run);
  const error = callsExceeded(root.runId, what, most);
  stop(root, { type: 'failed', error });
  return error;
}

function rootOf(run: RunState): RunState {
  let root = run;
  while (root.within !== undefined) root = root.within.run;
  return root;
}
