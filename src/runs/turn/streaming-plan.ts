/**
 * A run whose plan is still being written. The laws below are tested in test/laws/writing.test.ts.
 *
 * W1. A node starts before the plan is whole only if it and all that it depends on are free of side effects, and its
 *     definition is committed.
 * W2. A node keeps its result in the whole plan only if its definition is unchanged and all that it depends on is kept;
 *     all others run again, under another key. What they cost stays counted.
 * W3. Nothing is decided on a partial plan: neither that the run has failed or ended, nor that a node is not needed.
 * W4. A run that stops stops its planner and its nodes in the same tick; it ends when both have settled.
 * W5. Only the first answer of the first process is used node by node; any other one is used when it is whole.
 */

import { defined } from '../../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { DraftNode, Plan, ValidPlan } from '../../core/plan/plan.ts';
import type { PlannerAnswer } from '../../core/plan/planner.ts';
import type { RequestOptions } from '../../core/run/engine.ts';
import { countAlive, countAllEnded } from '../journal/rebuild.ts';
import { lowerCap } from '../state/money.ts';
import { bookAnswer, plannerScopes } from '../state/planner-calls.ts';
import type { EventDraft } from '../state/recorder.ts';
import type { RunState, StreamingPlan } from '../state/run-state.ts';
import { countEnded, createTasks, isSameNode, linkTask, Task } from '../state/task.ts';
import { takeAllDue } from './asking.ts';
import { countCall } from './count-calls.ts';
import { cancel, consider, considerAll, fail } from './ending.ts';
import { reviseAsWanted } from './revision.ts';
import { limitSeconds, stop } from './stop.ts';

const REASON = 'the plan is whole';
const CHANGED = 'the whole plan defines it differently';

export interface StreamingPlanOptions {
  readonly request: string;
  /** Use the nodes as they arrive. */
  readonly inParts: boolean;
  readonly onPlan: RequestOptions['onPlan'];
  /** Nodes that cost something may start before the plan is whole. */
  readonly startsPaid: boolean;
  /** `onPlan` decides about the plan. */
  readonly hasGate: boolean;
  /** Plans anew, whatever the plan cache holds. */
  readonly fresh: boolean;
}

/** Calls the planner; the run's `streamingPlan` ends with the whole plan or with the run. Throws unsupported without a planner. */
export function streamPlan(run: RunState, streaming: StreamingPlan, options: StreamingPlanOptions): void {
  const { planner } = run.driver;
  if (planner === undefined) throw noPlanner();
  if (run.stopping !== undefined) {
    run.streamingPlan = undefined;
    return;
  }
  const { request, inParts, onPlan, startsPaid, hasGate, fresh } = options;
  const isOver = (): boolean =>
    run.streamingPlan !== streaming || streaming.whole !== undefined || run.stopping !== undefined;
  const planning = planner.plan(request, {
    input: run.input,
    scopes: plannerScopes(run),
    ...defined({
      session: run.session,
      requestId: run.requestId,
      approval: run.approval,
      seconds: run.counted.limits.seconds,
    }),
    ...(fresh ? { fresh } : {}),
    ...(hasGate ? { hasGate } : {}),
    ...(inParts
      ? { onDraft: (nodes, budget) => isOver() || takeDraft(run, streaming, { nodes, budget, startsPaid }) }
      : {}),
    onCall: () => countCall(run, undefined, 'plannerCalls'),
    onAnswer: (answer) => takeAnswer(run, streaming, answer),
  });
  planning
    .then(async (made) => {
      // A gate: nothing of the whole plan starts before it lets it pass.
      await onPlan?.(made);
      if (isOver()) return;
      streaming.isCached = made.cached === true;
      takeWhole(run, streaming, made.plan);
    })
    .catch((error: unknown) => stop(run, { type: 'failed', error: asPolyphonyError(error) }))
    .finally(() => {
      if (run.streamingPlan === streaming && streaming.whole === undefined) run.streamingPlan = undefined;
      run.driver.wake();
    });
}

export const noPlanner = (): PolyphonyError =>
  new PolyphonyError('unsupported', 'This engine has no planner, so it cannot plan a request: pass a plan instead.');

function takeAnswer(run: RunState, streaming: StreamingPlan, answer: PlannerAnswer): void {
  if (run.streamingPlan !== streaming) return;
  bookAnswer(run, answer);
  run.driver.wake();
}

// ---------------------------------------------------------------------------------------------------- parts

interface Draft {
  readonly nodes: readonly DraftNode[];
  readonly budget: Plan['budget'];
  readonly startsPaid: boolean;
}

function takeDraft(run: RunState, streaming: StreamingPlan, { budget, startsPaid, ...draft }: Draft): void {
  const nodes = startsPaid ? draft.nodes : draft.nodes.map(heldIfPaid);
  run.money.cap = lowerCap(budget, streaming.capNanoUsd);
  const definitions = nodes.map(({ valid }) => valid.node);
  run.recorder.record({ type: 'plan-delta', nodes: definitions }, () => adopt(run, streaming, nodes));
  run.driver.wake();
}

/** A node that may cost something waits for the whole plan. */
const heldIfPaid = ({ valid, mayStart }: DraftNode): DraftNode => ({
  valid,
  mayStart: mayStart && valid.estimate.highNanoUsd === 0,
});

/** Adds the nodes to the run. Those that may not start yet have no links. */
function adopt(run: RunState, streaming: StreamingPlan, nodes: readonly DraftNode[]): void {
  if (run.streamingPlan !== streaming || streaming.whole !== undefined) return;
  for (const { valid, mayStart } of nodes) {
    const task = new Task(valid, false);
    run.tasks.set(task.id, task);
    run.alive += 1;
    if (!mayStart || !valid.dependencies.every((id) => streaming.startable.has(id))) continue;
    streaming.startable.add(task.id);
    linkTask(task, run.tasks);
    for (const dependency of task.dependencies) if (dependency.ending !== undefined) countEnded(task, dependency);
    if (run.stopping === undefined) consider(run, task);
  }
  run.driver.wake();
}

// ---------------------------------------------------------------------------------------------------- the whole

function takeWhole(run: RunState, streaming: StreamingPlan, plan: ValidPlan): void {
  const kept = keptNodes(run.tasks, plan);
  streaming.whole = plan;
  streaming.changed = [...run.tasks.values()].filter(({ id }) => !kept.has(id));
  for (const task of streaming.changed) {
    if (task.phase !== 'running' && task.phase !== 'suspended') continue;
    streaming.dropped.add(task);
    cancel(run, task, CHANGED);
  }
  run.driver.wake();
}

/** Ids of nodes whose definition is unchanged, as is that of all that they depend on. */
function keptNodes(before: ReadonlyMap<string, Task>, plan: ValidPlan): ReadonlySet<string> {
  const kept = new Set<string>();
  for (const { node, dependencies } of plan.nodes) {
    const task = before.get(node.id);
    if (task === undefined || !isSameNode(task.node, node)) continue;
    if (dependencies.every((id) => kept.has(id))) kept.add(node.id);
  }
  return kept;
}

/** Every node that the whole plan changes has stopped, and its end is committed. */
export function canMerge({ streamingPlan: streaming, stopping }: RunState): boolean {
  if (streaming?.whole === undefined || streaming.isMerged || stopping !== undefined || streaming.dropped.size > 0) {
    return false;
  }
  return streaming.changed.every((task) => task.phase !== 'settling' || streaming.failed.has(task));
}

/** Switches the run to the whole plan. Nothing starts before that is committed. */
export function merge(run: RunState): void {
  const { streamingPlan: streaming } = run;
  const plan = streaming?.whole;
  if (streaming === undefined || plan === undefined) return;
  streaming.isMerged = true;
  const again = sameAgain(streaming, plan);
  run.tasks = mergedTasks(run, streaming, plan);
  run.plan = plan;
  run.repaired = [...run.repaired, ...(plan.repaired ?? [])];
  run.alive = countAlive(run.tasks);
  run.money.cap = lowerCap(plan.plan.budget, streaming.capNanoUsd);
  run.queue.clear();
  run.waitingForBudget = [];
  for (const task of run.tasks.values()) if (task.phase === 'ready' || task.queued) run.queue.push(task);
  const { cap } = run.money;
  const event: EventDraft = {
    type: 'plan-revised',
    plan: plan.plan,
    planHash: plan.hash,
    ...defined({ repaired: plan.repaired }),
    reason: REASON,
    ...(again.length === 0 ? {} : { again }),
    ...defined({ capNanoUsd: cap }),
    ...(streaming.isCached ? { cached: true } : {}),
  };
  run.recorder.record(event, () => goOn(run, streaming));
}

/** Ids of nodes whose definition is unchanged but that depend on a changed one. */
function sameAgain({ changed }: StreamingPlan, plan: ValidPlan): readonly string[] {
  if (changed.length === 0) return [];
  const nodes = new Map(plan.nodes.map(({ node }) => [node.id, node]));
  return changed.filter(({ id, node }) => isSameNode(node, nodes.get(id))).map(({ id }) => id);
}

function mergedTasks(run: RunState, streaming: StreamingPlan, plan: ValidPlan): Map<string, Task> {
  const changed = new Set(streaming.changed);
  const tasks = createTasks(plan, (fresh) => {
    const before = run.tasks.get(fresh.id);
    if (before === undefined) return fresh;
    if (!changed.has(before)) return renewed(before, fresh);
    // Its ledger rows must differ from those of the discarded run of the node.
    fresh.failures = before.failures + (before.startedAt >= 0 || streaming.started.has(fresh.id) ? 1 : 0);
    return fresh;
  });
  countAllEnded(tasks);
  return tasks;
}

/** The node with its progress, and with what only the whole plan defines. */
function renewed(task: Task, { valid, priority, index, inOutput }: Task): Task {
  task.dependencies = [];
  task.dependents.length = 0;
  return Object.assign(task, { valid, priority, index, inOutput, succeeded: 0, broken: 0 });
}

function goOn(run: RunState, streaming: StreamingPlan): void {
  if (run.streamingPlan !== streaming) return;
  run.streamingPlan = undefined;
  limitSeconds(run);
  considerAll(run);
  reviseAsWanted(run, run.tasks.values());
  takeAllDue(run);
  for (const task of streaming.failed) {
    if (run.tasks.get(task.id) === task && task.error !== undefined) fail(run, task, task.error);
  }
  run.driver.wake();
}
