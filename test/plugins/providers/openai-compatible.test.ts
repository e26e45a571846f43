/** What servers of the chat-completions wire do differently, each oddity as one of them sends it. */
import { type ModelEvent, type ModelRequest, type ModelResponse, PolyphonyError } from 'polyphony';
import { type ChatCompletionsQuirks, textOf } from 'polyphony/kit';
import { afterAll, describe, expect, test } from 'vitest';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { createTransport } from '../../../src/gateway/transport.ts';
import { loopback, sse } from '../../kit/loopback.ts';
import { ask, chat, speak } from './attempts.ts';

const transport = createTransport();
afterAll(() => transport.close());

interface Exchange {
  readonly response: ModelResponse;
  readonly body: Record<string, unknown>;
}

/** One call against a server that answers this body. */
async function exchange(
  answer: string,
  request: ModelRequest = chat('Hi'),
  quirks: ChatCompletionsQuirks = {},
  type = 'text/event-stream',
): Promise<Exchange> {
  const server = await loopback((_, response) => {
    response.setHeader('content-type', type);
    response.end(answer);
  });
  const provider = openaiCompatible({ baseURL: server.url, quirks });
  const response = await ask(provider, transport, request);
  return { response, body: JSON.parse(server.received[0]?.body ?? '') as Record<string, unknown> };
}

async function failure(work: Promise<unknown>): Promise<PolyphonyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PolyphonyError) return error;
  throw new Error(`expected a PolyphonyError, got ${String(error)}`);
}

const delta = (fields: object, finish_reason: string | null = null, rest: object = {}): object => ({
  id: 'r1',
  model: 'm-1',
  choices: [{ index: 0, delta: fields, finish_reason }],
  ...rest,
});
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const codes = (response: ModelResponse): readonly string[] => response.warnings.map(({ code }) => code);
const withoutDone = (text: string): string => text.replace('data: [DONE]\n\n', '');

describe('streams', () => {
  test('end without [DONE] once a finish reason came', async () => {
    const { response } = await exchange(withoutDone(sse([delta({ content: 'Hi' }, 'stop', { usage })])));
    expect(response).toMatchObject({ finishReason: 'stop', usage: { input: 10, output: 5 }, model: 'm-1', id: 'r1' });
  });

  test('without any finish reason are truncated, [DONE] or not, when nothing was said', async () => {
    expect((await failure(exchange(sse([delta({ role: 'assistant', content: '' })])))).code).toBe('truncated');
    expect((await failure(exchange(withoutDone(sse([delta({ content: 'Hi' })]))))).code).toBe('truncated');
    expect((await failure(exchange(''))).code).toBe('truncated');
  });

  test('with [DONE] behind some text end as `other`', async () => {
    expect((await exchange(sse([delta({ content: 'Hi' })]))).response.finishReason).toBe('other');
  });

  test('with two finish reasons and two usages keep the last, and finish once', async () => {
    const first = { prompt_tokens: 1, completion_tokens: 1 };
    const server = await loopback(
      (_, response) =>
        void response.end(sse([delta({ content: 'Hi' }, 'stop', { usage: first }), delta({}, 'length', { usage })])),
    );
    const events: ModelEvent[] = [];
    for await (const event of speak(openaiCompatible({ baseURL: server.url }), transport, chat('Hi')))
      events.push(event);
    const finishes = events.filter((event) => event.type === 'finish');
    expect(finishes).toMatchObject([{ reason: 'length', usage: { input: 10, output: 5 } }]);
    expect(events.at(-1)?.type).toBe('finish');
  });

  test('without usage say so, and invent no numbers', async () => {
    const { response } = await exchange(sse([delta({ content: 'Hi' }, 'stop')]));
    expect(response.usage).toEqual({ input: 0, output: 0 });
    expect(codes(response)).toEqual(['usage-missing']);
  });

  test('with usage under a name of the server, or inside the choice', async () => {
    const named = await exchange(sse([delta({ content: 'Hi' }, 'stop', { x_own: { usage } })]));
    expect(named.response.usage).toMatchObject({ input: 10, output: 5 });
    const inside = { choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop', usage }] };
    expect((await exchange(sse([inside]))).response.usage).toMatchObject({ input: 10, output: 5 });
  });

  test('survive one malformed event, and warn of it', async () => {
    const text = sse([delta({ content: 'Hel' }), delta({ content: 'lo' }, 'stop', { usage })]);
    const { response } = await exchange(text.replace('\n\n', '\n\ndata: {"choices":[{"del\n\n'));
    expect(textOf(response)).toBe('Hello');
    expect(codes(response)).toEqual(['malformed-chunk']);
  });

  test('break at an error frame, after what came before it, with the usage told so far', async () => {
    const server = await loopback((_, response) => {
      const bad = { error: { message: 'Provider overloaded', code: 503 }, choices: [] };
      response.end(sse([delta({ content: 'Hel' }, null, { usage }), bad]));
    });
    const texts: string[] = [];
    const read = async (): Promise<void> => {
      const events = speak(openaiCompatible({ baseURL: server.url }), transport, chat('Hi'));
      for await (const event of events) if (event.type === 'text-delta') texts.push(event.text);
    };
    const error = await failure(read());
    expect(error).toMatchObject({ code: 'overloaded', details: { usage: { input: 10, output: 5 } } });
    expect(texts).toEqual(['Hel']);
  });

  test('break at an `error` event whatever its data', async () => {
    const text = `${withoutDone(sse([delta({ content: 'Hel' })]))}event: error\ndata: upstream died\n\n`;
    const error = await failure(exchange(text));
    expect(error).toMatchObject({ code: 'overloaded' });
    expect(error.message).toContain('upstream died');
  });
});

describe('answers in the form that was not asked for', () => {
  const whole = {
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
    usage,
  };

  test('one JSON body to a stream request', async () => {
    const { response } = await exchange(JSON.stringify(whole), chat('Hi'), {}, 'application/json');
    expect(textOf(response)).toBe('Hi');
  });

  test('a stream labelled as JSON, behind blanks and a byte order mark', async () => {
    const text = `\uFEFF\n  \n${sse([delta({ content: 'Hi' }, 'stop', { usage })])}`;
    expect(textOf((await exchange(text.trimStart(), chat('Hi'), {}, 'application/json')).response)).toBe('Hi');
    expect(textOf((await exchange(`\n \n${JSON.stringify(whole)}`)).response)).toBe('Hi');
  });

  test('a whole message without a finish reason is complete', async () => {
    const open = { choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: null }], usage };
    expect((await exchange(JSON.stringify(open))).response.finishReason).toBe('other');
  });

  test('a JSON body cut off is truncated', async () => {
    expect((await failure(exchange(JSON.stringify(whole).slice(0, 50)))).code).toBe('truncated');
  });

  test('an error with status 200', async () => {
    const error = await failure(exchange('{"error":{"message":"Rate limit reached","type":"rate_limit_error"}}'));
    expect(error).toMatchObject({ code: 'rate-limited', retryable: true });
  });

  test('a web page says that the base URL is wrong', async () => {
    expect((await failure(exchange('<!doctype html><p>Welcome'))).code).toBe('invalid-config');
  });

  test('server-sent events to an embedding request', async () => {
    const answer = { data: [{ embedding: [1, 2] }], usage: { prompt_tokens: 2, total_tokens: 2 } };
    const { response } = await exchange(sse([answer]), { operation: 'embed', input: ['a'] });
    expect(response.output).toEqual({ operation: 'embed', vectors: [[1, 2]] });
  });
});

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

describe('quirks are data', () => {
  const answer = sse([delta({ content: 'Hi' }, 'stop', { usage })]);

  test('names, paths, roles, headers and fixed fields', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    const provider = openaiCompatible({
      baseURL: server.url,
      apiKey: 'abc',
      quirks: {
        authorisation: 'api-key',
        paths: { chat: '/deployments/{model}/chat' },
        maxTokensField: 'max_completion_tokens',
        systemRole: 'developer',
        rename: { seed: 'random_seed' },
        omit: ['user'],
        toolChoiceRequired: 'any',
        streamUsage: false,
        structuredOutput: 'json-object',
        cacheControl: true,
        body: { safe: true },
      },
    });
    const messages = [{ role: 'system', content: [{ type: 'text', text: 'Be brief', cache: 'long' }] }] as const;
    const request = chat(messages, {
      maxOutputTokens: 5,
      seed: 1,
      user: 'u',
      tools: [{ name: 'f', inputSchema: {} }],
      toolChoice: 'required',
      output: { type: 'json', schema: { type: 'object' } },
      providerOptions: { 'openai-compatible': { extra: 1, safe: false }, other: { extra: 2 } },
    });
    const response = await ask(provider, transport, request, { target: { model: 'a/b' } });
    expect(server.received[0]).toMatchObject({ path: '/deployments/a%2Fb/chat', headers: { 'api-key': 'abc' } });
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      model: 'a/b',
      messages: [
        {
          role: 'developer',
          content: [{ type: 'text', text: 'Be brief', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        },
      ],
      max_completion_tokens: 5,
      random_seed: 1,
      tools: [{ type: 'function', function: { name: 'f', parameters: {} } }],
      tool_choice: 'any',
      response_format: { type: 'json_object' },
      stream: true,
      safe: false,
      extra: 1,
    });
    expect(codes(response)).toEqual(['parameter-dropped']);
  });

  test('a card adds its own to those of the server', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    const provider = openaiCompatible({
      baseURL: server.url,
      models: [{ id: 'm', wire: { systemRole: 'developer' } }],
      quirks: { maxTokensField: 'max_new_tokens' },
    });
    await ask(provider, transport, chat([{ role: 'system', content: 'x' }], { maxOutputTokens: 5 }));
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
      messages: [{ role: 'developer' }],
      max_new_tokens: 5,
    });
  });

  test('a card without streaming asks for no stream', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    await ask(
      openaiCompatible({ baseURL: server.url, models: [{ id: 'm', capabilities: ['text'] }] }),
      transport,
      chat('x'),
    );
    expect(Object.keys(JSON.parse(server.received[0]?.body ?? '') as object)).toEqual(['model', 'messages']);
  });

  test('reranking is refused before anything is sent', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    const request: ModelRequest = { operation: 'rerank', query: 'a', documents: ['b'] };
    const error = await failure(ask(openaiCompatible({ baseURL: server.url }), transport, request));
    expect(error.code).toBe('unsupported');
    expect(server.received).toHaveLength(0);
  });
});
