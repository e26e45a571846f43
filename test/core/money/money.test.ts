import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addMoney, formatUsd, NANO_PER_USD, nanoToUsd, usdToNano } from '../../../src/core/money/money.ts';
import { costOf } from '../../../src/core/money/price.ts';
import type { TokenPrice } from '../../../src/core/money/token-price.ts';

const price = (over: Partial<TokenPrice> = {}): { price: TokenPrice } => ({
  price: { input: 0.15, output: 0.6, ...over },
});

describe('amounts', () => {
  it('rounds up to whole nano-dollars, and not for floating-point noise', () => {
    expect(usdToNano(0.1)).toBe(100_000_000);
    expect(usdToNano(0.1 + 0.2)).toBe(300_000_000);
    expect(usdToNano(1e-10)).toBe(1);
    expect(usdToNano(0)).toBe(0);
  });
  it('refuses what is no amount', () => {
    for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e12, undefined as never, 5n as never])
      expect(() => usdToNano(bad)).toThrow(
        /^An amount of US dollars cannot be \S+: give a number from 0 to 9,000,000\.$/,
      );
    expect(() => usdToNano('0.1' as never)).toThrow(
      'cannot be "0.1": give a number from 0 to 9,000,000, such as 0.1 without quotes',
    );
    expect(() => usdToNano('ten' as never)).toThrow('cannot be "ten": give a number from 0 to 9,000,000.');
  });
  it('comes back whole for every amount', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_000_000 * 1000 }), (nano) => {
        expect(usdToNano(nanoToUsd(nano))).toBe(nano);
      }),
    );
  });
  it('is printed for people', () => {
    expect(formatUsd(null)).toBe('unknown');
    expect(formatUsd(0)).toBe('$0');
    expect(formatUsd(1_500_000_000)).toBe('$1.50');
    expect(formatUsd(400_000)).toBe('$0.0004');
    expect(formatUsd(2 * NANO_PER_USD)).toBe('$2');
    expect(formatUsd(1)).toBe('$0.000000001');
  });
  it('is unknown as soon as a part is', () => {
    expect(addMoney(1, 2)).toBe(3);
    expect(addMoney(1, null)).toBeNull();
    expect(addMoney(null, 0)).toBeNull();
  });
});

describe('costs', () => {
  it('charges each kind of token at its own rate, computed by hand', () => {
    // 1,000 in of which 400 read from the cache and 100 written; 200 out.
    const card = price({ cacheRead: 0.075, cacheWrite: 0.1875 });
    const usage = { input: 1000, output: 200, cacheRead: 400, cacheWrite: 100 };
    // 500 × 150 + 400 × 75 + 100 × 187.5 + 200 × 600 nano-dollars
    expect(costOf(card, usage)).toBe(75_000 + 30_000 + 18_750 + 120_000);
  });
  it('charges an hour-long cache write above a short one, and counts it once', () => {
    const card = price({ input: 3, output: 15, cacheWrite: 3.75, cacheWriteLong: 6 });
    const usage = { input: 1000, output: 0, cacheWrite: 1000, cacheWriteLong: 400 };
    expect(costOf(card, usage)).toBe(600 * 3750 + 400 * 6000);
  });
  it('reprices the whole request above a tier', () => {
    const card = price({ input: 1.25, output: 10, tiers: [{ aboveInputTokens: 200_000, input: 2.5, output: 15 }] });
    expect(costOf(card, { input: 200_000, output: 100 })).toBe(200_000 * 1250 + 100 * 10_000);
    expect(costOf(card, { input: 200_001, output: 100 })).toBe(200_001 * 2500 + 100 * 15_000);
  });
  it('rounds a fraction of a nano-dollar up', () => {
    expect(costOf(price({ input: 0.0375, output: 0 }), { input: 1, output: 0 })).toBe(38);
  });
  it('is null without a price, and for images whose price is unknown', () => {
    expect(costOf({ price: null }, { input: 1, output: 1 })).toBeNull();
    expect(costOf(price(), { input: 1, output: 1, images: 1 })).toBeNull();
    expect(costOf(price({ image: 0.04, input: 0, output: 0 }), { input: 0, output: 0, images: 2 })).toBe(80_000_000);
  });
  it('is a non-negative integer that grows with every kind of token', () => {
    const tokens = fc.integer({ min: 0, max: 10_000_000 });
    const rate = fc.integer({ min: 0, max: 600_000 }).map((milli) => milli / 1000);
    fc.assert(
      fc.property(tokens, tokens, rate, rate, (input, output, inputRate, outputRate) => {
        const card = price({ input: inputRate, output: outputRate });
        const cost = costOf(card, { input, output });
        expect(Number.isSafeInteger(cost)).toBe(true);
        expect(cost).toBeGreaterThanOrEqual(0);
        expect(costOf(card, { input: input + 1, output })).toBeGreaterThanOrEqual(cost ?? 0);
        expect(costOf(card, { input, output: output + 1 })).toBeGreaterThanOrEqual(cost ?? 0);
      }),
    );
  });
});
