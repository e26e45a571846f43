/** Tasks of a plan, restored from a journal. */
import { PolyphonyError } from '../../core/errors.ts';
import type { NodeEstimate, ValidPlan } from '../../core/plan/plan.ts';
import { waitsOutside } from '../../core/plan/steps.ts';
import type { RunState } from '../state/run-state.ts';
import { countEnded, createTasks, isAsking, Task } from '../state/task.ts';
import { restore } from './restore.ts';
import type { Restored, RestoredNode } from './restored.ts';
import { usageOfProgress } from './restored-money.ts';

export function rebuildTasks(plan: ValidPlan, restored: Restored | undefined): Map<string, Task> {
  const tasks = createTasks(plan);
  if (restored === undefined) return tasks;
  for (const [id, node] of restored.nodes) {
    const task = tasks.get(id);
    if (task !== undefined) rebuildTask(task, node);
  }
  countAllEnded(tasks);
  return tasks;
}

export function countAllEnded(tasks: ReadonlyMap<string, Task>): void {
  for (const task of tasks.values()) {
    for (const dependency of task.dependencies) if (dependency.ending !== undefined) countEnded(task, dependency);
  }
}

const UNKNOWN: NodeEstimate = { lowNanoUsd: 0, expectedNanoUsd: 0, highNanoUsd: 0, expectedMs: 0 };

/** Nodes of a plan that was never whole, with their results but without links to each other. */
export function rebuildDraft({ plan, nodes }: Restored): Map<string, Task> {
  const tasks = new Map<string, Task>();
  plan.nodes.forEach((node, index) => {
    const valid = { node, index, data: [], dependencies: [], hasFallback: false, estimate: UNKNOWN, priority: 0 };
    const task = new Task(valid, false);
    const known = nodes.get(node.id);
    if (known !== undefined) rebuildTask(task, known);
    tasks.set(task.id, task);
  });
  return tasks;
}

function rebuildTask(task: Task, node: RestoredNode): void {
  const { error } = node;
  task.failures = node.failures;
  task.paid = node.paid;
  if (node.ending !== undefined) {
    task.phase = 'ended';
    task.ending = node.ending;
    task.result = node.result;
    if (error !== undefined) task.error = new PolyphonyError(error.code, error.message, error);
    return;
  }
  const { progress } = node;
  if (!waitsOutside(task.node.use)) forgetQuestions(progress);
  task.usage = usageOfProgress(progress);
  const { items, rounds, questions, loops } = progress;
  if (items.size + rounds.size + questions.size + loops.size > 0) task.progress = progress;
  if (task.node.each === undefined && isAsking(task, -1)) task.phase = 'suspended';
}

/** Only what a step of ours waits for stays open after a restart: any other step runs again and may ask again. */
function forgetQuestions({ questions, answers }: RestoredNode['progress']): void {
  for (const item of questions.keys()) if (!answers.has(item)) questions.delete(item);
}

export const countAlive = (tasks: ReadonlyMap<string, Task>): number => {
  let alive = 0;
  for (const { phase } of tasks.values()) if (phase !== 'ended') alive += 1;
  return alive;
};

/** Switches the run to the plan that its journal recorded last. */
export async function reload(run: RunState, plan: ValidPlan): Promise<void> {
  const restored = await restore(run.host.journal.read(run.runId), 'look');
  run.plan = plan;
  run.tasks = rebuildTasks(plan, restored);
  run.alive = countAlive(run.tasks);
}
