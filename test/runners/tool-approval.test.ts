import { describe, expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunResult } from '../../src/core/run/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { add, type SetUp, setUp } from './run-node.ts';
import { type Answer, CALL_COST } from './scripted-gateway.ts';

const call = (name: string, args: unknown = {}, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});

const AMOUNT = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] } as const;

/** A world whose tool `pay` keeps what it was called with, and the key of each call. */
function worldOf(answers: readonly Answer[], more: SetUp = {}) {
  const paid: unknown[] = [];
  const keys: string[] = [];
  const pay: Tool = {
    name: 'pay',
    description: 'Pays.',
    input: AMOUNT,
    run: async ({ amount }, { idempotencyKey }) => {
      paid.push(amount);
      keys.push(idempotencyKey);
      return `paid ${amount}`;
    },
  };
  const tools = new Map([pay, add].map((tool) => [tool.name, tool]));
  return { paid, keys, ...setUp(answers, { tools, ...more }) };
}

const PAYING: PlanNode = { id: 'a', use: 'llm', in: { prompt: 'pay', tools: ['pay', 'add'], approve: ['pay'] } };
const told = (request: unknown) => (request as ChatRequest).messages.at(-1)?.content;

async function begin(world: ReturnType<typeof worldOf>, node: PlanNode = PAYING, input = {}) {
  return settled(world, world.engine.start(validPlan({ nodes: [node] }), { input }));
}

async function answer(world: ReturnType<typeof worldOf>, { runId }: RunResult, given: unknown, item?: number) {
  await world.engine.answer(runId, 'a', given, item === undefined ? {} : { item });
  return settled(world, await world.engine.resume(runId));
}

describe('a call that a person approves', () => {
  it('suspends the run with the call as data, and runs once it is approved', async () => {
    const world = worldOf([[call('pay', { amount: 5 })], 'done']);
    const asked = await begin(world);
    expect(asked).toMatchObject({ status: 'suspended', costNanoUsd: CALL_COST });
    expect(asked.waiting).toMatchObject([
      { nodeId: 'a', data: { tool: 'pay', arguments: { amount: 5 } }, origin: `${asked.runId}/a/tool/0.0` },
    ]);
    expect(world.paid).toEqual([]);
    const done = await answer(world, asked, 'yes');
    expect(done).toMatchObject({ status: 'done', output: { a: { text: 'done' } }, costNanoUsd: 2 * CALL_COST });
    expect(world.paid).toEqual([5]);
    expect(world.gateway.asked).toHaveLength(2);
    expect(told(world.gateway.asked[1]?.request)).toMatchObject([{ content: 'paid 5' }]);
    const calls = (await collected(world.journal.read(asked.runId))).filter(({ type }) => type === 'tool-call');
    expect(calls).toMatchObject([{ name: 'pay', approval: 'approved', result: 'paid 5' }]);
  });

  it.each([
    ['no', ''],
    ['too much for one day', 'too much for one day'],
    [false, ''],
    [null, ''],
    [{ approved: false, answer: 'ask tomorrow' }, 'ask tomorrow'],
    [{ approved: false, arguments: { amount: 1 } }, ''],
    [{ approved: 'true' }, ''],
    [{ arguments: { amount: 1 } }, ''],
    ['yes, but not today', 'yes, but not today'],
  ])('is refused by what is no clear yes, and the model is told: %j', async (given, reason) => {
    const world = worldOf([[call('pay', { amount: 5 })], 'then not']);
    const done = await answer(world, await begin(world), given);
    expect(done).toMatchObject({ status: 'done', output: { a: { text: 'then not' } } });
    expect(world.paid).toEqual([]);
    const [part] = told(world.gateway.asked[1]?.request) as unknown as [{ content: string }];
    expect(part).toMatchObject({ isError: true });
    expect(part.content).toContain('A person refused this call of pay');
    expect(part.content).toContain(reason);
  });

  it('runs with the arguments that the person puts in their place, which the model is told', async () => {
    const world = worldOf([[call('pay', { amount: 500 })], 'done']);
    const asked = await begin(world);
    const given = { approved: true, arguments: { amount: 50 } };
    const misfit = world.engine.answer(asked.runId, 'a', { approved: true, arguments: { amount: 'few' } });
    await expect(misfit).rejects.toMatchObject({ code: 'invalid-request' });
    const done = await answer(world, asked, given);
    expect(done.status).toBe('done');
    expect(world.paid).toEqual([50]);
    const [part] = told(world.gateway.asked[1]?.request) as unknown as [{ content: string }];
    expect(part.content).toContain('{"amount":50}');
    expect(part.content).toContain('paid 50');
    const calls = (await collected(world.journal.read(asked.runId))).filter(({ type }) => type === 'tool-call');
    expect(calls).toMatchObject([{ approval: 'changed', arguments: { amount: 50 } }]);
  });

  it('is no question where it cannot run at all', async () => {
    const world = worldOf([[call('pay', { amount: 'much' }), call('steal', {}, 'c2')], 'sorry']);
    expect(await begin(world)).toMatchObject({ status: 'done' });
    expect(told(world.gateway.asked[1]?.request)).toMatchObject([{ isError: true }, { isError: true }]);
  });

  it('waits beside calls that need no approval, each call of a round with a question of its own', async () => {
    const calls = [call('pay', { amount: 1 }, 'x'), call('add', { a: 1, b: 2 }, 'y'), call('pay', { amount: 2 }, 'z')];
    const world = worldOf([calls, 'done']);
    const first = await begin(world);
    expect(first.waiting).toMatchObject([{ data: { arguments: { amount: 1 } } }]);
    const second = await answer(world, first, 'no');
    expect(second.waiting).toMatchObject([{ data: { arguments: { amount: 2 } } }]);
    const done = await answer(world, second, 'yes');
    expect(done).toMatchObject({ status: 'done', costNanoUsd: 2 * CALL_COST });
    expect(world.paid).toEqual([2]);
    expect(told(world.gateway.asked[1]?.request)).toMatchObject([
      { isError: true },
      { content: '3' },
      { content: 'paid 2' },
    ]);
  });

  it('is asked per item of an each, and the others go on', async () => {
    const node = { ...PAYING, each: '{{input.list}}', limits: { concurrency: 1 } };
    const world = worldOf([[call('pay', { amount: 1 })], 'free', [call('pay', { amount: 3 })], 'one', 'three']);
    const asked = await begin(world, node, { list: ['p', 'q', 'r'] });
    expect(asked.waiting).toMatchObject([
      { item: 0, data: { arguments: { amount: 1 } } },
      { item: 2, data: { arguments: { amount: 3 } } },
    ]);
    await world.engine.answer(asked.runId, 'a', true, { item: 2 });
    const done = await answer(world, asked, 'yes', 0);
    expect(done).toMatchObject({ status: 'done', costNanoUsd: 5 * CALL_COST });
    expect([...world.paid].sort()).toEqual([1, 3]);
    expect(world.gateway.asked).toHaveLength(5);
  });

  it('goes on in the run that still works on something else, and in a round of a repeat, without asking a model again', async () => {
    let open = (): void => undefined;
    const slow: Tool = {
      name: 'slow',
      description: 'Waits.',
      input: {},
      run: () =>
        new Promise((done) => {
          open = () => done(1);
        }),
    };
    const answers: Answer[] = ['first round', [call('pay', { amount: 7 })], 'second round'];
    const world = worldOf(answers);
    const tools = new Map([...['pay', 'add'].map((name) => [name, toolNamed(world, name)] as const), ['slow', slow]]);
    const live = { ...world, ...setUp(answers, { tools }) };
    const nodes: PlanNode[] = [
      { ...PAYING, repeat: { until: 'false', max: 2 } },
      { id: 'other', use: 'tool:slow', in: {} },
    ];
    const handle = live.engine.start(validPlan({ nodes }), { budgetUsd: 1 });
    for await (const event of handle.events()) {
      if (event.type === 'node-suspended') await live.engine.answer(handle.runId, 'a', 'yes');
      if (event.type === 'node-finished' && event.nodeId === 'a') open();
    }
    const result = await handle.result();
    expect(result).toMatchObject({
      status: 'done',
      output: { a: { text: 'second round' } },
      costNanoUsd: 3 * CALL_COST,
    });
    expect(result.usage).toEqual({ input: 30, output: 15 });
    expect(live.gateway.asked).toHaveLength(3);
    expect(world.paid).toEqual([7]);
    expect(await live.engine.inspect(handle.runId)).toMatchObject({ costNanoUsd: 3 * CALL_COST, usage: result.usage });
  });

  it('is asked about again in a fork, where no call that has ended runs again', async () => {
    const calls = [[call('pay', { amount: 1 })], [call('pay', { amount: 2 })], 'done'] as const;
    const world = worldOf(calls);
    const other: PlanNode = { id: 'b', use: 'value', in: { n: 1 }, needs: ['a'] };
    const first = await settled(world, world.engine.start(validPlan({ nodes: [PAYING, other] })));
    const second = await answer(world, first, 'yes');
    await world.engine.answer(second.runId, 'a', 'yes');
    const forked = await settled(world, await world.engine.fork(second.runId, { from: 'b' }));
    const origin = `${forked.runId}/a/tool/1.0`;
    expect(forked).toMatchObject({ status: 'suspended', waiting: [{ data: { arguments: { amount: 2 } }, origin }] });
    const done = await answer(world, forked, 'yes');
    expect(done).toMatchObject({ status: 'done', costNanoUsd: CALL_COST });
    expect(world.keys).toEqual([`${first.runId}/a/tool/0.0`, origin]);
    expect(world.gateway.asked).toHaveLength(3);
  });

  it('is not approved by an answer that was given for other arguments', async () => {
    const world = worldOf([[call('pay', { amount: 1 })], [call('pay', { amount: 999 })], 'done']);
    const asked = await begin(world);
    await world.engine.answer(asked.runId, 'a', 'yes');
    // A journal that lost the round, as one without records of loops would: the model is asked again, and says something else.
    const records = (await collected(world.journal.read(asked.runId))).filter(({ type }) => type !== 'model-answered');
    const { journal } = memoryStores();
    await journal.append(asked.runId, records);
    const again = worldOf([[call('pay', { amount: 999 })], 'done'], { journal });
    const result = await settled(again, await again.engine.resume(asked.runId));
    expect(result).toMatchObject({ status: 'suspended', waiting: [{ data: { arguments: { amount: 999 } } }] });
    expect(again.paid).toEqual([]);
  });

  it('is charged where its run is cancelled while it waits', async () => {
    const world = worldOf([[call('pay', { amount: 7 })]]);
    const asked = await begin(world);
    await world.engine.cancel(asked.runId);
    expect(await world.engine.inspect(asked.runId)).toMatchObject({ status: 'cancelled', costNanoUsd: CALL_COST });
  });
});

const toolNamed = (world: ReturnType<typeof worldOf>, name: string): Tool =>
  name === 'add'
    ? add
    : { name, description: 'Pays.', input: AMOUNT, run: async ({ amount }) => world.paid.push(amount) };
