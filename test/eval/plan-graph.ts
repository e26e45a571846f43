/**
 * A plan as the evaluation compares it: steps with their inputs, and what each waits for. Steps that only reshape values (`value`)
 * are left out, and what waited for them waits for what they waited for: two plans that differ in such steps alone do the same work.
 */
import type { PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';

/** One input: a value that is written, a value of another step, or a text that holds some. */
export type GraphInput =
  | { readonly kind: 'reference' }
  | { readonly kind: 'text'; readonly words: ReadonlySet<string>; readonly isMixed: boolean }
  | { readonly kind: 'value'; readonly json: string };

export type Control = 'each' | 'when' | 'repeat';

export interface GraphNode {
  readonly id: string;
  readonly use: string;
  readonly inputs: Readonly<Record<string, GraphInput>>;
  /** What decides how often it runs. */
  readonly control: readonly Control[];
}

export interface PlanGraph {
  readonly nodes: readonly GraphNode[];
  /** For each node, by place, the places of the nodes that it waits for. */
  readonly waits: readonly (readonly number[])[];
}

/** More nodes of a plan than this are not compared: it is the bound of plans. */
const MOST_NODES = 256;

/** A node before the reshaping ones are left out. */
interface Step {
  readonly node: GraphNode;
  readonly waits: readonly string[];
}

/**
 * The graph of a plan with those of its own workflows: their nodes stand before the node that runs them, which waits for them.
 *
 * @param inner the validated plan of a workflow of the plan by its name, undefined where there is none
 */
export function graphOf(plan: ValidPlan, inner: (name: string) => ValidPlan | undefined = () => undefined): PlanGraph {
  const steps = new Map<string, Step>();
  addSteps(plan, '', inner, steps);
  return withoutReshaping(steps);
}

function addSteps(
  plan: ValidPlan,
  prefix: string,
  inner: (name: string) => ValidPlan | undefined,
  steps: Map<string, Step>,
): void {
  for (const { node, dependencies } of plan.nodes) {
    if (steps.size >= MOST_NODES) return;
    const id = `${prefix}${node.id}`;
    const waits = dependencies.map((dependency) => `${prefix}${dependency}`);
    const own = node.use.startsWith('workflow:') ? inner(node.use.slice('workflow:'.length)) : undefined;
    if (own !== undefined) {
      const before = new Set(steps.keys());
      addSteps(own, `${id}/`, inner, steps);
      waits.push(...[...steps.keys()].filter((key) => !before.has(key)));
    }
    steps.set(id, { node: graphNode(id, node, own !== undefined), waits });
  }
}

const graphNode = (id: string, node: PlanNode, isOwn: boolean): GraphNode => ({
  id,
  // The name of a workflow of the plan is the planner's choice, as ids are.
  use: isOwn ? 'workflow' : node.use,
  inputs: Object.fromEntries(Object.entries(node.in ?? {}).map(([name, value]) => [name, inputOf(value)])),
  control: (['each', 'when', 'repeat'] as const).filter((field) => node[field] !== undefined),
});

const REFERENCE = /\{\{[^{}]*\}\}/g;
const MOST_CHARACTERS = 20_000;

function inputOf(value: unknown): GraphInput {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'null');
  const written = text.slice(0, MOST_CHARACTERS);
  const rest = written.replace(REFERENCE, ' ');
  if (rest !== written && !/[\p{L}\p{N}]/u.test(rest)) return { kind: 'reference' };
  if (typeof value !== 'string' && rest === written) return { kind: 'value', json: written };
  return { kind: 'text', words: wordsOf(rest), isMixed: rest !== written };
}

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

const RESHAPES = 'value';

function withoutReshaping(steps: ReadonlyMap<string, Step>): PlanGraph {
  const kept = [...steps.values()].filter(({ node }) => node.use !== RESHAPES);
  const places = new Map(kept.map(({ node }, place) => [node.id, place]));
  const through = new Map<string, ReadonlySet<number>>();
  // Plans are in an order in which every step stands behind what it waits for.
  for (const [id, { waits }] of steps) {
    const found = new Set<number>();
    for (const wait of waits) {
      const place = places.get(wait);
      if (place !== undefined) found.add(place);
      else for (const behind of through.get(wait) ?? []) found.add(behind);
    }
    through.set(id, found);
  }
  return {
    nodes: kept.map(({ node }) => node),
    waits: kept.map(({ node }) => [...(through.get(node.id) ?? [])].sort((a, b) => a - b)),
  };
}
