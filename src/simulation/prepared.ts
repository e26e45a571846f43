/** A plan with all that is the same in every simulated run. */
import type { ForecastNode, ForecastPlan, ForecastRange } from '../core/run/simulation.ts';
import { type ObservedOf, type Sampler, samplerOf } from './samplers.ts';

export interface PreparedNode {
  readonly node: ForecastNode;
  readonly dependents: readonly number[];
  /** Undefined: it runs a workflow. */
  readonly sampler: Sampler | undefined;
  readonly inner: PreparedPlan | undefined;
  /** What the question of its condition draws by: the same for the same question. */
  readonly question: number;
}

export interface PreparedPlan {
  readonly nodes: readonly PreparedNode[];
}

/** Plans nest and are used at many places: each is prepared once. */
export function preparer(observedOf: ObservedOf): (plan: ForecastPlan) => PreparedPlan {
  const known = new Map<ForecastPlan, PreparedPlan>();
  const prepare = (plan: ForecastPlan): PreparedPlan => {
    const before = known.get(plan);
    if (before !== undefined) return before;
    const dependents: number[][] = plan.nodes.map(() => []);
    plan.nodes.forEach(({ dependencies }, place) => {
      for (const other of dependencies) dependents[other]?.push(place);
    });
    const nodes = plan.nodes.map((node, place): PreparedNode => {
      const { work } = node;
      const isInner = work.type === 'workflow';
      return {
        node,
        dependents: dependents[place] ?? [],
        sampler: isInner ? undefined : samplerOf(work, observedOf),
        inner: isInner ? prepare(work.plan) : undefined,
        question: node.when === undefined ? 0 : keyOf(node.when.question),
      };
    });
    const prepared: PreparedPlan = { nodes };
    known.set(plan, prepared);
    return prepared;
  };
  return prepare;
}

/** FNV-1a. */
function keyOf(text: string): number {
  let key = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) key = Math.imul(key ^ text.charCodeAt(at), 0x01000193);
  return key >>> 0;
}

/** Exponentially spread around what is expected, within the bounds. */
export function itemsDrawn({ low, expected, high }: ForecastRange, draw: number): number {
  if (high <= low) return low;
  return Math.min(high, low + Math.round(-Math.log(1 - draw) * Math.max(0, expected - low)));
}
