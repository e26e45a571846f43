/**
 * TextRank (Mihalcea and Tarau 2004): PageRank over a graph whose edges are the similarity of sentences, or the
 * proximity of words. Sentences are compared by the cosine of their rarity-weighted stems.
 */
import { createRequire } from 'node:module';
import type { UndirectedGraph } from 'graphology';

type ScoredGraph = UndirectedGraph<Record<string, never>, { weight: number }>;

/** Loaded at the first ranking: a fast summary needs no graph, and loading both libraries takes longer than the summary. */
const load = createRequire(import.meta.url ?? __filename);
const newGraph = (): ScoredGraph => {
  const { UndirectedGraph: Graph } = load('graphology') as typeof import('graphology');
  return new Graph<Record<string, never>, { weight: number }>();
};

/** Edges below this similarity are noise and are dropped. */
const LEAST_LIKENESS = 0.05;

type Weights = ReadonlyMap<string, number>;

/** Unit vectors of stems: 1 + log of the count, times the rarity of the stem among these sentences. */
export function vectors(stemLists: readonly (readonly string[])[]): Weights[] {
  const frequency = new Map<string, number>();
  for (const stems of stemLists) for (const stem of new Set(stems)) frequency.set(stem, (frequency.get(stem) ?? 0) + 1);
  return stemLists.map((stems) => {
    const counts = new Map<string, number>();
    for (const stem of stems) counts.set(stem, (counts.get(stem) ?? 0) + 1);
    let squares = 0;
    for (const [stem, count] of counts) {
      const weight = (1 + Math.log(count)) * Math.log(1 + stemLists.length / (frequency.get(stem) ?? 1));
      counts.set(stem, weight);
      squares += weight * weight;
    }
    const length = Math.sqrt(squares) || 1;
    for (const [stem, weight] of counts) counts.set(stem, weight / length);
    return counts;
  });
}

/** Cosine of two unit vectors, 0 to 1. */
export function likeness(a: Weights, b: Weights): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [stem, weight] of small) sum += weight * (large.get(stem) ?? 0);
  return Math.min(1, sum);
}

/** The TextRank of each sentence; the highest is 1. Quadratic in their number, which the caller bounds. */
export function rankSentences(unit: readonly Weights[]): number[] {
  const graph = newGraph();
  for (const index of unit.keys()) graph.addNode(`s${index}`);
  for (const [index, a] of unit.entries()) {
    for (let other = index + 1; other < unit.length; other++) {
      const b = unit[other];
      const weight = b === undefined ? 0 : likeness(a, b);
      if (weight >= LEAST_LIKENESS) graph.addEdge(`s${index}`, `s${other}`, { weight });
    }
  }
  return highestIsOne(
    score(graph),
    [...unit.keys()].map((index) => `s${index}`),
  );
}

/** The TextRank of each word by the words within `window` positions of it; the highest is 1. */
export function rankWords(runs: readonly (readonly string[])[], window = 3): Map<string, number> {
  const graph = newGraph();
  const names: string[] = [];
  for (const run of runs) {
    for (const [index, word] of run.entries()) {
      if (!graph.hasNode(`w${word}`)) names.push(word);
      graph.mergeNode(`w${word}`);
      for (const near of run.slice(Math.max(0, index - window + 1), index)) {
        if (near === word) continue;
        graph.updateEdge(`w${near}`, `w${word}`, (edge) => ({ weight: (edge.weight ?? 0) + 1 }));
      }
    }
  }
  const scores = highestIsOne(
    score(graph),
    names.map((name) => `w${name}`),
  );
  return new Map(names.map((name, index) => [name, scores[index] ?? 0]));
}

function score(graph: ScoredGraph): Record<string, number> {
  if (graph.order === 0) return {};
  const { pagerank } = load('graphology-metrics/centrality') as typeof import('graphology-metrics/centrality/index.js');
  return pagerank(graph, { getEdgeWeight: 'weight', maxIterations: 200, tolerance: 1e-5 });
}

function highestIsOne(scores: Record<string, number>, keys: readonly string[]): number[] {
  const found = keys.map((key) => scores[key] ?? 0);
  const highest = found.reduce((most, value) => Math.max(most, value), 0) || 1;
  return found.map((value) => value / highest);
}
