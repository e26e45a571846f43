/** Answers of the Responses wire: each trap once. */
import type { ModelEvent, ModelRequest } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { loopback } from '../../kit/loopback.ts';
import { chat, speak } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import { namedEvents } from './native-exchange.ts';
import { exchange, head, message, saying, stream, usage } from './responses-exchange.ts';

const call = (index: number, id: string, text: string) => ({
  type: 'function_call',
  id: `fc_${index}`,
  call_id: id,
  name: 'weather',
  arguments: text,
});
const reasoning = (index: number, text: string) => ({
  id: `rs_${index}`,
  type: 'reasoning',
  summary: text === '' ? [] : [{ type: 'summary_text', text }],
  encrypted_content: `secret-${index}`,
});
const done = (output_index: number, item: object) => ({ type: 'response.output_item.done', output_index, item });
const added = (output_index: number, item: object) => ({ type: 'response.output_item.added', output_index, item });

async function eventsOf(answer: string): Promise<readonly ModelEvent[]> {
  const server = await loopback((_, response) => void response.end(answer));
  const provider = openaiResponses({ baseURL: server.url, apiKey: 'k' });
  const events: ModelEvent[] = [];
  for await (const event of speak(provider, transport, chat('Hi'))) events.push(event);
  return events;
}

describe('streams', () => {
  test('say the text in pieces, then how it ended', async () => {
    const { response } = await exchange(stream(saying('Hel', 'lo')));
    expect(textOf(response)).toBe('Hello');
    expect(response).toMatchObject({
      finishReason: 'stop',
      id: 'resp_1',
      model: 'm-1',
      usage: { input: 10, output: 5, cacheRead: 4, cacheWrite: 3, reasoning: 2 },
    });
  });

  test('commit nobody before the model speaks', async () => {
    const [route, first] = await eventsOf(stream(saying('Hi')));
    expect(route?.type).toBe('route');
    expect(first).toEqual({ type: 'text-delta', text: 'Hi' });
  });

  test('assemble calls from deltas, without saying their end again', async () => {
    const { response } = await exchange(
      stream([
        added(0, call(0, 'c1', '')),
        { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"city":' },
        { type: 'response.function_call_arguments.delta', output_index: 0, delta: '"Paris"}' },
        { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"city":"Paris"}' },
        done(0, call(0, 'c1', '{"city":"Paris"}')),
        added(1, call(1, 'c2', '')),
        done(1, call(1, 'c2', '{"city":"Rome"}')),
      ]),
    );
    expect(response.finishReason).toBe('tool-calls');
    expect(response.content).toEqual([
      { type: 'tool-call', id: 'c1', name: 'weather', arguments: { city: 'Paris' } },
      { type: 'tool-call', id: 'c2', name: 'weather', arguments: { city: 'Rome' } },
    ]);
  });

  test('number calls among calls, not among items', async () => {
    const events = await eventsOf(
      stream([done(0, reasoning(0, '')), added(1, call(1, 'c1', '')), added(2, call(2, 'c2', ''))]),
    );
    expect(events.filter(({ type }) => type === 'tool-call-delta')).toMatchObject([
      { index: 0, id: 'c1' },
      { index: 1, id: 'c2' },
    ]);
  });

  test('keep arguments that are no JSON, with a warning', async () => {
    const { response } = await exchange(stream([added(0, call(0, 'c1', '')), done(0, call(0, 'c1', '{"city":'))]));
    expect(response.content).toMatchObject([{ type: 'tool-call', arguments: {}, raw: '{"city":' }]);
    expect(codes(response)).toEqual(['tool-arguments']);
  });

  test('give reasoning and calls in the order in which they must go back', async () => {
    const { response } = await exchange(
      stream([
        { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'Hm' },
        done(0, reasoning(0, 'Hm')),
        done(1, call(1, 'c1', '{}')),
        done(2, reasoning(2, '')),
        done(3, call(3, 'c2', '{}')),
      ]),
    );
    expect(response.content.map(({ type }) => type)).toEqual(['reasoning', 'tool-call', 'reasoning', 'tool-call']);
    expect(response.content[0]).toMatchObject({ text: 'Hm', signature: 'secret-0', raw: reasoning(0, 'Hm') });
  });

  test('show the summary, and keep a raw chain of thought to themselves', async () => {
    const item = { ...reasoning(0, ''), content: [{ type: 'reasoning_text', text: 'inner' }] };
    const { response } = await exchange(
      stream([{ type: 'response.reasoning_text.delta', output_index: 0, delta: 'inner' }, done(0, item)]),
    );
    expect(response.content).toMatchObject([{ type: 'reasoning', text: '', raw: item }]);
  });

  test('tell refusals beside the reason', async () => {
    const refused = message('', { content: [{ type: 'refusal', refusal: 'I will not.' }] });
    const { response } = await exchange(
      stream([{ type: 'response.refusal.delta', output_index: 0, delta: 'I will not.' }, done(0, refused)]),
    );
    expect(response).toMatchObject({ refusal: 'I will not.', finishReason: 'stop' });
  });

  test('gather log probabilities and citations', async () => {
    const logprobs = [{ token: 'Hi', logprob: -0.1, top_logprobs: [{ token: 'Ho', logprob: -2 }] }];
    const annotations = [
      { type: 'url_citation', url: 'https://example.com', title: 'E', start_index: 0, end_index: 2 },
    ];
    const item = message('Hi', { content: [{ type: 'output_text', text: 'Hi', annotations, logprobs }] });
    const { response } = await exchange(
      stream([{ type: 'response.output_text.delta', output_index: 0, delta: 'Hi', logprobs }, done(0, item)]),
    );
    expect(response.logprobs).toEqual([{ token: 'Hi', logprob: -0.1, top: [{ token: 'Ho', logprob: -2 }] }]);
    expect(response.citations).toEqual([{ url: 'https://example.com', title: 'E', start: 0, end: 2 }]);
  });

  test('say what the deltas left out, and nothing where the whole differs from them', async () => {
    const delta = (text: string) => ({ type: 'response.output_text.delta', output_index: 0, delta: text });
    const cut = await exchange(stream([delta('Hel'), done(0, message('Hello'))]));
    expect(textOf(cut.response)).toBe('Hello');
    const other = await exchange(stream([delta('Hullo'), done(0, message('Hello'))]));
    expect(textOf(other.response)).toBe('Hullo');
  });

  test('read the items of the end where none was streamed', async () => {
    const { response } = await exchange(stream([], { status: 'completed', output: [message('All at once')] }));
    expect(textOf(response)).toBe('All at once');
  });

  test('survive a piece that is no JSON', async () => {
    const text = stream(saying('ok')).replace(
      'event: response.output_text',
      'data: {broken\n\nevent: response.output_text',
    );
    const { response } = await exchange(text);
    expect(textOf(response)).toBe('ok');
    expect(codes(response)).toEqual(['malformed-chunk']);
  });

  test('make an image an output', async () => {
    const image = { type: 'image_generation_call', id: 'ig_1', result: 'aGk=', output_format: 'webp' };
    const { response } = await exchange(stream([done(0, image)]));
    expect(response.output).toEqual({
      operation: 'image',
      images: [{ type: 'base64', data: 'aGk=', mediaType: 'image/webp' }],
    });
  });

  test('undo the nulls of optional arguments in the strict subset', async () => {
    const inputSchema = {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { type: 'string' } },
      required: ['city'],
    };
    const request = chat('Hi', { tools: [{ name: 'weather', inputSchema, strict: true }] });
    const { response } = await exchange(stream([done(0, call(0, 'c1', '{"city":"Rome","unit":null}'))]), request);
    expect(response.content).toMatchObject([{ arguments: { city: 'Rome' } }]);
  });
});

describe('endings', () => {
  test.each([
    ['max_output_tokens', 'length'],
    ['content_filter', 'content-filter'],
    ['something_new', 'length'],
  ])('an answer that is incomplete for %s ends with %s', async (reason, finishReason) => {
    const end = { status: 'incomplete', incomplete_details: { reason }, output: [] };
    const { response } = await exchange(stream(saying('Hi'), end));
    expect(response.finishReason).toBe(finishReason);
  });

  test('a stream that stops without its end is truncated', async () => {
    const text = stream(saying('Hi'));
    const cut = text.slice(0, text.indexOf('event: response.completed'));
    expect(await failure(exchange(cut))).toMatchObject({ code: 'truncated' });
  });

  test('a response that fails is thrown, with what it used', async () => {
    const error = { code: 'rate_limit_exceeded', message: 'Slow down' };
    const thrown = await failure(exchange(stream([], { status: 'failed', error, output: [] })));
    expect(thrown).toMatchObject({ code: 'rate-limited', details: { usage: { input: 10 } } });
  });

  test.each([
    [{ type: 'error', code: 'server_error', message: 'Sorry' }, 'overloaded'],
    [
      { type: 'error', error: { type: 'invalid_request_error', code: 'context_length_exceeded', message: 'x' } },
      'context-window',
    ],
    [{ error: { message: 'The key is wrong', type: 'authentication_error' } }, 'invalid-credential'],
  ])('the error event %j is %s', async (event, code) => {
    expect(await failure(exchange(namedEvents([event])))).toMatchObject({ code });
  });

  test('an error inside a whole answer of HTTP 200', async () => {
    const body = { ...head, status: 'failed', error: { code: 'server_error', message: 'Sorry' }, output: [], usage };
    expect(await failure(exchange(JSON.stringify(body)))).toMatchObject({ code: 'overloaded' });
  });
});

describe('whole answers', () => {
  test('are read like streams, the body kept where it is asked for', async () => {
    const body = {
      ...head,
      status: 'completed',
      usage,
      output: [reasoning(0, 'Hm'), message('Hello'), call(2, 'c1', '{"city":"Paris"}')],
    };
    const { response } = await exchange(JSON.stringify(body), chat('Hi', { includeRaw: true }));
    expect(response.content.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool-call']);
    expect(response).toMatchObject({ finishReason: 'tool-calls', raw: body });
  });

  test('without usage say so', async () => {
    const { response } = await exchange(JSON.stringify({ ...head, status: 'completed', output: [message('Hi')] }));
    expect(codes(response)).toEqual(['usage-missing']);
  });
});

test('items of the provider go back unchanged, in their places', async () => {
  const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } };
  const output = [
    reasoning(0, 'Hm'),
    search,
    message('Working on it', { phase: 'commentary' }),
    call(3, 'c1', '{"city":"Paris"}'),
    message('Later', { phase: 'final_answer' }),
  ];
  const { response } = await exchange(JSON.stringify({ ...head, status: 'completed', usage, output }));
  const messages: Extract<ModelRequest, { operation: 'chat' }>['messages'] = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: response.content },
    { role: 'tool', content: [{ type: 'tool-result', id: 'c1', content: 'Sunny' }] },
  ];
  const { body } = await exchange(stream(saying('Hi')), chat(messages));
  expect(body.input).toEqual([
    { role: 'user', content: 'Hi' },
    reasoning(0, 'Hm'),
    search,
    { role: 'assistant', phase: 'commentary', content: 'Working on it' },
    { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Paris"}' },
    { role: 'assistant', phase: 'final_answer', content: 'Later' },
    { type: 'function_call_output', call_id: 'c1', output: 'Sunny' },
  ]);
});
