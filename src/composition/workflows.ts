/** The given workflows, with all that they use: inner workflows and steps of their own. */
import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Plugin, Step } from '../core/plugin.ts';
import type { WorkflowSchemas } from '../kit/json/own/own-schema.ts';
import { isSameJson } from './validated-plans.ts';

/** The parts of a built workflow that are registered. */
export interface WorkflowParts {
  readonly id: string;
  readonly plan: Plan;
  readonly inputSchema: JsonSchema;
  readonly schemas: WorkflowSchemas;
  readonly steps: readonly Step[];
  readonly workflows: readonly WorkflowParts[];
}

export interface WorkflowSet {
  readonly registered: ReadonlyMap<string, WorkflowParts>;
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
  if (workflows.every((workflow) => before.registered.get(workflow.id) === workflow)) return before;
  const { superseded } = before;
  const set = { registered: new Map(before.registered), steps: new Map(before.steps), superseded };
  const seen = new Set<WorkflowParts>();
  const queue = [...workflows];
  let isNew = false;
  for (let workflow = queue.shift(); workflow !== undefined; workflow = queue.shift()) {
    if (seen.has(workflow)) continue;
    seen.add(workflow);
    queue.push(...workflow.workflows);
    if (set.registered.get(workflow.id) !== workflow) isNew = adopt(set, workflow) || isNew;
  }
  return isNew ? set : before;
}

const newSet = (): WorkflowSet => ({ registered: new Map(), steps: new Map(), superseded: new WeakSet() });

interface GrowingSet {
  readonly registered: Map<string, WorkflowParts>;
  readonly steps: Map<string, Step>;
  readonly superseded: WeakSet<Step>;
}

/** Returns false where it is the same as the one that is there, to the last step. */
function adopt({ registered, steps, superseded }: GrowingSet, workflow: WorkflowParts): boolean {
  const known = registered.get(workflow.id);
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
  if (isNew) registered.set(workflow.id, workflow);
  return isNew;
}

const taken = (kind: string, name: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `Two different ${kind}s are named "${name}": rename one.`);

/** The steps as a plugin, so that they are registered, checked and run like those of any plugin. */
export function stepPlugin(steps: Iterable<Step>): readonly Plugin[] {
  const list = [...steps];
  return list.length === 0 ? [] : [{ name: 'workflow-steps', steps: list }];
}
