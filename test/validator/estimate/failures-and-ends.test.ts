import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Plan, PlanNode } from '../../../src/core/plan/plan.ts';
import { estimatePlan } from '../../../src/validator/estimate/estimate.ts';
import { validate } from '../../../src/validator/validate.ts';
import { card, catalogue } from '../catalogue.ts';

const known = catalogue({ models: [{ provider: 'acme', card: card('swift-1', 'fast', 1) }] });
const three = catalogue();
const ask = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({ id, use: 'llm', in: { prompt: 'x' }, ...more });
const of = (nodes: readonly PlanNode[], more: Partial<Plan> = {}, all = known) =>
  estimatePlan({ version: 1, nodes, ...more }, all);
const single = of([ask('a')]);
const low = (nodes: readonly PlanNode[]): number => (of(nodes).lowNanoUsd ?? 0) / (single.lowNanoUsd ?? 1);

describe('the estimate of an early end', () => {
  it('counts at least what stands before the end', () => {
    const after = ask('b', { needs: ['a'] });
    expect(low([ask('a', { finish: true }), after])).toBe(1);
    expect(low([ask('a'), ask('b', { needs: ['a'], finish: true }), ask('c', { needs: ['b'] }), ask('d')])).toBe(2);
    // The condition may be false: then nothing is sure but what it depends on.
    expect(low([ask('a'), ask('b', { needs: ['a'], when: 'a.text == "x"', finish: true }), ask('c')])).toBe(1);
  });

  it('counts only what stands before each of several ends', () => {
    const ends = [ask('b', { needs: ['a'], finish: true }), ask('c', { needs: ['a'], finish: true })];
    expect(low([ask('a'), ...ends])).toBe(1);
  });

  it('is the whole plan at most, and half of what may be cut off is expected', () => {
    const nodes = [ask('a', { finish: true }), ask('b')];
    const whole = of([ask('a'), ask('b')]);
    expect(of(nodes).highNanoUsd).toBe(whole.highNanoUsd);
    expect(of(nodes).expectedNanoUsd).toBe(1.5 * (single.expectedNanoUsd ?? 0));
  });

  it('does not refuse a budget that the early end keeps', () => {
    const usd = (1.5 * (single.lowNanoUsd ?? 0)) / 1e9;
    const nodes = (end: object) => [ask('a', end), ask('b', { needs: ['a'] }), ask('c', { needs: ['a'] })];
    const codes = (end: object) =>
      validate({ version: 1, budget: { usd }, nodes: nodes(end) }, known).issues.map(({ code }) => code);
    expect(codes({})).toContain('budget.infeasible');
    expect(codes({ finish: true })).not.toContain('budget.infeasible');
  });

  it('is never above what any of its ends needs', () => {
    const plans = fc
      .array(fc.record({ before: fc.nat(8), end: fc.boolean() }), { minLength: 1, maxLength: 8 })
      .map((list) =>
        list.map(({ before, end }, place) =>
          ask(`n${place}`, { ...(before < place ? { needs: [`n${before}`] } : {}), ...(end ? { finish: true } : {}) }),
        ),
      );
    const needed = (nodes: readonly PlanNode[], id: string): number =>
      1 + (nodes.find((node) => node.id === id)?.needs ?? []).reduce((sum, other) => sum + needed(nodes, other), 0);
    fc.assert(
      fc.property(plans, (nodes) => {
        const ends = nodes.filter(({ finish }) => finish).map(({ id }) => needed(nodes, id));
        expect(low(nodes)).toBeLessThanOrEqual(Math.min(nodes.length, ...ends));
      }),
    );
  });
});

describe('the estimate of failures', () => {
  it('has nothing for what undoes a node: no such step asks a model', () => {
    const send: PlanNode = { id: 's', use: 'tool:send-mail', in: { to: 'x', body: 'y' } };
    const plain = of([ask('a'), send]);
    expect(of([ask('a'), { ...send, undo: 'tool:send-mail' }])).toMatchObject({ ...plain, nodes: expect.anything() });
    for (const undo of ['llm', 'workflow:any', 'plan', 'human', 'wait']) {
      const { issues } = validate({ version: 1, nodes: [{ ...send, undo }] }, known);
      expect(
        issues.some(({ severity }) => severity === 'error'),
        undo,
      ).toBe(true);
    }
  });

  it('has all that runs after an error that is kept, as without it', () => {
    const nodes = (more: object) => [ask('a', more), ask('b', { in: { prompt: '{{a}}' } })];
    const kept = of(nodes({ onError: { keep: true } }));
    const plain = of(nodes({}));
    expect([kept.lowNanoUsd, kept.highNanoUsd]).toEqual([plain.lowNanoUsd, plain.highNanoUsd]);
  });
});

describe('the estimate of agents', () => {
  const inner: Plan = { version: 1, nodes: [ask('b')] };
  const other: Plan = { version: 1, nodes: [ask('b'), ask('c')] };
  const tools = ['workflow:small', 'workflow:large'];
  const all = catalogue({
    models: known.models,
    steps: [{ use: 'tool:look', description: '', input: {} }],
    workflows: new Map([
      ['small', inner],
      ['large', other],
    ]),
  });
  const agent = (more: object) => of([ask('a', { in: { prompt: 'x', ...more } })], {}, all);
  // The inputs of the node are a part of its prompt, so only what the workflows add is compared.
  const own = (more: object) => agent({ ...more, tools: ['tool:small:xxxxx', 'tool:large:xxxxx'] });
  const added = (more: object): number =>
    ((agent({ ...more, tools }).highNanoUsd ?? 0) - (own(more).highNanoUsd ?? 0)) / (of([ask('b')]).highNanoUsd ?? 1);

  it('has one call more than its rounds, and 8 rounds where it names none', () => {
    const high = (more: object) => agent({ tools: ['look'], ...more }).highNanoUsd ?? 0;
    expect(high({}) / high({ rounds: 3 })).toBeCloseTo(9 / 4, 3);
    expect(high({}) / 9).toBeCloseTo(agent({ tool: ['look'] }).highNanoUsd ?? 0, -4);
  });

  it('has rounds too where only the run names the tools', () => {
    const named = agent({ tools: '{{input.tools}}' }).highNanoUsd ?? 0;
    expect(named).toBeGreaterThan(8 * (agent({}).highNanoUsd ?? 0));
  });

  it('has its workflows within the limits of its tools', () => {
    expect(added({ rounds: 5 })).toBe(10);
    expect(added({ rounds: 5, toolLimits: { 'workflow:large': { calls: 2 } } })).toBe(2 * 2 + 3);
    expect(added({ rounds: 5, toolLimits: { 'workflow:large': { calls: 1 }, 'workflow:small': { calls: 1 } } })).toBe(
      3,
    );
    expect(added({ rounds: 5, toolLimits: { 'workflow:large': { usd: 0 }, 'workflow:small': { calls: 0 } } })).toBe(0);
  });
});

describe('the estimate of a workflow of the plan', () => {
  const body = { nodes: [ask('w'), ask('v')] };
  const whole = of([ask('w'), ask('v')]);
  const run = (more: Partial<PlanNode>) =>
    of([{ id: 'a', use: 'workflow:body', ...more }], { workflows: { body }, input: { xs: 'any' } });

  it('is counted in each round, and in each item', () => {
    expect(run({}).highNanoUsd).toBe(whole.highNanoUsd);
    const rounds = run({ repeat: { until: 'false', max: 5 } });
    expect(rounds.lowNanoUsd).toBe(whole.lowNanoUsd);
    expect(rounds.highNanoUsd).toBe(5 * (whole.highNanoUsd ?? 0));
    const items = run({ each: '{{input.xs}}' });
    expect([items.lowNanoUsd, items.highNanoUsd]).toEqual([0, 100 * (whole.highNanoUsd ?? 0)]);
  });

  it('asks, as the plan itself does, whichever model its data may choose', () => {
    const tier = "{{= input.hard ? 'premium' : 'fast'}}" as const;
    const input = { hard: 'boolean' };
    const chosen = (model: PlanNode['model']): PlanNode => ask('w', { ...(model === undefined ? {} : { model }) });
    const fast = of([chosen({ tier: 'fast' })], {}, three);
    const premium = of([chosen({ tier: 'premium' })], {}, three);
    const nested = of(
      [{ id: 'a', use: 'workflow:body', in: { hard: true } }],
      { workflows: { body: { input, nodes: [chosen({ tier })] } } },
      three,
    );
    expect([nested.lowNanoUsd, nested.highNanoUsd]).toEqual([fast.lowNanoUsd, premium.highNanoUsd]);
    const id = "{{= input.hard ? 'grand-1' : 'swift-1'}}";
    const named = of(
      [{ id: 'a', use: 'workflow:body', in: { hard: true } }],
      { workflows: { body: { input, nodes: [chosen({ id })] } } },
      three,
    );
    expect([named.lowNanoUsd, named.highNanoUsd]).toEqual([fast.lowNanoUsd, premium.highNanoUsd]);
  });
});
