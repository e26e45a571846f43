import { describe, expect, it } from 'vitest';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import { changesNothing } from '../../src/validator/analysis/side-effects.ts';
import { estimatePlan } from '../../src/validator/estimate/estimate.ts';
import { type CatalogueParts, catalogue, SEARCH } from './catalogue.ts';

const reading = { ...SEARCH, sideEffects: false };
const PARTS: CatalogueParts = {
  steps: [reading, { use: 'workflow:digest', description: 'A workflow.', input: {}, usesModel: true }],
  workflows: new Map<string, Plan>([['digest', { version: 1, nodes: [{ id: 'b', use: 'llm', in: { prompt: 'x' } }] }]]),
};
const node = (more: object): PlanNode => ({ id: 'a', use: 'llm', in: { prompt: 'x', ...more } });
const estimated = (more: object) => estimatePlan({ version: 1, nodes: [node(more)] }, catalogue(PARTS));

describe('what an agent may change', () => {
  it.each([
    ['a tool that only reads', { tools: ['tool:search'] }, true],
    ['the same, named as models name it', { tools: ['search'] }, true],
    ['agents that only read', { agents: { money: { system: 'x', tools: ['search'] } } }, true],
    ['a workflow', { tools: ['workflow:digest'] }, false],
    [
      'an agent with a tool that may change something',
      { agents: { money: { system: 'x', tools: ['send-mail'] } } },
      false,
    ],
    ['calls that a person approves', { tools: ['search'], approve: ['search'] }, false],
    ['tools that the run names', { tools: ['{{input.tool}}'] }, false],
  ])('%s', (_, more, expected) => {
    const { steps } = catalogue(PARTS);
    expect(changesNothing(node(more), steps.get('llm'), { steps })).toBe(expected);
  });
});

describe('the estimate of an agent', () => {
  it('has a call for each round that it may take, and one for its answer', () => {
    const once = [1, 4, 7].map((rounds) => (estimated({ tools: ['search'], rounds }).highNanoUsd ?? 0) / (rounds + 1));
    expect(new Set(once).size).toBe(1);
    const typed = { id: 'a', use: 'llm', in: { prompt: 'x', tools: ['search'], rounds: 4 }, out: { n: 'number' } };
    const high = estimatePlan({ version: 1, nodes: [typed] }, catalogue(PARTS)).highNanoUsd ?? 0;
    expect(high).toBeGreaterThan(5 * (once[0] ?? 0));
  });

  it('has the workflows that it may call', () => {
    // A name of the same length, because the text of the node counts too.
    const bare = estimated({ tools: ['search', 'tool:digestlong'], rounds: 3 });
    const more = estimated({ tools: ['search', 'workflow:digest'], rounds: 3 });
    const inner = estimatePlan({ version: 1, nodes: [{ id: 'b', use: 'llm', in: { prompt: 'x' } }] }, catalogue(PARTS));
    expect(more.lowNanoUsd).toBe(bare.lowNanoUsd);
    expect(more.expectedNanoUsd).toBe((bare.expectedNanoUsd ?? 0) + (inner.expectedNanoUsd ?? 0));
    expect(more.highNanoUsd).toBe((bare.highNanoUsd ?? 0) + 3 * (inner.highNanoUsd ?? 0));
  });

  it('is that of the dearest agent at most', () => {
    const cheap = estimated({ model: { tier: 'fast' }, agents: { money: { system: 'x' } } });
    const plan = (model: object): Plan => ({
      version: 1,
      nodes: [{ ...node({ agents: { money: { system: 'x', model } } }), model: { tier: 'fast' } }],
    });
    const high = (model: object) => estimatePlan(plan(model), catalogue(PARTS)).highNanoUsd ?? 0;
    expect(high({ tier: 'premium' })).toBeGreaterThan(high({ tier: 'fast' }));
    expect(cheap.highNanoUsd).toBeGreaterThan(0);
  });
});
