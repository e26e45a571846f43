import { describe, expect, it } from 'vitest';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunResult } from '../../src/core/run/engine.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { run, type SetUp, setUp } from './run-node.ts';
import { type Answer, CALL_COST } from './scripted-gateway.ts';

const call = (name: string, args: unknown = {}, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});
const told = (request: unknown) => (request as ChatRequest).messages.at(-1)?.content;
const node = (more: Readonly<Record<string, unknown>>, rest: Partial<PlanNode> = {}): PlanNode => ({
  id: 'a',
  use: 'llm',
  in: { prompt: 'go', ...more },
  ...rest,
});

const FLOWS: Readonly<Record<string, Plan>> = {
  digest: {
    version: 1,
    id: 'digest',
    goal: 'Sums a text up.',
    input: { text: 'string', lines: 'integer?' },
    nodes: [{ id: 'short', use: 'llm', in: { prompt: 'sum up {{input.text}}' } }],
    output: { summary: '{{short.text}}' },
  },
  refund: {
    version: 1,
    id: 'refund',
    input: { order: 'string' },
    nodes: [
      { id: 'check', use: 'human', in: { question: 'Refund {{input.order}}?' } },
      { id: 'done', use: 'value', in: { ok: '{{check.approved}}' } },
    ],
    output: '{{done.ok}}',
  },
  paused: {
    version: 1,
    id: 'paused',
    nodes: [
      { id: 'said', use: 'llm', in: { prompt: 'say' } },
      { id: 'held', use: 'tool:hanging', in: {}, needs: ['said'] },
    ],
    output: 'never',
  },
  faulty: { version: 1, id: 'faulty', nodes: [{ id: 'x', use: 'tool:broken', in: {} }], output: 'never' },
};

const broken: Tool = {
  name: 'broken',
  description: 'Fails.',
  input: {},
  run: async () => {
    throw new Error('out of order');
  },
};

const hanging: Tool = {
  ...broken,
  name: 'hanging',
  run: (_input, { signal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
};

function worldOf(answers: readonly Answer[], more: SetUp = {}) {
  const workflows = (id: string) => (FLOWS[id] === undefined ? undefined : validPlan({ ...FLOWS[id] }));
  return setUp(answers, { tools: new Map([broken, hanging].map((tool) => [tool.name, tool])), workflows, ...more });
}

async function start(world: ReturnType<typeof worldOf>, of: PlanNode, options: object = {}): Promise<RunResult> {
  return settled(world, world.engine.start(validPlan({ nodes: [of] }), options));
}

describe('a workflow that a model calls as a tool', () => {
  it('is paid once where it is stopped with others beside it', async () => {
    const world = worldOf([[call('workflow:paused'), call('workflow:paused', {}, 'c2')], 'one', 'two']);
    const handle = world.engine.start(validPlan({ nodes: [node({ tools: ['workflow:paused'] })] }));
    while (world.gateway.asked.length < 3) await world.runtime.clock.advance(1);
    await world.runtime.clock.advance(1);
    const cancelled = world.engine.cancel(handle.runId, 'enough');
    const result = await settled(world, handle);
    await cancelled;
    expect(result).toMatchObject({ status: 'cancelled', costNanoUsd: 3 * CALL_COST, usage: { input: 30, output: 15 } });
  });

  it('is offered with the schema of its input, runs as a nested run, and is counted with the node', async () => {
    const world = worldOf([[call('workflow:digest', { text: 'long' })], 'short', 'done']);
    const result = await start(world, node({ tools: ['workflow:digest'] }), { tags: { team: 'blue' } });
    expect(result).toMatchObject({ status: 'done', output: { a: { text: 'done' } }, costNanoUsd: 3 * CALL_COST });
    expect(result.usage).toEqual({ input: 30, output: 15 });
    const offered = { name: 'workflow:digest', description: 'Sums a text up.', inputSchema: { required: ['text'] } };
    expect(world.gateway.asked[0]?.request).toMatchObject({ tools: [offered] });
    expect(told(world.gateway.asked[2]?.request)).toMatchObject([{ content: '{"summary":"short"}' }]);
    const nested = await world.engine.inspect(`${result.runId}.a.tool.0.0`);
    expect(nested).toMatchObject({ status: 'done', costNanoUsd: CALL_COST });
    const records = await collected(world.journal.read(result.runId));
    expect(records.filter(({ type }) => type === 'tool-call')).toMatchObject([
      { name: 'workflow:digest', result: { summary: 'short' }, costNanoUsd: CALL_COST },
    ]);
    expect(await world.engine.inspect(result.runId)).toMatchObject({ costNanoUsd: 3 * CALL_COST, usage: result.usage });
  });

  it('gets no input that does not fit, and tells the model why it failed', async () => {
    const world = worldOf([[call('workflow:digest', { words: 3 }), call('workflow:faulty', {}, 'c2')], 'sorry']);
    const result = await start(world, node({ tools: ['workflow:digest', 'workflow:faulty'] }));
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 2 * CALL_COST });
    expect(told(world.gateway.asked[1]?.request)).toMatchObject([
      { isError: true, content: expect.stringContaining('text') },
      { isError: true, content: expect.stringContaining('out of order') },
    ]);
  });

  it('asks its own questions through the node, after the call itself was approved', async () => {
    const calls = [call('workflow:refund', { order: 'o1' }, 'x'), call('workflow:refund', { order: 'o2' }, 'y')];
    const world = worldOf([calls, 'done']);
    const asking = node({ tools: ['workflow:refund'], approve: ['workflow:refund'] });
    let result = await start(world, asking);
    const asked: unknown[] = [];
    for (let turn = 0; turn < 8 && result.status === 'suspended'; turn += 1) {
      const [question] = result.waiting ?? [];
      asked.push(question?.data ?? question?.question);
      const given = turn === 0 ? { approved: true, arguments: { order: 'o9' } } : 'yes';
      await world.engine.answer(result.runId, 'a', given);
      result = await settled(world, await world.engine.resume(result.runId));
    }
    const tool = 'workflow:refund';
    expect(asked).toEqual([
      { tool, arguments: { order: 'o1' } },
      'Refund o9?',
      { tool, arguments: { order: 'o2' } },
      'Refund o2?',
    ]);
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 2 * CALL_COST });
    expect(told(world.gateway.asked[1]?.request)).toMatchObject([
      { content: expect.stringContaining('true') },
      { content: 'true' },
    ]);
  });

  it('goes on with a single slot, and is bounded in depth', async () => {
    const world = worldOf([
      [call('workflow:digest', { text: 'x' }), call('workflow:digest', { text: 'y' }, 'c2')],
      's',
      't',
      'done',
    ]);
    expect(await start(world, node({ tools: ['workflow:digest'] }), { concurrency: 1 })).toMatchObject({
      status: 'done',
    });
    const flat = worldOf([[call('workflow:digest', { text: 'x' })], 'flat'], { nesting: 0 });
    expect(await start(flat, node({ tools: ['workflow:digest'] }))).toMatchObject({ output: { a: { text: 'flat' } } });
    expect(told(flat.gateway.asked[1]?.request)).toMatchObject([{ isError: true }]);
  });

  it('runs no more when it has spent its limit, which its calls are charged to', async () => {
    const usd = CALL_COST / 1e9;
    const of = node({ tools: ['workflow:digest'], toolLimits: { 'workflow:digest': { usd } } });
    const world = worldOf([
      [call('workflow:digest', { text: 'x' })],
      's',
      [call('workflow:digest', { text: 'y' })],
      'done',
    ]);
    const result = await start(world, of);
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 4 * CALL_COST });
    expect(told(world.gateway.asked[3]?.request)).toMatchObject([
      { isError: true, content: expect.stringContaining('spent') },
    ]);
    expect(world.gateway.asked[1]?.options.scopes).toContainEqual({
      kind: 'node',
      id: `${result.runId}/a/tool/workflow:digest`,
      capNanoUsd: CALL_COST,
      spentNanoUsd: 0,
    });
  });
});

describe('agents that hand the conversation over', () => {
  const team = {
    system: 'You greet.',
    tools: ['add'],
    agents: {
      money: { about: 'invoices', system: 'You count.', tools: ['broken'], model: { tier: 'premium' } },
      care: { system: 'You soothe.' },
    },
  };

  it('are asked with their own prompt, tools and model, and all that was said', async () => {
    const answers = [
      [call('handoff:money')],
      [call('broken', {}, 'b')],
      [call('handoff:care')],
      [call('handoff:a')],
      'bye',
    ];
    const { result, gateway, events } = await run(answers, node(team));
    expect(result).toMatchObject({ status: 'done', output: { a: { text: 'bye' } }, costNanoUsd: 5 * CALL_COST });
    const seen = gateway.asked.map(({ request }) => {
      const { messages, tools, model } = request as ChatRequest;
      return [messages[0]?.content, messages.length, tools?.map(({ name }) => name).join(), model];
    });
    expect(seen).toEqual([
      ['You greet.', 2, 'add,handoff:money,handoff:care', undefined],
      ['You count.', 4, 'broken,handoff:a,handoff:care', { tier: 'premium' }],
      ['You count.', 6, 'broken,handoff:a,handoff:care', { tier: 'premium' }],
      ['You soothe.', 8, 'handoff:a,handoff:money', undefined],
      ['You greet.', 10, 'add,handoff:money,handoff:care', undefined],
    ]);
    const calls = events.flatMap((event) => (event.type === 'tool-call' ? [event.name] : []));
    expect(calls).toEqual(['handoff:money', 'broken', 'handoff:care', 'handoff:a']);
  });

  it('have only the tools of their own, and take rounds as any call does', async () => {
    const { result, gateway } = await run(
      [[call('handoff:care')], [call('add', { a: 1, b: 1 })], 'x'],
      node({ ...team, rounds: 2 }),
    );
    expect(result.status).toBe('done');
    expect(told(gateway.asked[2]?.request)).toMatchObject([{ isError: true }]);
    expect(gateway.asked[2]?.request).toMatchObject({ toolChoice: 'none' });
  });

  it.each([
    [{ 'No Name': { system: 'x' } }],
    [{ a: { system: 'the id of the node' } }],
    [{ money: 'not one' }],
    [{ money: { system: 'x', tools: ['nothing'] } }],
    [Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`b${n}`, { system: 'x' }]))],
    ['money'],
  ])('are refused before anything is paid where they are none: %j', async (agents) => {
    const { result, gateway } = await run(['x'], node({ agents }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-request' } });
    expect(gateway.asked).toHaveLength(0);
  });
});
