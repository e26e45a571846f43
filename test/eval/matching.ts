/**
 * Which node of a plan is which node of the gold plan: by what they use, by their inputs, and by where they stand.
 *
 * 1. Two nodes that use different steps are never the same. Otherwise they are alike by their inputs, from 0.5 to 1.
 * 2. The figure is refined: nodes whose neighbours are alike are more alike (0.6 own, 0.2 what it waits for, 0.2 what waits for it).
 * 3. The pair that is most alike is fixed. What is fixed is certain, so the figures are refined again, and so on.
 *
 * The ids and the order of nodes count for nothing. Two graphs that are equal up to these are matched whole: among nodes that
 * cannot be told apart one pair is fixed, and its neighbours follow it.
 */
import type { GraphInput, GraphNode, PlanGraph } from './plan-graph.ts';

/** The place of the gold node by the place of the plan's node; undefined: it has none. */
export type Matching = readonly (number | undefined)[];

/** Steps whose inputs are prose: two planners never word them alike, so wording only tells nodes of one plan apart. */
const PROSE: ReadonlySet<string> = new Set(['llm', 'human', 'image', 'plan', 'moderate', 'workflow']);
export const isProse = (use: string): boolean => PROSE.has(use);

/** Below it, a tool is called with something else than the gold plan calls it with: another order, another city. */
const SAME_INPUTS = 0.5;
const OWN = 0.6;
const NEIGHBOURS = 0.2;
/** Refinements in a row: what is farther away than this tells no nodes of a small plan apart. */
const MOST_REFINEMENTS = 12;

type Figures = number[][];

/** 0 to 1: how alike the inputs are, over the names that either has. Without inputs they are alike. */
export function inputsAlike(a: GraphNode, b: GraphNode): number {
  const names = new Set([...Object.keys(a.inputs), ...Object.keys(b.inputs)]);
  if (names.size === 0) return 1;
  let sum = 0;
  for (const name of names) {
    const [one, other] = [a.inputs[name], b.inputs[name]];
    if (one !== undefined && other !== undefined) sum += inputAlike(one, other);
  }
  return sum / names.size;
}

function inputAlike(a: GraphInput, b: GraphInput): number {
  if (a.kind === 'reference' || b.kind === 'reference') {
    if (a.kind === b.kind) return 1;
    // A text around a value and the value alone: the step gets what it needs.
    return [a, b].some((one) => one.kind === 'text' && one.isMixed) ? 0.5 : 0;
  }
  if (a.kind === 'value' && b.kind === 'value') return a.json === b.json ? 1 : 0;
  if (a.kind === 'value' || b.kind === 'value') return 0;
  if (a.words.size === 0 && b.words.size === 0) return 1;
  const shared = [...a.words].filter((word) => b.words.has(word)).length;
  return shared / (a.words.size + b.words.size - shared);
}

/** True where a node of a plan does what the gold node does, wherever they stand. */
export const isSameStep = (a: GraphNode, b: GraphNode): boolean =>
  a.use === b.use && (isProse(a.use) || inputsAlike(a, b) >= SAME_INPUTS);

export function matchNodes(plan: PlanGraph, gold: PlanGraph): Matching {
  const own = plan.nodes.map((a) =>
    gold.nodes.map((b) => (isSameStep(a, b) ? 0.5 + 0.4 * inputsAlike(a, b) + (sameControl(a, b) ? 0.1 : 0) : 0)),
  );
  const sides = [
    [plan.waits, gold.waits],
    [readersOf(plan), readersOf(gold)],
  ] as const;
  const matching: (number | undefined)[] = plan.nodes.map(() => undefined);
  const refinements = Math.min(MOST_REFINEMENTS, gold.nodes.length);
  for (;;) {
    let figures = own.map((row) => [...row]);
    for (let round = 0; round < refinements; round += 1) figures = refined(figures, own, sides, matching);
    const best = mostAlike(figures, matching);
    if (best === undefined) return matching;
    matching[best.place] = best.goldPlace;
  }
}

const sameControl = (a: GraphNode, b: GraphNode): boolean => a.control.join() === b.control.join();

function readersOf({ waits }: PlanGraph): readonly (readonly number[])[] {
  const readers: number[][] = waits.map(() => []);
  waits.forEach((sources, place) => {
    for (const source of sources) readers[source]?.push(place);
  });
  return readers;
}

type Sides = readonly (readonly [readonly (readonly number[])[], readonly (readonly number[])[]])[];

function refined(figures: Figures, own: Figures, sides: Sides, matching: Matching): Figures {
  const taken = new Set(matching);
  return own.map((row, place) =>
    row.map((figure, goldPlace) => {
      if (matching[place] !== undefined) return matching[place] === goldPlace ? 1 : 0;
      if (figure === 0 || taken.has(goldPlace)) return 0;
      let sum = OWN * figure;
      for (const [mine, golds] of sides) {
        sum += NEIGHBOURS * aligned(mine[place] ?? [], golds[goldPlace] ?? [], figures);
      }
      return sum;
    }),
  );
}

/** 0 to 1: the neighbours paired by how alike they are, over the longer list. Without neighbours on either side: 1. */
function aligned(mine: readonly number[], golds: readonly number[], figures: Figures): number {
  const most = Math.max(mine.length, golds.length);
  if (most === 0) return 1;
  const pairs = mine
    .flatMap((a) => golds.map((b) => ({ a, b, figure: figures[a]?.[b] ?? 0 })))
    .sort((x, y) => y.figure - x.figure);
  const used = new Set<string>();
  let sum = 0;
  for (const { a, b, figure } of pairs) {
    if (used.has(`a${a}`) || used.has(`b${b}`)) continue;
    used.add(`a${a}`).add(`b${b}`);
    sum += figure;
  }
  return sum / most;
}

/** The pair that is most alike among those that are not fixed; the first of equal ones. */
function mostAlike(
  figures: Figures,
  matching: Matching,
): { readonly place: number; readonly goldPlace: number } | undefined {
  let best: { readonly place: number; readonly goldPlace: number; readonly figure: number } | undefined;
  figures.forEach((row, place) => {
    if (matching[place] !== undefined) return;
    row.forEach((figure, goldPlace) => {
      if (figure > (best?.figure ?? 0) + 1e-12) best = { place, goldPlace, figure };
    });
  });
  return best;
}
