/** The workflows that a plan brings with it, and which of its nodes run them. */
import { workflowsOf } from './offered-tools.ts';
import type { Plan, PlanNode, PlanWorkflow } from './plan-document.ts';

export const WORKFLOW_PREFIX = 'workflow:';

/** The name behind `workflow:`; undefined for any other step. */
export const workflowNameOf = (use: string): string | undefined =>
  use.startsWith(WORKFLOW_PREFIX) ? use.slice(WORKFLOW_PREFIX.length) : undefined;

type Workflows = NonNullable<Plan['workflows']>;

const hasOwn = (workflows: Workflows | undefined, name: string): workflows is Workflows =>
  workflows !== undefined && Object.hasOwn(workflows, name);

/** The names of the workflows that nodes run, or give to a model as tools; each once, in the order of the nodes. */
export function workflowsUsedBy(nodes: readonly PlanNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (use: unknown): void => {
    const name = typeof use === 'string' ? workflowNameOf(use) : undefined;
    if (name !== undefined) names.add(name);
  };
  for (const node of nodes) for (const use of workflowsOf(node)) add(use);
  return names;
}

const made = new WeakMap<Workflows, Map<string, Plan>>();
/** The plans of one workflow: one for each set of workflows that it was found with, so mostly one. */
const plansOf = new WeakMap<PlanWorkflow, Plan[]>();

/**
 * A workflow of a plan as a plan by itself, with those before it that it uses: nothing else is needed to run it, or to resume its
 * run in another process. The same object each time, also where it is reached through another workflow that uses it.
 *
 * @returns undefined when the plan has no workflow of that name
 */
export function memberPlan({ workflows }: Pick<Plan, 'workflows'>, name: string): Plan | undefined {
  if (!hasOwn(workflows, name)) return undefined;
  const known = made.get(workflows) ?? new Map<string, Plan>();
  made.set(workflows, known);
  const before = known.get(name);
  if (before !== undefined) return before;
  const plan = standalone(workflows, name);
  known.set(name, plan);
  return plan;
}

function standalone(workflows: Workflows, name: string): Plan {
  const member = workflows[name] as PlanWorkflow;
  const own = usedBefore(workflows, name);
  const known = plansOf.get(member) ?? [];
  plansOf.set(member, known);
  const same = known.find((plan) => isSameSet(plan.workflows, own));
  if (same !== undefined) return same;
  const { goal, input, budget, nodes, output } = member;
  const plan: Plan = {
    version: 1,
    ...(goal === undefined ? {} : { goal }),
    ...(input === undefined ? {} : { input }),
    ...(budget === undefined ? {} : { budget }),
    ...(own.length === 0 ? {} : { workflows: Object.fromEntries(own) }),
    nodes,
    ...(output === undefined ? {} : { output }),
  };
  known.push(plan);
  return plan;
}

/** The workflows before it that it uses, directly or through others, in their order. */
function usedBefore(workflows: Workflows, name: string): readonly (readonly [string, PlanWorkflow])[] {
  const member = workflows[name] as PlanWorkflow;
  const names = Object.keys(workflows);
  const needed = new Set(workflowsUsedBy(member.nodes));
  // Only those before it are its own, so one pass backwards finds all that they use.
  const before = names.slice(0, names.indexOf(name));
  for (const other of before.toReversed()) {
    if (!needed.has(other)) continue;
    for (const inner of workflowsUsedBy((workflows[other] as PlanWorkflow).nodes)) needed.add(inner);
  }
  return before.filter((other) => needed.has(other)).map((other) => [other, workflows[other] as PlanWorkflow]);
}

function isSameSet(workflows: Workflows | undefined, own: readonly (readonly [string, PlanWorkflow])[]): boolean {
  if (Object.keys(workflows ?? {}).length !== own.length) return false;
  return own.every(([name, member]) => hasOwn(workflows, name) && workflows[name] === member);
}
