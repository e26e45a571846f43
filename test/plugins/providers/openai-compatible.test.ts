/** How servers of the chat-completions wire stream and end, each oddity as one of them sends it. */
import type { ModelEvent } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { loopback, sse } from '../../kit/loopback.ts';
import { chat, speak } from './attempts.ts';
import { codes, delta, exchange, failure, transport, usage, withoutDone } from './exchange.ts';

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

  test.each([null, false, ''])('an error field that says nothing is none: %j', async (error) => {
    const { response } = await exchange(sse([delta({ content: 'Hi' }, 'stop', { usage, error })]));
    expect(textOf(response)).toBe('Hi');
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
