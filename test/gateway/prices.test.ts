/** What a call is booked at: by the moment, by the service tier that was served, by the prices of the config. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { ChatRequest, FinishEvent, Scope } from '../../src/core/model/model.ts';
import type { ModelCard } from '../../src/core/model/provider.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { errorOf, harness, text, user } from './harness.ts';

const usage = { input: 1000, output: 100 };
const RUN: Scope = { kind: 'run', id: 'r', capNanoUsd: 10_000_000_000 };

/** A gateway over one model that answers with `usage`, at half past midnight UTC of a Tuesday. */
function priced(price: ModelCard['price'], told: Partial<FinishEvent> = {}, config: Config = {}) {
  const card = fakeCard({ id: 'm', aliases: ['short'], price, maxOutputTokens: 100 });
  const made = harness({
    providers: [
      fakeProvider({
        models: [card],
        unlisted: (id) => fakeCard({ id, price: null, maxOutputTokens: 100 }),
        script: () => [text('ok'), finish({ usage, ...told })],
      }),
    ],
    config,
  });
  const start = made.runtime.clock.now();
  const at = Date.parse('2023-11-21T00:30:00Z');
  const request = (fields: Partial<ChatRequest> = {}) =>
    made.run(made.gateway.generate({ ...user(), ...fields }, { scopes: [RUN] }));
  return { ...made, request, arrive: () => made.runtime.clock.advance(at - start) };
}

describe('the moment of a request', () => {
  const price = { input: 2, output: 8, windows: [{ start: '01:00', end: '04:00', times: 2 }] };

  it('decides, not the moment of the answer', async () => {
    const { request, arrive, runtime } = priced(price);
    await arrive();
    // 1000 × 2 + 100 × 8
    expect((await request()).costNanoUsd).toBe(2_800_000);
    await runtime.clock.advance(30 * 60_000);
    expect((await request()).costNanoUsd).toBe(5_600_000);
  });

  it('is reserved at the dearest hour that may begin before the attempt ends', async () => {
    const { request, arrive, runtime, stores, gateway } = priced(price);
    await arrive();
    const held = async (): Promise<number> => {
      const stream = gateway.stream(user(), { scopes: [RUN] })[Symbol.asyncIterator]();
      await stream.next();
      const counter = (await stores.keyValue.get('budget:run:r')) as number;
      await stream.return?.();
      return counter;
    };
    const usual = await held();
    await runtime.clock.advance(25 * 60_000);
    await stores.keyValue.delete('budget:run:r');
    // The attempt may take ten minutes, and the window begins in five.
    expect(await held()).toBe(2 * usual);
    expect((await request()).costNanoUsd).toBe(2_800_000);
  });
});

describe('the service tier', () => {
  const price = {
    input: 2,
    output: 8,
    serviceTiers: { flex: { times: 0.5 }, priority: { times: 2 }, batch: { times: 0.5 } },
  };

  it.each([
    [undefined, undefined, 2_800_000],
    ['flex', undefined, 1_400_000],
    ['flex', 'default', 2_800_000],
    ['priority', 'priority', 5_600_000],
    [undefined, 'flex', 1_400_000],
    // A request that is answered at once is none of a batch, but its provider may say that it was.
    [undefined, 'batch', 1_400_000],
  ])('asked for %s, served %s', async (serviceTier, served, cost) => {
    const { request, rows } = priced(price, served === undefined ? {} : { serviceTier: served });
    const response = await request(serviceTier === undefined ? {} : { serviceTier });
    expect(response.costNanoUsd).toBe(cost);
    expect(response.serviceTier).toBe(served);
    expect((await rows()).map(({ costNanoUsd }) => costNanoUsd)).toEqual([cost]);
  });

  it('of batches is not asked for by a call that is made at once', async () => {
    const { request, rows } = priced(price);
    await expect(request({ serviceTier: 'batch' })).rejects.toThrow(
      'serviceTier is "batch", but it must be a tier of the provider for calls that are made at once',
    );
    expect(await rows()).toEqual([]);
  });

  it('is what the router estimates by', () => {
    const { gateway } = priced(price);
    const estimate = (serviceTier?: string) =>
      gateway.explain({ operation: 'chat', ...user(), ...(serviceTier === undefined ? {} : { serviceTier }) })
        .candidates[0]?.estimatedNanoUsd ?? 0;
    expect(estimate('priority')).toBe(2 * estimate());
    expect(estimate('flex')).toBe(estimate() / 2);
  });
});

describe('the prices of the config', () => {
  it('replace those of the card, by id or alias, and reach calls that begin after a change', async () => {
    const { request, gateway } = priced(
      { input: 2, output: 8 },
      {},
      { prices: { 'fake/short': { input: 1, output: 1 } } },
    );
    expect((await request()).costNanoUsd).toBe(1_100_000);
    gateway.reconfigure({ prices: { 'fake/m': { input: 3, output: 3 } } });
    expect((await request()).costNanoUsd).toBe(3_300_000);
    expect(gateway.models()[0]?.card.price).toEqual({ input: 3, output: 3, source: 'the config' });
    gateway.reconfigure({});
    expect((await request()).costNanoUsd).toBe(2_800_000);
  });

  it('may multiply what the card says, for a whole provider too', async () => {
    const prices = { 'fake/*': { times: 0.9 } };
    const { request, gateway } = priced({ input: 2, output: 8, source: 'a list' }, {}, { prices });
    // 0.9 × 2,800
    expect((await request()).costNanoUsd).toBe(2_520_000);
    expect(gateway.models()[0]?.card.price?.source).toBe('a list, times 0.9 by the config');
  });

  it('price a model that its provider does not list, and let it through under a cap', async () => {
    const { request, gateway } = priced({ input: 2, output: 8 });
    const asked = () => request({ model: 'fake/other' });
    expect((await errorOf(asked())).code).toBe('budget-exceeded');
    gateway.reconfigure({ prices: { 'fake/other': { input: 5, output: 5 } } });
    expect((await asked()).costNanoUsd).toBe(5_500_000);
    // A factor alone makes no price of what is unknown.
    gateway.reconfigure({ prices: { 'fake/*': { times: 0.5 } } });
    expect((await errorOf(asked())).code).toBe('budget-exceeded');
  });
});

describe('a price that changes at a date', () => {
  it('is listed as it is now', async () => {
    const { gateway, runtime } = priced({ input: 2, output: 8, changes: [{ from: '2023-11-15', times: 2 }] });
    expect(gateway.models()[0]?.card.price).toMatchObject({ input: 2 });
    await runtime.clock.advance(86_400_000);
    expect(gateway.models()[0]?.card.price).toEqual({ input: 4, output: 16 });
  });
});

describe('a budget with a period', () => {
  const budgets: Config['budgets'] = [{ scope: 'user', usd: 0.005, period: 'day' }];

  it('is counted anew each day, beside those without one', async () => {
    const { gateway, run, runtime, stores } = priced({ input: 2, output: 8 }, {}, { budgets });
    const ask = () => run(gateway.generate(user(), { scopes: [{ kind: 'user', id: 'ann' }] }));
    expect((await ask()).costNanoUsd).toBe(2_800_000);
    await ask();
    const error = await errorOf(ask());
    expect(error.message).toContain('user "ann" in 2023-11-14');
    expect(error.details).toMatchObject({ period: '2023-11-14', spentNanoUsd: 5_600_000 });
    await runtime.clock.advance(86_400_000);
    expect((await ask()).costNanoUsd).toBe(2_800_000);
    expect(await stores.keyValue.keys('budget')).toEqual(['budget@2023-11-14:user:ann', 'budget@2023-11-15:user:ann']);
  });

  it('holds beside a cap of the same scope without a period, and beside another period', async () => {
    const more: Config['budgets'] = [...budgets, { scope: 'user', usd: 9, period: 'month' }, { scope: 'user', usd: 7 }];
    const { gateway, run, stores } = priced({ input: 2, output: 8 }, {}, { budgets: more });
    await run(gateway.generate(user(), { scopes: [{ kind: 'user', id: 'ann' }] }));
    expect(await stores.keyValue.keys('budget')).toEqual([
      'budget:user:ann',
      'budget@2023-11-14:user:ann',
      'budget@2023-11:user:ann',
    ]);
    for (const key of await stores.keyValue.keys('budget')) expect(await stores.keyValue.get(key)).toBe(2_800_000);
  });
});
