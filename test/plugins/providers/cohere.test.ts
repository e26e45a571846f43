/** Answers of Cohere's wire: each trap of its streams. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { answered, call, content, end, HELLO, start } from './cohere-answers.ts';
import { codes, failure } from './exchange.ts';
import { namedEvents } from './native-exchange.ts';

describe('streams', () => {
  test('thinking, plan, calls and citations each find their place', async () => {
    const { response } = await answered(
      namedEvents([
        start,
        content('content-start', { type: 'thinking', thinking: 'Hm' }),
        content('content-delta', { thinking: '.' }),
        { type: 'content-end', index: 0 },
        { type: 'tool-plan-delta', delta: { message: { tool_plan: 'I will ' } } },
        { type: 'tool-plan-delta', delta: { message: { tool_plan: 'look.' } } },
        call('tool-call-start', 0, { id: 'a', type: 'function', function: { name: 'weather', arguments: '' } }),
        call('tool-call-delta', 0, { function: { arguments: '{"city":' } }),
        call('tool-call-delta', 0, { function: { arguments: '"Rome"}' } }),
        { type: 'tool-call-end', index: 0 },
        call('tool-call-start', 1, { id: 'b', type: 'function', function: { name: 'weather', arguments: '' } }),
        { type: 'tool-call-end', index: 1 },
        end('TOOL_CALL'),
      ]),
    );
    expect(response.content).toEqual([
      { type: 'reasoning', text: 'Hm.', family: 'cohere', raw: { type: 'thinking', thinking: 'Hm.' } },
      { type: 'reasoning', text: '', family: 'cohere', raw: { tool_plan: 'I will look.' } },
      { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rome' } },
      { type: 'tool-call', id: 'b', name: 'weather', arguments: {} },
    ]);
    expect(response.finishReason).toBe('tool-calls');
    expect(response.usage).toEqual({ input: 10, output: 5, cacheRead: 4 });
  });

  test('citations come with their place and source', async () => {
    const citation = {
      start: 0,
      end: 5,
      text: 'Hello',
      sources: [{ type: 'document', id: 'd1', document: { title: 'Greetings', url: 'https://a.example' } }],
    };
    const cited = { type: 'citation-start', index: 0, delta: { message: { citations: citation } } };
    const { response } = await answered(
      namedEvents([start, content('content-delta', { text: 'Hello' }), cited, end('COMPLETE')]),
    );
    expect(response.citations).toEqual([
      { url: 'https://a.example', title: 'Greetings', text: 'Hello', start: 0, end: 5, fileId: 'd1' },
    ]);
  });

  test('an end without message-end is a truncation', async () => {
    const cut = namedEvents([start, content('content-delta', { text: 'Hel' })]);
    expect(await failure(answered(cut))).toMatchObject({ code: 'truncated' });
    expect(await failure(answered('{"id":"x","message":{"content":['))).toMatchObject({ code: 'truncated' });
  });

  test('an error in the last event is thrown', async () => {
    const broken = namedEvents([start, end('ERROR', { error: 'the model is overloaded' })]);
    expect(await failure(answered(broken))).toMatchObject({ code: 'overloaded' });
  });

  test('one piece that is no JSON costs a warning, not the answer', async () => {
    const { response } = await answered(`data: {broken\n\n${HELLO}`);
    expect(textOf(response)).toBe('Hello');
    expect(codes(response)).toContain('malformed-chunk');
  });
});

describe('whole answers', () => {
  test('are read like streams, `null` arguments as none', async () => {
    const { response } = await answered(
      JSON.stringify({
        id: 'r2',
        message: {
          tool_plan: 'Plan.',
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'now', arguments: 'null' } }],
        },
        finish_reason: 'TOOL_CALL',
        usage: { billed_units: { input_tokens: 3, output_tokens: 2 } },
      }),
    );
    expect(response.content).toMatchObject([{ raw: { tool_plan: 'Plan.' } }, { name: 'now', arguments: {} }]);
    expect(response.usage).toEqual({ input: 3, output: 2 });
  });

  test.each([
    ['MAX_TOKENS', 'length'],
    ['STOP_SEQUENCE', 'stop'],
    ['ERROR', 'error'],
    ['SOMETHING_NEW', 'other'],
  ])('the reason %s is %s', async (told, reason) => {
    const { response } = await answered(namedEvents([start, content('content-delta', { text: 'x' }), end(told)]));
    expect(response.finishReason).toBe(reason);
  });
});
test.each([
  [400, 'too many tokens: size limit exceeded by 5 tokens.', 'context-window'],
  [401, 'invalid api token', 'invalid-credential'],
  [404, "model 'command-x' not found", 'model-not-found'],
  [429, 'You are using a Trial key, which is limited', 'rate-limited'],
  [503, 'no healthy upstream', 'overloaded'],
])('HTTP %i "%s" is %s', async (status, message, code) => {
  expect(await failure(answered({ status, text: JSON.stringify({ message }) }))).toMatchObject({ code, status });
});
