/** What usage costs, against sums made by hand: nano-dollars, so that 1 USD a million tokens is 1000 a token. */
import { describe, expect, it } from 'vitest';
import { costOf, type PriceTerms } from '../../../src/core/money/price.ts';
import { priceAsOf } from '../../../src/core/money/price-sheet.ts';
import type { TokenPrice } from '../../../src/core/money/token-price.ts';

const at = (moment: string, serviceTier?: string): PriceTerms => ({ at: Date.parse(moment), serviceTier });
const priced = (price: Partial<TokenPrice>): { price: TokenPrice } => ({ price: { input: 2, output: 8, ...price } });
const tokens = { input: 1000, output: 100 };

describe('kinds', () => {
  it('audio, pictures and reasoning are told apart from the text that they are counted as', () => {
    const card = priced({ audioInput: 32, audioOutput: 64, imageInput: 5, imageOutput: 40, reasoning: 3 });
    const usage = { ...tokens, audioInput: 300, imageInput: 200, audioOutput: 20, imageOutput: 10, reasoning: 30 };
    // in: 500 × 2 + 300 × 32 + 200 × 5 = 11,600; out: 40 × 8 + 20 × 64 + 10 × 40 + 30 × 3 = 2,090
    expect(costOf(card, usage)).toBe(13_690_000);
    expect(costOf(priced({}), usage)).toBe(2_800_000);
  });

  it('reasoning may be the price of the whole answer', () => {
    const card = priced({ reasoning: 20, reasoningCoversAnswer: true });
    // 1000 × 2 + 100 × 20, and without a thought 1000 × 2 + 100 × 8
    expect(costOf(card, { ...tokens, reasoning: 1 })).toBe(4_000_000);
    expect(costOf(card, tokens)).toBe(2_800_000);
  });

  it('audio that was read from the cache has a rate of its own', () => {
    const card = priced({ cacheRead: 0.2, audioInput: 10, audioCacheRead: 1 });
    const usage = { input: 1000, output: 0, cacheRead: 600, audioInput: 500, audioCacheRead: 200 };
    // 100 × 2 + 300 × 10 + 400 × 0.2 + 200 × 1 = 3,480
    expect(costOf(card, usage)).toBe(3_480_000);
    // Untold, 100 of the 500 do not fit into the 400 fresh ones: 400 × 10 + 500 × 0.2 + 100 × 1 = 4,200
    expect(costOf(card, { ...usage, audioCacheRead: 0 })).toBe(4_200_000);
    // What is written to the cache is written as text: 1000 × 2.5
    const written = { input: 1000, output: 0, cacheWrite: 1000, audioInput: 500 };
    expect(costOf(priced({ audioInput: 10, cacheWrite: 2.5 }), written)).toBe(2_500_000);
  });

  it('cache reads, writes for five minutes and for an hour', () => {
    const card = priced({ cacheRead: 0.2, cacheWrite: 2.5, cacheWriteLong: 4 });
    const usage = { input: 1000, output: 100, cacheRead: 300, cacheWrite: 500, cacheWriteLong: 100 };
    // 200 × 2 + 300 × 0.2 + 400 × 2.5 + 100 × 4 + 100 × 8 = 2,660
    expect(costOf(card, usage)).toBe(2_660_000);
  });

  it('images by the piece and a fee a request', () => {
    const card = priced({ image: 0.07, request: 0.005 });
    // 1000 × 2 + 100 × 8 = 2,800 thousand; 3 × 0.07 USD; 0.005 USD
    expect(costOf(card, { ...tokens, images: 3 })).toBe(2_800_000 + 210_000_000 + 5_000_000);
    expect(costOf(priced({}), { ...tokens, images: 1 })).toBeNull();
    expect(costOf({ price: null }, tokens)).toBeNull();
  });

  it('reprices the whole request above a tier, whatever their order', () => {
    const card = priced({
      cacheRead: 0.2,
      tiers: [
        { aboveInputTokens: 500, input: 6, output: 20 },
        { aboveInputTokens: 200, input: 4 },
      ],
    });
    expect(costOf(card, { input: 200, output: 10 })).toBe(200 * 2000 + 80_000);
    expect(costOf(card, { input: 201, output: 10, cacheRead: 1 })).toBe(200 * 4000 + 200 + 80_000);
    expect(costOf(card, { input: 501, output: 10 })).toBe(501 * 6000 + 200_000);
  });
});

describe('hours', () => {
  const peak = priced({
    cacheRead: 0.1,
    windows: [
      { start: '01:00', end: '04:00', days: [1, 2, 3, 4, 5], times: 2 },
      { start: '06:00', end: '10:00', days: [1, 2, 3, 4, 5], times: 2 },
    ],
  });
  // 600 × 2 + 400 × 0.1 + 100 × 8 = 2,040
  const usage = { ...tokens, cacheRead: 400 };

  it.each([
    ['2026-11-27T00:59:59.999Z', 2_040_000],
    ['2026-11-27T01:00:00Z', 4_080_000],
    ['2026-11-27T03:59:59.999Z', 4_080_000],
    ['2026-11-27T04:00:00Z', 2_040_000],
    ['2026-11-27T09:00:00Z', 4_080_000],
    // A Saturday and a Sunday.
    ['2026-11-28T09:00:00Z', 2_040_000],
    ['2026-11-29T02:00:00Z', 2_040_000],
    ['2026-11-30T02:00:00Z', 4_080_000],
  ])('at %s', (moment, cost) => {
    expect(costOf(peak, usage, at(moment))).toBe(cost);
  });

  it('may wrap midnight; the day is the one on which the window began', () => {
    const card = priced({ windows: [{ start: '16:30', end: '00:30', days: [6], input: 1, output: 4 }] });
    // 1000 × 1 + 100 × 4 within, 1000 × 2 + 100 × 8 outside
    const costs = ['2026-11-28T16:29Z', '2026-11-28T16:30Z', '2026-11-28T23:59Z', '2026-11-29T00:29Z'].concat([
      '2026-11-29T00:30Z',
      '2026-11-29T16:30Z',
      '2026-11-28T00:29Z',
    ]);
    expect(costs.map((moment) => costOf(card, tokens, at(moment)))).toEqual([
      2_800_000, 1_400_000, 1_400_000, 1_400_000, 2_800_000, 2_800_000, 2_800_000,
    ]);
  });

  it('the last of several windows counts, and one without end is the whole day', () => {
    const windows = [
      { start: '00:00', end: '00:00', times: 0.5 },
      { start: '12:00', end: '13:00', input: 3 },
    ];
    expect(costOf(priced({ windows }), tokens, at('2026-11-28T11:00Z'))).toBe(1_400_000);
    expect(costOf(priced({ windows }), tokens, at('2026-11-28T12:00Z'))).toBe(3_800_000);
  });

  it('without a moment the dearest counts, or the one that is asked for', () => {
    expect(costOf(peak, usage)).toBe(4_080_000);
    expect(costOf(peak, usage, { at: 'usual' })).toBe(2_040_000);
    const discount = priced({ windows: [{ start: '16:30', end: '00:30', times: 0.25 }] });
    expect(costOf(discount, tokens, { at: 'cheapest' })).toBe(700_000);
    expect(costOf(discount, tokens)).toBe(2_800_000);
  });
});

describe('dates', () => {
  const card = priced({
    tiers: [{ aboveInputTokens: 5000, input: 4 }],
    changes: [
      { from: '2027-03-01', output: 10 },
      { from: '2027-01-01', times: 2 },
    ],
  });

  it('each change differs from the one before', () => {
    expect(costOf(card, tokens, at('2026-12-31T23:59:59.999Z'))).toBe(2_800_000);
    // 1000 × 4 + 100 × 16, then 1000 × 4 + 100 × 10
    expect(costOf(card, tokens, at('2027-01-01T00:00:00Z'))).toBe(5_600_000);
    expect(costOf(card, tokens, at('2027-03-01T00:00:00Z'))).toBe(5_000_000);
    // 6000 × 8 + 100 × 16
    expect(costOf(card, { input: 6000, output: 100 }, at('2027-01-01T00:00:00Z'))).toBe(49_600_000);
  });

  it('those that have begun are the price of today', () => {
    const today = priceAsOf(card.price, Date.parse('2027-02-01'));
    expect(today).toMatchObject({ input: 4, output: 16, changes: [{ from: '2027-03-01', output: 10 }] });
    expect(costOf({ price: today }, tokens, { at: 'usual' })).toBe(5_600_000);
    expect(priceAsOf(card.price, Date.parse('2026-12-31'))).toBe(card.price);
  });
});

describe('service tiers', () => {
  const card = priced({
    cacheRead: 0.2,
    image: 0.04,
    tiers: [{ aboveInputTokens: 5000, input: 4, output: 12 }],
    serviceTiers: {
      batch: { times: 0.5 },
      flex: { times: 0.5 },
      priority: { input: 3.5, cacheRead: 0.35, output: 14 },
    },
  });

  // 900 × 2 + 300 × 0.2 + 100 × 8 = 2,660; at priority 900 × 3.5 + 300 × 0.35 + 100 × 14 = 4,655
  it.each([
    [undefined, 2_660_000],
    ['default', 2_660_000],
    ['batch', 1_330_000],
    ['flex', 1_330_000],
    ['priority', 4_655_000],
  ])('%s', (serviceTier, cost) => {
    expect(costOf(card, { input: 1200, output: 100, cacheRead: 300 }, { serviceTier })).toBe(cost);
  });

  it('half the price is half of the tier above a threshold, and of an image', () => {
    // 6000 × 2 + 100 × 6 = 12,600; 2 × 0.02 USD
    const usage = { input: 6000, output: 100, images: 2 };
    expect(costOf(card, usage, { serviceTier: 'batch' })).toBe(12_600_000 + 40_000_000);
  });

  it('an agreed discount multiplies all of them', () => {
    const own = { price: { ...card.price, times: 0.9 } };
    // 0.9 × (1000 × 3.5 + 100 × 14) = 4,410
    expect(costOf(own, tokens, { serviceTier: 'priority' })).toBe(4_410_000);
  });
});
