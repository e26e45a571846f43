import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelRequest } from '../../../src/core/model/model.ts';
import type { ModelCard } from '../../../src/core/model/provider.ts';
import { fakeCard, fakeProvider, finish } from '../../../src/testing/fakes.ts';
import { errorOf, fault, harness, text, user } from '../harness.ts';

const chat = (fields: object = {}): ModelRequest => ({ operation: 'chat', ...user(), ...fields });

function offering(cards: readonly (Partial<ModelCard> & Pick<ModelCard, 'id'>)[], config: object = {}) {
  return harness({ providers: [fakeProvider({ id: 'p', models: cards.map(fakeCard) })], config });
}
const order = ({ gateway }: ReturnType<typeof offering>, request: ModelRequest): readonly string[] =>
  gateway.explain(request).candidates.map(({ target }) => target.model);

describe('negotiation', () => {
  const image = {
    role: 'user' as const,
    content: [{ type: 'image' as const, source: { type: 'url' as const, url: 'https://a/b.png' } }],
  };
  it.each([
    ['an image', { messages: [image] }, {}, 'lacks image-in'],
    ['reasoning', { reasoning: { effort: 'low' } }, {}, 'lacks reasoning'],
    ['logprobs', { logprobs: true }, {}, 'lacks logprobs'],
    ['a capability', { model: { can: ['prefix'] } }, {}, 'lacks prefix'],
    ['tools', { tools: [{ name: 'f', inputSchema: {} }] }, { capabilities: ['text'] }, 'lacks tools'],
    ['a long answer', { maxOutputTokens: 9999 }, {}, 'answers with at most 4096 tokens, but the request asks for 9999'],
    [
      'a window',
      { requires: { contextTokens: 200_000 } },
      {},
      'has a context window of 128000 tokens, but the request requires 200000',
    ],
    ['a long prompt', user('word '.repeat(500)), { contextTokens: 300 }, 'the request needs about'],
    [
      'a language',
      { requires: { languages: ['th'] } },
      { languages: ['en-GB', 'de'] },
      'does not claim support for th',
    ],
    ['a region', { requires: { regions: ['eu'] } }, { regions: ['us'] }, 'runs in us, but the request requires eu'],
    ['an unknown region', { requires: { regions: ['eu'] } }, {}, 'runs in an unknown region'],
    ['retention', { requires: { retention: 'none' } }, { retention: 'provider' }, 'keeps data'],
    [
      'regulated data',
      { sensitivity: 'regulated' },
      { retention: 'provider', regions: ['eu'] },
      'which is not allowed for regulated data',
    ],
    ['personal data', { sensitivity: 'personal' }, { retention: 'unknown' }, 'which is not allowed for personal data'],
    ['a price', { limits: { usd: 0.00001 } }, {}, 'costs about'],
    ['a known price', { limits: { usd: 1 } }, { price: null }, 'has no known price'],
    ['a latency', { limits: { p95Ms: 800 } }, { expectedMs: 900 }, 'has a 95th percentile latency of 900 ms'],
    ['a quality', { limits: { quality: 0.9 } }, {}, 'has quality 0.50, but the request asks for at least 0.9'],
    ['a living model', {}, { lifecycle: { stage: 'retired' } }, 'is retired'],
    ['a model in time', {}, { lifecycle: { stage: 'deprecated', endsOn: '2023-01-01' } }, 'was retired on 2023-01-01'],
    [
      'a tier',
      { model: { tier: 'premium', strict: true } },
      {},
      'has tier "fast", but the request asks for tier "premium"',
    ],
  ] as const)('rejects for %s, and says why', async (_what, fields, card, why) => {
    const made = offering([{ id: 'm', ...card } as Parameters<typeof fakeCard>[0]]);
    const request = chat(fields);
    expect(made.gateway.explain(request).rejected[0]?.failed.join()).toContain(why);
    const error = await errorOf(made.run(made.gateway.call(request)));
    expect(error.code).toBe('no-route');
    expect(error.message).toContain('p/m');
    expect(error.message).toContain(why);
    expect(error.details).toMatchObject({ rejected: [{ target: { provider: 'p', model: 'm' } }] });
  });

  it('asks a model that has ended where the request names it, and warns; never where another one of that name lives', async () => {
    const gone = { lifecycle: { stage: 'deprecated', endsOn: '2023-01-01' } } as const;
    const made = offering([{ id: 'm', ...gone } as Parameters<typeof fakeCard>[0]]);
    const answer = await made.run(made.gateway.call(chat({ model: 'p/m' })));
    expect(answer.warnings).toMatchObject([{ code: 'model-retired' }]);
    expect(answer.warnings[0]?.message).toContain('p/m was retired on 2023-01-01');
    const providers = [
      fakeProvider({ id: 'p', models: [fakeCard({ id: 'm', ...gone })] }),
      fakeProvider({ id: 'q', models: [fakeCard({ id: 'm' })] }),
    ];
    const both = harness({ providers });
    expect(both.gateway.explain(chat({ model: 'm' })).candidates.map(({ target }) => target.provider)).toEqual(['q']);
  });

  it('lists every target with everything that it fails', async () => {
    const made = offering([
      { id: 'a', contextTokens: 10 },
      { id: 'b', retention: 'unknown' },
    ]);
    const error = await errorOf(
      made.run(made.gateway.generate({ ...user(), logprobs: true, requires: { retention: 'none' } })),
    );
    expect(error.details?.rejected).toMatchObject([
      { failed: [expect.stringContaining('lacks logprobs'), expect.anything()] },
      { failed: [expect.anything(), expect.stringContaining('keeps data')] },
    ]);
  });

  it('lets personal data go to a named region, and unsaid languages pass', () => {
    const made = offering([{ id: 'm', retention: 'provider', regions: ['eu'] }]);
    expect(order(made, chat({ sensitivity: 'personal', requires: { regions: ['eu'], languages: ['th'] } }))).toEqual([
      'm',
    ]);
  });

  it('lets a target be limited by latency only by what is known of it', () => {
    expect(order(offering([{ id: 'm' }]), chat({ limits: { p95Ms: 1 } }))).toEqual(['m']);
  });

  it('takes an unknown latency for neither fast nor slow: last, or refused where the request says so', async () => {
    const made = offering([
      { id: 'unknown', price: { input: 0.01, output: 0.01 }, strengths: { general: 1 } },
      { id: 'known', expectedMs: 300 },
      { id: 'also', expectedMs: 500, tier: 'premium' },
      { id: 'slow', expectedMs: 3000 },
    ]);
    expect(order(made, chat())[0]).toBe('unknown');
    expect(order(made, chat({ limits: { p95Ms: 800 } }))).toEqual(['known', 'also', 'unknown']);
    expect(order(made, chat({ limits: { p95Ms: 800, unknownLatency: 'last' } })).at(-1)).toBe('unknown');
    const refusing = chat({ limits: { p95Ms: 800, unknownLatency: 'refuse' } });
    expect(order(made, refusing)).toEqual(['known', 'also']);
    expect(JSON.stringify(made.gateway.explain(refusing).rejected)).toContain('has an unknown latency');
    // Once it was observed, it is known.
    for (let count = 0; count < 3; count += 1) await made.run(made.gateway.generate({ ...user(), model: 'unknown' }));
    expect(order(made, refusing)).toContain('unknown');
  });

  it('suggests what is near to an unknown id', async () => {
    const made = offering([{ id: 'small-model-2' }, { id: 'other' }], { aliases: { cheap: 'other' } });
    const error = await errorOf(made.run(made.gateway.generate({ ...user(), model: 'smal-model-2' })));
    expect(error.message).toContain('Did you mean "small-model-2"');
    expect((await errorOf(made.run(made.gateway.generate({ ...user(), model: 'chaep' })))).message).toContain(
      '"cheap"',
    );
    const route = await errorOf(made.run(made.gateway.generate({ ...user(), model: { route: 'nope' } })));
    expect(route.message).toContain('no route called "nope"');
  });

  it('finds a model by id, by provider and id, by its own alias, by an alias of the config, and unlisted', () => {
    const card = fakeCard({ id: 'm', aliases: ['latest'] });
    const provider = fakeProvider({
      id: 'p',
      models: [card],
      unlisted: (id) => (id === 'x/y' ? fakeCard({ id }) : undefined),
    });
    const made = harness({ providers: [provider], config: { aliases: { cheap: 'also', also: 'p/m' } } });
    for (const id of ['m', 'p/m', 'latest', 'p/latest', 'cheap'])
      expect(order(made, chat({ model: id }))).toEqual(['m']);
    expect(order(made, chat({ model: 'p/x/y' }))).toEqual(['x/y']);
    expect(order(made, chat({ model: 'x/y' }))).toEqual([]);
  });
});

describe('order', () => {
  const ladder = [
    { id: 'fast', tier: 'fast' as const, strengths: { general: 0.5 }, price: { input: 0.1, output: 0.1 } },
    { id: 'balanced', tier: 'balanced' as const, strengths: { general: 0.7 }, price: { input: 1, output: 1 } },
    { id: 'premium', tier: 'premium' as const, strengths: { general: 0.9 }, price: { input: 10, output: 10 } },
    { id: 'premium-2', tier: 'premium' as const, strengths: { general: 0.8 }, price: { input: 90, output: 90 } },
  ];

  it('never falls from a premium model to a fast one before a balanced one', () => {
    const tier = fc.constantFrom<ModelCard['tier']>('fast', 'balanced', 'premium');
    const card = fc.record({
      tier,
      quality: fc.double({ min: 0, max: 1, noNaN: true }),
      price: fc.integer({ min: 0, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(card, { minLength: 1, maxLength: 12 }), (cards) => {
        const made = offering([
          ...cards.map(({ tier: of, quality, price }, index) => ({
            id: `m${index}`,
            tier: of,
            strengths: { general: quality },
            price: { input: price, output: price },
          })),
          { id: 'top', tier: 'premium' as const },
        ]);
        const tiers = made.gateway
          .explain(chat({ model: { tier: 'premium' } }))
          .candidates.map(({ card: { tier: of } }) => of);
        expect(tiers).toHaveLength(cards.length + 1);
        expect(tiers).toEqual(
          [...tiers].sort(
            (a, b) => ['premium', 'balanced', 'fast'].indexOf(a) - ['premium', 'balanced', 'fast'].indexOf(b),
          ),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('requires the tier of the first choice only; from balanced it goes up before down', () => {
    const made = offering(ladder);
    expect(order(made, chat({ model: { tier: 'premium' } }))).toEqual(['premium', 'premium-2', 'balanced', 'fast']);
    expect(order(made, chat({ model: { tier: 'balanced' } }))[0]).toBe('balanced');
    expect(order(made, chat({ model: { tier: 'balanced' } })).at(-1)).toBe('fast');
  });

  it('pins to an id', () => expect(order(offering(ladder), chat({ model: 'premium' }))).toEqual(['premium']));

  it('follows the intent', () => {
    const made = offering(ladder);
    expect(order(made, chat({ optimise: 'cost' }))[0]).toBe('fast');
    expect(order(made, chat({ optimise: 'quality' }))[0]).toBe('premium');
    expect(
      order(
        offering([
          { id: 'slow', expectedMs: 9000 },
          { id: 'quick', expectedMs: 100 },
        ]),
        chat({ optimise: 'latency' }),
      )[0],
    ).toBe('quick');
  });

  it('weighs the asked strengths', () => {
    const made = offering([
      { id: 'a', strengths: { general: 0.5, code: 0.9 } },
      { id: 'b', strengths: { general: 0.6, code: 0.2 } },
    ]);
    expect(order(made, chat())[0]).toBe('b');
    expect(order(made, chat({ model: { strengths: ['code'] } }))[0]).toBe('a');
  });

  it('says how to name a model where providers list none', async () => {
    const { gateway, run } = harness({ providers: [fakeProvider({ id: 'local', models: [] })] });
    const error = await run(gateway.generate(user())).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'no-route', message: expect.stringContaining('as "local/model"') });
  });

  it('keeps the order of an explicit chain, whatever its prices', () => {
    const made = offering(ladder, { routes: { mine: { chain: ['fast', 'p/premium-2', 'balanced'] } } });
    expect(order(made, chat({ model: { route: 'mine' } }))).toEqual(['fast', 'premium-2', 'balanced']);
  });

  it('offers one deployment a region, and the same model elsewhere first', () => {
    const provider = (id: string) =>
      fakeProvider({
        id,
        models: [fakeCard({ id: 'm', tier: 'premium' }), fakeCard({ id: 'n', tier: 'premium' })],
        regions: ['eu', 'us'],
      });
    const { gateway } = harness({ providers: [provider('p'), provider('q')] });
    const { candidates } = gateway.explain(chat({ requires: { regions: ['eu'] } }));
    expect(candidates.map(({ target }) => `${target.provider}/${target.model}@${target.region}`)).toEqual([
      'p/m@eu',
      'q/m@eu',
      'p/n@eu',
      'q/n@eu',
    ]);
  });

  it('learns from what it sees: errors and latency move a target down, and are forgotten in time', async () => {
    let broken = true;
    const twin = (id: string) =>
      fakeProvider({
        id,
        models: [fakeCard({ id: 'm' })],
        script: () => (id === 'p' && broken ? [fault('overloaded')] : [text('a'), finish()]),
      });
    const made = harness({
      providers: [twin('p'), twin('q')],
      config: { retry: { retries: 0 }, breaker: { minimumAttempts: 1000 } },
    });
    expect((await made.run(made.gateway.generate(user()))).target.provider).toBe('q');
    broken = false;
    expect(made.gateway.explain(chat()).candidates[0]?.target.provider).toBe('q');
    expect(made.gateway.statistics().find(({ target }) => target.provider === 'p')?.errorRate).toBeCloseTo(0.2);
    await made.runtime.clock.advance(6 * 3_600_000);
    expect(made.gateway.statistics().find(({ target }) => target.provider === 'p')?.errorRate).toBeLessThan(0.001);
  });
});
