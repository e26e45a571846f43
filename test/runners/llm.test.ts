import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ChatRequest, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool } from '../../src/core/plugin.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { run, setUp } from './run-node.ts';
import { CALL_COST } from './scripted-gateway.ts';

const chat = (request: unknown): ChatRequest => request as ChatRequest;
const deltas = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'node-delta' ? [event.text] : []));
const toolCall = (name: string, args: object, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});

describe('llm', () => {
  it('bounds its answer where the node says nothing, and not where it does', async () => {
    const bounded = await run(['hello'], { id: 'a', use: 'llm', in: { prompt: 'Hi' } });
    expect(bounded.gateway.asked[0]?.request).toMatchObject({ answerTokens: 4096, repeatedCharacters: 2048 });
    expect(bounded.gateway.asked[0]?.request).not.toHaveProperty('maxOutputTokens');
    const stated = await run(['hello'], { id: 'a', use: 'llm', in: { prompt: 'Hi', maxTokens: 9000 } });
    expect(stated.gateway.asked[0]?.request).toMatchObject({ maxOutputTokens: 9000 });
    expect(stated.gateway.asked[0]?.request).not.toHaveProperty('answerTokens');
  });

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
      limits: { usd: 0.5, retries: 1, ms: 18_000, attemptMs: 9000 },
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

  it('reads what means what out asks for, for a warning and without a second call', async () => {
    const { result, gateway } = await run(['{"label":" Tech"}'], typed);
    expect(result).toMatchObject({ output: { a: { label: 'tech' } }, costNanoUsd: CALL_COST });
    expect(result.nodes[0]?.meta?.warnings).toMatchObject([{ code: 'output-coerced' }]);
    expect(gateway.asked).toHaveLength(1);
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

  it.each([
    [
      { tier: 'fast', intent: 'under $1, under 2 s' } as const,
      { model: { tier: 'fast' }, intent: 'under $1, under 2 s' },
    ],
    [{ intent: { ms: 800 } }, { intent: { ms: 800 } }],
  ])('asks within the intent of its model %j, which stands beside the model in a request', async (model, asked) => {
    const { result, gateway } = await run(['hello'], { id: 'a', use: 'llm', in: { prompt: 'Hi' }, model });
    expect(result.status).toBe('done');
    const { model: chosen, intent } = gateway.asked[0]?.request ?? {};
    expect({ ...(chosen === undefined ? {} : { model: chosen }), intent }).toEqual(asked);
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

  it('runs at most as many tools at once as the run may do things at once', async () => {
    let open = 0;
    let most = 0;
    const slow: Tool = {
      name: 'slow',
      description: 'Waits.',
      input: {},
      async run({ n }) {
        open += 1;
        most = Math.max(most, open);
        await new Promise(setImmediate);
        open -= 1;
        return n;
      },
    };
    const calls = Array.from({ length: 20 }, (_, n) => toolCall('slow', { n }, `c${n}`));
    const world = setUp([calls, 'done'], { tools: new Map([[slow.name, slow]]) });
    const plan = validPlan({ nodes: [{ id: 'a', use: 'llm', in: { prompt: 'x', tools: ['slow'] } }] });
    const result = await settled(world, world.engine.start(plan, { concurrency: 3 }));
    expect(result).toMatchObject({ status: 'done' });
    expect(most).toBe(3);
    const results = chat(world.gateway.asked[1]?.request).messages.at(-1)?.content;
    expect(results).toMatchObject(calls.map((_, n) => ({ id: `c${n}`, content: String(n) })));
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
    expect(unknown.result.error?.message).toContain('use one of add, broken');
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
