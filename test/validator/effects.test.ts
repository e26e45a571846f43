import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Effects, effectsProblem, sideEffectsOf } from '../../src/core/plan/effects.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { StepType } from '../../src/core/plan/validation.ts';
import { createPolyphony, definePlugin, defineStep, defineTool } from '../../src/index.ts';
import { effectsOf } from '../../src/validator/effects.ts';
import { catalogue, SEARCH, SEND } from './catalogue.ts';

const note: StepType = { use: 'tool:note', description: '', input: {}, effects: { writes: ['crm'], costs: 'money' } };
const look: StepType = { use: 'tool:look', description: '', input: {}, effects: { reads: ['files'] } };
const inner: Plan = { version: 1, nodes: [{ id: 'b', use: 'tool:look' }] };
const known = catalogue({ steps: [SEARCH, SEND, note, look], workflows: new Map([['inside', inner]]) });
const of = (nodes: readonly PlanNode[], more: Partial<Plan> = {}) => effectsOf({ version: 1, nodes, ...more }, known);
const llm = (more: object, fields: Partial<PlanNode> = {}): PlanNode => ({
  id: 'a',
  use: 'llm',
  in: { prompt: 'x', ...more },
  ...fields,
});
const NOTHING = { reads: [], writes: [], reaches: [], costs: 'none', models: [], openModels: [], undeclared: [] };

describe('the effects of a plan', () => {
  it('are none where it only computes', () => {
    expect(of([{ id: 'a', use: 'value', in: { x: 1 } }])).toEqual(NOTHING);
  });

  it.each<[string, readonly PlanNode[], object]>([
    ['a tool', [{ id: 'a', use: 'tool:look' }], { reads: ['files'] }],
    ['what undoes a node', [{ id: 'a', use: 'tool:look', undo: 'tool:note' }], { writes: ['crm'], costs: 'money' }],
    ['a person', [{ id: 'a', use: 'human', in: { question: 'x' } }], { reads: ['people'], reaches: ['people'] }],
    ['a tool of a model', [llm({ tools: ['look'] })], { reads: ['files'], reaches: ['models'], costs: 'models' }],
    [
      'a tool of an agent',
      [llm({ agents: { b: { system: 'x', tools: ['note'] } } })],
      { writes: ['crm'], costs: 'money' },
    ],
    ['a workflow', [{ id: 'a', use: 'workflow:inside' }], { reads: ['files'], undeclared: [] }],
    ['a workflow of a model', [llm({ tools: ['workflow:inside'] })], { reads: ['files'] }],
    ['a thread', [llm({}, { thread: 'k' })], { reads: ['store'], writes: ['store'] }],
    [
      'a plan to be made',
      [{ id: 'a', use: 'plan', in: { goal: 'x' } }],
      { writes: ['*'], reaches: ['*'], costs: 'money' },
    ],
    ['tools that the run names', [llm({ tools: '{{input.tools}}' })], { writes: ['*'], undeclared: ['a: tools'] }],
    ['a search of the provider', [llm({ tools: [{ type: 'provider', name: 'web-search' }] })], { reads: ['web'] }],
    ['another tool of it', [llm({ tools: [{ type: 'provider', name: 'robot' }] })], { writes: ['*'] }],
    ['a tool that does not say', [{ id: 'a', use: 'tool:search' }], { writes: ['*'], undeclared: ['tool:search'] }],
    ['a step that nobody knows', [{ id: 'a', use: 'tool:who' }], { writes: ['*'], undeclared: ['tool:who'] }],
  ])('are those of %s', (_, nodes, expected) => {
    expect(of(nodes)).toMatchObject(expected);
  });

  it('are those of its own workflows, however often they are used, and of a workflow that uses itself', () => {
    const workflows = {
      low: { nodes: [{ id: 'b', use: 'tool:note' }] },
      high: {
        nodes: [
          { id: 'c', use: 'workflow:low' },
          { id: 'd', use: 'workflow:low' },
        ],
      },
    };
    expect(of([{ id: 'a', use: 'workflow:high' }], { workflows })).toMatchObject({ writes: ['crm'], undeclared: [] });
    const again: Plan = { version: 1, nodes: [{ id: 'a', use: 'workflow:again' }] };
    expect(effectsOf(again, catalogue({ workflows: new Map([['again', again]]) }))).toEqual(NOTHING);
  });

  it('name every model that may be asked: of variants, rungs and agents', () => {
    const fast = llm({}, { model: { tier: 'fast' } });
    expect(of([fast]).models).toEqual(['acme/swift-1']);
    expect(of([{ ...fast, escalate: { evaluator: 'judge', to: ['premium'] } }]).models).toEqual([
      'acme/swift-1',
      'zenith/grand-1',
    ]);
    const agents = { b: { system: 'x', model: { tier: 'balanced' } } };
    expect(of([llm({ agents }, { model: { tier: 'fast' } })]).models).toEqual(['acme/steady-1', 'acme/swift-1']);
    const byData = llm({}, { model: { tier: "{{= input.hard ? 'premium' : 'fast'}}" } });
    expect(of([byData], { input: { hard: 'boolean' } }).models).toEqual(['acme/swift-1', 'zenith/grand-1']);
  });

  it.each<[string, PlanNode, readonly string[]]>([
    ['agents that are a value of the run', llm({ agents: '{{input.team}}' }), ['a: agents']],
    ['an agent that is one', llm({ agents: { b: '{{input.agent}}' } }), ['a: agents']],
    ['an agent whose model is one', llm({ agents: { b: { system: 'x', model: '{{input.m}}' } } }), ['a: agents']],
    ['an agent whose model it names', llm({ agents: { b: { model: { id: '{{input.m}}' } } } }), ['a: agents']],
    ['tools that are one, which may be workflows', llm({ tools: '{{input.tools}}' }), ['a: tools']],
    ['a plan to be made', { id: 'a', use: 'plan', in: { goal: 'x' } }, ['a: plan']],
    ['agents that stand in the plan', llm({ agents: { b: { system: 'x', model: { tier: 'fast' } } } }), []],
  ])('say that models are not known of %s', (_, node, openModels) => {
    expect(of([node]).openModels).toEqual(openModels);
    const inside: Partial<Plan> = { workflows: { in: { nodes: [node] } } };
    expect(of([{ id: 'z', use: 'workflow:in' }], inside).openModels).toEqual(openModels);
  });

  it('are the union over the nodes, so that a node more takes nothing away', () => {
    const nodes = fc.subarray<PlanNode>([
      { id: 'a', use: 'tool:note' },
      { id: 'b', use: 'tool:look' },
      { id: 'c', use: 'human', in: { question: 'x' } },
      { id: 'd', use: 'llm', in: { prompt: 'x' } },
    ]);
    fc.assert(
      fc.property(nodes, nodes, (one, more) => {
        const both = of([...new Set([...one, ...more])]);
        const alone = of(one);
        for (const field of ['reads', 'writes', 'reaches', 'models'] as const)
          expect(both[field]).toEqual(expect.arrayContaining([...alone[field]]));
      }),
    );
  });
});

describe('a declaration', () => {
  it.each<[Effects, boolean | undefined]>([
    [{}, false],
    [{ reads: ['files'], reaches: ['models', 'api.example.org'] }, false],
    [{ writes: ['files'] }, true],
    [{ writes: ['*', 'crm'] }, true],
    [{ writes: ['*'] }, undefined],
    [{ reads: ['web'], reaches: ['*'] }, undefined],
    [{ reaches: ['people'] }, undefined],
  ])('%j has the side effects %s', (effects, expected) => {
    expect(sideEffectsOf({ effects })).toBe(expected);
    expect(sideEffectsOf({ effects, sideEffects: true })).toBe(true);
  });

  it.each<[object, string]>([
    [{ effects: 'files' }, 'no object'],
    [{ effects: { reads: 'files' } }, 'effects.reads'],
    [{ effects: { writes: ['Not Lower'] } }, 'effects.writes'],
    [{ effects: { reaches: ['https://a.test/path'] } }, 'effects.reaches'],
    [{ effects: { reads: Array.from({ length: 1001 }, () => 'files') } }, 'at most 1000'],
    [{ effects: { costs: 'much' } }, 'effects.costs'],
    [{ effects: { deletes: [] } }, '"deletes"'],
    [{ sideEffects: false, effects: { writes: ['files'] } }, 'sideEffects: false'],
    [{ sideEffects: true, effects: { writes: [] } }, 'sideEffects: true'],
  ])('%j is refused where it is registered, by a message that names the tool', async (more, text) => {
    expect(effectsProblem({ effects: undefined, sideEffects: undefined, ...more })).toContain(text);
    const tool = { name: 'odd', description: 'x', input: {}, run: async () => ({}), ...more } as never;
    const made = createPolyphony({ environment: false, plugins: [definePlugin({ name: 'own', tools: [tool] })] });
    await expect(made).rejects.toMatchObject({
      code: 'invalid-config',
      message: expect.stringContaining('tool "odd"'),
    });
  });

  it('of a tool and of a step reaches the catalogue, with the side effects that it means', async () => {
    const save = defineTool({
      name: 'save',
      description: 'x',
      input: { a: 'string' },
      effects: { writes: ['crm'] },
      run: () => ({}),
    });
    const count = defineStep({
      name: 'count',
      input: { a: 'string' },
      output: { n: 'number' },
      effects: {},
      run: () => ({ n: 1 }),
    });
    const plugin = definePlugin({ name: 'own', tools: [save], steps: [count.definition as never] });
    const polyphony = await createPolyphony({ environment: false, plugins: [plugin] });
    const { steps } = polyphony.catalogue();
    expect(steps.get('tool:save')).toMatchObject({ sideEffects: true, effects: { writes: ['crm'] } });
    expect(steps.get('count')).toMatchObject({ sideEffects: false, effects: {} });
    const plan = { version: 1, nodes: [{ id: 'a', use: 'tool:save', in: { a: 'x' } }] };
    expect(await polyphony.effects(plan)).toMatchObject({ writes: ['crm'], costs: 'none', undeclared: [] });
    await expect(polyphony.effects({ version: 1, nodes: [] })).rejects.toMatchObject({ code: 'invalid-plan' });
    await polyphony.close();
  });
});
