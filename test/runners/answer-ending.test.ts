/** What the end of an answer means for its node: cut, paused, refused, mended, and what of it stands in `meta`. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ChatRequest, FinishEvent, ModelEvent } from '../../src/core/model/model.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { fakeCard, finish } from '../../src/testing/fakes.ts';
import { run } from './run-node.ts';
import { CALL_COST } from './scripted-gateway.ts';

const ending = (fields: Partial<FinishEvent>): FinishEvent => finish({ costNanoUsd: CALL_COST, ...fields });
const said = (text: string, fields: Partial<FinishEvent> = {}): readonly ModelEvent[] => [
  { type: 'text-delta', text },
  ending(fields),
];
const cut = (text: string, fields: Partial<FinishEvent> = {}) => said(text, { reason: 'length', ...fields });
const chat = (request: unknown): ChatRequest => request as ChatRequest;
const typed: PlanNode = { id: 'a', use: 'llm', in: { prompt: 'Count' }, out: { sum: 'number' } };
const text: PlanNode = { id: 'a', use: 'llm', in: { prompt: 'Tell' } };
const cards = [fakeCard({ id: 'one', maxOutputTokens: 700, contextTokens: 5000 })];
const codes = (warnings: readonly { readonly code: string }[] = []) => warnings.map(({ code }) => code);

describe('room for a cut answer', () => {
  it.each([
    ['the model', typed, { output: 5 }, 700],
    ['the context window', typed, { input: 4500 }, 500],
    ['limits.tokens', { ...typed, limits: { tokens: 1000 } }, { input: 100, output: 50 }, undefined],
    ['maxTokens', { ...typed, in: { prompt: 'Count', maxTokens: 40 } }, { output: 40 }, undefined],
  ] as const)('is bounded by %s', async (_, node, counts, limit) => {
    const usage = { input: 10, output: 5, ...counts };
    const { gateway } = await run([cut('{"sum": 12', { usage }), '{"sum": 125}'], node, { cards });
    expect(chat(gateway.asked[1]?.request)?.maxOutputTokens).toBe(limit);
    expect(gateway.asked.length).toBe(limit === undefined ? 1 : 2);
  });

  it.each([
    ['"maxTokens"', { ...typed, in: { prompt: 'Count', maxTokens: 40 } }, []],
    ['"limits.tokens"', { ...typed, limits: { tokens: 40 } }, []],
    ['the longest answer of fake/one', typed, [fakeCard({ id: 'one', maxOutputTokens: 5 })]],
    ['the context window of fake/one', typed, [fakeCard({ id: 'one', maxOutputTokens: 999, contextTokens: 15 })]],
  ] as const)('names the bound that leaves none: %s', async (bound, node, given) => {
    const { result, gateway } = await run([cut('{"sum": 12'), '{"sum": 125}'], node, { cards: given });
    expect(result.error).toMatchObject({ code: 'output-cut', message: expect.stringContaining(bound) });
    expect(result.error?.details?.bound).toContain(bound);
    expect(result.costNanoUsd).toBe(CALL_COST);
    expect(gateway.asked.length).toBe(1);
  });

  it('names the budget where that made the answer short', async () => {
    const warning = { code: 'output-limited-by-budget', message: 'short' };
    const answer: readonly ModelEvent[] = [{ type: 'warning', warning }, ...cut('{"sum": 12')];
    const { result, gateway } = await run([answer, '{"sum": 125}'], typed, { cards });
    expect(result.error).toMatchObject({ code: 'output-cut', message: expect.stringContaining('the budget') });
    expect(gateway.asked.length).toBe(1);
  });

  it.each(['budget-exceeded', 'no-route', 'context-window'] as const)(
    'says why no more was to be had: %s',
    async (code) => {
      const { result } = await run([cut('{"sum": 12'), new PolyphonyError(code, 'no more')], typed, { cards });
      expect(result.error).toMatchObject({ code: 'output-cut', message: expect.stringContaining('no more') });
      expect(result.costNanoUsd).toBe(2 * CALL_COST);
    },
  );

  it('is used instead of the correction, not besides it', async () => {
    const { result, gateway } = await run([cut('{"sum": 12'), '{"sum": "many"}', '{"sum": 1}'], typed, { cards });
    expect(result.error?.code).toBe('invalid-output');
    expect(gateway.asked.length).toBe(2);
    expect(chat(gateway.asked[1]?.request).messages).toHaveLength(1);
  });

  it('is not asked for after a correction', async () => {
    const { result, gateway } = await run(['{"sum": "many"}', cut('{"sum": 12'), '{"sum": 1}'], typed, { cards });
    expect(result.error?.code).toBe('output-cut');
    expect(gateway.asked.length).toBe(2);
  });
});

describe('a cut answer', () => {
  it.each(['12', '{"sum": 12', '{"sum": 12}, {"sum"', '```json\n{"sum": 12}', '"{}', 'The sum is {"sum": 12}'])(
    'of this text is no typed one: %s',
    async (half) => {
      const { result } = await run([cut(half), cut(half)], typed, { cards });
      expect(result).toMatchObject({ status: 'failed', error: { code: 'output-cut' } });
    },
  );

  it('is whole where its object was closed, and only blanks were cut', async () => {
    const { result, gateway } = await run([cut('{"sum": 12}\n\n   ')], typed, { cards });
    expect(result).toMatchObject({ status: 'done', output: { a: { sum: 12 } } });
    expect(codes(result.nodes[0]?.meta?.warnings)).toEqual(['output-cut']);
    expect(gateway.asked.length).toBe(1);
  });

  it('is not completed where nobody says why it ended', async () => {
    const { result } = await run([said('{"sum": 12', { reason: 'other' }), '{"sum": 125}'], typed, { cards });
    expect(result.output).toEqual({ a: { sum: 125 } });
  });

  it('takes back what was shown of it', async () => {
    const { events } = await run([cut('{"sum": 12'), '{"sum": 125}'], typed, { cards });
    expect(events.flatMap((event) => (event.type === 'node-delta' ? [event.restart ?? event.text] : []))).toEqual([
      '{"sum": 12',
      true,
      '{"sum": 125}',
    ]);
  });
});

it('warns of JSON that had to be mended', async () => {
  const { result } = await run(['{"sum": 12,}'], typed);
  expect(result.output).toEqual({ a: { sum: 12 } });
  expect(codes(result.nodes[0]?.meta?.warnings)).toEqual(['json-repaired']);
});

it('takes what is meant where only the form differs, without a second call', async () => {
  const { result, gateway } = await run(['{"sum": "12", "why": "I counted."}'], typed);
  expect(result.output).toEqual({ a: { sum: 12 } });
  expect(codes(result.nodes[0]?.meta?.warnings)).toEqual(['output-coerced']);
  expect(gateway.asked.length).toBe(1);
});

describe('a pause', () => {
  it('is continued, and both parts are the answer', async () => {
    const source = { url: 'https://a.test/1' };
    const { result, gateway } = await run(
      [
        said('First, ', { reason: 'pause', citations: [source] }),
        said('then.', { citations: [{ url: 'https://a.test/2' }] }),
      ],
      text,
    );
    expect(result).toMatchObject({ output: { a: { text: 'First, then.' } }, costNanoUsd: 2 * CALL_COST });
    expect(result.nodes[0]?.meta?.citations).toEqual([source, { url: 'https://a.test/2' }]);
    expect(chat(gateway.asked[1]?.request).messages.at(-1)).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'First, ' }],
    });
  });

  it('without end is no answer', async () => {
    const { result, gateway } = await run(
      Array.from({ length: 9 }, () => said('and ', { reason: 'pause' })),
      text,
      { toolRounds: 2 },
    );
    expect(result.error).toMatchObject({ code: 'output-cut', message: expect.stringContaining('2 rounds') });
    expect(gateway.asked.length).toBe(3);
  });
});

describe('a refusal', () => {
  const refusals: readonly (readonly ModelEvent[])[] = [
    [ending({ refusal: 'I will not.' })],
    said('I would rather', { refusal: 'I will not.' }),
    said('{"sum": 12}', { reason: 'content-filter', refusal: 'I will not.' }),
  ];

  it.each(refusals.map((answer) => [answer]))('fails the node, typed or not: %j', async (answer) => {
    for (const node of [text, typed]) {
      const { result, gateway } = await run([answer], node);
      expect(result.error).toMatchObject({
        code: 'content-policy',
        message: expect.stringContaining('"I will not."'),
        details: { refusal: 'I will not.' },
      });
      expect(result.costNanoUsd).toBe(CALL_COST);
      expect(gateway.asked.length).toBe(1);
    }
  });

  it('is seen by onError, and its facts stand beside the stand-in', async () => {
    const { result } = await run(
      [said('x', { reason: 'content-filter', refusal: 'No.' }), 'ok'],
      [
        { ...text, onError: { value: { text: 'none' } } },
        { id: 'b', use: 'value', in: { reason: '{{a.meta.finishReason}}', words: '{{a.meta.refusal}}' } },
      ],
    );
    expect(result.nodes.find(({ id }) => id === 'b')?.output).toEqual({ reason: 'content-filter', words: 'No.' });
  });
});

describe('the meta of an answer', () => {
  it('has its finish reason, sources, media and thoughts', async () => {
    const image = { type: 'url', url: 'https://a.test/a.png' } as const;
    const { result } = await run(
      [
        [
          { type: 'reasoning', part: { type: 'reasoning', text: 'Hm.' } },
          { type: 'text-delta', text: 'Four.' },
          { type: 'output', output: { operation: 'image', images: [image] } },
          ending({ citations: [{ url: 'https://a.test/1' }] }),
        ],
      ],
      text,
    );
    expect(result.nodes[0]?.meta).toMatchObject({
      finishReason: 'stop',
      citations: [{ url: 'https://a.test/1' }],
      images: [image],
      reasoning: 'Hm.',
    });
  });

  it('is bounded', async () => {
    const { result } = await run(
      [
        [
          { type: 'reasoning', part: { type: 'reasoning', text: 'h'.repeat(9000) } },
          { type: 'text-delta', text: 'Four.' },
          ending({ citations: Array.from({ length: 1000 }, () => ({ url: 'https://a.test/1' })) }),
        ],
      ],
      text,
    );
    expect(result.nodes[0]?.meta?.reasoning).toHaveLength(4096);
    expect(result.nodes[0]?.meta?.citations).toHaveLength(256);
  });

  it('of a list says when one of its items was cut', async () => {
    const list: PlanNode = { ...text, each: '{{input.names}}', in: { prompt: '{{item}}' } };
    const { result } = await run(
      ['one', cut('tw'), 'three'],
      [
        { id: 'n', use: 'value', in: { names: ['x', 'y', 'z'] } },
        { ...list, each: '{{n.names}}', concurrency: 1 } as PlanNode,
      ],
    );
    expect(result.nodes.find(({ id }) => id === 'a')?.meta?.finishReason).toBe('length');
  });

  it('can be asked by a condition', async () => {
    const { result } = await run([cut('Half of'), 'the rest'], [
      text,
      { id: 'b', use: 'llm', when: 'a.meta.finishReason == "length"', in: { prompt: 'Go on: {{a.text}}' } },
      { id: 'c', use: 'llm', when: 'a.meta.finishReason == "stop"', in: { prompt: 'Well done: {{a.text}}' } },
    ] as PlanNode[]);
    expect(result.nodes.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'done'],
      ['b', 'done'],
      ['c', 'skipped'],
    ]);
  });
});
