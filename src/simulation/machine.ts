/**
 * Runs a prepared plan on a virtual clock by the rules of the scheduler, without calls, values or a journal: what is ready
 * starts by priority while there are slots, one number of slots for a run and all nested ones, quorums start early and drop what
 * nobody needs, skipped branches skip what reads them alone. A law holds its makespans equal to those of the engine.
 */
import { PolyphonyError } from '../core/errors.ts';
import { drawOf, drawsOf, mixed } from './draws.ts';
import { itemsDrawn, type PreparedPlan } from './prepared.ts';
import { consider, endTask, taskEnded } from './readiness.ts';
import { type Drawn, roundsDrawn } from './samplers.ts';
import type { MakeQueue, SimulatedRun, SimulatedTask, SimulatedUnit, World } from './state.ts';

export interface MachineOptions {
  readonly seed: number;
  readonly concurrency: number;
  readonly mostUnits: number;
  readonly sped?: World['sped'];
}

export interface Outcome {
  readonly ms: number;
  readonly units: number;
  readonly run: SimulatedRun;
}

/** @throws limit-exceeded when one run starts more units than allowed */
export function simulateOnce(plan: PreparedPlan, makeQueue: MakeQueue, options: MachineOptions): Outcome {
  const world: World = {
    makeQueue,
    limit: options.concurrency,
    moments: makeQueue(),
    waiting: new Set(),
    wakes: [],
    openings: [],
    closings: [],
    dropped: [],
    sped: options.sped,
    mostUnits: options.mostUnits,
    now: 0,
    taken: 0,
    units: 0,
    made: 0,
    freedBy: undefined,
  };
  const run = openRun(world, plan, options.seed, undefined);
  wakeAll(world);
  while (!run.isOver) {
    const moment = world.moments.pop();
    if (moment === undefined) break;
    world.now = -moment.priority;
    settleUnit(world, moment.unit);
    // What ends at the same time is seen together.
    let next = world.moments.pop();
    while (next !== undefined && -next.priority <= world.now) {
      settleUnit(world, next.unit);
      next = world.moments.pop();
    }
    if (next !== undefined) world.moments.push(next);
    wakeAll(world);
  }
  return { ms: world.now, units: world.units, run };
}

function openRun(world: World, plan: PreparedPlan, seed: number, owner: SimulatedUnit | undefined): SimulatedRun {
  const run: SimulatedRun = {
    plan,
    seed,
    tasks: [],
    queue: world.makeQueue(),
    owner,
    top: owner === undefined ? undefined : (owner.task.run.top ?? owner.task),
    factor: owner === undefined ? 1 : factorOf(world, owner.task),
    settled: [],
    active: 0,
    alive: plan.nodes.length,
    scheduled: false,
    isOver: false,
    finishing: false,
    lastDone: undefined,
  };
  for (let place = 0; place < plan.nodes.length; place += 1) run.tasks.push(taskOf(run, place));
  for (const task of run.tasks) if (task.phase === 'waiting') consider(world, task, undefined);
  world.openings.push(run);
  return run;
}

function taskOf(run: SimulatedRun, place: number): SimulatedTask {
  const prepared = run.plan.nodes[place];
  if (prepared === undefined) throw new RangeError(`There is no node at ${place}.`);
  const seed = mixed(run.seed, place);
  return {
    run,
    prepared,
    place,
    seed,
    random: drawsOf(seed),
    priority: prepared.node.priority,
    index: prepared.node.index,
    phase: 'waiting',
    ending: undefined,
    open: prepared.node.dependencies.length,
    succeeded: 0,
    broken: 0,
    units: [],
    count: 1,
    next: 0,
    finished: 0,
    queued: false,
    readyAt: 0,
    startedAt: -1,
    endedAt: -1,
    nanoUsd: 0,
    cause: undefined,
  };
}

const factorOf = ({ sped }: World, task: SimulatedTask): number =>
  task.run.owner === undefined && sped?.place === task.place ? task.run.factor * sped.factor : task.run.factor;

// ---------------------------------------------------------------------------------------------------- turns

function wake(world: World, run: SimulatedRun): void {
  if (run.scheduled || run.isOver) return;
  run.scheduled = true;
  world.wakes.push(run);
}

/** A nested run begins after what is under way at that moment: its call gives the slot back first, then the run takes its turn. */
function wakeAll(world: World): void {
  do {
    takeTurns(world);
    for (const run of world.closings.splice(0)) closed(world, run);
    takeTurns(world);
    const openings = world.openings.splice(0);
    for (const { owner } of openings) if (owner !== undefined) giveSlotBack(world, owner);
    takeTurns(world);
    for (const run of openings) wake(world, run);
  } while (world.wakes.length > 0 || world.openings.length > 0 || world.closings.length > 0);
}

/** What was dropped in a turn gives its slot back after it: its call has to hear of it first. */
function takeTurns(world: World): void {
  const { wakes } = world;
  do {
    for (let at = 0; at < wakes.length; at += 1) {
      const run = wakes[at];
      if (run !== undefined) turn(world, run);
    }
    wakes.length = 0;
    for (const unit of world.dropped.splice(0)) stopped(world, unit);
  } while (wakes.length > 0);
}

function stopped(world: World, unit: SimulatedUnit): void {
  if (unit.isActive) unit.task.run.active -= 1;
  giveSlotBack(world, unit);
  wake(world, unit.task.run);
}

function turn(world: World, run: SimulatedRun): void {
  run.scheduled = false;
  if (run.isOver) return;
  const drop = (task: SimulatedTask): void => dropUnits(world, task);
  do {
    const batch = run.settled;
    run.settled = [];
    for (const task of batch) taskEnded(world, task, drop);
    startReady(world, run);
  } while (run.settled.length > 0);
  if (run.alive === 0 && run.active === 0) close(world, run);
}

/** Starts what is ready while there are slots; a nested run that finds none waits in line. */
function startReady(world: World, run: SimulatedRun): void {
  while (run.active < world.limit) {
    if (world.taken >= world.limit && run.queue.size() > 0) {
      world.waiting.add(run);
      return;
    }
    const task = nextTask(world, run);
    if (task === undefined) break;
    launch(world, task);
  }
  if (world.waiting.delete(run)) passOn(world);
}

/** The most urgent node that has a unit to start. */
function nextTask(world: World, run: SimulatedRun): SimulatedTask | undefined {
  for (let task = run.queue.pop(); task !== undefined; task = run.queue.pop()) {
    task.queued = false;
    if (task.phase === 'ready') begin(world, task);
    if (task.phase === 'running' && task.next < task.count) return task;
  }
  return undefined;
}

function begin(world: World, task: SimulatedTask): void {
  const { node } = task.prepared;
  task.phase = 'running';
  task.startedAt = world.now;
  if (world.now > task.readyAt && world.freedBy !== undefined && task.run.owner === undefined)
    task.cause = world.freedBy;
  if (node.items === undefined) return;
  task.count = itemsDrawn(node.items, drawOf(task.run.seed, -1 - node.itemsLike));
  if (task.count === 0) endTask(world, task, 'done');
}

function enqueue(task: SimulatedTask): void {
  if (task.queued) return;
  task.queued = true;
  task.run.queue.push(task);
}

// ---------------------------------------------------------------------------------------------------- units

const drawn: Drawn = { ms: 0, nanoUsd: 0 };

function launch(world: World, task: SimulatedTask): void {
  const { node, sampler, inner } = task.prepared;
  const unit: SimulatedUnit = {
    task,
    hasSlot: true,
    isActive: true,
    isDead: false,
    roundsLeft: roundsDrawn(task.random, node.mostRounds),
    child: undefined,
  };
  task.next += 1;
  task.units.push(unit);
  task.run.active += 1;
  world.taken += 1;
  count(world);
  if (task.next < task.count && task.units.length < node.concurrency) enqueue(task);
  if (sampler === undefined) {
    openRound(world, unit, inner);
    return;
  }
  drawn.ms = 0;
  drawn.nanoUsd = 0;
  for (; unit.roundsLeft > 0; unit.roundsLeft -= 1) sampler(task.random, drawn);
  (task.run.top ?? task).nanoUsd += drawn.nanoUsd;
  world.made += 1;
  world.moments.push({ priority: -(world.now + drawn.ms * factorOf(world, task)), index: world.made, unit });
  if (node.isOutside) leave(world, unit);
}

function count(world: World): void {
  world.units += 1;
  if (world.units <= world.mostUnits) return;
  const message = `One simulated run starts more than ${world.mostUnits} nodes, items and rounds: bound the lists of its nodes with maxItems, or simulate a part of the plan.`;
  throw new PolyphonyError('limit-exceeded', message);
}

function openRound(world: World, unit: SimulatedUnit, inner: PreparedPlan | undefined): void {
  if (inner === undefined) return;
  const { task } = unit;
  unit.roundsLeft -= 1;
  unit.child = openRun(world, inner, mixed(task.seed, Math.floor(task.random() * 4_294_967_296)), unit);
}

/** It waits for what is outside, and counts to nothing meanwhile. */
function leave(world: World, unit: SimulatedUnit): void {
  unit.isActive = false;
  unit.task.run.active -= 1;
  giveSlotBack(world, unit);
}

function giveSlotBack(world: World, unit: SimulatedUnit): void {
  if (!unit.hasSlot) return;
  unit.hasSlot = false;
  world.taken -= 1;
  world.freedBy = unit.task.run.top ?? unit.task;
  passOn(world);
}

function passOn(world: World): void {
  if (world.taken >= world.limit) return;
  for (const run of world.waiting) {
    world.waiting.delete(run);
    wake(world, run);
    return;
  }
}

function settleUnit(world: World, unit: SimulatedUnit): void {
  if (unit.isDead) return;
  const { task } = unit;
  unit.isDead = true;
  if (unit.isActive) task.run.active -= 1;
  giveSlotBack(world, unit);
  task.units.splice(task.units.indexOf(unit), 1);
  task.finished += 1;
  if (task.finished === task.count) endTask(world, task, 'done');
  else if (task.units.length === 0 || task.next < task.count) enqueue(task);
  wake(world, task.run);
}

/** What runs for the node stops at once, with all that is nested in it. */
function dropUnits(world: World, task: SimulatedTask): void {
  for (const unit of task.units) {
    unit.isDead = true;
    world.dropped.push(unit);
    const { child } = unit;
    if (child !== undefined) {
      child.isOver = true;
      world.waiting.delete(child);
      for (const inner of child.tasks) dropUnits(world, inner);
    }
  }
  task.units = [];
}

function close(world: World, run: SimulatedRun): void {
  run.isOver = true;
  if (world.waiting.delete(run)) passOn(world);
  if (run.owner !== undefined) world.closings.push(run);
}

/** The call of a nested run goes on after what is under way at that moment. */
function closed(world: World, run: SimulatedRun): void {
  const { owner } = run;
  if (owner === undefined || owner.isDead) return;
  owner.child = undefined;
  if (owner.roundsLeft > 0) openRound(world, owner, run.plan);
  else settleUnit(world, owner);
}
