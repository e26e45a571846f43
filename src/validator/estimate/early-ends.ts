/** Which nodes an early end may leave out. */
import type { PlanAnalysis } from '../analysis/plan-analysis.ts';

/** With more of them nobody knows much of the run, and the work stays bounded. */
const MOST_FINISHING = 256;

/**
 * The places of the nodes that may be cut off because a node with `finish` is done before them. What such a node depends on has run by
 * then, so only what every such node depends on is sure to run.
 */
export function cutByFinish(
  { nodes }: PlanAnalysis,
  dependencies: readonly (readonly number[])[],
): ReadonlySet<number> | undefined {
  const finishing = nodes.flatMap(({ node }, place) => (node.finish === true ? [place] : []));
  if (finishing.length === 0) return undefined;
  const counts = new Uint16Array(nodes.length);
  if (finishing.length <= MOST_FINISHING) for (const place of finishing) countBefore(place, dependencies, counts);
  return new Set([...counts.keys()].filter((place) => counts[place] !== finishing.length));
}

/** Counts the node and all that it depends on. */
function countBefore(place: number, dependencies: readonly (readonly number[])[], counts: Uint16Array): void {
  const seen = new Uint8Array(counts.length);
  const left = [place];
  seen[place] = 1;
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    counts[next] = (counts[next] ?? 0) + 1;
    for (const other of dependencies[next] ?? []) {
      if (seen[other] === 1) continue;
      seen[other] = 1;
      left.push(other);
    }
  }
}
