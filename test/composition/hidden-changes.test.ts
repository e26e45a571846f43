/** Side effects that do not stand in a plan by their names: nothing of them happens unless somebody said that it may. */
import { describe, expect, it } from 'vitest';
import type { Approval } from '../../src/core/plan/approval.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import { createPolyphony } from '../../src/polyphony.ts';
import { fakeCard, fakeProvider } from '../../src/testing/index.ts';

const plan = (...nodes: PlanNode[]): Plan => ({ version: 1, nodes });

/** Plans are answered in turn; any other answer is a text. */
async function world(...plans: readonly Plan[]) {
  const ran: string[] = [];
  const left = [...plans];
  const tool = (name: string, more: Partial<Tool>): Tool => ({
    name,
    description: 'For tests.',
    input: { type: 'object' },
    ...more,
    run: async () => {
      ran.push(name);
      if (name === 'fails') throw new Error('the line is dead');
      return name;
    },
  });
  const provider = fakeProvider({
    models: [fakeCard({ id: 'model', capabilities: ['text', 'streaming', 'json-mode', 'planning', 'tools'] })],
    script: ({ purpose }) => {
      if (purpose === 'planner') return JSON.stringify(left.length > 1 ? left.shift() : left[0]);
      ran.push('model');
      return 'said';
    },
  });
  const tools = [
    tool('look', { sideEffects: false }),
    tool('fails', { sideEffects: false }),
    tool('pay', { effects: { writes: ['bank'] } }),
  ];
  return { polyphony: await createPolyphony({ plugins: [{ name: 'world', providers: [provider], tools }] }), ran };
}

const pick = (given: object): PlanNode => ({ id: 'pick', use: 'value', in: { ...given } });
const ask = (given: object): PlanNode => ({
  id: 'ask',
  use: 'llm',
  in: { prompt: 'Do it.', ...given },
});

describe('tools that only the run names', () => {
  const HIDDEN: readonly (readonly [string, Plan])[] = [
    ['a list', plan(pick({ names: ['pay'] }), ask({ tools: '{{pick.names}}' }))],
    ['a name in a list', plan(pick({ name: 'pay' }), ask({ tools: ['{{pick.name}}'] }))],
    [
      'the tools of an agent',
      plan(pick({ names: ['pay'] }), ask({ agents: { other: { system: 'Do it.', tools: '{{pick.names}}' } } })),
    ],
    [
      'the agents',
      plan(pick({ agents: { other: { system: 'Do it.', tools: ['pay'] } } }), ask({ agents: '{{pick.agents}}' })),
    ],
  ];

  it.each(HIDDEN)('are refused where nobody can be asked: %s', async (_name, hidden) => {
    const w = await world(hidden);
    const failed = await w.polyphony.run('do it').catch((thrown: unknown) => thrown);
    expect(failed).toMatchObject({
      code: 'blocked',
      message: expect.stringContaining('ask (tools that the run names)'),
    });
    expect(w.ran).toEqual([]);
    await w.polyphony.close();
  });

  it.each(HIDDEN)('are asked about: %s', async (_name, hidden) => {
    const w = await world(hidden);
    const outcome = await w.polyphony.run('do it', {}, { approval: { sideEffects: 'ask' } });
    expect(outcome).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'plan_approval' }] });
    expect(w.ran).toEqual([]);
    await w.polyphony.close();
  });
});

describe('a workflow that a revised plan writes anew under its old name', () => {
  const workflow = (use: string): Pick<Plan, 'workflows'> => ({ workflows: { work: { nodes: [{ id: 'x', use }] } } });
  const FAILS: PlanNode = { id: 'fails', use: 'tool:fails', onError: 'replan' };
  const NODES: readonly (readonly [string, PlanNode])[] = [
    ['a node runs it', { id: 'later', use: 'workflow:work' }],
    ['a model may call it', { ...ask({ tools: ['workflow:work'] }), id: 'later' }],
  ];

  it.each(NODES)('is asked about: %s', async (_name, node) => {
    const before = { ...plan(FAILS, { ...node, needs: ['fails'] }), ...workflow('tool:look') };
    const w = await world(before, { ...plan(node), ...workflow('tool:pay') });
    const approval: Approval = { sideEffects: 'ask' };
    const outcome = await w.polyphony.run('do it', {}, { approval });
    expect(outcome).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'plan_approval' }] });
    expect(w.ran).toEqual(['fails']);
    await w.polyphony.close();
  });
});
