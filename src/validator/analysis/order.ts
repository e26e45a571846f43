/** The order of the nodes: each after the nodes that it needs, otherwise as written. */
import { isNodeName } from './built-in-names.ts';
import type { NodeAnalysis, PlanAnalysis } from './plan-analysis.ts';

/** The nodes that each node waits for, by position, without unknown names and without the node itself. */
export function dependenciesOf(analysis: PlanAnalysis): readonly (readonly number[])[] {
  // By position, the last node that was found to wait for it: a node may name it many times.
  const foundFor: (NodeAnalysis | undefined)[] = analysis.nodes.map(() => undefined);
  return analysis.nodes.map((nodeAnalysis) => {
    const found: number[] = [];
    for (const use of nodeAnalysis.uses) {
      const target = analysis.byId.get(use.head);
      if (target === undefined || target === nodeAnalysis || foundFor[target.position] === nodeAnalysis) continue;
      if (!isNodeName(use, nodeAnalysis, analysis)) continue;
      foundFor[target.position] = nodeAnalysis;
      found.push(target.position);
    }
    return found;
  });
}

/**
 * Places in a stable topological order: depth first in written order, dependencies before the nodes that need them. In a
 * cycle one node comes before its dependency.
 */
export function stableOrder(dependencies: readonly (readonly number[])[]): number[] {
  const order: number[] = [];
  const done = new Uint8Array(dependencies.length);
  const visiting = new Uint8Array(dependencies.length);
  for (let start = 0; start < dependencies.length; start += 1) {
    if (done[start] === 1) continue;
    const stack: { readonly place: number; next: number }[] = [{ place: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const waits = dependencies[top.place] ?? [];
      visiting[top.place] = 1;
      const next = done[top.place] === 1 ? undefined : waits[top.next];
      if (next === undefined) {
        if (done[top.place] === 0) order.push(top.place);
        done[top.place] = 1;
        stack.pop();
      } else {
        top.next += 1;
        if (visiting[next] === 0) stack.push({ place: next, next: 0 });
      }
    }
  }
  return order;
}

/** Places of one cycle through `place`, with the first repeated at the end; undefined when there is none. */
export function cycleThrough(place: number, dependencies: readonly (readonly number[])[]): number[] | undefined {
  const cameFrom = new Map<number, number>();
  const queue = [place];
  for (const current of queue) {
    for (const next of dependencies[current] ?? []) {
      if (next === place) return pathBack(current, place, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, current);
      queue.push(next);
    }
  }
  return undefined;
}

function pathBack(end: number, start: number, cameFrom: ReadonlyMap<number, number>): number[] {
  const path = [start];
  for (let current: number | undefined = end; current !== undefined && current !== start; ) {
    path.unshift(current);
    current = cameFrom.get(current);
  }
  return [start, ...path];
}

/** True when every reference points to an earlier node of the plan as written. */
export const isOrdered = (dependencies: readonly (readonly number[])[]): boolean =>
  dependencies.every((waits, place) => waits.every((other) => other < place));

/** Reports every cycle once, with its path. Returns the places of the members of all cycles. */
export function reportCycles(
  analysis: PlanAnalysis,
  dependencies: readonly (readonly number[])[],
): ReadonlySet<number> {
  const seen = new Set<number>();
  for (let place = 0; place < dependencies.length; place += 1) {
    // Every cycle has a member that waits for a later one.
    if (seen.has(place) || !(dependencies[place] ?? []).some((other) => other > place)) continue;
    const cycle = cycleThrough(place, dependencies);
    if (cycle === undefined) continue;
    for (const member of cycle) seen.add(member);
    const ids = cycle.map((member) => analysis.nodes[member]?.node.id ?? '');
    const path = `${analysis.nodes[place]?.pointer ?? ''}`;
    const message = `These nodes depend on each other in a cycle (${ids.join(' needs ')}): remove one of these references, or use "repeat".`;
    analysis.report.add('graph.cycle', path, message, { got: ids });
  }
  return seen;
}

/** Sets the position of each node, and returns the nodes in that order. */
export function applyOrder(nodes: readonly NodeAnalysis[], order: readonly number[]): NodeAnalysis[] {
  const ordered: NodeAnalysis[] = [];
  for (const place of order) {
    const nodeAnalysis = nodes[place];
    if (nodeAnalysis === undefined) continue;
    nodeAnalysis.position = ordered.length;
    ordered.push(nodeAnalysis);
  }
  return ordered;
}
