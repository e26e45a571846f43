/** The order of the nodes: each behind what it needs, otherwise as written. */
import type { NodeAnalysis, PlanAnalysis } from './plan-analysis.ts';

/** What each node waits for, by place in `subjects`; unknown names and the node itself left out. */
export function dependenciesOf(analysis: PlanAnalysis): number[][] {
  const places = new Map<NodeAnalysis, number>();
  analysis.subjects.forEach((subject, place) => {
    places.set(subject, place);
  });
  return analysis.subjects.map((subject) => {
    const found: number[] = [];
    for (const { head } of subject.uses) {
      const target = analysis.byId.get(head);
      const place = target === undefined || target === subject ? undefined : places.get(target);
      if (place !== undefined && !found.includes(place)) found.push(place);
    }
    return found;
  });
}

/**
 * Places in a stable topological order: depth first in written order, what a node needs before it. In a cycle one node
 * stands before what it needs.
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

/** Ids of one cycle through the place, the first one repeated at the end; undefined where there is none. */
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

/** True when every reference points backwards as the plan was written. */
export const isOrdered = (dependencies: readonly (readonly number[])[]): boolean =>
  dependencies.every((waits, place) => waits.every((other) => other < place));

/** Reports every cycle once, with its path; gives the places of its members. */
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
    const ids = cycle.map((member) => analysis.subjects[member]?.node.id ?? '');
    const path = `${analysis.subjects[place]?.pointer ?? ''}`;
    const message = `These nodes depend on each other in a cycle (${ids.join(' needs ')}): remove one of these references, or use "repeat".`;
    analysis.report.add('graph.cycle', path, message, { got: ids });
  }
  return seen;
}

/** Gives each node its place in the order, and says which ones moved. */
export function applyOrder(subjects: readonly NodeAnalysis[], order: readonly number[]): NodeAnalysis[] {
  const ordered: NodeAnalysis[] = [];
  for (const place of order) {
    const subject = subjects[place];
    if (subject === undefined) continue;
    subject.position = ordered.length;
    ordered.push(subject);
  }
  return ordered;
}
