/** Exact tokenizers of models in the estimate of a plan: what they count, what they leave to the estimate, and what they cannot break. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/core/plan/plan.ts';
import type { TokenCounts } from '../../../src/core/plan/validation.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { PROMPT_TOKENS, VALUE_TOKENS } from '../../../src/validator/estimate/assumptions.ts';
import { estimatePlan } from '../../../src/validator/estimate/estimate.ts';
import { card, catalogue } from '../catalogue.ts';

type Node = Plan['nodes'][number];

const SWIFT = { models: [{ provider: 'acme', card: card('swift-1', 'fast', 1) }] };
const LETTERS = 'x'.repeat(80);

const ask = (id: string, prompt: string, more: Partial<Node> = {}): Node => ({
  id,
  use: 'llm',
  in: { prompt },
  ...more,
});

/** One dollar for a million tokens of the prompt. */
function estimated(nodes: readonly Node[], count?: TokenCounts['count'], ratio?: number) {
  const counter = count && { count };
  const parts = {
    ...catalogue(SWIFT),
    ...(counter && { tokenCounter: (_: string, model: string) => (model === 'swift-1' ? counter : undefined) }),
    ...(ratio && { tokenRatios: () => new Map([['acme/swift-1', ratio]]) }),
  };
  return estimatePlan({ version: 1, nodes: [...nodes] }, parts);
}

const usual = estimated([ask('a', LETTERS)]);
const moved = (part: 'lowNanoUsd' | 'expectedNanoUsd' | 'highNanoUsd', tokens: number): number =>
  (usual[part] ?? 0) + tokens * 1000;

describe('the exact tokenizer of a model', () => {
  it('counts the texts of the plan, and widens the range without making it narrower', () => {
    // 80 letters are estimated as 20 tokens.
    expect(estimated([ask('a', LETTERS)], () => 50)).toMatchObject({
      lowNanoUsd: usual.lowNanoUsd,
      expectedNanoUsd: moved('expectedNanoUsd', 30),
      highNanoUsd: moved('highNanoUsd', 30),
      nodes: [{ tokens: { input: 50 + PROMPT_TOKENS } }],
    });
    expect(estimated([ask('a', LETTERS)], () => 5)).toMatchObject({
      lowNanoUsd: moved('lowNanoUsd', -15),
      expectedNanoUsd: moved('expectedNanoUsd', -15),
      highNanoUsd: usual.highNanoUsd,
      nodes: [{ tokens: { input: 5 + PROMPT_TOKENS } }],
    });
  });

  it('leaves what the run alone knows to the assumptions, and is asked for no reference', () => {
    const asked: string[] = [];
    const count = (texts: readonly string[]): number => {
      asked.push(...texts);
      return 7;
    };
    const nodes = [ask('a', 'x'), ask('b', 'About {{input.topic}}, in short.')];
    const [, b] = estimated(nodes, count).nodes;
    expect(b?.tokens.input).toBe(PROMPT_TOKENS + 7 + VALUE_TOKENS.expected);
    expect(asked).toEqual(['x', 'About ', ', in short.']);
  });

  it('decides instead of what was learned, and where it fails, what was learned decides', () => {
    expect(estimated([ask('a', LETTERS)], () => 20, 3)).toEqual(usual);
    const failing = estimated([ask('a', LETTERS)], () => undefined, 3);
    expect(failing).toEqual(estimated([ask('a', LETTERS)], undefined, 3));
    expect(failing).not.toEqual(usual);
  });

  it('counts for each rung that its model may take', () => {
    const escalate = { evaluator: 'judge', threshold: 0.5, to: ['swift-1'] };
    const node = ask('a', LETTERS, { escalate });
    const [plain, counted] = [estimated([node]), estimated([node], () => 120)];
    expect((counted.highNanoUsd ?? 0) - (plain.highNanoUsd ?? 0)).toBe(2 * 100_000);
  });
});

describe('the tokenizer of a plugin', () => {
  const plan: Plan = { version: 1, nodes: [ask('a', LETTERS)] };
  async function ofPlugin(count: ((text: string) => unknown) | undefined) {
    const warned: string[] = [];
    const warn = (_: object, message: string): void => void warned.push(message);
    const polyphony = await createPolyphony({
      defaults: false,
      providers: [fakeProvider({ models: [fakeCard({ id: 'm' })] })],
      plugins: count === undefined ? [] : [{ name: 'counts', tokenizers: { 'fake/m': count as () => number } }],
      logger: { debug() {}, info() {}, warn, error() {} },
    });
    try {
      const { plan: valid } = await polyphony.validate(plan);
      const { nanoUsd } = await polyphony.simulate(plan, { runs: 20, seed: 1 });
      return { expected: valid?.estimate.expectedNanoUsd ?? 0, simulated: nanoUsd?.mean ?? 0, warned };
    } finally {
      await polyphony.close();
    }
  }

  it('decides what a plan is estimated and simulated to cost', async () => {
    const [plain, counted] = await Promise.all([ofPlugin(undefined), ofPlugin((text) => text.length)]);
    expect(counted.expected - plain.expected).toBe(60_000);
    expect(counted.simulated - plain.simulated).toBeCloseTo(60_000, -1);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no table');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no table'))],
  ])('that %s leaves the estimate in place, and that is told once', async (_, count) => {
    const [plain, failing] = await Promise.all([ofPlugin(undefined), ofPlugin(count)]);
    expect(failing).toMatchObject({ expected: plain.expected, simulated: plain.simulated });
    expect(failing.warned.filter((text) => text.includes('estimates count instead'))).toHaveLength(1);
  });
});
