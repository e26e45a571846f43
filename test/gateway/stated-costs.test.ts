/** A cost that the provider states settles an answer, as far as it can be true; the operator may let prices decide. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { FinishEvent, ModelRequest, Scope, Usage } from '../../src/core/model/model.ts';
import type { BilledSearches, ModelCard } from '../../src/core/model/provider.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { errorOf, harness, text, user } from './harness.ts';

const usage = { input: 1000, output: 100 };
/** What the usage costs by the price: 1000 × 2 + 100 × 8 micro-dollars. */
const BY_PRICE = 2_800_000;
const price = { input: 2, output: 8 };
const RUN: Scope = { kind: 'run', id: 'r', capNanoUsd: 10_000_000_000 };

function stating(told: Partial<FinishEvent>, of: ModelCard['price'] = price, config: Config = {}) {
  const models = [fakeCard({ id: 'm', price: of, maxOutputTokens: 100, contextTokens: 4000 })];
  const script = () => [text('ok'), finish({ usage, ...told })];
  const made = harness({ providers: [fakeProvider({ models, script })], config: { allowUnpriced: true, ...config } });
  const ask = () => made.run(made.gateway.generate(user(), { scopes: [RUN] }));
  return { ...made, ask };
}

describe('a stated cost', () => {
  it.each([
    ['above the price, fees included', 30_600_000, price, {}, 30_600_000],
    ['below it, such as with a discount', 1_000_001, price, {}, 1_000_001],
    ['of a model without a price', 4_200_000, null, {}, 4_200_000],
    ['0 of a model without a price', 0, null, {}, 0],
    ['0 of a model that costs nothing', 0, { input: 0, output: 0 }, {}, 0],
    ['0 of a model that has a price', 0, price, {}, BY_PRICE],
    ['beside a price of the operator', 9_000_000, price, { prices: { 'fake/m': { input: 4, output: 16 } } }, 9_000_000],
    [
      'beside a price of the operator that is to decide',
      9_000_000,
      price,
      { prices: { 'fake/m': { input: 4, output: 16, overStated: true } } },
      2 * BY_PRICE,
    ],
    ['beside a factor of the operator', 9_000_000, price, { prices: { 'fake/*': { times: 0.5 } } }, 4_500_000],
  ] as const)('%s', async (_, statedCostNanoUsd, of, config, expected) => {
    const { ask, rows, stores, gateway } = stating({ statedCostNanoUsd }, of, config);
    const response = await ask();
    expect(response).toMatchObject({ costNanoUsd: expected, warnings: [] });
    await gateway.close();
    expect(await rows()).toMatchObject([{ costNanoUsd: expected }]);
    if (of !== null) expect(await stores.keyValue.get('budget:run:r')).toBe(expected);
  });

  it('that cannot be true is not believed, and says so', async () => {
    const impossible = fc.oneof(
      fc.constantFrom(-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null, {}, Number.MAX_SAFE_INTEGER),
      fc.integer({ min: 2_000_000_000, max: Number.MAX_SAFE_INTEGER }),
    );
    await fc.assert(
      fc.asyncProperty(impossible, async (value) => {
        const { ask, gateway } = stating({ statedCostNanoUsd: value as number });
        const response = await ask();
        expect(response.costNanoUsd).toBe(BY_PRICE);
        expect(response.warnings).toMatchObject([{ code: 'usage-corrected' }]);
        await gateway.close();
      }),
      { numRuns: 60 },
    );
  });

  it('of a model without a price is bounded too', async () => {
    const { ask, gateway } = stating({ statedCostNanoUsd: 9_000_000_000_000_000 }, null);
    expect((await ask()).costNanoUsd).toBeNull();
    await gateway.close();
  });

  it('is what a cap holds from then on', async () => {
    const { gateway, run } = stating({ statedCostNanoUsd: 30_000_000 });
    const scopes = [{ ...RUN, capNanoUsd: 50_000_000 }];
    await run(gateway.generate(user(), { scopes }));
    await run(gateway.generate(user(), { scopes }));
    expect(await errorOf(run(gateway.generate(user(), { scopes })))).toMatchObject({ code: 'budget-exceeded' });
    await gateway.close();
  });
});

describe('searches that the provider bills apart', () => {
  const searching = (searches: BilledSearches | undefined, told: Usage, of = price, config: Config = {}) => {
    const models = [fakeCard({ id: 'm', price: of, maxOutputTokens: 100, contextTokens: 4000 })];
    const script = () => [text('ok'), finish({ usage: told })];
    const provider = { ...fakeProvider({ models, script }), ...(searches === undefined ? {} : { searches }) };
    return harness({ providers: [provider], config });
  };
  const asking = { ...user(), providerOptions: { fake: { tools: [] } } };
  const ten = { fee: () => 0.01, most: ({ providerOptions }: ModelRequest) => (providerOptions === undefined ? 0 : 3) };

  it('cost their fee, the operator’s own if the price names one', async () => {
    const own = { input: 2, output: 8, search: 0.02 };
    for (const [prices, expected] of [
      [{}, BY_PRICE + 30_000_000],
      [{ 'fake/m': { input: 2, output: 8 } }, BY_PRICE + 30_000_000],
      [{ 'fake/m': own }, BY_PRICE + 60_000_000],
    ] as const) {
      const { gateway, run } = searching(ten, { ...usage, searches: 3 }, price, { prices });
      expect((await run(gateway.generate(asking, {}))).costNanoUsd).toBe(expected);
      await gateway.close();
    }
  });

  it('make the cost unknown, never 0, where no fee is known', async () => {
    const { gateway, run } = searching(undefined, { ...usage, searches: 1 });
    expect((await run(gateway.generate(asking, {}))).costNanoUsd).toBeNull();
    await gateway.close();
  });

  it('leave spent what was held, where their fee is unknown', async () => {
    const { gateway, run, stores } = searching(undefined, { ...usage, searches: 1 });
    await run(gateway.generate(asking, { scopes: [RUN] }));
    expect(await stores.keyValue.get('budget:run:r')).toBeGreaterThan(0);
    await gateway.close();
  });

  it('cost their fee beside tokens that were not reported, as those of a ranking are', async () => {
    const { gateway, run } = searching(ten, { input: 0, output: 0, searches: 2 });
    const { costNanoUsd } = await run(gateway.generate(asking, {}));
    expect(costNanoUsd).toBeGreaterThan(20_000_000);
    await gateway.close();
  });

  it('are held under a cap, the most of them that the request allows', async () => {
    const { gateway, run } = searching(ten, usage);
    const scopes = [{ ...RUN, capNanoUsd: 25_000_000 }];
    await run(gateway.generate(user(), { scopes }));
    expect(await errorOf(run(gateway.generate(asking, { scopes })))).toMatchObject({ code: 'budget-exceeded' });
    await run(gateway.generate(asking, { scopes: [{ ...RUN, id: 'other', capNanoUsd: 60_000_000 }] }));
    await gateway.close();
  });

  it('without a bound are refused under a cap, unless unknown prices are allowed', async () => {
    const endless = { fee: () => 0.01, most: () => Number.POSITIVE_INFINITY };
    for (const allowUnpriced of [false, true]) {
      const { gateway, run } = searching(endless, usage, price, { allowUnpriced });
      const asked = run(gateway.generate(user(), { scopes: [RUN] }));
      if (allowUnpriced) expect((await asked).costNanoUsd).toBe(BY_PRICE);
      else expect((await errorOf(asked))?.message).toContain('no bound');
      await gateway.close();
    }
  });
});
