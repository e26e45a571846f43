import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/testing/fakes.ts';
import { matchNodes } from './matching.ts';
import { asksFirst, parallelismOf, scorePlan } from './metric.ts';
import type { Control, GraphInput, GraphNode, PlanGraph } from './plan-graph.ts';

const USES = ['tool:get', 'tool:put', 'llm', 'human'];

/** Few steps and few inputs, so that many nodes look alike. */
const input = fc.oneof(
  fc.constant<GraphInput>({ kind: 'reference' }),
  fc.constantFrom('one', 'two').map((word): GraphInput => ({ kind: 'text', words: new Set([word]), isMixed: false })),
  fc.constantFrom('1', '[2]').map((json): GraphInput => ({ kind: 'value', json })),
);
const graphNode = fc.record({
  use: fc.constantFrom(...USES),
  inputs: fc.dictionary(fc.constantFrom('a', 'b'), input, { maxKeys: 2 }),
  control: fc.subarray<Control>(['each', 'when', 'repeat'], { maxLength: 1 }),
});

const graph: fc.Arbitrary<PlanGraph> = fc
  .array(fc.tuple(graphNode, fc.array(fc.nat({ max: 20 }), { maxLength: 3 })), { minLength: 1, maxLength: 12 })
  .map((drawn) => ({
    nodes: drawn.map(([node, _], place): GraphNode => ({ ...node, id: `n${place}` })),
    waits: drawn.map(([_, sources], place) => (place === 0 ? [] : [...new Set(sources.map((one) => one % place))])),
  }));

/** The same graph with other ids, in another order. */
function permuted({ nodes, waits }: PlanGraph, seed: number): PlanGraph {
  const random = seededRandom(seed);
  const order = nodes.map((_, place) => ({ place, at: random() })).sort((a, b) => a.at - b.at);
  const next = new Map(order.map(({ place }, index) => [place, index]));
  return {
    nodes: order.map(({ place }, index) => ({ ...(nodes[place] as GraphNode), id: `other_${index}` })),
    waits: order.map(({ place }) => (waits[place] ?? []).map((source) => next.get(source) ?? 0)),
  };
}

function without({ nodes, waits }: PlanGraph, place: number): PlanGraph {
  const moved = (one: number): number => (one > place ? one - 1 : one);
  const kept = <T>(list: readonly T[]): T[] => list.filter((_, index) => index !== place);
  return { nodes: kept(nodes), waits: kept(waits).map((one) => one.filter((from) => from !== place).map(moved)) };
}

const law = <T extends unknown[]>(arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> }, holds: (...drawn: T) => void) =>
  fc.assert(
    fc.property(...(arbitraries as unknown as [fc.Arbitrary<unknown>]), ((...drawn: T) => holds(...drawn)) as never),
    { numRuns: 300 },
  );

describe('the metric of plans', () => {
  test('a gold plan against itself is whole', () => {
    law([graph], (gold) => {
      const { nodes, edges, control } = scorePlan(gold, gold);
      expect([nodes.f1, edges.f1, control ?? 1]).toEqual([1, 1, 1]);
    });
  });

  test('other ids and another order change nothing, also among nodes that look alike', () => {
    law([graph, fc.nat()], (gold, seed) => {
      const { nodes, edges, control } = scorePlan(permuted(gold, seed), gold);
      expect([nodes.f1, edges.f1, control ?? 1]).toEqual([1, 1, 1]);
    });
  });

  test('a missing node lowers recall by exactly its share, and never precision', () => {
    law([graph, fc.nat()], (gold, drawn) => {
      const { nodes, edges } = scorePlan(without(gold, drawn % gold.nodes.length), gold);
      expect(nodes.recall).toBeCloseTo((gold.nodes.length - 1) / gold.nodes.length, 10);
      if (gold.nodes.length > 1) expect(nodes.precision).toBe(1);
      expect(edges.recall).toBeLessThanOrEqual(1);
    });
  });

  test('a node too many lowers precision, and never recall', () => {
    law([graph], (gold) => {
      const extra: GraphNode = { id: 'extra', use: 'tool:other', inputs: {}, control: [] };
      const { nodes, edges } = scorePlan({ nodes: [...gold.nodes, extra], waits: [...gold.waits, [0]] }, gold);
      expect(nodes.recall).toBe(1);
      expect(nodes.precision).toBeCloseTo(gold.nodes.length / (gold.nodes.length + 1), 10);
      expect(edges.recall).toBe(1);
      expect(edges.precision).toBeLessThan(1);
    });
  });

  test('a lost edge lowers the recall of edges alone', () => {
    law([graph, fc.nat()], (gold, drawn) => {
      const from = gold.waits.findIndex((sources, place) => sources.length > 0 && place >= drawn % gold.nodes.length);
      if (from < 0) return;
      const waits = gold.waits.map((sources, place) => (place === from ? sources.slice(1) : sources));
      const { nodes, edges } = scorePlan({ ...gold, waits }, gold);
      expect(nodes.f1).toBe(1);
      expect(edges.f1).toBeLessThan(1);
    });
  });

  test('each node is matched at most once, and only with one of the same step', () => {
    law([graph, graph], (plan, gold) => {
      const found = matchNodes(plan, gold).flatMap((place) => place ?? []);
      expect(new Set(found).size).toBe(found.length);
      matchNodes(plan, gold).forEach((place, own) => {
        if (place !== undefined) expect(plan.nodes[own]?.use).toBe(gold.nodes[place]?.use);
      });
    });
  });

  test('every figure is between 0 and 1', () => {
    law([graph, graph], (plan, gold) => {
      const { nodes, edges, control, parallelism } = scorePlan(plan, gold);
      for (const figure of [...Object.values(nodes), ...Object.values(edges), control ?? 0, parallelism]) {
        expect(figure).toBeGreaterThanOrEqual(0);
        expect(figure).toBeLessThanOrEqual(1);
      }
    });
  });

  test('the same tool with another value is another step; prose may be worded differently', () => {
    const one = (use: string, word: string): PlanGraph => ({
      nodes: [{ id: 'a', use, inputs: { a: { kind: 'text', words: new Set([word]), isMixed: false } }, control: [] }],
      waits: [[]],
    });
    expect(scorePlan(one('tool:get', 'Oslo'), one('tool:get', 'Rome')).nodes.f1).toBe(0);
    expect(scorePlan(one('llm', 'Summarise'), one('llm', 'Shorten')).nodes.f1).toBe(1);
  });

  test('parallelism: a chain has 1, four at once and a join 0.4', () => {
    const nodes = [0, 1, 2, 3, 4].map((place): GraphNode => ({ id: `n${place}`, use: 'llm', inputs: {}, control: [] }));
    expect(parallelismOf({ nodes, waits: [[], [0], [1], [2], [3]] })).toBe(1);
    expect(parallelismOf({ nodes, waits: [[], [], [], [], [0, 1, 2, 3]] })).toBeCloseTo(0.4, 10);
  });

  test('a person is asked first at any distance, or not at all', () => {
    const step = (use: string): GraphNode => ({ id: use, use, inputs: {}, control: [] });
    const nodes = [step('human'), step('llm'), step('tool:pay')];
    const changes = (use: string): boolean => use === 'tool:pay';
    expect(asksFirst({ nodes, waits: [[], [0], [1]] }, changes)).toBe(true);
    expect(asksFirst({ nodes, waits: [[], [0], []] }, changes)).toBe(false);
  });

  test('a plan at the bound of plans is compared in a moment', () => {
    const nodes = Array.from(
      { length: 256 },
      (_, place): GraphNode => ({ id: `n${place}`, use: 'llm', inputs: {}, control: [] }),
    );
    const large = { nodes, waits: nodes.map((_, place) => (place === 0 ? [] : [place - 1])) };
    const small = { nodes: nodes.slice(0, 12), waits: large.waits.slice(0, 12) };
    expect(scorePlan(large, small).nodes.recall).toBe(1);
  });
});
