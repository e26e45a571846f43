/** The given workflows, with all that they use: inner workflows and steps of their own. */
import { defined } from '../core/defined.ts';
import { PolyphonyError } from '../core/errors.ts';
import { canonicalJson } from '../core/json/canonical-json.ts';
import type { JsonSchema } from '../core/model/model.ts';
import { type Plan, WORKFLOW_NAME } from '../core/plan/plan.ts';
import { memberPlan, WORKFLOW_PREFIX } from '../core/plan/plan-workflows.ts';
import type { Plugin, Step } from '../core/plugin.ts';
import { thrownText } from '../core/user-code/thrown-text.ts';
import { toJsonSchema } from '../kit/json/json-schema.ts';
import type { WorkflowSchemas } from '../kit/json/own/own-schema.ts';
import { isSameJson } from './validated-plans.ts';

/** The parts of a built workflow that are registered. */
export interface WorkflowParts {
  readonly id: string;
  readonly plan: Plan;
  readonly inputSchema: JsonSchema;
  readonly schemas: WorkflowSchemas;
  readonly steps: readonly Step[];
  /** False: the planner is not told of it. @default true */
  readonly forPlanner?: boolean;
  readonly workflows: readonly WorkflowParts[];
  /** Those that its plan holds, by their names there. @default none */
  readonly members?: ReadonlyMap<string, WorkflowParts>;
}

export interface WorkflowSet {
  readonly registered: ReadonlyMap<string, WorkflowParts>;
  /**
   * Ids under which only workflows stand that the plans of others hold. Those plans need no id; it is for runs of earlier versions,
   * and gives way. `null`: two different ones have it, so that it names neither.
   */
  readonly held: ReadonlyMap<string, WorkflowParts | null>;
  /** The schemas of workflows that plans hold, by the JSON of their own plans. */
  readonly schemas: ReadonlyMap<string, WorkflowSchemas>;
  /** The newest of each name. */
  readonly steps: ReadonlyMap<string, Step>;
  /** Steps of earlier builds, whose place a newer one took: shared by all sets that come from one another, and held by none. */
  readonly superseded: WeakSet<Step>;
}

/**
 * The set with these workflows and all that they use. One with the id and the plan of a known one is the same workflow, built
 * again: it takes its place, and so do its steps, for every workflow that uses them.
 *
 * @returns the given set itself where nothing is new
 * @throws invalid-config when a name is taken by a workflow with another plan, or by a step of another workflow
 */
export function workflowSet(workflows: readonly WorkflowParts[], before: WorkflowSet = newSet()): WorkflowSet {
  const isKnown = (workflow: WorkflowParts): boolean =>
    before.registered.get(workflow.id) === workflow && !before.held.has(workflow.id);
  if (workflows.every(isKnown)) return before;
  const { superseded } = before;
  const set: GrowingSet = {
    registered: new Map(before.registered),
    held: new Map(before.held),
    schemas: new Map(before.schemas),
    steps: new Map(before.steps),
    superseded,
  };
  const seen = new Set<WorkflowParts>();
  const queue = workflows.map((workflow) => ({ workflow, isHeld: false }));
  let isNew = false;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const { workflow, isHeld } = next;
    if (seen.has(workflow)) continue;
    seen.add(workflow);
    const members = new Set(workflow.members?.values());
    queue.push(...workflow.workflows.map((inner) => ({ workflow: inner, isHeld: members.has(inner) })));
    if (isHeld) isNew = hold(set, workflow) || isNew;
    else if (set.registered.get(workflow.id) !== workflow || set.held.has(workflow.id))
      isNew = adopt(set, workflow) || isNew;
  }
  return isNew ? set : before;
}

const newSet = (): WorkflowSet => ({
  registered: new Map(),
  held: new Map(),
  schemas: new Map(),
  steps: new Map(),
  superseded: new WeakSet(),
});

interface GrowingSet {
  readonly registered: Map<string, WorkflowParts>;
  readonly held: Map<string, WorkflowParts | null>;
  readonly schemas: Map<string, WorkflowSchemas>;
  readonly steps: Map<string, Step>;
  readonly superseded: WeakSet<Step>;
}

/** A workflow that the plan of another one holds. Returns false where nothing changes. */
function hold({ registered, held }: GrowingSet, workflow: WorkflowParts): boolean {
  const { id } = workflow;
  const known = registered.get(id);
  const other = held.get(id);
  if (other === null || known === workflow || (known !== undefined && other === undefined)) return false;
  const isSame = known === undefined || isSameJson(known.plan, workflow.plan);
  held.set(id, isSame ? workflow : null);
  if (isSame) registered.set(id, workflow);
  else registered.delete(id);
  return true;
}

/** Returns false where it is the same as the one that is there, to the last step. */
function adopt(set: GrowingSet, workflow: WorkflowParts): boolean {
  const { registered, held, steps, superseded } = set;
  const known = held.has(workflow.id) ? undefined : registered.get(workflow.id);
  if (known !== undefined && !isSameJson(known.plan, workflow.plan)) throw taken('workflow', workflow.id);
  const { input, outputs } = workflow.schemas;
  // Its own schemas are code, as its steps are: the newest serve.
  let isNew = known === undefined || input !== undefined || outputs.size > 0;
  for (const step of workflow.steps) {
    const { use } = step.type;
    const other = steps.get(use);
    if (other === step || (known === undefined && superseded.has(step))) continue;
    if (other !== undefined && known === undefined) throw taken('step', use);
    if (other !== undefined) superseded.add(other);
    superseded.delete(step);
    steps.set(use, step);
    isNew = true;
  }
  isNew = keepSchemas(set, workflow) || isNew;
  if (isNew) registered.set(workflow.id, workflow);
  if (isNew) held.delete(workflow.id);
  return isNew;
}

/** The schemas of the workflows that its plan holds: they run here, though the plan says only what JSON can say. */
function keepSchemas({ schemas }: GrowingSet, { plan, members }: WorkflowParts): boolean {
  let isNew = false;
  for (const [name, member] of members ?? []) {
    const own = memberPlan(plan, name);
    if (own === undefined || (member.schemas.input === undefined && member.schemas.outputs.size === 0)) continue;
    schemas.set(canonicalJson(own), member.schemas);
    isNew = true;
  }
  return isNew;
}

const taken = (kind: string, name: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `Two different ${kind}s are named "${name}": rename one.`);

/**
 * A plan that is registered under its id.
 *
 * @param from who brings it, in the words of an error: `The plugin "x"`
 * @throws invalid-config when its id is no name of a workflow, or its input no schema
 */
export function workflowOfPlan(plan: Plan, from: string, forPlanner?: boolean): PlanParts {
  const { id } = plan;
  if (typeof id !== 'string' || !WORKFLOW_NAME.test(id)) {
    const message = `${from} brings a workflow whose plan has ${id === undefined ? 'no id' : `the id ${JSON.stringify(id)}`}: give it an "id" that matches ${WORKFLOW_NAME.source}.`;
    throw new PolyphonyError('invalid-config', message);
  }
  return {
    id,
    use: WORKFLOW_PREFIX + id,
    plan,
    inputSchema: inputOf(plan, from),
    schemas: NO_SCHEMAS,
    steps: [],
    workflows: [],
    ...defined({ forPlanner }),
  };
}

/** Of a plan alone: no steps and no workflows beside it. */
export interface PlanParts extends WorkflowParts {
  readonly use: string;
  readonly workflows: readonly never[];
  readonly members?: never;
}

const NO_SCHEMAS: WorkflowSchemas = { outputs: new Map() };

function inputOf({ id, input }: Plan, from: string): JsonSchema {
  try {
    return input === undefined ? { type: 'object' } : toJsonSchema(input);
  } catch (error) {
    const message = `${from} brings the workflow "${id}", whose "input" cannot be used: ${thrownText(error)}`;
    throw new PolyphonyError('invalid-config', message, { cause: error });
  }
}

/** The steps as a plugin, so that they are registered, checked and run like those of any plugin. */
export function stepPlugin(steps: Iterable<Step>): readonly Plugin[] {
  const list = [...steps];
  return list.length === 0 ? [] : [{ name: 'workflow-steps', steps: list }];
}
