import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/core/plan/plan.ts';
import { estimatePlan } from '../../../src/validator/estimate/estimate.ts';
import { roughTokens } from '../../../src/validator/estimate/tokens.ts';
import { validate } from '../../../src/validator/validate.ts';
import { type CatalogueParts, card, catalogue, longPlan, TICKET } from '../catalogue.ts';

type Node = Plan['nodes'][number];
const plan = (nodes: readonly Node[], more: Partial<Plan> = {}): Plan => ({ version: 1, nodes: [...nodes], ...more });
const ask = (id: string, prompt: string, more: Partial<Node> = {}): Node => ({
  id,
  use: 'llm',
  in: { prompt },
  ...more,
});
const only = (nodes: readonly Node[], parts?: CatalogueParts, more?: Partial<Plan>) =>
  estimatePlan(plan(nodes, more), catalogue(parts));
const one = { models: [{ provider: 'acme', card: card('swift-1', 'fast', 1) }] };

describe('one call', () => {
  it('is prompt and answer at the price of the model', () => {
    // 80 characters are 20 tokens, and 20 stand around every prompt; an answer is taken to have 400.
    const { lowNanoUsd, expectedNanoUsd, highNanoUsd, nodes } = only([ask('a', 'x'.repeat(80))], one);
    expect(nodes[0]?.tokens).toEqual({ input: 40, output: 400 });
    expect([lowNanoUsd, expectedNanoUsd, highNanoUsd]).toEqual([
      40_000 + 4000,
      40_000 + 1_600_000,
      40_000 + 32_000_000,
    ]);
    expect(nodes[0]?.model).toBe('acme/swift-1');
  });

  it('goes from the cheapest model to the dearest that may serve', () => {
    const free = only([ask('a', 'x')]);
    expect(free.lowNanoUsd).toBe(only([ask('a', 'x', { model: { tier: 'fast' } })]).lowNanoUsd);
    expect(free.highNanoUsd).toBe(only([ask('a', 'x', { model: { tier: 'premium' } })]).highNanoUsd);
  });

  it('is shorter for a typed answer and for a bound on it', () => {
    const free = only([ask('a', 'x')], one).expectedNanoUsd ?? 0;
    expect(only([ask('a', 'x', { out: { label: 'a|b' } })], one).expectedNanoUsd).toBeLessThan(free);
    const bounded = only([{ id: 'a', use: 'llm', in: { prompt: 'x', maxTokens: 10 } }], one);
    expect(bounded.highNanoUsd).toBeLessThan(free);
  });

  it('costs nothing without a model, and an unknown price is null and not 0', () => {
    expect(only([{ id: 'a', use: 'value', in: { x: 1 } }])).toMatchObject({
      lowNanoUsd: 0,
      expectedNanoUsd: 0,
      highNanoUsd: 0,
    });
    const unpriced = { models: [{ provider: 'acme', card: card('swift-1', 'fast', 1, { price: null }) }] };
    expect(only([ask('a', 'x')], unpriced)).toMatchObject({
      lowNanoUsd: null,
      expectedNanoUsd: null,
      highNanoUsd: null,
    });
  });
});

describe('what providers were seen to count', () => {
  const prompt = 'x'.repeat(80);
  const seen = (ratios: Readonly<Record<string, number>>, parts: CatalogueParts = one) => {
    const tokenRatios = new Map(Object.entries(ratios));
    return estimatePlan(plan([ask('a', prompt)]), { ...catalogue(parts), tokenRatios: () => tokenRatios });
  };
  const usual = only([ask('a', prompt)], one);
  const input = 40_000;

  it('is paid for, and widens the range without making it narrower', () => {
    const dear = seen({ 'acme/swift-1': 3 });
    expect(dear).toMatchObject({
      lowNanoUsd: usual.lowNanoUsd,
      expectedNanoUsd: (usual.expectedNanoUsd ?? 0) + 2 * input,
      highNanoUsd: (usual.highNanoUsd ?? 0) + 2 * input,
    });
    const cheap = seen({ 'acme/swift-1': 0.5 });
    expect(cheap).toMatchObject({
      lowNanoUsd: (usual.lowNanoUsd ?? 0) - input / 2,
      expectedNanoUsd: (usual.expectedNanoUsd ?? 0) - input / 2,
      highNanoUsd: usual.highNanoUsd,
    });
    expect(seen({ 'other/swift-1': 3 })).toEqual(usual);
  });

  it('may make a dearer model the cheapest, and the likely one another', () => {
    const two = {
      models: [
        { provider: 'acme', card: card('a', 'fast', 1) },
        { provider: 'acme', card: card('b', 'fast', 1.5) },
      ],
    };
    const before = seen({}, two);
    expect(before.nodes[0]?.model).toBe('acme/a');
    const after = seen({ 'acme/a': 5, 'acme/b': 0.2 }, two);
    expect(after.nodes[0]?.model).toBe('acme/b');
    // 8 tokens at 1.5 and one of the answer at 6, below 40 at 1 and one at 4.
    expect([before.lowNanoUsd, after.lowNanoUsd]).toEqual([44_000, 18_000]);
  });
});

describe('many calls', () => {
  const items = { hits: { type: 'array', items: {}, minItems: 2, maxItems: 5 } };
  const list = { use: 'tool:list', description: '', input: {}, output: { type: 'object', properties: items } };
  const each = [{ id: 'a', use: 'tool:list' }, ask('b', '{{item}}', { each: '{{a.hits}}' })];

  it('are counted by the length of the list where its schema tells', () => {
    const known = only(each, { ...one, steps: [list] });
    expect(known.nodes[1]?.runs).toBe(5);
    const single = only([ask('b', '')], one);
    expect(known.lowNanoUsd).toBe((single.lowNanoUsd ?? 0) * 2);
  });

  it('are 10 of an unknown list, and none at least', () => {
    const { nodes, lowNanoUsd } = only([
      { id: 'a', use: 'tool:send-mail' },
      ask('b', '{{item}}', { each: '{{a.list}}' }),
    ]);
    expect([nodes[1]?.runs, lowNanoUsd]).toEqual([10, 0]);
  });

  it('go round as often as they may', () => {
    const single = only([ask('a', 'x')], one);
    const repeated = only([ask('a', 'x', { repeat: { until: 'self.text == "x"', max: 5 } })], one);
    expect(repeated).toMatchObject({
      lowNanoUsd: single.lowNanoUsd,
      expectedNanoUsd: (single.expectedNanoUsd ?? 0) * 2,
      highNanoUsd: (single.highNanoUsd ?? 0) * 5,
    });
  });

  it('climb the ladder: both rungs at worst, a part of the second in between', () => {
    const rung = (tier: 'fast' | 'premium') => only([ask('a', 'x', { model: { tier } })]);
    const [low, high] = [rung('fast'), rung('premium')];
    const ladder = only([
      ask('a', 'x', { model: { tier: 'fast' }, escalate: { evaluator: 'judge', to: ['premium'] } }),
    ]);
    expect(ladder.lowNanoUsd).toBe(low.lowNanoUsd);
    expect(ladder.highNanoUsd).toBe((low.highNanoUsd ?? 0) + (high.highNanoUsd ?? 0));
    expect(ladder.expectedNanoUsd).toBe((low.expectedNanoUsd ?? 0) + Math.ceil((high.expectedNanoUsd ?? 0) * 0.3));
  });

  it('cost nothing at least where they may be skipped', () => {
    const nodes = [ask('a', 'x', { when: '1 == 2' }), ask('b', '{{a.text}}'), ask('c', '{{a.text ?? "none"}}')];
    const { nodes: estimated } = only(nodes, one);
    expect(estimated.map(({ mayBeSkipped }) => mayBeSkipped)).toEqual([true, true, false]);
    expect(estimated.map(({ estimate }) => estimate.lowNanoUsd === 0)).toEqual([true, true, false]);
  });

  it('stop at the limit of the node and at the budget of the plan', () => {
    expect(only([ask('a', 'x', { limits: { usd: 0.000_001 } })]).highNanoUsd).toBe(1000);
    expect(only([ask('a', 'x')], undefined, { budget: { usd: 0.000_002 } }).highNanoUsd).toBe(2000);
  });

  it('of a workflow are those of its plan', () => {
    const inner = plan([ask('x', 'hello')]);
    const parts = { ...one, steps: [{ ...list, use: 'workflow:w' }], workflows: new Map([['w', inner]]) };
    const { nodes: _, ...outer } = only([{ id: 'a', use: 'workflow:w' }], parts);
    expect(outer).toMatchObject({ expectedNanoUsd: only(inner.nodes, one).expectedNanoUsd, expectedMs: 1000 });
  });
});

describe('time', () => {
  it('is that of the longest path, and what is left of it gives the priority', () => {
    const valid = validate(
      plan([ask('a', 'x'), ask('b', '{{a.text}}'), ask('c', 'y'), ask('d', '{{c.text}} {{b.text}}')]),
      catalogue(),
    );
    expect(valid.plan?.estimate.expectedMs).toBe(3000);
    expect(valid.plan?.nodes.map(({ priority }) => priority)).toEqual([3000, 2000, 2000, 1000]);
  });

  it('goes in waves of as many items as run at once', () => {
    const nodes = [
      { id: 'a', use: 'tool:send-mail' },
      ask('b', '{{item}}', { each: '{{a.list}}', limits: { concurrency: 4 } }),
    ];
    expect(only(nodes).nodes[1]?.estimate.expectedMs).toBe(3000);
  });
});

describe('always', () => {
  it('low ≤ expected ≤ high, whatever the plan', () => {
    const prompt = fc.string({ maxLength: 200 }).map((text) => text.replaceAll('{{', ''));
    const tier = fc.constantFrom('fast' as const, 'balanced' as const, 'premium' as const);
    const node = fc.record({ prompt, tier, each: fc.boolean(), max: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(fc.array(node, { minLength: 1, maxLength: 5 }), (parts) => {
        const list: Node = { id: 'list', use: 'tool:send-mail' };
        const nodes = parts.map(({ prompt: text, tier: asked, each, max }, index) =>
          ask(`n${index}`, `${text}{{${index === 0 ? 'list.x' : `n${index - 1}`}}}`, {
            model: { tier: asked },
            repeat: { until: 'self != null', max },
            ...(each ? { each: '{{list.all}}' } : {}),
          }),
        );
        const all = only([list, ...nodes]);
        for (const { lowNanoUsd: low, expectedNanoUsd: expected, highNanoUsd: high } of [
          all,
          ...all.nodes.map(({ estimate }) => estimate),
        ]) {
          expect(low ?? -1).toBeLessThanOrEqual(expected ?? -1);
          expect(expected ?? -1).toBeLessThanOrEqual(high ?? -1);
          expect(Number.isSafeInteger(high)).toBe(true);
        }
      }),
    );
  });

  it('is the same for a plan and for its valid form', () => {
    for (const raw of [TICKET, longPlan(40)]) {
      const { plan: valid } = validate(raw, catalogue());
      const { nodes, ...estimate } = estimatePlan(raw, catalogue());
      expect(valid?.estimate).toEqual(estimate);
      expect(valid?.nodes.map((node) => node.estimate)).toEqual(nodes.map((node) => node.estimate));
    }
  });

  it('counts a quarter of the bytes, as the gateway does', () => {
    const texts = ['', 'abcd', '日本語', 'Größe', 'мир', '🙂🙂🙂', '\ud83d'];
    const bytes = texts.map((text) => Math.ceil(Buffer.byteLength(text) / 4));
    expect(texts.map(roughTokens).slice(0, -1)).toEqual(bytes.slice(0, -1));
    expect(roughTokens('\ud83d')).toBe(1);
  });
});

describe('a thread', () => {
  it('costs what it remembers, and the call that sums it up', () => {
    const none = only([ask('a', 'x')], one);
    const thread = only([ask('a', 'x', { thread: 'ann' })], one);
    const bounded = only([ask('a', 'x', { thread: { key: 'ann', tokens: 100 } })], one);
    const summed = only([ask('a', 'x', { thread: { key: 'ann', summarise: true } })], one);
    expect(thread.lowNanoUsd).toBe(none.lowNanoUsd);
    expect((thread.nodes[0]?.tokens.input ?? 0) - (none.nodes[0]?.tokens.input ?? 0)).toBe(1000);
    expect((bounded.nodes[0]?.tokens.input ?? 0) - (none.nodes[0]?.tokens.input ?? 0)).toBe(100);
    expect(thread.highNanoUsd).toBe((none.highNanoUsd ?? 0) + 8000 * 1000);
    expect(summed.expectedNanoUsd).toBeGreaterThan(thread.expectedNanoUsd ?? 0);
    expect(summed.highNanoUsd).toBeGreaterThan((thread.highNanoUsd ?? 0) + 16_000 * 1000);
  });
});
