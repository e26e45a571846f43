/** When a simulated node starts, is skipped or is dropped: the rules of runs/turn/ending.ts, without failures. */
import { drawOf } from './draws.ts';
import type { Ending, SimulatedTask, World } from './state.ts';

/** Stops the units of a node. */
export type DropUnits = (task: SimulatedTask) => void;

/** Its dependents see the end with the next turn of its run. */
export function endTask(world: World, task: SimulatedTask, ending: Ending): void {
  task.phase = 'settling';
  task.ending = ending;
  task.endedAt = world.now;
  task.run.settled.push(task);
}

export function taskEnded(world: World, task: SimulatedTask, drop: DropUnits): void {
  const { run } = task;
  task.phase = 'ended';
  run.alive -= 1;
  if (task.ending === 'done') run.lastDone = task;
  if (task.prepared.node.finish && task.ending === 'done') finishEarly(world, task, drop);
  for (const place of task.prepared.dependents) {
    const dependent = run.tasks[place];
    if (dependent === undefined) continue;
    dependent.open -= 1;
    if (task.ending === 'done') dependent.succeeded += 1;
    else if (task.ending === 'cancelled') dependent.broken += 1;
    if (dependent.phase === 'waiting') consider(world, dependent, task, drop);
  }
}

/** @param cause the end that made it worth a look; undefined at the start of a run */
export function consider(
  world: World,
  task: SimulatedTask,
  cause: SimulatedTask | undefined,
  drop: DropUnits = () => {},
): void {
  const { quorum } = task.prepared.node;
  const { succeeded, open, broken } = task;
  task.cause = cause ?? task.cause;
  if (quorum > 0) {
    if (succeeded >= quorum) makeReady(world, task, drop);
    else if (succeeded + open >= quorum) return;
    // The quorum cannot be met any more, which fails a real run unless its onError handles that.
    else if (succeeded > 0 || broken > 0) cancel(world, task, drop);
    else if (open === 0) skip(world, task, drop);
  } else if (broken > 0) cancel(world, task, drop);
  else if (open > 0) return;
  else if (isSkipped(task)) skip(world, task, drop);
  else makeReady(world, task, drop);
}

function isSkipped({ prepared: { node }, run }: SimulatedTask): boolean {
  if (node.data.length === 0 || node.hasFallback || node.when !== undefined) return false;
  return node.data.every((place) => run.tasks[place]?.ending === 'skipped');
}

function makeReady(world: World, task: SimulatedTask, drop: DropUnits): void {
  const { node, question } = task.prepared;
  const { when } = node;
  if (when !== undefined) {
    const answer = Math.floor(drawOf(task.run.seed, question) * when.count);
    if (when.answers.includes(answer) === when.isNegated) {
      skip(world, task, drop);
      return;
    }
  }
  task.phase = 'ready';
  task.readyAt = world.now;
  task.run.queue.push(task);
  if (task.open > 0) dropUnneeded(world, task, drop);
}

function skip(world: World, task: SimulatedTask, drop: DropUnits): void {
  endTask(world, task, 'skipped');
  if (task.open > 0) dropUnneeded(world, task, drop);
}

function cancel(world: World, task: SimulatedTask, drop: DropUnits): void {
  drop(task);
  endTask(world, task, 'cancelled');
  dropUnneeded(world, task, drop);
}

/** Cancels what nobody waits for any more. */
function dropUnneeded(world: World, task: SimulatedTask, drop: DropUnits): void {
  const { tasks } = task.run;
  for (const place of task.prepared.node.dependencies) {
    const dependency = tasks[place];
    if (dependency === undefined || dependency.phase === 'ended' || dependency.phase === 'settling') continue;
    if (dependency.prepared.node.inOutput) continue;
    if (dependency.prepared.dependents.some((other) => tasks[other]?.phase === 'waiting')) continue;
    cancel(world, dependency, drop);
  }
}

function finishEarly(world: World, by: SimulatedTask, drop: DropUnits): void {
  const { run } = by;
  if (run.finishing) return;
  run.finishing = true;
  run.queue.clear();
  for (const task of run.tasks) {
    if (task.phase === 'ended' || task.phase === 'settling') continue;
    if (task.phase === 'running') drop(task);
    endTask(world, task, task.phase === 'running' ? 'cancelled' : 'skipped');
  }
}
