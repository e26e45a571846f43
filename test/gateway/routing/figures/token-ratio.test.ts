import { describe, expect, it } from 'vitest';
import { TokenRatio } from '../../../../src/gateway/routing/figures/token-ratio.ts';
import { createStatistics } from '../../../../src/gateway/routing/statistics.ts';
import { fakeCard, fakeProvider, finish } from '../../../../src/testing/fakes.ts';
import { harness, text, user } from '../../harness.ts';

describe('the ratios that plans are estimated by', () => {
  it('are the same map until one has moved by a twentieth, or has faded', () => {
    const statistics = createStatistics();
    const none = statistics.tokenRatios(0);
    const learn = (region: string, claimed: number): unknown =>
      statistics.of({ provider: 'p', model: 'm', region }).tokenRatio.learn(1000, claimed, 0);
    learn('eu', 1100);
    expect(statistics.tokenRatios(0)).toBe(none);
    for (let answer = 0; answer < 10; answer += 1) learn('eu', 1500);
    const told = statistics.tokenRatios(0);
    expect([...told.keys()]).toEqual(['p/m']);
    expect(told.get('p/m')).toBeCloseTo(1.2429, 3);
    learn('eu', 1500);
    expect(statistics.tokenRatios(0)).toBe(told);
    // The region with the most answers tells.
    for (let answer = 0; answer < 5; answer += 1) learn('us', 3000);
    expect(statistics.tokenRatios(0)).toBe(told);
    for (let answer = 0; answer < 45; answer += 1) learn('us', 3000);
    expect(statistics.tokenRatios(0).get('p/m')).toBeGreaterThan(2);
    expect(statistics.tokenRatios(30 * 86_400_000).get('p/m') ?? 1).toBeLessThan(1.01);
  });
});

describe('the ratio of tokens', () => {
  it('is 1 before anything was learned, and comes near to what is seen', () => {
    const ratio = new TokenRatio();
    expect(ratio.of(0)).toBe(1);
    for (let call = 0; call < 10; call += 1) ratio.learn(1000, 1500, 0);
    expect(ratio.of(0)).toBe(1.25);
    for (let call = 0; call < 190; call += 1) ratio.learn(1000, 1500, 0);
    expect(ratio.of(0)).toBeCloseTo(1.476, 3);
    // A day later half of it is left.
    expect(ratio.of(86_400_000)).toBeCloseTo(1.4545, 3);
  });

  it('is bounded, and learns nothing from short prompts and missing counts', () => {
    const ratio = new TokenRatio();
    ratio.learn(63, 1000, 0);
    ratio.learn(1000, 0, 0);
    ratio.learn(1000, Number.NaN, 0);
    expect(ratio.of(0)).toBe(1);
    for (let call = 0; call < 1000; call += 1) ratio.learn(100, 1e9, 0);
    expect(ratio.of(0)).toBeLessThanOrEqual(5);
  });

  it('corrects the expected cost of later calls, and tells when the provider begins to count otherwise', async () => {
    let factor = 1;
    const models = [fakeCard({ id: 'one', price: { input: 1, output: 0 } })];
    const script = () => [text('yes'), finish({ usage: { input: factor * 1000, output: 1 } })];
    const { gateway, run } = harness({ providers: [fakeProvider({ models, script })] });
    const told: string[] = [];
    gateway.onEvent?.(({ type }) => told.push(type));
    const prompt = user('word '.repeat(800));
    const expected = (): number =>
      gateway.explain({ operation: 'chat', ...prompt }).candidates[0]?.estimatedNanoUsd ?? 0;
    expect(expected()).toBe(1_004_000);
    factor = 2;
    for (let call = 0; call < 100; call += 1) await run(gateway.generate(prompt));
    expect(expected()).toBeGreaterThan(1_850_000);
    expect(gateway.statistics()[0]?.tokenRatio).toBeCloseTo(2000 / 1004, 3);
    expect(told).toEqual([]);
    factor = 4;
    for (let call = 0; call < 30; call += 1) await run(gateway.generate(prompt));
    expect(told).toEqual(['token-drift']);
  });
});
