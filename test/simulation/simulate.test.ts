/** What a simulation reports, with what the catalogue and the gateway say. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/core/plan/plan.ts';
import type { Catalogue } from '../../src/core/plan/validation.ts';
import type { ObservedTarget } from '../../src/core/run/simulation.ts';
import { readyQueue } from '../../src/runs/state/ready-queue.ts';
import { timesOf } from '../../src/simulation/samplers.ts';
import { type SimulationParts, simulate } from '../../src/simulation/simulate.ts';
import { fakeCard } from '../../src/testing/fakes.ts';
import { forecast } from '../../src/validator/estimate/forecast.ts';
import { validate } from '../../src/validator/validate.ts';
import { catalogueWith } from './catalogue.ts';

const PRICE = { input: 1000, output: 2000 };
const slow = fakeCard({ id: 'slow', tier: 'premium', expectedMs: 4000, price: PRICE });
const quick = fakeCard({ id: 'quick', tier: 'fast', expectedMs: 200, price: PRICE });

const parts = (observed: Readonly<Record<string, ObservedTarget>> = {}): SimulationParts => ({
  makeQueue: readyQueue,
  observedOf: ({ provider, model }) => observed[`${provider}/${model}`],
  concurrency: 64,
});

function simulated(
  nodes: Plan['nodes'],
  more: {
    plan?: Partial<Plan>;
    catalogue?: Catalogue;
    parts?: SimulationParts;
    options?: Parameters<typeof simulate>[2];
  } = {},
) {
  const catalogue = more.catalogue ?? catalogueWith([slow, quick]);
  const { plan, issues } = validate({ version: 1, ...more.plan, nodes }, catalogue);
  if (plan === undefined) throw new Error(JSON.stringify(issues));
  const { budget } = plan.plan;
  return simulate(
    forecast(plan.plan, catalogue),
    { ...(more.parts ?? parts()), budget },
    { runs: 400, ...more.options },
  );
}

const ask = (id: string, tier: 'fast' | 'premium', more: Partial<Plan['nodes'][number]> = {}) => ({
  id,
  use: 'llm',
  in: { prompt: 'Say something.' },
  model: { tier, strict: true },
  ...more,
});

describe('a simulation', () => {
  it('gives the same report for the same seed, and another one for another', () => {
    const nodes = [ask('a', 'fast'), ask('b', 'premium', { needs: ['a'] })];
    expect(simulated(nodes, { options: { seed: 5 } })).toEqual(simulated(nodes, { options: { seed: 5 } }));
    expect(simulated(nodes, { options: { seed: 6 } }).ms).not.toEqual(simulated(nodes, { options: { seed: 5 } }).ms);
  });

  it('spreads times around the mean of the card, and orders the percentiles', () => {
    const { ms } = simulated([ask('a', 'premium')], { options: { runs: 5000 } });
    expect(ms.mean).toBeGreaterThan(3800);
    expect(ms.mean).toBeLessThan(4200);
    const { least, p5, p50, p90, p95, p99, most } = ms;
    expect([least, p5, p50, p90, p95, p99, most]).toEqual([least, p5, p50, p90, p95, p99, most].sort((a, b) => a - b));
    expect(p50).toBeLessThan(ms.mean);
  });

  it('names the critical path and what speeding a node up saves', () => {
    const { criticalPath, nodes } = simulated([
      ask('first', 'fast'),
      ask('long', 'premium', { needs: ['first'] }),
      ask('short', 'fast', { needs: ['first'] }),
    ]);
    expect(criticalPath.nodes).toEqual(['first', 'long']);
    expect(criticalPath.share).toBeGreaterThan(0.95);
    const [first, long, short] = nodes;
    expect(long?.savedMs ?? 0).toBeGreaterThan(10 * (first?.savedMs ?? 0));
    expect(short?.critical ?? 1).toBeLessThan(0.05);
  });

  it('waits for a slot where the run has few of them', () => {
    const nodes = ['a', 'b', 'c', 'd'].map((id) => ask(id, 'premium'));
    const wide = simulated(nodes).ms.mean;
    const narrow = simulated(nodes, { options: { concurrency: 1 } }).ms.mean;
    expect(narrow).toBeGreaterThan(2.4 * wide);
    const { nodes: counted } = simulated(nodes, { options: { concurrency: 1 } });
    expect(counted.every(({ critical }) => critical > 0.95)).toBe(true);
  });

  it('takes one of the branches that exclude each other', () => {
    const { nodes } = simulated([
      ask('kind', 'fast', { out: { label: 'a|b|c|d' } }),
      ask('one', 'fast', { when: "kind.label == 'a'" }),
      ask('two', 'fast', { when: "kind.label == 'b'" }),
      ask('rest', 'fast', { when: "kind.label != 'a'" }),
      ask('flag', 'fast', { when: 'size(kind.label) > 3' }),
    ]);
    const ran = Object.fromEntries(nodes.map(({ id, ran: share }) => [id, share]));
    expect(ran.one).toBeGreaterThan(0.18);
    expect(ran.one).toBeLessThan(0.32);
    expect((ran.one ?? 0) + (ran.rest ?? 0)).toBeCloseTo(1, 10);
    expect(ran.flag).toBeGreaterThan(0.4);
    expect(ran.flag).toBeLessThan(0.6);
  });

  it('counts items, rounds, escalations and workflows', () => {
    const workflows = {
      inner: { nodes: [ask('one', 'fast'), ask('two', 'fast', { needs: ['one'] })], output: '{{two.text}}' },
    };
    const base = simulated([ask('a', 'fast')]).ms.mean;
    const listed = simulated([ask('a', 'fast', { each: '{{input.list}}', limits: { concurrency: 1 } })], {
      plan: {
        input: {
          type: 'object',
          properties: { list: { type: 'array', minItems: 4, maxItems: 4 } },
          required: ['list'],
        },
      },
    });
    expect(listed.ms.mean / base).toBeGreaterThan(3.6);
    expect(listed.ms.mean / base).toBeLessThan(4.4);
    const repeated = simulated([ask('a', 'fast', { repeat: { until: "self.text == 'x'", max: 20 } })]);
    expect(repeated.ms.mean / base).toBeGreaterThan(1.7);
    const escalated = simulated([ask('a', 'fast', { escalate: { evaluator: 'validators', to: ['premium'] } })]);
    expect(escalated.ms.mean).toBeGreaterThan(base + 900);
    const nested = simulated([{ id: 'w', use: 'workflow:inner' }], { plan: { workflows } });
    expect(nested.ms.mean / base).toBeGreaterThan(1.8);
  });

  it('counts how often budget, deadline and limits of nodes would be exceeded', () => {
    const nodes = [ask('a', 'premium', { limits: { seconds: 4 } })];
    const {
      overBudget,
      overDeadline,
      nodes: counted,
    } = simulated(nodes, { plan: { budget: { usd: 100, seconds: 4 } } });
    expect(overBudget).toEqual({ nanoUsd: 100_000_000_000, share: 0 });
    expect(overDeadline?.share).toBeGreaterThan(0.2);
    expect(overDeadline?.share).toBeLessThan(0.6);
    expect(counted[0]?.overLimit).toBe(overDeadline?.share);
    expect(simulated(nodes, { options: { usd: 0.000_000_001 } }).overBudget?.share).toBe(1);
    expect(simulated(nodes).overBudget).toBeNull();
  });

  it('says that a price is unknown, and never takes it for 0', () => {
    const free = catalogueWith([fakeCard({ id: 'own', tier: 'fast', price: null })]);
    const report = simulated([ask('a', 'fast'), { id: 'b', use: 'value', in: { x: 1 } }], {
      catalogue: free,
      options: { usd: 1 },
    });
    expect(report).toMatchObject({ nanoUsd: null, unpriced: ['a'], overBudget: null });
  });

  it('weighs what was observed against the card', () => {
    const observed = { attempts: 45, p50Ms: 1000, p95Ms: 2000, errorRate: 0 };
    const { mu, sigma } = timesOf({ ms: 4000 }, observed);
    expect(Math.exp(mu)).toBeGreaterThan(1000);
    expect(Math.exp(mu)).toBeLessThan(1250);
    expect(sigma).toBeCloseTo(0.9 * (Math.log(2) / 1.645) + 0.1 * 0.5, 10);
    const known = parts({ 'p/slow': observed });
    const report = simulated([ask('a', 'premium')], { parts: known });
    expect(report.ms.p50).toBeLessThan(1300);
    expect(report.assumptions.some((line) => line.includes('p/slow') && line.includes('observed'))).toBe(true);
    const failing = parts({ 'p/slow': { ...observed, errorRate: 0.5 } });
    expect(simulated([ask('a', 'premium')], { parts: failing }).ms.mean).toBeGreaterThan(1.3 * report.ms.mean);
  });

  it('refuses options out of their bounds, and stops at a bound of its own', () => {
    for (const options of [
      { runs: 0 },
      { runs: 1.5 },
      { seed: -1 },
      { concurrency: 0 },
      { usd: Number.NaN },
      { seconds: -1 },
    ])
      expect(() => simulated([ask('a', 'fast')], { options })).toThrow(/change it/);
    const nodes = [ask('a', 'fast', { each: '{{input.list}}' })];
    const list = { type: 'array', minItems: 9000, maxItems: 9000 };
    const plan = { input: { type: 'object', properties: { list }, required: ['list'] } };
    const bounded = { ...parts(), mostUnits: 100_000 };
    const report = simulated(nodes, { plan, parts: bounded, options: { runs: 100_000 } });
    expect(report.runs).toBe(12);
    expect(report.assumptions[0]).toContain('Fewer runs');
    expect(() => simulated(nodes, { plan, parts: { ...parts(), mostUnits: 5000 } })).toThrow(/more than 5000/);
  });
});
