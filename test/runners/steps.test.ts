import { describe, expect, it } from 'vitest';
import type { ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Step } from '../../src/core/plugin.ts';
import type { NodeCall } from '../../src/core/run/engine.ts';
import { finish } from '../../src/testing/fakes.ts';
import { run } from './run-node.ts';
import { CALL_COST } from './scripted-gateway.ts';

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
  it('takes no picture that was filtered, which is paid all the same', async () => {
    const [node, event] = cases[0] as (typeof cases)[number];
    const { result } = await run([[event, finish({ reason: 'content-filter' })]], node);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'content-policy' }, costNanoUsd: CALL_COST });
  });
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
    expect(failed.result.error).toMatchObject({
      code: 'tool-failed',
      message: 'Tool broken failed in node a: out of order',
    });
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

  it('gives a step a call that it can spread: every field of the engine is in the copy, and works there', async () => {
    const seen: NodeCall[] = [];
    const step: Step = {
      type: { use: 'look', description: '', input: {} },
      run: async (call) => {
        seen.push({ ...call });
        return { value: null, costNanoUsd: 0 };
      },
    };
    await run([], { id: 'a', use: 'look', in: { text: 'hi' } }, { steps: [step] });
    await run(
      [],
      { id: 'a', use: 'look', in: { text: 'hi' } },
      { steps: [step], around: [(call, next) => next(call)] },
    );
    for (const call of seen) {
      expect(call).toMatchObject({
        node: { id: 'a' },
        inputs: { text: 'hi' },
        level: 0,
        concurrency: expect.any(Number),
      });
      expect(call.signal.aborted).toBe(false);
      expect(call.scopes.map(({ kind }) => kind)).toEqual(['tenant', 'run', 'node']);
      for (const work of [call.emit, call.report, call.count, call.giveSlotBack, call.takeSlot])
        expect(work).toBeTypeOf('function');
      expect(call.loop).toBeDefined();
      expect(call.plan?.nodes).toHaveLength(1);
    }
    expect(seen).toHaveLength(2);
  });
});
