/** The worst case bounds every cost that the request can have; costs are whole, never negative, and grow with usage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Usage } from '../../../src/core/model/model.ts';
import { costOf, worstCostOf } from '../../../src/core/money/price.ts';
import type { PriceChange, PriceWindow, TokenPrice } from '../../../src/core/money/token-price.ts';

const MONDAY = Date.parse('2026-11-30T00:00:00Z');
const rate = fc.integer({ min: 0, max: 100_000 }).map((milli) => milli / 1000);
const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const someRates = {
  cacheRead: optional(rate),
  cacheWrite: optional(rate),
  cacheWriteLong: optional(rate),
  reasoning: optional(rate),
  audioInput: optional(rate),
  audioCacheRead: optional(rate),
  audioOutput: optional(rate),
  imageInput: optional(rate),
  imageOutput: optional(rate),
  request: optional(rate),
};
const clock = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '30'))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
const tiers = fc.uniqueArray(
  fc.record({ ...someRates, input: optional(rate), aboveInputTokens: fc.integer({ min: 0, max: 5000 }) }),
  { maxLength: 3, selector: ({ aboveInputTokens }) => aboveInputTokens },
);
const change: fc.Arbitrary<PriceChange> = fc.record({
  ...someRates,
  input: optional(rate),
  output: optional(rate),
  times: optional(fc.constantFrom(0.5, 1, 2)),
  tiers: optional(tiers),
});
const window: fc.Arbitrary<PriceWindow> = fc
  .tuple(change, clock, clock, optional(fc.subarray([0, 1, 2, 3, 4, 5, 6])))
  .map(([other, start, end, days]) => ({ ...other, start, end, days }));
const day = fc.constantFrom('2026-11-29', '2026-12-01', '2026-12-03');
const price: fc.Arbitrary<TokenPrice> = fc.record({
  ...someRates,
  input: rate,
  output: rate,
  image: rate,
  times: optional(fc.constantFrom(0.5, 1)),
  reasoningCoversAnswer: optional(fc.boolean()),
  tiers: optional(tiers),
  windows: optional(fc.array(window, { maxLength: 3 })),
  changes: optional(
    fc.array(
      fc.tuple(change, day).map(([other, from]) => ({ ...other, from })),
      { maxLength: 2 },
    ),
  ),
  serviceTiers: optional(fc.dictionary(fc.constantFrom('batch', 'flex'), change)),
});

/** Counts that hang together as providers' do, at most those of the bounds. */
const usageWithin = (most: { input: number; output: number; images: number }): fc.Arbitrary<Usage> =>
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 11, maxLength: 11 }).map((shares) => {
    const part = (index: number, whole: number): number => Math.floor((shares[index] ?? 0) * whole);
    const input = part(0, most.input);
    const output = part(1, most.output);
    const cacheRead = part(2, input);
    const cacheWrite = part(3, input - cacheRead);
    const audioInput = part(4, input);
    const audioOutput = part(5, output);
    const imageOutput = part(6, output - audioOutput);
    return {
      ...{ input, output, cacheRead, cacheWrite, audioInput, audioOutput, imageOutput },
      cacheWriteLong: part(7, cacheWrite),
      imageInput: part(8, input - audioInput),
      reasoning: part(9, output - audioOutput - imageOutput),
      audioCacheRead: Math.min(part(10, audioInput), cacheRead),
      images: most.images,
    };
  });

const bounds = fc.record({
  input: fc.integer({ min: 0, max: 20_000 }),
  output: fc.integer({ min: 0, max: 20_000 }),
  images: fc.integer({ min: 0, max: 3 }),
});
const moment = fc.integer({ min: MONDAY, max: MONDAY + 5 * 86_400_000 });
const length = fc.constantFrom(0, 600_000, 7_200_000, 100_000_000, 700_000_000);

const everyKind = ({ input, output, images }: Usage): Usage =>
  ({ input, output, images, audioInput: input, imageInput: input, audioOutput: output, imageOutput: output }) as Usage;

describe('the worst case', () => {
  it('is at least what any usage within its counts costs at any moment of the span, at either service tier', () => {
    const cases = fc.tuple(price, bounds, moment, length, fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        cases.chain((one) => fc.tuple(fc.constant(one), usageWithin(one[1]))),
        fc.constantFrom(undefined, 'flex', 'unheard-of'),
        ([[given, most, from, lasting, share], usage], serviceTier) => {
          const card = { price: given };
          const worst = worstCostOf(card, everyKind(most), { from, until: from + lasting, serviceTier }) ?? -1;
          const at = from + Math.floor(share * lasting);
          for (const served of [undefined, serviceTier])
            expect(costOf(card, usage, { at, serviceTier: served })).toBeLessThanOrEqual(worst);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('of a span without end is that of every hour and date', () => {
    fc.assert(
      fc.property(price, bounds, moment, (given, most, at) => {
        const always = worstCostOf({ price: given }, everyKind(most)) ?? -1;
        expect(worstCostOf({ price: given }, everyKind(most), { from: at, until: at })).toBeLessThanOrEqual(always);
        expect(costOf({ price: given }, most)).toBeLessThanOrEqual(always);
      }),
    );
  });
});

/**
 * Audio beyond the fresh tokens must have come from the cache, told or not. One fresh token more then makes one of these
 * fresh, which a price may charge less for: the usage is another one, not a greater one.
 */
function withoutHiddenReads(usage: Usage): Usage {
  const { input, cacheRead = 0, cacheWrite = 0, audioInput = 0, audioCacheRead = 0 } = usage;
  return { ...usage, audioInput: Math.min(audioInput, audioCacheRead + input - cacheRead - cacheWrite) };
}

describe('a cost', () => {
  it('is whole, not negative, and grows with every kind of token within a tier', () => {
    const usages = usageWithin({ input: 20_000, output: 20_000, images: 1 }).map(withoutHiddenReads);
    fc.assert(
      fc.property(price, usages, moment, (given, usage, at) => {
        const { tiers: _, ...flat } = given;
        const card = { price: { ...flat, windows: [], changes: [], serviceTiers: {} } };
        const cost = costOf(card, usage, { at }) ?? -1;
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeGreaterThanOrEqual(0);
        expect(costOf(card, { ...usage, input: usage.input + 1 })).toBeGreaterThanOrEqual(cost);
        expect(costOf(card, { ...usage, output: usage.output + 1 })).toBeGreaterThanOrEqual(cost);
        const cached = { input: usage.input + 1, cacheRead: (usage.cacheRead ?? 0) + 1 };
        expect(costOf(card, { ...usage, ...cached })).toBeGreaterThanOrEqual(cost);
        expect(costOf(card, { ...usage, images: 2 })).toBeGreaterThanOrEqual(cost);
      }),
      { numRuns: 300 },
    );
  });
});
