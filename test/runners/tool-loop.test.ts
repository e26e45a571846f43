import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ChatRequest, ModelEvent, ToolResultPart } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Tool, ToolContext } from '../../src/core/plugin.ts';
import { collected, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { run, setUp } from './run-node.ts';
import { CALL_COST } from './scripted-gateway.ts';

const call = (name: string, args: object, id = 'c1'): ModelEvent => ({
  type: 'tool-call',
  call: { type: 'tool-call', id, name, arguments: args as never },
});

/** A tool that keeps the keys of its calls. */
function noted(name: string, answer: (input: Readonly<Record<string, unknown>>, context: ToolContext) => unknown) {
  const keys: string[] = [];
  const tool: Tool = {
    name,
    description: 'For tests.',
    input: {},
    async run(input, context) {
      keys.push(context.idempotencyKey.replace(/^[^/]*/, ''));
      return answer(input, context);
    },
  };
  return { tool, keys };
}

const asking = (...tools: string[]): PlanNode => ({ id: 'a', use: 'llm', in: { prompt: 'x', tools } });
const toolsOf = (...tools: Tool[]) => ({ tools: new Map(tools.map((tool) => [tool.name, tool])) });
const lastMessage = (request: unknown) => (request as ChatRequest).messages.at(-1)?.content;

describe('the calls of tools', () => {
  it('are events with arguments, result or error, round and id', async () => {
    const { tool } = noted('lookup', () => ({ found: 3 }));
    const first = [call('lookup', { q: 1 }, 'x'), call('fly', {}, 'y')];
    const { events } = await run([first, [call('lookup', { q: 2 }, 'z')], 'done'], asking('lookup'), toolsOf(tool));
    const calls = events.filter((event) => event.type === 'tool-call');
    expect(calls.sort((a, b) => a.round - b.round || a.index - b.index)).toMatchObject([
      { nodeId: 'a', round: 1, index: 0, callId: 'x', name: 'lookup', arguments: { q: 1 }, result: { found: 3 } },
      { nodeId: 'a', round: 1, index: 1, callId: 'y', name: 'fly', error: { code: 'invalid-request' } },
      { nodeId: 'a', round: 2, index: 0, callId: 'z', costNanoUsd: 0 },
    ]);
    const answers = events.filter(({ type }) => type === 'model-answered');
    expect(answers).toMatchObject([
      { round: 1, costNanoUsd: CALL_COST, asked: 1 },
      { round: 2, costNanoUsd: CALL_COST, asked: 2 },
    ]);
  });

  it('hand texts to the model as they are, and everything else as JSON', async () => {
    const texts = ['say "hi"\nto all', '', '{"a":1}'];
    const { tool } = noted('say', ({ n }) => [...texts, { a: 1 }, 7, null, undefined][Number(n)]);
    const calls = Array.from({ length: 7 }, (_, n) => call('say', { n }, `c${n}`));
    const { gateway } = await run([calls, 'done'], asking('say'), toolsOf(tool));
    const contents = (lastMessage(gateway.asked[1]?.request) as readonly ToolResultPart[]).map(
      ({ content }) => content,
    );
    expect(contents).toEqual([...texts, '{"a":1}', '7', 'null', 'null']);
  });

  it('hand pictures and files to the model as parts, never their bytes as text', async () => {
    const picture = { type: 'base64', data: 'cGljdHVyZQ==', mediaType: 'image/png' } as const;
    const page = { ...picture, mediaType: 'application/pdf' };
    const { tool } = noted('see', () => ({ path: 'a.png', image: picture, file: page }));
    const known = toolsOf({ ...tool, output: { type: 'object' } });
    const { gateway } = await run([[call('see', {})], 'done'], asking('see'), known);
    expect(lastMessage(gateway.asked[1]?.request)).toMatchObject([
      {
        content: [
          { type: 'text', text: '{"path":"a.png","image":"image/png","file":"application/pdf"}' },
          { type: 'image', source: picture },
          { type: 'file', source: page },
        ],
      },
    ]);
  });

  it('do not run again when the model failed after them', async () => {
    const { tool, keys } = noted('pay', () => 'paid');
    const down = new PolyphonyError('overloaded', 'too busy');
    const world = setUp([[call('pay', {})], down, 'done'], toolsOf(tool));
    const plan = validPlan({ nodes: [asking('pay')] });
    const failed = await settled(world, world.engine.start(plan, {}));
    expect(failed).toMatchObject({ status: 'failed', costNanoUsd: 2 * CALL_COST });
    const result = await settled(world, await world.engine.resume(failed.runId));
    expect(result).toMatchObject({ status: 'done', output: { a: { text: 'done' } }, costNanoUsd: 3 * CALL_COST });
    expect(keys).toEqual(['/a/tool/0.0']);
    expect(lastMessage(world.gateway.asked[2]?.request)).toMatchObject([{ id: 'c1', content: 'paid' }]);
  });

  it('run again with the same key when they were cut off, and only those', async () => {
    let hangs = true;
    const { tool, keys } = noted('pay', ({ to }, { signal }) => {
      if (to !== 'bob' || !hangs) return 'paid';
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
    });
    const world = setUp([[call('pay', { to: 'ada' }, 'x'), call('pay', { to: 'bob' }, 'y')], 'done'], toolsOf(tool));
    const node = { ...asking('pay'), limits: { seconds: 5 } };
    const failed = await settled(world, world.engine.start(validPlan({ nodes: [node] })));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    hangs = false;
    const result = await settled(world, await world.engine.resume(failed.runId));
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 2 * CALL_COST });
    expect(keys).toEqual(['/a/tool/0.0', '/a/tool/0.1', '/a/tool/0.1']);
  });

  it('are kept by a fork of a run that stopped between them', async () => {
    const { tool, keys } = noted('pay', () => 'paid');
    const down = new PolyphonyError('overloaded', 'too busy');
    const world = setUp([[call('pay', {})], down, 'done'], toolsOf(tool));
    const other: PlanNode = { id: 'b', use: 'value', in: { n: 1 }, needs: ['a'] };
    const failed = await settled(world, world.engine.start(validPlan({ nodes: [asking('pay'), other] })));
    const fork = await world.engine.fork(failed.runId, { from: 'b' });
    expect(await settled(world, fork)).toMatchObject({ status: 'done', costNanoUsd: CALL_COST });
    expect(keys).toEqual(['/a/tool/0.0']);
    const types = (await collected(world.journal.read(fork.runId))).map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['run-started', 'model-answered', 'tool-call']);
  });

  it('hand back an error for a result that the run has no room for', async () => {
    const { tool, keys } = noted('fetch', () => 'x'.repeat(9 * 1_048_576));
    const { result, gateway } = await run([[call('fetch', {})], 'done'], asking('fetch'), toolsOf(tool));
    expect(result).toMatchObject({ status: 'done' });
    expect(keys).toHaveLength(1);
    expect(lastMessage(gateway.asked[1]?.request)).toMatchObject([
      { isError: true, content: expect.stringContaining('limits.values.valueBytes') },
    ]);
  });

  it('are recorded through middlewares that pass on a copy of the call', async () => {
    const { tool } = noted('look', () => 1);
    const { events } = await run([[call('look', {})], 'done'], asking('look'), {
      ...toolsOf(tool),
      around: [(inner, next) => next({ ...inner })],
    });
    expect(events.filter(({ type }) => type === 'tool-call')).toHaveLength(1);
  });

  it('count towards the tokens of the node over all processes', async () => {
    const { tool } = noted('look', () => 1);
    const down = new PolyphonyError('overloaded', 'too busy');
    const world = setUp([[call('look', {})], [call('look', {})], down, 'late'], toolsOf(tool));
    const node = { ...asking('look'), limits: { tokens: 45 } };
    const failed = await settled(world, world.engine.start(validPlan({ nodes: [node] })));
    const result = await settled(world, await world.engine.resume(failed.runId));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'overloaded' } });
    expect(result.usage.input + result.usage.output).toBeLessThanOrEqual(60);
  });
});
