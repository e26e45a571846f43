/** The tools that a node offers to its model, and an `llm` node to the models of its agents. */
import type { PlanNode } from './plan-document.ts';

/** A list of names in the plan. */
export interface ToolList {
  /** JSON pointer below the node. */
  readonly place: string;
  /** As it is written: a list, a reference, or what is none of both. */
  readonly names: unknown;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const NO_LISTS: readonly ToolList[] = [];
const NO_NAMES: readonly string[] = [];

/** Of the node first, then of each of its agents. An agent that only the run knows has a list that is none: its tools may be any. */
export function toolLists({ use, in: inputs }: PlanNode): readonly ToolList[] {
  if (inputs === undefined || (!isGiven(inputs.tools) && !isGiven(inputs.agents))) return NO_LISTS;
  const lists: ToolList[] = [];
  if (isGiven(inputs.tools)) lists.push({ place: '/in/tools', names: inputs.tools });
  if (use !== 'llm' || !isGiven(inputs.agents)) return lists;
  if (!isRecord(inputs.agents)) return [...lists, { place: '/in/agents', names: inputs.agents }];
  for (const [name, agent] of Object.entries(inputs.agents)) {
    const place = `/in/agents/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!isRecord(agent)) lists.push({ place, names: agent });
    else if (isGiven(agent.tools)) lists.push({ place: `${place}/tools`, names: agent.tools });
  }
  return lists;
}

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** The agents that a node declares, as far as they are some. */
export function agentsOf(
  agents: unknown,
): readonly (readonly [name: string, agent: Readonly<Record<string, unknown>>])[] {
  if (!isRecord(agents)) return [];
  return Object.entries(agents).flatMap(([name, agent]) => (isRecord(agent) ? [[name, agent] as const] : []));
}

/** As models know the tool: `tool:` may stand before it in a plan. */
export const bareTool = (name: string): string => (name.startsWith('tool:') ? name.slice('tool:'.length) : name);

/** The step that a name in a list of tools means: a workflow, or a tool. */
export const stepOfTool = (name: string): string => (name.startsWith('workflow:') ? name : `tool:${bareTool(name)}`);

/** The names that stand in the plan as they are. */
export const namesIn = ({ names }: ToolList): readonly string[] =>
  Array.isArray(names) ? names.filter((name): name is string => typeof name === 'string' && !name.includes('{{')) : [];

/** Workflows that the node runs itself, or offers to a model. */
export function workflowsOf(node: PlanNode): readonly string[] {
  if (node.use !== 'llm') return node.use.startsWith('workflow:') ? [node.use] : NO_NAMES;
  const lists = toolLists(node);
  return lists.length === 0 ? NO_NAMES : lists.flatMap(namesIn).filter((name) => name.startsWith('workflow:'));
}
