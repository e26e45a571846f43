import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { needsOf } from '../../../src/gateway/calls/requirements.ts';
import { type Sketch, sketch } from '../../../src/gateway/routing/figures/sketch.ts';
import { createRegistry } from '../../../src/gateway/routing/registry.ts';
import { decide } from '../../../src/gateway/routing/route.ts';
import { createStatistics } from '../../../src/gateway/routing/statistics.ts';
import { fakeCard, fakeProvider, seededRandom } from '../../../src/testing/fakes.ts';

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

/** Samples and reads in any order. */
const steps = fc.array(
  fc.record({
    of: fc.constantFrom(0, 1),
    passedMs: fc.constantFrom(0, 1, 7000, 300_000),
    sample: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
    how: fc.constantFrom('add', 'restore', 'cut'),
    fraction: fc.constantFrom(0.1, 0.5, 0.9, 0.95, 0.99),
  }),
  { maxLength: 40 },
);

describe('what was read before', () => {
  it('changes nothing that is read later, of this sketch or of another one', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const read = [sketch(), sketch()];
        const samples: { of: number; ms: number; atMs: number; how: string }[] = [];
        let nowMs = 0;
        for (const { of, passedMs, sample, how, fraction } of all) {
          nowMs += passedMs;
          if (sample !== undefined) samples.push({ of, ms: sample, atMs: nowMs, how });
          if (sample !== undefined) take(read[of], sample, nowMs, how);
          for (const [which, one] of read.entries()) {
            const own = samples.filter((each) => each.of === which);
            const fresh = sketch();
            for (const { ms, atMs, how: each } of own) take(fresh, ms, atMs, each);
            expect(one.quantile(fraction, nowMs)).toBe(fresh.quantile(fraction, nowMs));
            expect(one.uncutQuantile(fraction, nowMs)).toBe(fresh.uncutQuantile(fraction, nowMs));
            const left = own.reduce((sum, { atMs }) => sum + 2 ** ((atMs - nowMs) / 300_000), 0);
            expect(one.weight(nowMs)).toBeCloseTo(left, 8);
          }
        }
      }),
    );
  });

  it('restores what was rated, which counts at once', () => {
    const target = { provider: 'p', model: 'm' };
    const before = createStatistics();
    before.of(target).rate('code', 0, 0);
    const after = createStatistics();
    expect(after.of(target).isRated).toBe(false);
    after.restore(before.saved(0));
    const registry = createRegistry(
      [fakeProvider({ id: 'p', models: [fakeCard({ id: 'm', strengths: { code: 1 } })] })],
      {},
      after,
    );
    const request = { operation: 'chat', messages: [], model: { strengths: ['code'] } } as const;
    const { scored } = decide({ request, needs: needsOf(request), registry, config: {}, nowMs: 0 });
    expect(scored[0]?.parts.quality).toBeCloseTo(20 / 21);
  });
});

function take(one: Sketch | undefined, ms: number, atMs: number, how: string): void {
  if (how === 'cut') one?.addCut(ms, atMs);
  if (how === 'add') one?.add(ms, atMs);
  if (how !== 'restore') return;
  const other = sketch();
  other.add(ms, atMs);
  one?.addBuckets(other.buckets(atMs, 1), atMs);
}

it('keeps no more of what was observed than there was, after a clock was set back', () => {
  const hour = 3_600_000;
  const before = createStatistics();
  const one = before.of({ provider: 'p', model: 'm' });
  const observed = { totalMs: 900, firstTokenMs: 90, outputTokens: 7, nowMs: 10 * hour };
  for (let call = 0; call < 6; call += 1) one.record({ ...observed, outcome: call < 3 ? 'ok' : 'blamed' });
  const [saved] = before.saved(7 * hour);
  expect(saved).toMatchObject({ outcomes: [3, 3] });
  expect([saved?.total[0]?.[1], saved?.firstToken[0]?.[1]]).toEqual([3, 3]);
});

describe('a quantile of waits that nobody cut short', () => {
  const random = seededRandom(3);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const waits = Array.from({ length: 20_000 }, () => 60 * Math.exp(normal()));
  const exact = (fraction: number) => [...waits].sort((a, b) => a - b)[Math.floor(fraction * waits.length)] ?? 0;

  it.each([0.5, 0.9, 0.945, 0.99])('is exact to a hundredth where they differ (%d)', (fraction) => {
    const made = sketch();
    for (const ms of waits) made.add(ms, 0);
    expect(Math.abs((made.uncutQuantile(fraction, 0) ?? 0) / exact(fraction) - 1)).toBeLessThan(0.01);
  });

  it.each([0.5, 0.9])('is that of the whole waits where many were cut short (%d)', (fraction) => {
    const made = sketch();
    for (const ms of waits) {
      const cutAt = 40 + 400 * random();
      if (cutAt < ms) made.addCut(cutAt, 0);
      else made.add(ms, 0);
    }
    expect(Math.abs((made.uncutQuantile(fraction, 0) ?? 0) / exact(fraction) - 1)).toBeLessThan(0.03);
  });

  it('is not below a wait that is always the same, however few are longer', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 500_000, noNaN: true }), fc.integer({ min: 0, max: 1 }), (ms, longer) => {
        const made = sketch();
        for (let sample = 0; sample < 40; sample += 1) made.add(ms, 0);
        for (let sample = 0; sample < longer; sample += 1) made.addCut(ms * 2, 0);
        expect(made.uncutQuantile(0.95, 0)).toBeGreaterThanOrEqual(ms * (1 - 1e-9));
      }),
    );
  });

  it('is that of the cut ones where nothing else is known', () => {
    const made = sketch();
    for (let sample = 0; sample < 20; sample += 1) made.addCut(100, 0);
    expect(made.uncutQuantile(0.95, 0)).toBe(made.quantile(0.95, 0));
    expect(made.buckets(0, 2)).toEqual([[expect.any(Number), 20]]);
    expect(sketch().uncutQuantile(0.95, 0)).toBeUndefined();
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
