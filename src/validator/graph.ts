/**
 * The plan as a graph to ask and to draw: generations, cycles, the critical path. Not imported by `validate`, whose own
 * order follows from the references; so nobody pays for the library who does not draw.
 */
import { DirectedGraph } from 'graphology';
import dag from 'graphology-dag';
import type { Plan, PlanNode, ValidPlan } from '../core/plan/plan.ts';
import { listReferences } from '../language/template.ts';
import { readCondition } from './analysis/conditions.ts';

/** Attributes of a node of the graph. Its key is `node:<id>`: an id alone could be `__proto__`. */
export interface GraphNode {
  readonly id: string;
  readonly use: string;
  /** Place in the plan. */
  readonly index: number;
}
export interface GraphEdge {
  /** `data`: a reference; `control`: `needs` alone. */
  readonly kind: 'data' | 'control';
}
export type PlanGraph = DirectedGraph<GraphNode, GraphEdge>;

export const graphKey = (id: string): string => `node:${id}`;

/** The graph of a plan, valid or not; edges point from what is needed to what needs it. Unknown names give no edge. */
export function planGraph(source: Plan | Pick<ValidPlan, 'plan'>): PlanGraph {
  const plan = 'nodes' in source && 'version' in source ? source : source.plan;
  const graph: PlanGraph = new DirectedGraph({ allowSelfLoops: true });
  plan.nodes.forEach(({ id, use }, index) => {
    if (!graph.hasNode(graphKey(id))) graph.addNode(graphKey(id), { id, use, index });
  });
  for (const node of plan.nodes) {
    for (const head of dataHeads(node)) addEdge(graph, head, node.id, 'data');
    for (const head of node.needs ?? []) addEdge(graph, head, node.id, 'control');
  }
  return graph;
}

function addEdge(graph: PlanGraph, from: string, to: string, kind: GraphEdge['kind']): void {
  const [source, target] = [graphKey(from), graphKey(to)];
  if (graph.hasNode(source) && !graph.hasEdge(source, target)) graph.addEdge(source, target, { kind });
}

function dataHeads({ in: inputs, session, each, when, repeat }: PlanNode): Set<string> {
  const heads = new Set<string>();
  for (const { reference } of listReferences([inputs, session, each])) {
    for (const alternative of reference.alternatives) if (alternative.type === 'path') heads.add(alternative.head);
  }
  for (const source of [when, repeat?.until]) {
    const compiled = source === undefined ? undefined : readCondition(source);
    if (compiled?.ok === true) for (const { head } of compiled.condition.references) heads.add(head);
  }
  return heads;
}

/** Ids by generation: what could run at once if everything took equally long. Undefined when the graph has a cycle. */
export function generationsOf(graph: PlanGraph): string[][] | undefined {
  if (dag.hasCycle(graph)) return undefined;
  return dag
    .topologicalGenerations(graph)
    .map((keys) => keys.map((key) => graph.getNodeAttributes(key)))
    .map((nodes) => nodes.sort((a, b) => a.index - b.index).map(({ id }) => id));
}

/** The ids of one cycle, the first repeated at the end; undefined when there is none. */
export function cycleOf(graph: PlanGraph): string[] | undefined {
  const done = new Set<string>();
  for (const start of graph.nodes()) {
    const path: { readonly key: string; readonly next: string[] }[] = [];
    const open = (key: string): void => void path.push({ key, next: graph.outNeighbors(key) });
    if (!done.has(start)) open(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.shift();
      const entered = next === undefined ? -1 : path.findIndex(({ key }) => key === next);
      if (next !== undefined && entered !== -1) return [...path.slice(entered).map(({ key }) => key), next].map(idOf);
      if (next === undefined) {
        done.add(top.key);
        path.pop();
      } else if (!done.has(next)) open(next);
    }
  }
  return undefined;
}

const idOf = (key: string): string => key.slice('node:'.length);

export interface CriticalPath {
  /** From the first node to the last. */
  readonly ids: readonly string[];
  /** Expected milliseconds of the whole path. */
  readonly expectedMs: number;
}

/** The path that is expected to take longest: what decides how long a run takes when nothing waits for a free slot. */
export function criticalPath({ nodes }: Pick<ValidPlan, 'nodes'>): CriticalPath {
  const ends = new Map<string, { readonly at: number; readonly before: string | undefined }>();
  let last: string | undefined;
  for (const { node, dependencies, estimate } of nodes) {
    let start = 0;
    let before: string | undefined;
    for (const dependency of dependencies) {
      const end = ends.get(dependency);
      if (end !== undefined && (before === undefined || end.at > start)) {
        start = end.at;
        before = dependency;
      }
    }
    ends.set(node.id, { at: start + estimate.expectedMs, before });
    if (last === undefined || start + estimate.expectedMs > (ends.get(last)?.at ?? 0)) last = node.id;
  }
  const ids: string[] = [];
  for (let id = last; id !== undefined; id = ends.get(id)?.before) ids.unshift(id);
  return { ids, expectedMs: last === undefined ? 0 : (ends.get(last)?.at ?? 0) };
}
