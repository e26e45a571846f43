/** A tier is a preference: the nearest answers where no registered model has it, and nothing else gives way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ModelRequest, nearestTier, TIERS, tierStep } from '../../../src/core/model/model.ts';
import type { ModelCard } from '../../../src/core/model/provider.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { drain, errorOf, harness, user } from '../harness.ts';

type Fields = Partial<ModelCard> & Pick<ModelCard, 'id'>;
const offering = (cards: readonly Fields[], config: object = {}) =>
  harness({ providers: [fakeProvider({ id: 'p', models: cards.map(fakeCard) })], config });
const chat = (fields: object = {}): ModelRequest => ({ operation: 'chat', ...user(), ...fields });
const image = {
  role: 'user' as const,
  content: [{ type: 'image' as const, source: { type: 'url' as const, url: 'https://a/b.png' } }],
};

describe('a tier that no registered model has', () => {
  it.each(['whole', 'streamed'])('is served by the nearest, with a warning, %s', async (way) => {
    const made = offering([{ id: 'only', tier: 'balanced' }]);
    const request = { ...user(), model: { tier: 'premium' as const } };
    const events =
      way === 'streamed'
        ? (await made.run(drain(made.gateway.stream(request)))).events
        : (await made.run(made.gateway.generate(request))).warnings.map((warning) => ({ type: 'warning', warning }));
    const warnings = events.filter(({ type }) => type === 'warning');
    expect(warnings).toMatchObject([{ warning: { code: 'tier-degraded' } }]);
    expect(JSON.stringify(warnings)).toContain('p/only of tier \\"balanced\\"');
    expect(made.gateway.explain(chat(request))).toMatchObject({
      candidates: [{ target: { model: 'only' } }],
      rejected: [],
      warnings: [{ code: 'tier-degraded' }],
    });
  });

  it('is the nearest, upwards first, whatever is registered and however good the others are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TIERS),
        fc.array(fc.record({ tier: fc.constantFrom(...TIERS), quality: fc.double({ min: 0, max: 1, noNaN: true }) }), {
          minLength: 1,
          maxLength: 8,
        }),
        (asked, cards) => {
          const made = offering(
            cards.map(({ tier, quality }, index) => ({ id: `m${index}`, tier, strengths: { general: quality } })),
          );
          const { candidates, warnings } = made.gateway.explain(chat({ model: { tier: asked } }));
          const least = Math.min(...cards.map(({ tier }) => tierStep(asked, tier)));
          expect(tierStep(asked, candidates[0]?.card.tier ?? asked)).toBe(least);
          expect(candidates).toHaveLength(cards.length);
          expect(warnings?.length ?? 0).toBe(least === 0 ? 0 : 1);
        },
      ),
    );
  });

  it('says nothing where the tier is there, and nothing of a chain', async () => {
    const made = offering(
      [
        { id: 'a', tier: 'fast' },
        { id: 'b', tier: 'premium' },
      ],
      { routes: { r: { chain: ['a'] } } },
    );
    for (const model of [{ tier: 'premium' as const }, { route: 'r', tier: 'premium' as const }]) {
      const { warnings } = await made.run(made.gateway.generate({ ...user(), model }));
      expect(warnings).toEqual([]);
    }
  });

  it('holds for a model that was named with a tier that it has not', async () => {
    const made = offering([
      { id: 'a', tier: 'fast' },
      { id: 'b', tier: 'premium' },
    ]);
    const response = await made.run(made.gateway.generate({ ...user(), model: { id: 'a', tier: 'premium' } }));
    expect(response).toMatchObject({ target: { model: 'a' }, warnings: [{ code: 'tier-degraded' }] });
  });

  it('does not count a model of the tier that cannot do what is asked', async () => {
    const made = offering([
      { id: 'blind', tier: 'premium' },
      { id: 'vectors', tier: 'premium', operations: ['embed'] },
      { id: 'gone', tier: 'premium', lifecycle: { stage: 'retired' }, capabilities: ['text', 'image-in'] },
      { id: 'sees', tier: 'fast', capabilities: ['text', 'image-in'] },
    ]);
    const response = await made.run(made.gateway.generate({ messages: [image], model: { tier: 'premium' } }));
    expect(response).toMatchObject({ target: { model: 'sees' }, warnings: [{ code: 'tier-degraded' }] });
  });
});

describe('what never gives way', () => {
  it.each([
    ['strict', { model: { tier: 'premium', strict: true } }, {}, 'asks for tier "premium"'],
    ['a capability', { messages: [image], model: { tier: 'premium' } }, {}, 'lacks image-in'],
    ['sensitivity', { sensitivity: 'regulated', model: { tier: 'premium' } }, { retention: 'unknown' }, 'keeps data'],
    ['a price', { limits: { usd: 0.00001 }, model: { tier: 'premium' } }, {}, 'costs about'],
  ] as const)('%s', async (_what, fields, card, why) => {
    const made = offering([{ id: 'm', tier: 'fast', ...card }]);
    const error = await errorOf(made.run(made.gateway.call(chat(fields))));
    expect(error).toMatchObject({ code: 'no-route', message: expect.stringContaining(why) });
  });

  it('the tier itself, where a model has it that only the sensitivity forbids', async () => {
    const made = offering([
      { id: 'keeps', tier: 'premium', retention: 'provider' },
      { id: 'private', tier: 'fast', retention: 'none' },
    ]);
    const request = { ...user(), sensitivity: 'regulated' as const, model: { tier: 'premium' as const } };
    expect((await errorOf(made.run(made.gateway.generate(request)))).message).toContain('p/keeps keeps data');
  });
});

it('of no model there is no nearest tier', () => {
  expect(nearestTier('fast', [])).toBeUndefined();
});
