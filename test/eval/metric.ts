/** How near a plan is to the gold plan of its request. Every figure is 0 to 1. */
import { matchNodes } from './matching.ts';
import type { Control, PlanGraph } from './plan-graph.ts';

export interface Share {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface PlanScore {
  /** Steps of the plan that are steps of the gold plan, and the other way round. */
  readonly nodes: Share;
  /** What waits for what, among matched steps. */
  readonly edges: Share;
  /** Of the gold steps with a condition, a loop or an `each`: the share that has the same; null where none has. */
  readonly control: number | null;
  /** The longest path over the number of steps: 1 is a chain, and less is more parallel. */
  readonly parallelism: number;
}

export function scorePlan(plan: PlanGraph, gold: PlanGraph): PlanScore {
  const matching = matchNodes(plan, gold);
  const matched = matching.filter((place) => place !== undefined).length;
  return {
    nodes: shareOf(matched, plan.nodes.length, gold.nodes.length),
    edges: shareOf(sharedEdges(plan, gold, matching), edgesOf(plan), edgesOf(gold)),
    control: controlOf(plan, gold, matching),
    parallelism: parallelismOf(plan),
  };
}

/** What a request without a usable plan counts as. */
export const NO_PLAN: Omit<PlanScore, 'control' | 'parallelism'> = {
  nodes: { precision: 0, recall: 0, f1: 0 },
  edges: { precision: 0, recall: 0, f1: 0 },
};

/** Of nothing, all was found, and of none that was found none is wrong: then the other figure decides. */
function shareOf(shared: number, found: number, wanted: number): Share {
  const precision = found === 0 ? 1 : shared / found;
  const recall = wanted === 0 ? 1 : shared / wanted;
  const sum = precision + recall;
  return { precision, recall, f1: sum === 0 ? 0 : (2 * precision * recall) / sum };
}

const edgesOf = ({ waits }: PlanGraph): number => waits.reduce((sum, sources) => sum + sources.length, 0);

function sharedEdges(plan: PlanGraph, gold: PlanGraph, matching: readonly (number | undefined)[]): number {
  let shared = 0;
  plan.waits.forEach((sources, place) => {
    const target = matching[place];
    const wanted = target === undefined ? undefined : gold.waits[target];
    for (const source of sources) {
      const from = matching[source];
      if (from !== undefined && wanted?.includes(from) === true) shared += 1;
    }
  });
  return shared;
}

function controlOf(plan: PlanGraph, gold: PlanGraph, matching: readonly (number | undefined)[]): number | null {
  const wanted = gold.nodes.reduce((sum, { control }) => sum + control.length, 0);
  if (wanted === 0) return null;
  let found = 0;
  matching.forEach((goldPlace, place) => {
    const golds = goldPlace === undefined ? undefined : gold.nodes[goldPlace];
    const mine: readonly Control[] = plan.nodes[place]?.control ?? [];
    found += golds?.control.filter((field) => mine.includes(field)).length ?? 0;
  });
  return found / wanted;
}

/** Critical path over work, every step as one. An empty plan counts as a chain. */
export function parallelismOf({ nodes, waits }: PlanGraph): number {
  if (nodes.length === 0) return 1;
  const depths: number[] = [];
  // A step stands behind what it waits for, except in graphs that were put in another order: those are looked up.
  const depthOf = (place: number): number => {
    depths[place] ??= 1 + Math.max(0, ...(waits[place] ?? []).map(depthOf));
    return depths[place];
  };
  return Math.max(...nodes.map((_, place) => depthOf(place))) / nodes.length;
}

/** True where each step that changes something outside waits for a person, at whatever distance. */
export function asksFirst({ nodes, waits }: PlanGraph, changes: (use: string) => boolean): boolean {
  const asked = new Map<number, boolean>();
  const isAsked = (place: number): boolean => {
    const known = asked.get(place);
    if (known !== undefined) return known;
    const found = nodes[place]?.use === 'human' || (waits[place] ?? []).some(isAsked);
    asked.set(place, found);
    return found;
  };
  return nodes.every(({ use }, place) => !changes(use) || isAsked(place));
}
