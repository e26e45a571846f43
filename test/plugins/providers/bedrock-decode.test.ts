/** Answers of the Converse wire: each trap of its streams. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { createEventStreamDecoder, type EventMessage } from '../../../plugins/providers/bedrock/event-stream.ts';
import { chat } from './attempts.ts';
import {
  answered,
  called,
  delta,
  ending,
  event,
  exception,
  HELLO,
  metadata,
  stopped,
  stream,
} from './bedrock-answers.ts';
import { frame } from './bedrock-frame.ts';
import { codes, failure } from './exchange.ts';

const damaged = (at: number): Buffer => {
  const bytes = Buffer.from(HELLO);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes;
};

describe('the binary stream', () => {
  test('is read whatever the pieces that its bytes come in', () => {
    const bytes = Buffer.concat([frame({ a: 'x', n: 7, ':event-type': 'é' }, '{"t":"日本"}'), frame({}, '')]);
    for (let size = 1; size <= bytes.length; size += 1) {
      const messages: EventMessage[] = [];
      const decoder = createEventStreamDecoder((message) => messages.push(message));
      for (let at = 0; at < bytes.length; at += size) decoder.push(bytes.subarray(at, at + size));
      decoder.end();
      expect(messages).toEqual([
        { headers: { a: 'x', ':event-type': 'é' }, payload: '{"t":"日本"}' },
        { headers: {}, payload: '' },
      ]);
    }
  });

  test('a wrong sum of a prelude or of a message is an error, never an answer', async () => {
    const first = event('messageStart', { role: 'assistant' }).length;
    const seen = new Set<string>();
    // The lengths, the headers and the payload of the second message, bit by bit.
    for (let at = first; at < first + 60; at += 5) {
      const error = await failure(answered(damaged(at)));
      expect(error.code).toBe('network');
      seen.add(/checksum of a (\w+)/.exec(error.message)?.[1] ?? '');
    }
    expect([...seen].sort()).toEqual(['message', 'prelude']);
  });

  test('what came before damaged bytes goes out', async () => {
    const texts: string[] = [];
    const decoder = createEventStreamDecoder(({ payload }) => texts.push(payload));
    const bad = frame({}, '{"b":2}');
    bad[bad.length - 1] = (bad.at(-1) ?? 0) ^ 1;
    expect(() => decoder.push(Buffer.concat([frame({}, '{"a":1}'), bad]))).toThrow('checksum of a message');
    expect(texts).toEqual(['{"a":1}']);
  });

  test.each([
    ['inside a message', HELLO.subarray(0, -5)],
    ['between two', HELLO.subarray(0, HELLO.length - metadata().length - ending('end_turn').length)],
    ['before anything', Buffer.alloc(0)],
  ])('an end %s is a truncation', async (_where, bytes) => {
    expect(await failure(answered(bytes))).toMatchObject({ code: 'truncated' });
  });

  test('a whole answer without its usage is kept, with a warning', async () => {
    const { response } = await answered(HELLO.subarray(0, HELLO.length - metadata().length));
    expect(textOf(response)).toBe('Hello');
    expect(codes(response)).toEqual(['usage-missing']);
  });

  test.each([
    ['throttlingException', { message: 'Too many requests' }, 'rate-limited'],
    ['serviceUnavailableException', { message: 'busy' }, 'overloaded'],
    ['internalServerException', { message: 'oops' }, 'overloaded'],
    ['modelStreamErrorException', { message: 'lost', originalStatusCode: 424 }, 'overloaded'],
    ['validationException', { message: 'Input is too long for requested model.' }, 'context-window'],
    ['modelTimeoutException', { message: 'slow' }, 'timeout'],
  ])('%s after some text is thrown', async (type, payload, code) => {
    const bytes = Buffer.concat([event('messageStart', {}), delta(0, { text: 'Hel' }), exception(type, payload)]);
    expect(await failure(answered(bytes))).toMatchObject({ code });
  });

  test('one payload that is no JSON costs a warning, not the answer', async () => {
    const odd = frame({ ':event-type': 'contentBlockDelta', ':message-type': 'event' }, '{broken');
    const { response } = await answered(Buffer.concat([odd, HELLO]));
    expect(textOf(response)).toBe('Hello');
    expect(codes(response)).toContain('malformed-chunk');
  });
});

describe('blocks', () => {
  test('parallel calls, the index of a block being that of no call', async () => {
    const { response } = await answered(
      stream(
        [
          delta(0, { text: 'Two.' }),
          stopped(0),
          called(1, { toolUseId: 'a', name: 'f' }),
          delta(1, { toolUse: { input: '{"x":' } }),
          delta(1, { toolUse: { input: '1}' } }),
          stopped(1),
          called(2, { toolUseId: 'b', name: 'f' }),
          stopped(2),
        ],
        'tool_use',
      ),
    );
    expect(response.content).toEqual([
      { type: 'text', text: 'Two.' },
      { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
      { type: 'tool-call', id: 'b', name: 'f', arguments: {} },
    ]);
    expect(response.finishReason).toBe('tool-calls');
  });

  test('broken arguments are kept raw, with a warning', async () => {
    const blocks = [called(0, { toolUseId: 'a', name: 'f' }), delta(0, { toolUse: { input: '{"x":' } }), stopped(0)];
    const { response } = await answered(stream(blocks, 'tool_use'));
    expect(response.content).toMatchObject([{ arguments: {}, raw: '{"x":' }]);
    expect(codes(response)).toContain('tool-arguments');
  });

  test('reasoning, signed and redacted, becomes what it has to go back as', async () => {
    const [one, two] = [Buffer.from('secret').toString('base64'), Buffer.from('s').toString('base64')];
    const { response } = await answered(
      stream([
        delta(0, { reasoningContent: { text: 'Hm' } }),
        delta(0, { reasoningContent: { signature: 'sig' } }),
        stopped(0),
        delta(1, { reasoningContent: { redactedContent: one } }),
        delta(1, { reasoningContent: { redactedContent: two } }),
        stopped(1),
        delta(2, { text: 'Hi' }),
      ]),
    );
    const redacted = Buffer.from('secrets').toString('base64');
    expect(response.content).toEqual([
      {
        type: 'reasoning',
        text: 'Hm',
        signature: 'sig',
        family: 'bedrock',
        raw: { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
      },
      {
        type: 'reasoning',
        text: '',
        redacted,
        family: 'bedrock',
        raw: { reasoningContent: { redactedContent: redacted } },
      },
      { type: 'text', text: 'Hi' },
    ]);
  });

  test('a call of the provider itself is none of ours, and is kept for the way back', async () => {
    const start = { toolUseId: 's', name: 'search', type: 'server_tool_use' };
    const blocks = [
      called(0, start),
      delta(0, { toolUse: { input: '{"q":1}' } }),
      stopped(0),
      delta(1, { text: 'Found' }),
    ];
    const { response } = await answered(stream(blocks));
    expect(response.content).toEqual([
      { type: 'reasoning', text: '', family: 'bedrock', raw: { toolUse: { ...start, input: { q: 1 } } } },
      { type: 'text', text: 'Found' },
    ]);
  });

  test('the input of a call that was forced for its sake is the answer', async () => {
    const blocks = [
      called(0, { toolUseId: 'a', name: 'output' }),
      delta(0, { toolUse: { input: '{"x":1}' } }),
      stopped(0),
    ];
    const request = chat('Hi', { output: { type: 'json', schema: { type: 'object', properties: { x: {} } } } });
    const { response } = await answered(stream(blocks, 'tool_use'), request);
    expect(response).toMatchObject({ finishReason: 'stop', content: [{ type: 'text', text: '{"x":1}' }] });
  });
});

describe('endings', () => {
  test('the input counts what the cache read and wrote', async () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadInputTokens: 100,
      cacheWriteInputTokens: 20,
      cacheDetails: [
        { ttl: '1h', inputTokens: 15 },
        { ttl: '5m', inputTokens: 5 },
      ],
    };
    const { response } = await answered(stream([delta(0, { text: 'Hi' })], 'end_turn', usage));
    expect(response.usage).toEqual({ input: 130, output: 5, cacheRead: 100, cacheWrite: 20, cacheWriteLong: 15 });
  });

  test.each([
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['stop_sequence', 'stop'],
    ['guardrail_intervened', 'content-filter'],
    ['content_filtered', 'content-filter'],
    ['something_new', 'other'],
  ])('%s is %s', async (told, reason) => {
    expect((await answered(stream([delta(0, { text: 'Hi' })], told))).response.finishReason).toBe(reason);
  });

  test('a document says the same as a stream', async () => {
    const document = {
      output: {
        message: {
          content: [
            { reasoningContent: { reasoningText: { text: 'Hm', signature: 'sig' } } },
            {
              citationsContent: {
                content: [{ text: 'Hi' }],
                citations: [{ title: 'T', sourceContent: [{ text: 'x' }] }],
              },
            },
            { toolUse: { toolUseId: 'a', name: 'f', input: { x: 1 } } },
          ],
        },
      },
      stopReason: 'tool_use',
      usage: { inputTokens: 1, outputTokens: 2 },
    };
    const { response } = await answered(JSON.stringify(document));
    expect(response.content).toMatchObject([
      { type: 'reasoning', text: 'Hm', signature: 'sig' },
      { type: 'text', text: 'Hi' },
      { type: 'tool-call', id: 'a', name: 'f', arguments: { x: 1 } },
    ]);
    expect(response).toMatchObject({ usage: { input: 1, output: 2 }, citations: [{ title: 'T', text: 'x' }] });
    expect(await failure(answered(JSON.stringify(document).slice(0, -20)))).toMatchObject({ code: 'truncated' });
  });
});

test.each([
  [400, 'ValidationException:http://internal', 'The provided model identifier is invalid.', 'model-not-found'],
  [400, 'ValidationException', 'Input is too long for requested model.', 'context-window'],
  [403, 'AccessDeniedException', "You don't have access to the model with the specified model ID.", 'model-not-found'],
  [403, 'ExpiredTokenException', 'The security token included in the request is expired', 'invalid-credential'],
  [404, 'ResourceNotFoundException', 'This Model is marked by provider as Legacy.', 'model-not-found'],
  [424, 'ModelErrorException', 'The model failed.', 'overloaded'],
  [429, 'ThrottlingException', 'Too many tokens, please wait before trying again.', 'rate-limited'],
  [503, 'ServiceUnavailableException', 'Bedrock is unable to process your request.', 'overloaded'],
])('HTTP %i %s "%s" is %s', async (status, type, message, code) => {
  const refused = answered(JSON.stringify({ message }), undefined, undefined, {
    status,
    headers: { 'x-amzn-errortype': type },
  });
  expect(await failure(refused)).toMatchObject({ code, status });
});
