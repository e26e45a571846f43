import { describe, expect, it } from 'vitest';
import type { PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, settled } from '../executor/harness.ts';
import { planned, scriptedPlanner } from '../executor/scripted-planner.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { add, run, setUp } from './run-node.ts';
import { CALL_COST } from './scripted-gateway.ts';

describe('runs within runs', () => {
  const inner = validPlan({
    nodes: [
      { id: 'x', use: 'llm', in: { prompt: '{{input.text}}' } },
      { id: 'ask', use: 'human', in: { question: 'Is {{x.text}} right?' } },
      { id: 'more', use: 'human', in: { question: 'Sure?' }, needs: ['ask'] },
    ],
    output: { said: '{{x.text}}', by: '{{ask.answer}}', sure: '{{more.answer}}' },
  });
  const outer: PlanNode = { id: 'sub', use: 'workflow:inner', in: { text: 'go' } };
  const workflows = (id: string): ValidPlan | undefined => (id === 'inner' ? inner : undefined);

  it('passes questions up and answers down, and pays once', async () => {
    const { engine, result, handle, gateway, ...world } = await run(['said'], outer, { workflows });
    expect(result).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'sub', question: 'Is said right?' }] });
    await engine.answer(handle.runId, 'sub', 'yes');
    const next = await settled(world, await engine.resume(handle.runId));
    expect(next).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'sub', question: 'Sure?' }] });
    await engine.answer(handle.runId, 'sub', 'very');
    const last = await settled(world, await engine.resume(handle.runId));
    expect(last).toMatchObject({
      status: 'done',
      output: { sub: { said: 'said', by: 'yes', sure: 'very' } },
      costNanoUsd: CALL_COST,
    });
    expect(gateway.asked.length).toBe(1);
    expect(gateway.asked[0]?.options.scopes?.filter(({ kind }) => kind === 'run').map(({ id }) => id)).toEqual([
      handle.runId,
      `${handle.runId}.sub`,
    ]);
    await expect(engine.resume(`${handle.runId}.sub`)).rejects.toMatchObject({ code: 'invalid-request' });
  });

  it('holds an answer to the question inside: its choices, its schema, its item', async () => {
    const asking = validPlan({
      nodes: [
        {
          id: 'each',
          use: 'human',
          each: '{{input.list}}',
          in: { question: 'Same words?', choices: ['Send', 'Keep'], approve: 'Send' },
        },
        { id: 'count', use: 'human', needs: ['each'], in: { question: 'N?' }, out: { answer: 'integer' } },
      ],
      output: { sent: '{{each}}', count: '{{count.answer}}' },
    });
    const node: PlanNode = { id: 'sub', use: 'workflow:inner', in: { list: ['a', 'b'] } };
    const { engine, result, handle, ...world } = await run([], node, { workflows: () => asking });
    const { runId } = handle;
    const asked = { nodeId: 'sub', choices: ['Send', 'Keep'], approve: 'Send' };
    expect(result.waiting).toMatchObject([
      { ...asked, id: 'sub/each[0]' },
      { ...asked, id: 'sub/each[1]' },
    ]);
    expect(result.waiting?.[0]).not.toHaveProperty('item');
    const refused = { code: 'invalid-request' };
    await expect(engine.answer(runId, 'sub', 'yes')).rejects.toMatchObject(refused);
    for (const answer of ['Keep', 'Send']) {
      await engine.answer(runId, 'sub', answer);
      await settled(world, await engine.resume(runId));
    }
    await expect(engine.answer(runId, 'sub', 'two')).rejects.toMatchObject(refused);
    await engine.answer(runId, 'sub', 2);
    const sent = [
      { answer: 'Keep', approved: false },
      { answer: 'Send', approved: true },
    ];
    const last = await settled(world, await engine.resume(runId));
    expect(last).toMatchObject({ status: 'done', output: { sub: { sent, count: 2 } } });
  });

  it('passes an answer to no other item that asks the same, when its own was answered before a crash', async () => {
    const asking = validPlan({
      nodes: [{ id: 'ask', use: 'human', each: '{{input.list}}', in: { question: 'Same words?' } }],
      output: '{{ask}}',
    });
    const node: PlanNode = { id: 'sub', use: 'workflow:inner', in: { list: ['a', 'b'] } };
    const { journal } = memoryStores();
    const { engine, handle, ...world } = await run([], node, { journal, workflows: () => asking });
    const { runId } = handle;
    await engine.answer(`${runId}.sub`, 'ask', 'first', { item: 0 });
    // As an earlier version recorded it: at the node, before it reached the run inside.
    const seq = (await collected(journal.read(runId))).length + 1;
    await journal.append(runId, [{ seq, at: 0, runId, type: 'answer', nodeId: 'sub', answer: 'first' }]);
    const half = await settled(world, await engine.resume(handle.runId));
    expect(half).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'sub', question: 'Same words?' }] });
    await engine.answer(handle.runId, 'sub', 'second');
    const last = await settled(world, await engine.resume(handle.runId));
    expect(last.output).toMatchObject({ sub: [{ answer: 'first' }, { answer: 'second' }] });
  });

  it('asks each item of a node whose nested runs ask', async () => {
    const inside = validPlan({
      nodes: [{ id: 'ask', use: 'human', in: { question: 'Well?' } }],
      output: { by: '{{ask.answer}}' },
    });
    const list: PlanNode = { id: 'list', use: 'value', in: { names: ['a', 'b'] } };
    const node: PlanNode = { id: 'sub', use: 'workflow:inner', each: '{{list.names}}', in: {} };
    const { engine, result, handle, ...world } = await run([], [list, node], { workflows: () => inside });
    expect(result.waiting).toMatchObject([0, 1].map((item) => ({ nodeId: 'sub', item, question: 'Well?' })));
    await engine.answer(handle.runId, 'sub', 'second', { item: 1 });
    await engine.answer(handle.runId, 'sub', 'first', { item: 0 });
    const last = await settled(world, await engine.resume(handle.runId));
    expect(last.output).toMatchObject({ sub: [{ by: 'first' }, { by: 'second' }] });
  });

  it('bounds how deep they go', async () => {
    const recursive = validPlan({ nodes: [{ id: 'again', use: 'workflow:self' }] });
    const { result } = await run([], { id: 'sub', use: 'workflow:self' }, { workflows: () => recursive, nesting: 2 });
    expect(result.error?.message).toContain('at most 2 are allowed');
  });

  it('goes on with a nested run that failed instead of paying for it again', async () => {
    let broke = true;
    const flaky: Tool = {
      ...add,
      name: 'flaky',
      input: {},
      run: async () => {
        if (broke) throw new Error('not now');
        return 'fine';
      },
    };
    const plan = validPlan({
      nodes: [
        { id: 'paid', use: 'llm', in: { prompt: 'x' } },
        { id: 'then', use: 'tool:flaky', needs: ['paid'] },
      ],
      output: '{{then.result}}',
    });
    const { engine, result, handle, gateway, ...world } = await run(['once'], outer, {
      workflows: () => plan,
      tools: new Map([['flaky', flaky]]),
    });
    expect(result).toMatchObject({ status: 'failed', costNanoUsd: CALL_COST, error: { code: 'tool-failed' } });
    broke = false;
    const next = await settled(world, await engine.resume(handle.runId));
    expect(next).toMatchObject({ status: 'done', output: { sub: 'fine' }, costNanoUsd: CALL_COST });
    expect(gateway.asked.length).toBe(1);
  });

  it('plans a goal and runs that plan', async () => {
    const plan = validPlan({
      nodes: [{ id: 'x', use: 'value', in: { goal: '{{input.goal}}' } }],
      output: '{{x.goal}}',
    });
    const { result } = await run(
      [],
      { id: 'p', use: 'plan', in: { goal: 'win' } },
      {
        planner: scriptedPlanner({ plan: async () => planned(plan, 77) }),
      },
    );
    expect(result).toMatchObject({ output: { p: { output: 'win', plan: { nodes: [{ id: 'x' }] } } }, costNanoUsd: 77 });
  });

  it('is cancelled with the run around it', async () => {
    const slow: Tool = {
      ...add,
      name: 'slow',
      input: {},
      run: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
    };
    const plan = validPlan({ nodes: [{ id: 'then', use: 'tool:slow' }] });
    const world = setUp([], { workflows: () => plan, tools: new Map([['slow', slow]]) });
    const handle = world.engine.start(validPlan({ nodes: [outer] }));
    await world.runtime.clock.advance(10);
    handle.cancel('enough');
    expect(await handle.result()).toMatchObject({ status: 'cancelled' });
    expect((await world.engine.inspect(`${handle.runId}.sub`)).status).toBe('cancelled');
    expect(world.runtime.clock.pending()).toBe(0);
  });
});
