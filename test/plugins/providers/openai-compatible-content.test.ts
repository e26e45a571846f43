/** What servers of the chat-completions wire say beside text, each spelling as one of them sends it. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { sse } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { codes, delta, exchange, usage } from './exchange.ts';

describe('tool calls', () => {
  test('beside `stop` finish as tool-calls', async () => {
    const call = { index: 0, id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const { response } = await exchange(sse([delta({ tool_calls: [call] }, 'stop', { usage })]));
    expect(response).toMatchObject({
      finishReason: 'tool-calls',
      content: [{ id: 'c1', name: 'f', arguments: { a: 1 } }],
    });
  });

  test('of the old function_call form', async () => {
    const parts = [
      delta({ function_call: { name: 'f', arguments: '{"a"' } }),
      delta({ function_call: { arguments: ':1}' } }),
    ];
    const { response } = await exchange(sse([...parts, delta({}, 'function_call', { usage })]));
    expect(response).toMatchObject({ finishReason: 'tool-calls', content: [{ name: 'f', arguments: { a: 1 } }] });
  });

  test('of strict tools come without the nulls that stand for absent arguments', async () => {
    const inputSchema = {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: ['string', 'null'] }, c: { type: 'string' } },
      required: ['a', 'b'],
    };
    const call = { index: 0, id: 'c1', function: { name: 'f', arguments: '{"a":1,"b":null,"c":null}' } };
    const answer = sse([delta({ tool_calls: [call] }, 'tool_calls', { usage })]);
    const tools = [{ name: 'f', inputSchema, strict: true }];
    const { response, body } = await exchange(answer, chat('Hi', { tools }), { strictSchemas: true });
    expect(response.content).toMatchObject([{ arguments: { a: 1, b: null } }]);
    expect(response.content).not.toMatchObject([{ arguments: { c: null } }]);
    expect(body.tools).toMatchObject([{ function: { strict: true, parameters: { required: ['a', 'b', 'c'] } } }]);
    const lax = await exchange(answer, chat('Hi', { tools }));
    expect(lax.response.content).toMatchObject([{ arguments: { c: null } }]);
  });

  test('return the signature that came with them, to this wire only', async () => {
    const extra_content = { vendor: { thought_signature: 'abc' } };
    const call = { index: 0, id: 'c1', function: { name: 'f', arguments: '{}' }, extra_content };
    const { response } = await exchange(sse([delta({ tool_calls: [call] }, 'tool_calls', { usage })]));
    const foreign = { type: 'tool-call', id: 'c2', name: 'f', arguments: {}, signature: 'opaque' } as const;
    const again = chat([{ role: 'assistant', content: [...response.content, foreign] }]);
    const { body } = await exchange(sse([delta({ content: 'ok' }, 'stop', { usage })]), again);
    expect(body.messages).toMatchObject([{ tool_calls: [{ id: 'c1', extra_content }, { id: 'c2' }] }]);
    expect(JSON.stringify(body)).not.toContain('opaque');
  });
});

describe('reasoning', () => {
  const answerOf = (fields: readonly object[]): string =>
    sse([...fields.map((each) => delta(each)), delta({ content: 'Four.' }, 'stop', { usage })]);
  const details = [
    { type: 'reasoning.text', text: 'Two and', index: 0, format: 'f' },
    { type: 'reasoning.text', text: ' two', index: 0, format: 'f' },
    { type: 'reasoning.text', signature: 'sig', index: 0, format: 'f' },
    { type: 'reasoning.encrypted', data: 'xyz', index: 1, format: 'f' },
  ];

  test.each([
    [
      'reasoning_content',
      [{ reasoning_content: 'Two and' }, { reasoning_content: ' two' }],
      { reasoning_content: 'Two and two' },
    ],
    ['reasoning', [{ reasoning: 'Two and' }, { reasoning: ' two' }], { reasoning: 'Two and two' }],
    [
      'reasoning_details',
      details.map((detail) => ({ reasoning: detail.text ?? null, reasoning_details: [detail] })),
      {
        reasoning: 'Two and two',
        reasoning_details: [
          { type: 'reasoning.text', text: 'Two and two', signature: 'sig', index: 0, format: 'f' },
          { type: 'reasoning.encrypted', data: 'xyz', index: 1, format: 'f' },
        ],
      },
    ],
    [
      'thinking chunks',
      [
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Two and' }] }] },
        { content: [{ type: 'thinking', thinking: [{ type: 'text', text: ' two' }], closed: true }] },
      ],
      {
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Two and two' }], closed: true },
          { type: 'text', text: 'Four.' },
        ],
      },
    ],
  ])('%s is read apart from the text and returned as it came', async (_name, fields, sentBack) => {
    const { response } = await exchange(answerOf(fields));
    expect(response.content.map((part) => part.type)).toEqual(['reasoning', 'text']);
    expect(response.content[0]).toMatchObject({ text: 'Two and two', family: 'openai-compatible' });
    expect(textOf(response)).toBe('Four.');
    const { body } = await exchange(answerOf([]), chat([{ role: 'assistant', content: response.content }]));
    expect(body.messages).toEqual([{ role: 'assistant', content: 'Four.', ...sentBack }]);
  });

  test('shows signature and encrypted part of its details', async () => {
    const { response } = await exchange(answerOf(details.map((detail) => ({ reasoning_details: [detail] }))));
    expect(response.content[0]).toMatchObject({ text: 'Two and two', signature: 'sig', redacted: 'xyz' });
  });

  test('of another family is left out, with a warning where it was signed', async () => {
    const parts = [
      { type: 'reasoning', text: 'hm', family: 'other', signature: 's', raw: { reasoning: 'hm' } },
      { type: 'text', text: 'Four.' },
    ] as const;
    const { response, body } = await exchange(answerOf([]), chat([{ role: 'assistant', content: parts }]));
    expect(body.messages).toEqual([{ role: 'assistant', content: 'Four.' }]);
    expect(codes(response)).toEqual(['reasoning-dropped']);
  });

  test('is not returned where the server does not want it', async () => {
    const { response } = await exchange(answerOf([{ reasoning_content: 'hm' }]));
    const again = chat([{ role: 'assistant', content: response.content }]);
    const { body } = await exchange(answerOf([]), again, { returnReasoning: false });
    expect(body.messages).toEqual([{ role: 'assistant', content: 'Four.' }]);
  });

  test.each([
    [{ effort: 'low' }, 'effort', { reasoning_effort: 'low' }],
    [{ budgetTokens: 500 }, 'object', { reasoning: { max_tokens: 500 } }],
    [{ effort: 'high' }, 'object', { reasoning: { effort: 'high' } }],
    [{ effort: 'none' }, 'object', { reasoning: { enabled: false } }],
    [{ effort: 'low', budgetTokens: 500 }, 'switch', { enable_thinking: true, thinking_budget: 500 }],
    [{ effort: 'none' }, 'switch', { enable_thinking: false }],
    [{ effort: 'none' }, 'thinking', { thinking: { type: 'disabled' } }],
  ] as const)('%j is asked for by %s', async (reasoning, way, sent) => {
    const { body } = await exchange(answerOf([]), chat('x', { reasoning }), { reasoning: way });
    expect(body).toMatchObject(sent);
  });
});

describe('usage', () => {
  test.each([
    [{ prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 3 } }, { cacheRead: 4, cacheWrite: 3 }],
    [{ prompt_cache_hit_tokens: 4, prompt_cache_miss_tokens: 6 }, { cacheRead: 4 }],
    [{ num_cached_tokens: 4 }, { cacheRead: 4 }],
    [{ prompt_tokens_details: { cached_tokens: 0 }, prompt_cache_hit_tokens: 4 }, { cacheRead: 4 }],
    [{ prompt_tokens_details: { cached_tokens: 4 }, cache_read_input_tokens: 0 }, { cacheRead: 4 }],
    [
      { prompt_tokens_details: { cached_tokens: 1, cache_write_tokens: 0 }, cache_creation_input_tokens: 3 },
      { cacheRead: 1, cacheWrite: 3 },
    ],
    [{ prompt_tokens_details: { cached_tokens: 4, cache_creation_input_tokens: 2 } }, { cacheRead: 4, cacheWrite: 2 }],
    [{ completion_tokens_details: { reasoning_tokens: 3 } }, { reasoning: 3, output: 5 }],
  ])('%j', async (told, expected) => {
    const { response } = await exchange(sse([delta({ content: 'Hi' }, 'stop', { usage: { ...usage, ...told } })]));
    expect(response.usage).toMatchObject({ input: 10, ...expected });
  });

  test('with reasoning beside the output counts it in', async () => {
    const told = { ...usage, completion_tokens_details: { reasoning_tokens: 3 } };
    const text = sse([delta({ content: 'Hi' }, 'stop', { usage: told })]);
    const { response } = await exchange(text, chat('Hi'), { reasoningBesideOutput: true });
    expect(response.usage).toMatchObject({ output: 8, reasoning: 3 });
  });
});

describe('what rides along', () => {
  test('refusals, log probabilities in both forms, citations, drawn images', async () => {
    const top = [{ token: 'Hi', logprob: -0.1 }];
    const message = {
      content: 'Hi',
      refusal: 'No.',
      annotations: [
        { type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A', start_index: 0, end_index: 2 } },
      ],
      images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } }],
    };
    const logprobs = { content: [{ token: 'Hi', logprob: -0.1, bytes: [72], top_logprobs: top }] };
    const whole = { choices: [{ index: 0, message, logprobs, finish_reason: 'stop' }], usage };
    const { response } = await exchange(JSON.stringify(whole));
    expect(response).toMatchObject({
      refusal: 'No.',
      logprobs: [{ token: 'Hi', logprob: -0.1, top }],
      citations: [{ url: 'https://a.example', title: 'A', start: 0, end: 2 }],
      output: { operation: 'image', images: [{ type: 'base64', mediaType: 'image/png', data: 'aGk=' }] },
    });
    const older = { tokens: ['Hi'], token_logprobs: [-0.1], top_logprobs: [{ Hi: -0.1 }] };
    const old = await exchange(
      JSON.stringify({ choices: [{ message: { content: 'Hi' }, logprobs: older, finish_reason: 'eos' }], usage }),
    );
    expect(old.response.logprobs).toEqual([{ token: 'Hi', logprob: -0.1, top }]);
    const cited = { citations: ['https://b.example'], ...delta({ content: 'Hi' }, 'stop', { usage }) };
    expect((await exchange(sse([cited]))).response.citations).toEqual([{ url: 'https://b.example' }]);
  });

  test('the body itself, when asked for', async () => {
    const document = delta({ content: 'Hi' }, 'stop', { usage });
    expect((await exchange(sse([document]), chat('Hi', { includeRaw: true }))).response.raw).toEqual(document);
    expect((await exchange(sse([document]))).response.raw).toBeUndefined();
  });
});
