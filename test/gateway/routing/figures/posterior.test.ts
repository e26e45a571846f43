import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CardColumns } from '../../../../src/gateway/routing/figures/card-columns.ts';
import { cardFigures } from '../../../../src/gateway/routing/figures/card-figures.ts';
import { decayingMean } from '../../../../src/gateway/routing/figures/decaying-mean.ts';
import { fieldsOf, latencyOf, qualityOf } from '../../../../src/gateway/routing/figures/posterior.ts';
import { targetStatistics } from '../../../../src/gateway/routing/statistics.ts';
import { fakeCard, fakeProvider, finish } from '../../../../src/testing/fakes.ts';
import { harness, text, user } from '../../harness.ts';

function deployment(fields: object = {}) {
  const card = fakeCard({ id: 'm', ...fields });
  const row = columns.add(cardFigures('p', card));
  return { target: { provider: 'p', model: 'm' }, card, row, statistics: targetStatistics() };
}
type Known = ReturnType<typeof deployment>;
const columns = new CardColumns();
const quality = (one: Known, fields: readonly string[]) => qualityOf(one, fieldsOf(columns, fields), 0);
const latency = (one: Known) => latencyOf(one, columns.latencies(), 0);

describe('quality', () => {
  it('is the mean of a Beta distribution: between what was known and what was observed, nearer with each observation', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(share, fc.array(share, { minLength: 1, maxLength: 60 }), (prior, scores) => {
        const one = deployment({ strengths: { general: prior } });
        for (const score of scores) one.statistics.rate('code', score, 0);
        const sum = scores.reduce((total, score) => total + score, 0);
        // What is known only in general counts as two observations of a field.
        expect(quality(one, ['code'])).toBeCloseTo((2 * prior + sum) / (2 + scores.length));
        expect(quality(one, [])).toBe(prior);
      }),
    );
  });

  it('of a stated field counts as twenty observations', () => {
    const one = deployment({ strengths: { code: 0.9 } });
    for (let answer = 0; answer < 20; answer += 1) one.statistics.rate('code', 0.5, 0);
    expect(quality(one, ['code'])).toBeCloseTo(0.7);
  });

  it('forgets by half each day', () => {
    const mean = decayingMean();
    for (let answer = 0; answer < 8; answer += 1) mean.add(1, 0);
    expect(mean.read(86_400_000)).toEqual({ mean: 1, weight: 4 });
    mean.add(0, 86_400_000);
    expect(mean.read(86_400_000)).toEqual({ mean: 0.8, weight: 5 });
    expect(mean.read(60 * 86_400_000)).toBeUndefined();
  });

  it('counts scores within 0 and 1, and at most 64 fields', () => {
    const { statistics } = deployment();
    statistics.rate('code', 7, 0);
    statistics.rate('tools', Number.NaN, 0);
    expect(statistics.rating('code', 0)?.mean).toBe(1);
    expect(statistics.rating('tools', 0)).toBeUndefined();
    for (let field = 0; field < 100; field += 1) statistics.rate(`field${field}`, 1, 0);
    expect(statistics.rating('field99', 0)).toBeUndefined();
  });
});

describe('latency', () => {
  const record = (one: ReturnType<typeof deployment>, totalMs: number) =>
    one.statistics.record({ totalMs, firstTokenMs: null, outcome: 'ok', outputTokens: 1, nowMs: 0 });

  it('is unknown, then observed; a stated one counts as two observations', () => {
    const unknown = deployment();
    expect(latency(unknown)).toBeNaN();
    record(unknown, 1000);
    expect(latency(unknown)).toBeCloseTo(1000, -2);
    const stated = deployment({ expectedMs: 4000 });
    record(stated, 1000);
    record(stated, 1000);
    expect(latency(stated)).toBeGreaterThan(2400);
    expect(latency(stated)).toBeLessThan(2600);
  });
});

describe('routing', () => {
  const models = [
    fakeCard({ id: 'slow', expectedMs: 4000 }),
    fakeCard({ id: 'unknown' }),
    fakeCard({ id: 'quick', expectedMs: 900 }),
  ];
  it('does not take an unknown latency for a good one', () => {
    const { gateway } = harness({ providers: [fakeProvider({ id: 'p', models })] });
    const { candidates } = gateway.explain({ operation: 'chat', ...user(), optimise: 'latency' });
    expect(candidates[0]?.target.model).toBe('quick');
    const latency = new Map(candidates.map(({ target, parts }) => [target.model, parts.latency ?? 0]));
    expect(latency.get('unknown')).toBeLessThan(latency.get('quick') ?? 0);
  });

  it('refuses a model whose grounding nobody knows where a quality of it is asked for', () => {
    const { gateway } = harness({ providers: [fakeProvider({ id: 'p', models })] });
    const request = {
      operation: 'chat',
      ...user(),
      model: { strengths: ['grounding'] },
      limits: { quality: 0.1 },
    } as const;
    const { candidates, rejected } = gateway.explain(request);
    expect(candidates).toEqual([]);
    expect(rejected[0]?.failed[0]).toBe('has an unknown grounding, but the request asks for a quality of at least 0.1');
  });

  it('tells what was known, what was observed and what counts', () => {
    const { gateway } = harness({ providers: [fakeProvider({ id: 'p', models })] });
    const target = { provider: 'p', model: 'quick' };
    gateway.rate?.(target, 'structured', 0);
    gateway.rate?.({ provider: 'p', model: 'nobody' }, 'structured', 0);
    expect(() => gateway.rate?.(target, 'structured', 40)).toThrow(
      /The score of an answer is 40: give a number from 0 to 1/,
    );
    const request = { operation: 'chat', ...user(), model: { id: 'quick', strengths: ['structured'] } } as const;
    const [structured, latency, reliability] = gateway.explain(request).candidates[0]?.figures ?? [];
    expect(structured).toMatchObject({
      of: 'structured',
      basis: 'unknown',
      prior: 0.5,
      priorWeight: 2,
      observations: 1,
    });
    expect(structured?.used).toBeCloseTo((2 * 0.5 + 0.34) / 3);
    expect(latency).toMatchObject({ of: 'latency', basis: 'card', prior: 900, observed: null, used: 900 });
    expect(reliability).toMatchObject({ of: 'reliability', priorWeight: 4, used: 1 });
  });

  it('learns from answers that have or lack the asked form, not from refusals and cuts', async () => {
    let answer = '{"a": 1}';
    let reason: 'stop' | 'length' = 'stop';
    const { gateway, run } = harness({
      providers: [fakeProvider({ id: 'p', models, script: () => [text(answer), finish({ reason })] })],
    });
    const output = { type: 'object', required: ['a'], properties: { a: { type: 'number' } } } as const;
    const ask = () => run(gateway.generate({ prompt: 'x', model: 'quick', output })).catch(() => undefined);
    const seen = () =>
      gateway.explain({ operation: 'chat', ...user(), model: { id: 'quick', strengths: ['structured'] } }).candidates[0]
        ?.figures?.[0];
    await ask();
    expect(seen()?.observed).toBeCloseTo(0.99);
    answer = 'no JSON';
    await ask();
    expect(seen()?.observed).toBeCloseTo(0.34 + 0.65 / 2);
    reason = 'length';
    await ask();
    expect(seen()?.observations).toBeCloseTo(2);
  });
});
