/** The state of a node during a run: counters of its dependencies, phase, money, and the units that run for it. */

import type { PolyphonyError } from '../../core/errors.ts';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import type { JsonSize } from '../../core/json/json-size.ts';
import { newList } from '../../core/lists.ts';
import type { Usage } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { NO_USAGE } from '../../core/money/usage.ts';
import type { PlanNode, ValidNode, ValidPlan } from '../../core/plan/plan.ts';
import { handledAs } from '../../core/plan/stand-in.ts';
import type { ApprovedCall, HumanQuestion, NodeEnding, NodeResult } from '../../core/run/engine.ts';
import { listReferences } from '../../language/template.ts';
import type { RecordedLoop } from '../records/recorded-loop.ts';
import type { CompiledNode } from './compiled-node.ts';
import type { Ranked } from './ready-queue.ts';

/** `settling`: its end is recorded but not committed, so its dependents do not see it yet. */
export type Phase = 'waiting' | 'ready' | 'running' | 'suspended' | 'settling' | 'ended';

/** The recorded progress of a node that has not ended, by item. Item -1 is the node itself. */
export interface TaskProgress {
  readonly items: Map<number, NodeResult>;
  readonly rounds: Map<number, FinishedRound>;
  readonly questions: Map<number, HumanQuestion>;
  readonly answers: Map<number, unknown>;
  /** Calls of tools that a person approved and whose workflow has asked since: nobody is asked about them again. */
  readonly approved: Map<number, ApprovedCall>;
  /** Items whose answer is on its way to the journal: no second one is taken. */
  readonly answering: Set<number>;
  /** Items to call again, because what they wait for has come. */
  readonly again: Set<number>;
  /** Epoch milliseconds: when the time of a node that waits for what is outside is up. */
  deadline: number | undefined;
  /** Rounds of models that call tools, of units that have not ended. */
  readonly loops: Map<number, RecordedLoop>;
}

/** The last finished round of a unit, with the money of all its rounds. */
export interface FinishedRound {
  readonly round: number;
  readonly result: NodeResult;
  readonly costNanoUsd: NanoUsd | null;
  readonly usage: Usage;
}

/**
 * What a driver runs as one piece: the node itself, or one item of it, with its rounds and retries. A class: see
 * docs/decisions/objects-of-a-call.md.
 */
export class Unit {
  readonly task: Task;
  /** -1: the node itself. */
  readonly item: number;
  /** Its idempotency key before its first round. */
  readonly key: string;
  readonly value: unknown;
  readonly startedAt: number;
  round = 0;
  /** Output of the previous round. */
  previous: unknown = null;
  /** Why it has to stop. */
  stop: PolyphonyError | undefined = undefined;
  settled = false;
  /** It counts toward what the run may do at the same time. */
  hasSlot = true;
  costNanoUsd: NanoUsd | null = 0;
  usage: Usage = NO_USAGE;
  /** The inputs of its last call. */
  inputs: unknown = undefined;
  /** Undefined until it uses something: most units of a large plan do not. */
  used: UnitUse | undefined = undefined;
  /** What is recorded of its model that calls tools: the unit that goes on after a question takes it up. */
  loop: RecordedLoop | undefined = undefined;

  constructor(task: Task, item: number, key: string, startedAt: number) {
    this.task = task;
    this.item = item;
    this.key = key;
    this.value = task.each?.values[item];
    this.startedAt = startedAt;
  }
}

/** What a unit takes of the bounds of its run. */
export interface UnitUse {
  /** Bytes that were rendered for its last call. */
  rendered: number;
  /** Characters that its call has streamed. */
  streamed: number;
  /** Bytes of the conversation of its call. */
  said: number;
  /** Bytes that its call holds while it runs. */
  inFlight: number;
  /** Of its last result, where it is one of several items. */
  size: JsonSize | undefined;
  /** Calls of models that it made, and of the planner's model. */
  calls: number;
  plannerCalls: number;
}

/** What a node takes of the bounds of its run. */
export interface TaskUse {
  /** Bytes that its templates made, over all items and rounds. */
  rendered: number;
  /** A result of it had no room in the run: none of its other items is called. */
  hasNoRoom: boolean;
  /** Calls that no record tells yet: of its units, and of runs nested in it. */
  calls: number;
  plannerCalls: number;
}

export function useOfUnit(unit: Unit): UnitUse {
  unit.used ??= { rendered: 0, streamed: 0, said: 0, inFlight: 0, size: undefined, calls: 0, plannerCalls: 0 };
  return unit.used;
}

export function useOfTask(task: Task): TaskUse {
  task.used ??= { rendered: 0, hasNoRoom: false, calls: 0, plannerCalls: 0 };
  return task.used;
}

/** The items of an `each` node. */
export interface Items {
  readonly values: readonly unknown[];
  readonly results: (NodeResult | undefined)[];
  next: number;
  /** Of those before `next`, those to call again, in the order in which what they wait for came. */
  readonly ready: number[];
  finished: number;
  /** Bytes of the JSON of the results, and levels of the deepest one. */
  bytes: number;
  depth: number;
}

const NO_UNITS: Unit[] = Object.freeze([]) as unknown as Unit[];
const NO_TASKS: readonly Task[] = [];

/** A node of a run. A class: see docs/decisions/objects-of-a-call.md. */
export class Task implements Ranked {
  valid: ValidNode;
  priority: number;
  index: number;
  readonly node: PlanNode;
  readonly id: string;
  dependencies: readonly Task[] = NO_TASKS;
  readonly dependents: Task[] = newList();
  /** Number of successes that `wait` requires; 0: all. */
  readonly quorum: number;
  inOutput: boolean;
  open: number;
  succeeded = 0;
  broken = 0;
  phase: Phase = 'waiting';
  ending: NodeEnding | undefined = undefined;
  /** Becomes its ending once that is committed. */
  settled: NodeEnding | undefined = undefined;
  /** Becomes its result once that is committed. */
  settledResult: NodeResult | undefined = undefined;
  result: NodeResult | undefined = undefined;
  error: PolyphonyError | undefined = undefined;
  /** Runs of it that failed for good before this one: part of its idempotency keys. */
  failures = 0;
  progress: TaskProgress | undefined = undefined;
  /** Known costs so far; `priced` is false when one was unknown. */
  paid: NanoUsd = 0;
  priced = true;
  usage: Usage = NO_USAGE;
  /** Undefined until it uses something. */
  used: TaskUse | undefined = undefined;
  reserved: NanoUsd = 0;
  /** Monotonic; below 0: it has not started in this process. */
  startedAt = -1;
  /** Replaced by the first unit, never pushed into while it is empty. */
  units: Unit[] = NO_UNITS;
  queued = false;
  /** Why its units were stopped; the node fails or is cancelled with this reason when they have settled. */
  failure: PolyphonyError | undefined = undefined;
  cancelled: string | undefined = undefined;
  compiled: CompiledNode | undefined = undefined;
  each: Items | undefined = undefined;

  constructor(valid: ValidNode, inOutput: boolean) {
    const { node } = valid;
    const { wait } = node;
    this.valid = valid;
    this.priority = valid.priority;
    this.index = valid.index;
    this.node = node;
    this.id = node.id;
    this.quorum = wait === undefined || wait === 'all' ? 0 : wait === 'any' ? 1 : wait.atLeast;
    this.inOutput = inOutput;
    this.open = valid.dependencies.length;
  }
}

/** The tasks of a plan by id, in the plan's order, linked both ways. `known` may return an existing task instead of the fresh one. */
export function createTasks(plan: ValidPlan, known?: (fresh: Task) => Task): Map<string, Task> {
  const inOutput = new Set<string>();
  for (const { reference } of listReferences(plan.plan.output)) {
    for (const alternative of reference.alternatives) if (alternative.type === 'path') inOutput.add(alternative.head);
  }
  const tasks = new Map<string, Task>();
  for (const valid of plan.nodes) {
    const fresh = new Task(valid, inOutput.has(valid.node.id));
    const task = known === undefined ? fresh : known(fresh);
    linkTask(task, tasks);
    tasks.set(task.id, task);
  }
  return tasks;
}

/** Links a task with its dependencies. */
export function linkTask(task: Task, tasks: ReadonlyMap<string, Task>): void {
  const ids = task.valid.dependencies;
  // A list that grows by itself begins with room for 17, which would be most of what a task takes.
  const linked = new Array<Task>(ids.length);
  let count = 0;
  for (const id of ids) {
    const dependency = tasks.get(id);
    if (dependency === undefined) continue;
    linked[count] = dependency;
    count += 1;
    dependency.dependents.push(task);
  }
  if (count < ids.length) linked.length = count;
  task.dependencies = linked;
  task.open = count;
}

export const noProgress = (): TaskProgress => ({
  items: new Map(),
  rounds: new Map(),
  questions: new Map(),
  answers: new Map(),
  approved: new Map(),
  answering: new Set(),
  again: new Set(),
  deadline: undefined,
  loops: new Map(),
});

/** The call that a person approved before its workflow asked this, which outlives the question. */
export function keepApproved({ approved }: TaskProgress, item: number, { approvedCall }: HumanQuestion): void {
  if (approvedCall !== undefined) approved.set(item, approvedCall);
}

/** `run/node` and, where there are any, item, round and earlier failures: unchanged after a crash, different after a failure. */
export function idempotencyKey(runId: string, task: Pick<Task, 'id' | 'failures'>, item = -1, round = 0): string {
  const failed = task.failures === 0 ? '' : `~${task.failures}`;
  const place = item === -1 ? '' : `/${item}`;
  return round === 0 ? `${runId}/${task.id}${failed}${place}` : `${runId}/${task.id}${failed}${place}/r${round}`;
}

/** The item asked a question that has no answer yet. */
export function isAsking({ progress }: Task, item: number): boolean {
  return progress?.questions.has(item) === true && !progress.answers.has(item);
}

/** Whether nobody has answered what the item asks, nor is about to. */
export function isOpen({ questions, answers, answering, items }: TaskProgress, item: number): boolean {
  return questions.has(item) && !answers.has(item) && !answering.has(item) && !items.has(item);
}

/** By item, in the order in which they were asked. */
export const openQuestions = (progress: TaskProgress): [number, HumanQuestion][] =>
  [...progress.questions].filter(([item]) => isOpen(progress, item));

/** Counts a dependency that has ended. */
export function countEnded(task: Task, dependency: Task): void {
  task.open -= 1;
  if (dependency.ending === 'done' || isAnswered(dependency)) task.succeeded += 1;
  else if (dependency.ending === 'failed' || dependency.ending === 'cancelled') task.broken += 1;
}

/** Its `onError` gave an output, which is as good as its own to those that wait for it. `skip` and `keep` give none: null. */
const isAnswered = ({ ending, node, result }: Task): boolean =>
  ending === 'handled' && (handledAs(node) === 'value' || (result !== undefined && result.output !== null));

/** Whether both plans define the node in the same way, so that it keeps its results. */
export const isSameNode = (a: PlanNode, b: PlanNode | undefined): boolean =>
  a === b || (b !== undefined && canonicalJson(a) === canonicalJson(b));

// ---------------------------------------------------------------------------------------------------- reasons

/** Reasons of cancelled nodes. The first two stay cancelled when the run is resumed; all others run again. */

export const NOT_NEEDED = 'no node needs it any more';
export const DEPENDENCY_FAILED = 'a node that it depends on failed';
/** With `failFast: false`: when the run is resumed the failed node runs again, and so do these. */
export const BRANCH_FAILED = 'a node that it depends on failed, and the run fails at its end';
