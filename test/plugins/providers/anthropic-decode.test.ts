/** Answers of the Messages wire: each trap of its streams. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { answered, block, call, ending, HELLO, start, stop, stream, text } from './anthropic-answers.ts';
import { chat } from './attempts.ts';
import { codes, failure } from './exchange.ts';
import { heard, namedEvents } from './native-exchange.ts';

const content = async (answer: string): Promise<unknown> => (await answered(answer)).response.content;

describe('blocks', () => {
  test('the index of a block is not the index of a call', async () => {
    const answer = stream(
      [
        text(0, 'Two calls.'),
        call(1, 'a', 'weather', '{"city":', '"Rome"}'),
        call(2, 'b', 'weather', '{"city":"Bern"}'),
      ],
      'tool_use',
    );
    const { response } = await answered(answer);
    expect(response.finishReason).toBe('tool-calls');
    expect(response.content).toEqual([
      { type: 'text', text: 'Two calls.' },
      { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rome' } },
      { type: 'tool-call', id: 'b', name: 'weather', arguments: { city: 'Bern' } },
    ]);
  });

  test('pieces of a call carry its place among the calls', async () => {
    const answer = stream([text(0, 'Two'), call(1, 'a', 'f', '{}'), call(2, 'b', 'f', '{"x":', '1}')], 'tool_use');
    const events = await heard((baseURL) => anthropic({ baseURL, apiKey: 'k' }), answer, { model: 'claude-haiku-4-5' });
    const pieces = events.flatMap((event) =>
      event.type === 'tool-call-delta' ? [[event.index, event.id, event.delta]] : [],
    );
    expect(pieces).toEqual([
      [0, 'a', ''],
      [0, 'a', '{}'],
      [1, 'b', ''],
      [1, 'b', '{"x":'],
      [1, 'b', '1}'],
    ]);
  });

  test('interleaved deltas of two blocks stay apart', async () => {
    const [startA, deltaA, stopA] = call(0, 'a', 'f', '{"x":1}');
    const [startB, deltaB, stopB] = call(1, 'b', 'f', '{"x":2}');
    const mixed = [startA, startB, deltaB, deltaA, stopA, stopB].filter((event) => event !== undefined);
    const parts = await content(stream([mixed], 'tool_use'));
    expect(parts).toMatchObject([
      { id: 'a', arguments: { x: 1 } },
      { id: 'b', arguments: { x: 2 } },
    ]);
  });

  test('an empty input is an object', async () => {
    expect(await content(stream([call(0, 'a', 'now', '')], 'tool_use'))).toMatchObject([{ arguments: {} }]);
    expect(await content(stream([call(0, 'a', 'now')], 'tool_use'))).toMatchObject([{ arguments: {} }]);
  });

  test('an input that stands at the start of its block is read', async () => {
    const whole = block(0, { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } });
    expect(await content(stream([whole], 'tool_use'))).toMatchObject([{ arguments: { x: 1 } }]);
  });

  test('broken JSON is kept raw, with a warning', async () => {
    const { response } = await answered(stream([call(0, 'a', 'f', '{"x":')], 'tool_use'));
    expect(response.content).toMatchObject([{ arguments: {}, raw: '{"x":' }]);
    expect(codes(response)).toContain('tool-arguments');
  });

  test('blocks of server tools are no calls, and are kept for the way back', async () => {
    const search = { type: 'server_tool_use', id: 's', name: 'web_search', input: {} };
    const result = {
      type: 'web_search_tool_result',
      tool_use_id: 's',
      content: [{ type: 'web_search_result', url: 'u' }],
    };
    const answer = stream([
      block(0, search, { type: 'input_json_delta', partial_json: '{"query":"q"}' }),
      block(1, result),
      text(2, 'Found.'),
    ]);
    expect(await content(answer)).toEqual([
      { type: 'reasoning', text: '', family: 'anthropic', raw: { ...search, input: { query: 'q' } } },
      { type: 'reasoning', text: '', family: 'anthropic', raw: result },
      { type: 'text', text: 'Found.' },
    ]);
  });

  test('a call in pieces and a call whole make the same response', async () => {
    const pieces = await answered(stream([text(0, 'Hm.'), call(1, 'a', 'f', '{"x"', ':1}')], 'tool_use'));
    const whole = await answered(
      JSON.stringify({
        ...(start().message as object),
        content: [
          { type: 'text', text: 'Hm.' },
          { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
        ],
        stop_reason: 'tool_use',
        usage: { input_tokens: 10, output_tokens: 5 },
      }),
    );
    expect(whole.response).toEqual(pieces.response);
  });
});

describe('thinking', () => {
  test('comes with its signature, redacted, or as a signature alone', async () => {
    const answer = stream([
      block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: 'Let me ' },
        { type: 'thinking_delta', thinking: 'see.' },
        { type: 'signature_delta', signature: 'sig1' },
      ),
      block(1, { type: 'redacted_thinking', data: 'opaque' }),
      block(2, { type: 'thinking', thinking: '', signature: '' }, { type: 'signature_delta', signature: 'sig2' }),
      text(3, 'Done.'),
    ]);
    expect(await content(answer)).toEqual([
      { type: 'reasoning', text: 'Let me see.', signature: 'sig1', family: 'anthropic' },
      { type: 'reasoning', text: '', redacted: 'opaque', family: 'anthropic' },
      { type: 'reasoning', text: '', signature: 'sig2', family: 'anthropic' },
      { type: 'text', text: 'Done.' },
    ]);
  });
});

describe('usage', () => {
  test('input counts what the cache read and wrote, at both lives', async () => {
    const counts = {
      input_tokens: 10,
      cache_read_input_tokens: 300,
      cache_creation_input_tokens: 50,
      cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 30 },
      output_tokens: 1,
    };
    const { response } = await answered(namedEvents([start(counts), ...text(0, 'x'), ending('end_turn'), stop]));
    expect(response.usage).toEqual({ input: 360, output: 5, cacheRead: 300, cacheWrite: 50, cacheWriteLong: 30 });
  });

  test('the last number of each kind wins, null is none', async () => {
    const last = {
      input_tokens: 12,
      cache_read_input_tokens: null,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
    };
    const answer = namedEvents([
      start({ input_tokens: 10, cache_read_input_tokens: 2, output_tokens: 1 }),
      ending('end_turn', last),
      stop,
    ]);
    const { response } = await answered(answer);
    expect(response.usage).toEqual({ input: 14, output: 9, cacheRead: 2, reasoning: 4 });
  });

  test('a second message_start keeps counts and begins anew', async () => {
    const again = start({ input_tokens: 20, output_tokens: 1 }, { id: 'msg_2' });
    const answer = namedEvents([start(), again, ...text(0, 'once'), ending('end_turn'), stop]);
    const { response } = await answered(answer);
    expect(textOf(response)).toBe('once');
    expect(response).toMatchObject({ id: 'msg_2', usage: { input: 20, output: 5 } });
  });
});

describe('a message that begins anew', () => {
  const again = start({ input_tokens: 20, output_tokens: 1 }, { id: 'msg_2' });

  test('in its middle or behind its end voids what was said', async () => {
    const first = [start(), ...text(0, 'void'), ...call(1, 'a', 'f', '{"x":1}').slice(0, 2)];
    for (const before of [first, [...first, ending('tool_use'), stop]]) {
      const answer = namedEvents([...before, again, ...text(0, 'kept'), ending('end_turn'), stop]);
      const { response } = await answered(answer);
      expect(response.content).toEqual([{ type: 'text', text: 'kept' }]);
      expect(response).toMatchObject({ finishReason: 'stop', id: 'msg_2', target: { provider: 'anthropic' } });
    }
  });

  test('and breaks off, is cut', async () => {
    const answer = namedEvents([start(), ...text(0, 'void'), ending('end_turn'), stop, again, ...text(0, 'kept')]);
    expect(await failure(answered(answer))).toMatchObject({ code: 'truncated' });
  });
});

describe('endings', () => {
  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['pause_turn', 'pause'],
    ['refusal', 'content-filter'],
    ['something_new', 'other'],
  ])('%s is %s', async (reason, expected) => {
    const { response } = await answered(stream([text(0, 'x')], reason));
    expect(response.finishReason).toBe(expected);
  });

  test('a refusal says why', async () => {
    const details = { stop_details: { type: 'refusal', category: 'cyber', explanation: 'No malware.' } };
    const { response } = await answered(namedEvents([start(), ending('refusal', {}, details), stop]));
    expect(response.refusal).toBe('No malware.');
  });

  test('a body that ends with its reason told is complete, one without is cut', async () => {
    const events = [start(), ...text(0, 'x'), ending('end_turn')];
    expect((await answered(namedEvents(events))).response.finishReason).toBe('stop');
    expect(await failure(answered(namedEvents(events.slice(0, -1))))).toMatchObject({ code: 'truncated' });
  });

  test('one malformed event does not kill the stream', async () => {
    const { response } = await answered(
      HELLO.replace('event: message_delta', 'data: {"broken\n\nevent: message_delta'),
    );
    expect(textOf(response)).toBe('Hello');
    expect(codes(response)).toEqual(['malformed-chunk']);
  });

  test('hostile names are unknown ones', async () => {
    const answer = namedEvents([
      start(),
      { type: '__proto__' },
      { type: 'constructor' },
      ...text(0, 'x'),
      ending('__proto__'),
      stop,
    ]);
    expect((await answered(answer)).response).toMatchObject({ finishReason: 'other', content: [{ text: 'x' }] });
  });

  test('an overload in the middle of a stream is an error, behind the text before it', async () => {
    const error = { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } };
    const answer = namedEvents([start(), ...text(0, 'x'), error]);
    expect(await failure(answered(answer))).toMatchObject({ code: 'overloaded', status: 529, retryable: true });
  });

  test('citations, ids and the body on request', async () => {
    const citation = { type: 'web_search_result_location', url: 'https://a', title: 'A', cited_text: 'quote' };
    const cited = block(
      0,
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'x' },
      { type: 'citations_delta', citation },
    );
    const { response } = await answered(stream([cited]), chat('Hi', { includeRaw: true }));
    expect(response).toMatchObject({
      id: 'msg_1',
      model: 'claude-x',
      citations: [{ url: 'https://a', title: 'A', text: 'quote' }],
    });
    expect(response.raw).toHaveLength(7);
  });
});
