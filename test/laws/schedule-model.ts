/**
 * The scheduler as a pure function of how nodes ended: the model that the engines' counters are compared with.
 */
import type { ValidNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { NodeEnding } from '../../src/core/run/engine.ts';

/** `answered`: it failed, and its `onError` gave an output. */
export type Ended = NodeEnding | 'answered';
export type Endings = ReadonlyMap<string, Ended>;

export type Readiness = 'ready' | 'waiting' | 'skip' | 'impossible';

/**
 * Whether one node may start, from the endings of its dependencies.
 * `skip`: every data dependency was skipped and neither `when` nor `??` says otherwise. `impossible`: its `wait` can no
 * longer be met. Where nothing was taken of what a quorum waits for, it is skipped with it.
 */
export function readiness(node: ValidNode, endings: Endings): Readiness {
  const wait = node.node.wait ?? 'all';
  if (wait === 'all') return readinessOfAll(node, endings);
  const wanted = wait === 'any' ? 1 : wait.atLeast;
  let succeeded = 0;
  let open = 0;
  let broken = 0;
  for (const dependency of node.dependencies) {
    const ending = endings.get(dependency);
    if (ending === undefined) open += 1;
    else if (ending === 'done' || ending === 'answered') succeeded += 1;
    else if (ending === 'failed' || ending === 'cancelled') broken += 1;
  }
  if (succeeded >= wanted) return 'ready';
  if (succeeded + open >= wanted) return 'waiting';
  if (succeeded > 0 || broken > 0) return 'impossible';
  return open > 0 ? 'waiting' : 'skip';
}

function readinessOfAll(node: ValidNode, endings: Endings): Readiness {
  let open = false;
  for (const dependency of node.dependencies) {
    const ending = endings.get(dependency);
    if (ending === undefined) open = true;
    else if (ending === 'failed' || ending === 'cancelled') return 'impossible';
  }
  if (open) return 'waiting';
  return isSkipped(node, endings) ? 'skip' : 'ready';
}

function isSkipped(node: ValidNode, endings: Endings): boolean {
  if (node.data.length === 0 || node.hasFallback || node.node.when !== undefined) return false;
  return node.data.every((dependency) => endings.get(dependency) === 'skipped');
}

/** Nodes that may start now, those with the longest expected remaining path first, then in the plan's order. */
export function nextReady(
  plan: Pick<ValidPlan, 'nodes'>,
  finished: Endings,
  running: ReadonlySet<string>,
): readonly ValidNode[] {
  return plan.nodes
    .filter(({ node }) => !finished.has(node.id) && !running.has(node.id))
    .filter((node) => readiness(node, finished) === 'ready')
    .sort((a, b) => b.priority - a.priority || a.index - b.index);
}
