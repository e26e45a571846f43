import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/engine.ts';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { ChatRequest, ModelEvent } from '../../../src/core/model.ts';
import type { PlanNode, ValidPlan } from '../../../src/core/plan.ts';
import type { Tool } from '../../../src/core/plugin.ts';
import { createEngine } from '../../../src/executor/engine.ts';
import { createRunners, type RunnersOptions } from '../../../src/executor/runners/create-runners.ts';
import { fakeRuntime } from '../../../src/kit/testing/fakes.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { collected, settled } from '../harness.ts';
import { validPlan } from '../valid-plan.ts';
import { type Answer, CALL_COST, scriptedGateway } from './scripted-gateway.ts';

const add: Tool = {
  name: 'add',
  description: 'Adds two numbers.',
  input: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'] },
  run: async ({ a, b }) => Number(a) + Number(b),
};
const broken: Tool = {
  name: 'broken',
  description: 'Fails.',
  input: {},
  run: async () => {
    throw new Error('out of order');
  },
};

function setUp(answers: readonly Answer[], more: Partial<RunnersOptions> = {}) {
  const runtime = fakeRuntime();
  const gateway = scriptedGateway(answers);
  const journal = memoryStores({ clock: runtime.clock }).journal;
  const runners = createRunners({
    gateway,
    tools: new Map([add, broken].map((tool) => [tool.name, tool])),
    clock: runtime.clock,
    engine: () => engine,
    workflows: () => undefined,
    ...more,
  });
  const engine = createEngine({ runtime, journal, runners, validPlan });
  return { runtime, engine, journal, gateway };
}

async function run(
  answers: readonly Answer[],
  nodes: PlanNode | readonly PlanNode[],
  more: Partial<RunnersOptions> = {},
) {
  const world = setUp(answers, more);
  const plan = validPlan({ nodes: 'id' in nodes ? [nodes] : [...nodes] });
  const handle = world.engine.start(plan, { scopes: [{ kind: 'tenant', id: 't' }], session: 'talk' });
  const result = await settled(world, handle);
  return { ...world, handle, result, events: await collected(handle.events()) };
}

const chat = (request: unknown): ChatRequest => request as ChatRequest;
const deltas = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'node-delta' ? [event.text] : []));
const toolCall = (name: string, args: object, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});

describe('llm', () => {
  it('sends what the node says and streams the text', async () => {
    const { result, events, gateway, handle } = await run(['hello'], {
      id: 'a',
      use: 'llm',
      in: {
        prompt: 'Hi',
        system: 'Be kind',
        images: ['https://x.test/a.png'],
        temperature: 0.2,
        maxTokens: 50,
        reasoning: 'low',
      },
      model: { tier: 'fast' },
      escalate: { evaluator: 'validators', to: ['premium'] },
      limits: { usd: 0.5, retries: 1, seconds: 9 },
      sensitivity: 'personal',
      cache: 'skip',
    });
    expect(result).toMatchObject({ status: 'done', output: { a: { text: 'hello' } }, costNanoUsd: CALL_COST });
    expect(result.nodes[0]?.meta).toMatchObject({ model: 'one', provider: 'fake', rung: 0, costUsd: 0.000001 });
    expect(deltas(events)).toEqual(['hello']);
    const [first] = gateway.asked;
    expect(first?.request).toMatchObject({
      messages: [
        { role: 'system', content: 'Be kind' },
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'url' } },
            { type: 'text', text: 'Hi' },
          ],
        },
      ],
      model: { tier: 'fast' },
      escalate: { evaluator: 'validators', to: ['premium'] },
      limits: { usd: 0.5, retries: 1, milliseconds: 9000 },
      sensitivity: 'personal',
      cache: 'skip',
      temperature: 0.2,
      maxOutputTokens: 50,
      reasoning: { effort: 'low' },
    });
    expect(first?.options).toMatchObject({
      id: `${handle.runId}/a/1`,
      session: 'talk',
      scopes: [
        { kind: 'tenant', id: 't' },
        { kind: 'run', id: handle.runId },
        { kind: 'node', id: `${handle.runId}/a`, capNanoUsd: 0.5e9 },
      ],
    });
  });

  const typed: PlanNode = { id: 'a', use: 'llm', in: { prompt: 'Label' }, out: { label: 'billing|tech' } };

  it('gives exactly the object that out asks for', async () => {
    const { result, gateway } = await run(['```json\n{"label":"tech"}\n```'], typed);
    expect(result.output).toEqual({ a: { label: 'tech' } });
    expect(chat(gateway.asked[0]?.request).output).toMatchObject({ type: 'json', schema: { type: 'object' } });
  });

  it('repairs once with the issues, and charges both calls', async () => {
    const { result, gateway } = await run(['{"label":"other"}', '{"label":"tech"}'], typed);
    expect(result).toMatchObject({ output: { a: { label: 'tech' } }, costNanoUsd: 2 * CALL_COST });
    expect(result.nodes[0]?.meta?.warnings).toMatchObject([{ code: 'output-repaired' }]);
    const { messages } = chat(gateway.asked[1]?.request);
    expect(messages.at(-1)?.content).toContain('/label');
  });

  it('fails with invalid-output when the repair fails too, and charges both calls', async () => {
    const { result, gateway } = await run(['no', 'still no'], typed);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-output' }, costNanoUsd: 2 * CALL_COST });
    expect(gateway.asked.length).toBe(2);
  });

  it('charges what a failed call cost', async () => {
    const failure = new PolyphonyError('overloaded', 'too busy');
    const { result } = await run([failure], { id: 'a', use: 'llm', in: { prompt: 'Hi' } });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'overloaded' }, costNanoUsd: CALL_COST });
  });

  it('runs the tools that the model calls, in parallel, and hands back what they gave or why they failed', async () => {
    const calls = [
      toolCall('add', { a: 1, b: 2 }, 'c1'),
      toolCall('add', { a: 'x' }, 'c2'),
      toolCall('broken', {}, 'c3'),
    ];
    const { result, gateway } = await run([calls, 'three'], {
      id: 'a',
      use: 'llm',
      in: { prompt: '1+2', tools: ['add', 'broken'] },
    });
    expect(result).toMatchObject({ output: { a: { text: 'three' } }, costNanoUsd: 2 * CALL_COST });
    const { messages, tools } = chat(gateway.asked[1]?.request);
    expect(tools?.map(({ name }) => name)).toEqual(['add', 'broken']);
    expect(messages.at(-1)).toMatchObject({
      role: 'tool',
      content: [
        { id: 'c1', content: '3' },
        { id: 'c2', isError: true },
        { id: 'c3', isError: true, content: 'Tool broken failed: out of order' },
      ],
    });
  });

  it('makes the model answer once its rounds with tools are used up', async () => {
    const again = [toolCall('add', { a: 1, b: 2 })];
    const { result, gateway } = await run(
      [again, again, 'enough'],
      { id: 'a', use: 'llm', in: { prompt: 'x', tools: ['add'] } },
      { toolRounds: 2 },
    );
    expect(result.output).toEqual({ a: { text: 'enough' } });
    expect(chat(gateway.asked[2]?.request).toolChoice).toBe('none');
    expect(result.nodes[0]?.meta?.warnings).toMatchObject([{ code: 'tool-rounds' }]);
  });

  it('refuses a node without a question, and tools that nobody registered', async () => {
    expect((await run([], { id: 'a', use: 'llm', in: {} })).result.error?.message).toContain('"prompt" or "messages"');
    const unknown = await run([], { id: 'a', use: 'llm', in: { prompt: 'x', tools: ['fly'] } });
    expect(unknown.result.error?.message).toContain('use add, broken');
  });

  it('says that what was shown is void when the stream restarts', async () => {
    const restarted: ModelEvent[] = [
      { type: 'text-delta', text: 'hal' },
      { type: 'restart', notice: 'again' },
      { type: 'route', target: { provider: 'fake', model: 'two' } },
      { type: 'text-delta', text: 'hello' },
    ];
    const { result, events } = await run([restarted], { id: 'a', use: 'llm', in: { prompt: 'Hi' } });
    expect(result.output).toEqual({ a: { text: 'hello' } });
    expect(events.filter(({ type }) => type === 'node-delta')).toMatchObject([
      { text: 'hal' },
      { text: 'again', restart: true },
      { text: 'hello' },
    ]);
  });
});

describe('the other operations', () => {
  const image = { type: 'base64', data: 'AA==', mediaType: 'image/png' } as const;
  const cases: [PlanNode, ModelEvent, unknown][] = [
    [
      { id: 'a', use: 'image', in: { prompt: 'a cat' } },
      { type: 'output', output: { operation: 'image', images: [image] } },
      { image, images: [image] },
    ],
    [
      { id: 'a', use: 'embed', in: { input: 'x' } },
      { type: 'output', output: { operation: 'embed', vectors: [[1, 2]] } },
      { vectors: [[1, 2]] },
    ],
    [
      { id: 'a', use: 'moderate', in: { input: 'x' } },
      {
        type: 'output',
        output: {
          operation: 'moderate',
          results: [{ flagged: true, categories: { hate: true }, scores: { hate: 0.9 } }],
        },
      },
      { flagged: true, categories: { hate: true }, scores: { hate: 0.9 } },
    ],
    [
      { id: 'a', use: 'rerank', in: { query: 'q', documents: ['x', 'y'] } },
      { type: 'output', output: { operation: 'rerank', results: [{ index: 1, score: 0.8 }] } },
      { results: [{ index: 1, score: 0.8 }] },
    ],
  ];
  it.each(cases)('runs $use', async (node, event, expected) => {
    const { result } = await run([[event]], node);
    expect(result).toMatchObject({ status: 'done', output: { a: expected }, costNanoUsd: CALL_COST });
  });

  it('fails when there is no result', async () => {
    const { result } = await run([[]], { id: 'a', use: 'embed', in: { input: 'x' } });
    expect(result).toMatchObject({ error: { code: 'invalid-output' }, costNanoUsd: CALL_COST });
  });
});

describe('tools and values', () => {
  it('checks the input, wraps the result and names the tool that failed', async () => {
    expect((await run([], { id: 'a', use: 'tool:add', in: { a: 1, b: 2 } })).result.output).toEqual({
      a: { result: 3 },
    });
    const wrong = await run([], { id: 'a', use: 'tool:add', in: { a: 1 } });
    expect(wrong.result.error).toMatchObject({ code: 'invalid-request', details: { tool: 'add' } });
    const failed = await run([], { id: 'a', use: 'tool:broken' });
    expect(failed.result.error).toMatchObject({ code: 'tool-failed', message: 'Tool broken failed: out of order' });
  });

  it('holds any step to its out', async () => {
    const fits = await run([], { id: 'a', use: 'value', in: { n: 1 }, out: { n: 'integer' } });
    expect(fits.result.output).toEqual({ a: { n: 1 } });
    const wrong = await run([], { id: 'a', use: 'value', in: { n: 'x' }, out: { n: 'integer' } });
    expect(wrong.result.error).toMatchObject({ code: 'invalid-output' });
  });

  it('runs steps of plugins, inside the middlewares of plugins', async () => {
    const order: string[] = [];
    const { result } = await run(
      [],
      { id: 'a', use: 'shout', in: { text: 'hi' } },
      {
        steps: [
          {
            type: { use: 'shout', description: '', input: {} },
            run: async ({ inputs, signal }) => ({
              value: { text: String(inputs.text).toUpperCase(), signal: signal.aborted },
              costNanoUsd: 5,
            }),
          },
        ],
        around: [
          async (call, next) => {
            order.push('outer');
            return next({ ...call, inputs: { text: `${call.inputs.text}!` } });
          },
          async (call, next) => {
            order.push('inner');
            return next(call);
          },
        ],
      },
    );
    expect(result).toMatchObject({ output: { a: { text: 'HI!', signal: false } }, costNanoUsd: 5 });
    expect(order).toEqual(['outer', 'inner']);
  });
});

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
    const planned = validPlan({
      nodes: [{ id: 'x', use: 'value', in: { goal: '{{input.goal}}' } }],
      output: '{{x.goal}}',
    });
    const { result } = await run(
      [],
      { id: 'p', use: 'plan', in: { goal: 'win' } },
      {
        plan: async () => ({ plan: planned, costNanoUsd: 77 }),
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
