import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sketch } from '../../../src/gateway/routing/figures/sketch.ts';
import { createStatistics } from '../../../src/gateway/routing/statistics.ts';

describe('sketch', () => {
  it('finds quantiles within its 7 % buckets', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, fraction) => {
        const made = sketch();
        for (const value of values) made.add(value, 0);
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.ceil(fraction * sorted.length - 1e-9) - 1] ?? 0;
        const found = made.quantile(fraction, 0) ?? 0;
        expect(found).toBeGreaterThanOrEqual(exact / 1.08);
        expect(found).toBeLessThanOrEqual(exact * 1.08);
      }),
    );
  });

  it('halves what it knows every five minutes, over any span of time', () => {
    const made = sketch();
    expect(made.quantile(0.5, 0)).toBeUndefined();
    for (let sample = 0; sample < 8; sample += 1) made.add(100, 0);
    expect(made.weight(300_000)).toBeCloseTo(4);
    made.add(10_000, 3 * 300_000);
    expect(made.weight(3 * 300_000)).toBeCloseTo(2);
    const year = 365 * 86_400_000;
    for (let day = 1; day <= 40; day += 1) made.add(500, day * year);
    expect(made.quantile(0.95, 40 * year)).toBeCloseTo(500, -2);
    expect(made.quantile(0.5, 41 * year)).toBeUndefined();
  });
});

describe('statistics', () => {
  it('forgives one failure, blames many, and leaves the errors of callers out', () => {
    const statistics = createStatistics().of({ provider: 'p', model: 'm' });
    const record = (outcome: 'ok' | 'blamed' | 'other'): void =>
      statistics.record({ totalMs: 10, firstTokenMs: 5, outcome, outputTokens: 7, nowMs: 0 });
    record('blamed');
    expect(statistics.errorRate(0)).toBeCloseTo(0.2);
    for (let attempt = 0; attempt < 95; attempt += 1) record('blamed');
    expect(statistics.errorRate(0)).toBeCloseTo(0.96);
    for (let attempt = 0; attempt < 500; attempt += 1) record('other');
    expect(statistics.errorRate(0)).toBeCloseTo(0.96);
  });
});
