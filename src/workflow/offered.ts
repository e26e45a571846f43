/** The tools that a node of the builder offers to models: by name, or as the steps and workflows themselves. */
import { PolyphonyError } from '../core/errors.ts';
import { agentsOf, bareTool } from '../core/plan/offered-tools.ts';
import type { PlanNode } from '../core/plan/plan.ts';
import { WORKFLOW_PREFIX, workflowNameOf } from '../core/plan/plan-workflows.ts';
import { isWorkflow, type Workflow } from './built.ts';
import { pathOf } from './reference.ts';

type Inputs = Readonly<Record<string, unknown>>;

export interface Offered {
  /** The inputs with names in place of the tools. */
  readonly inputs: unknown;
  readonly workflows: readonly Workflow<unknown, unknown>[];
}

const isRecord = (given: unknown): given is Inputs =>
  typeof given === 'object' && given !== null && !Array.isArray(given) && pathOf(given) === undefined;

/**
 * The tools of an `llm` node by their names, as a plan has them.
 *
 * @throws invalid-plan for a step that no model can call
 */
export function offeredBy(use: string, inputs: unknown): Offered {
  if (use !== 'llm' || !isRecord(inputs)) return { inputs, workflows: [] };
  const workflows: Workflow<unknown, unknown>[] = [];
  const named = changeTools(inputs, (one) => {
    if (isWorkflow(one)) workflows.push(one);
    return nameOf(one);
  });
  return { inputs: named, workflows };
}

function nameOf(one: unknown): unknown {
  if (!isRecord(one) || typeof one.use !== 'string') return one;
  if (one.use.startsWith('tool:')) return bareTool(one.use);
  if (one.use.startsWith(WORKFLOW_PREFIX)) return one.use;
  const message = `A model cannot call the step "${one.use}": only tools and workflows stand in "tools".`;
  throw new PolyphonyError('invalid-plan', message);
}

/** A node whose workflows have other names in the plan. */
export function withOtherNames(node: PlanNode, renamed: ReadonlyMap<string, string>): PlanNode {
  const other = (use: unknown): unknown => {
    const name = typeof use === 'string' ? renamed.get(workflowNameOf(use) ?? '') : undefined;
    return name === undefined ? use : WORKFLOW_PREFIX + name;
  };
  if (node.use !== 'llm') return { ...node, use: other(node.use) as string };
  return isRecord(node.in) ? { ...node, in: changeTools(node.in, other) } : node;
}

/** The same object where there are no tools. */
function changeTools(inputs: Inputs, change: (one: unknown) => unknown): Inputs {
  const tools = Array.isArray(inputs.tools) ? { tools: inputs.tools.map(change) } : {};
  if (!isRecord(inputs.agents)) return Array.isArray(inputs.tools) ? { ...inputs, ...tools } : inputs;
  const agents = { ...inputs.agents };
  for (const [name, agent] of agentsOf(inputs.agents)) {
    if (Array.isArray(agent.tools)) agents[name] = { ...agent, tools: agent.tools.map(change) };
  }
  return { ...inputs, ...tools, agents };
}
