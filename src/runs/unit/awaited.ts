/** Which nodes a run waits for: those whose call would delay its end if it took twice as long as expected. */
import type { ValidPlan } from '../../core/plan/plan.ts';
import type { RunState } from '../state/run-state.ts';
import type { Unit } from '../state/task.ts';

/** A plan serves many runs, and is never changed. */
const known = new WeakMap<ValidPlan, ReadonlySet<string>>();

/** True also while the plan is still being written, since nobody knows yet what follows. */
export function isAwaited(run: RunState, { task }: Unit): boolean {
  if (run.streamingPlan !== undefined) return true;
  const { plan } = run;
  let awaited = known.get(plan);
  if (awaited === undefined) {
    awaited = awaitedNodes(plan);
    known.set(plan, awaited);
  }
  return awaited.has(task.id);
}

/**
 * The nodes whose slack is less than their own expected time. Slack is what a node may be late without moving the end of the plan:
 * the longest path, less the longest path through the node (the critical path method; Kelley and Walker, 1959).
 */
export function awaitedNodes({ nodes }: ValidPlan): ReadonlySet<string> {
  const ends = new Map<string, number>();
  const paths = nodes.map(({ node, dependencies, estimate, priority }) => {
    const begin = Math.max(0, ...dependencies.map((id) => ends.get(id) ?? 0));
    ends.set(node.id, begin + estimate.expectedMs);
    return { id: node.id, path: begin + priority, ownMs: estimate.expectedMs };
  });
  const longest = Math.max(0, ...paths.map(({ path }) => path));
  return new Set(paths.filter(({ path, ownMs }) => longest - path < Math.max(ownMs, 1)).map(({ id }) => id));
}
