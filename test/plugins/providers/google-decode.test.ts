/** Answers of the generateContent wire: each trap of its streams. */
import { textOf } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { chat } from './attempts.ts';
import { codes, failure } from './exchange.ts';
import { answered, chunk, USAGE } from './google-answers.ts';
import { events, type Json } from './native-exchange.ts';

const content = async (...chunks: readonly Json[]): Promise<unknown> =>
  (await answered(events(chunks))).response.content;

describe('forms of the stream', () => {
  const chunks = [chunk([{ text: 'Hel' }]), chunk([{ text: 'lo, ünï' }], 'STOP')];
  test.each([
    ['events with CRLF', events(chunks)],
    ['events with LF', events(chunks, '\n\n')],
    ['one JSON array', JSON.stringify(chunks, undefined, 2)],
    ['one JSON array, comma first', `[${chunks.map((one) => JSON.stringify(one)).join('\n,\r\n')}\n]`],
    ['documents one after another', chunks.map((one) => JSON.stringify(one)).join('\n')],
  ])('%s', async (_, answer) => {
    const { response } = await answered(answer);
    expect(textOf(response)).toBe('Hello, ünï');
    expect(response).toMatchObject({
      finishReason: 'stop',
      model: 'gemini-x',
      id: 'r1',
      usage: { input: 10, output: 5 },
    });
  });

  test('an array that breaks off is cut, not complete', async () => {
    const whole = JSON.stringify([chunk([{ text: 'Hel' }]), chunk([{ text: 'lo' }], 'STOP')]);
    expect(await failure(answered(whole.slice(0, -40)))).toMatchObject({ code: 'truncated' });
  });

  test('one malformed event does not kill the stream', async () => {
    const { response } = await answered(
      `${events([chunk([{ text: 'a' }])])}data: {"x\r\n\r\n${events([chunk([], 'STOP')])}`,
    );
    expect(textOf(response)).toBe('a');
    expect(codes(response)).toEqual(['malformed-chunk']);
  });
});

describe('calls', () => {
  test('in parallel, with and without ids, the signature on the first', async () => {
    const parts = [
      { functionCall: { name: 'f', args: { x: 1 }, id: 'own' }, thoughtSignature: 'sig' },
      { functionCall: { name: 'f', args: { x: 2 } } },
      { functionCall: { name: 'g' } },
    ];
    const { response } = await answered(events([chunk(parts), chunk([{ text: '' }], 'STOP')]));
    expect(response.finishReason).toBe('tool-calls');
    expect(response.content).toEqual([
      { type: 'tool-call', id: 'own', name: 'f', arguments: { x: 1 }, signature: 'google:sig' },
      { type: 'tool-call', id: 'unnamed_r1_1', name: 'f', arguments: { x: 2 } },
      { type: 'tool-call', id: 'unnamed_r1_2', name: 'g', arguments: {} },
    ]);
  });

  test('arguments in pieces, each at its path', async () => {
    const call = (fields: Json): Json => chunk([{ functionCall: fields }]);
    const parts = await content(
      call({ name: 'f', id: 'a', willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.place.name', stringValue: 'Ro', willContinue: true }], willContinue: true }),
      call({ partialArgs: [{ jsonPath: '$.place.name', stringValue: 'me' }], willContinue: true }),
      call({
        partialArgs: [
          { jsonPath: '$.days[1]', numberValue: 2 },
          { jsonPath: '$.now', boolValue: true },
        ],
        willContinue: true,
      }),
      call({ partialArgs: [{ jsonPath: "$['__proto__'].x", nullValue: 'NULL_VALUE' }], willContinue: true }),
      call({}),
      chunk([], 'STOP'),
    );
    const [first] = parts as { arguments: unknown }[];
    expect(JSON.stringify(first?.arguments)).toBe(
      '{"place":{"name":"Rome"},"days":[null,2],"now":true,"__proto__":{"x":null}}',
    );
    expect(({} as Json).x).toBeUndefined();
  });

  test.each([
    ['MAX_TOKENS', { arguments: {}, raw: '{"to":"Ro"}' }],
    ['STOP', { arguments: { to: 'Ro' } }],
  ])('arguments that were still to come at %s are not taken for whole ones', async (reason, expected) => {
    const parts = await content(
      chunk([{ functionCall: { name: 'f', id: 'a', willContinue: true } }]),
      chunk([
        {
          functionCall: {
            partialArgs: [{ jsonPath: '$.to', stringValue: 'Ro', willContinue: true }],
            willContinue: true,
          },
        },
      ]),
      chunk([], reason),
    );
    expect(parts).toEqual([{ type: 'tool-call', id: 'a', name: 'f', ...expected }]);
  });
});

describe('thoughts and signatures', () => {
  test('thoughts are reasoning, their signature stands on their block', async () => {
    expect(
      await content(
        chunk([{ text: 'Let me ', thought: true }]),
        chunk([{ text: 'see.', thought: true, thoughtSignature: 's1' }, { text: 'Yes' }]),
        chunk([{ text: '', thoughtSignature: 's2' }], 'STOP'),
      ),
    ).toEqual([
      { type: 'reasoning', text: 'Let me see.', signature: 's1', family: 'google' },
      { type: 'text', text: 'Yes' },
      { type: 'reasoning', text: '', family: 'google', raw: { text: '', thoughtSignature: 's2' } },
    ]);
  });

  test('code that ran at the provider is kept for the way back', async () => {
    const code = { executableCode: { language: 'PYTHON', code: '1' }, thoughtSignature: 's' };
    const result = { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1' } };
    expect(await content(chunk([code, result, { text: 'One' }], 'STOP'))).toEqual([
      { type: 'reasoning', text: '', family: 'google', raw: code },
      { type: 'reasoning', text: '', family: 'google', raw: result },
      { type: 'text', text: 'One' },
    ]);
  });

  test('images are results', async () => {
    const { response } = await answered(
      events([chunk([{ inlineData: { mimeType: 'image/png', data: 'aGk=' } }], 'STOP')]),
    );
    expect(response.output).toEqual({
      operation: 'image',
      images: [{ type: 'base64', data: 'aGk=', mediaType: 'image/png' }],
    });
  });
});

test('usage: thoughts are output, what tools fed back is input, the last of each number wins', async () => {
  const first = { ...USAGE, promptTokenCount: 99, thoughtsTokenCount: 7 };
  const last = {
    ...USAGE,
    toolUsePromptTokenCount: 20,
    cachedContentTokenCount: 4,
    promptTokensDetails: [
      { modality: 'TEXT', tokenCount: 8 },
      { modality: 'AUDIO', tokenCount: 2 },
    ],
  };
  const answer = events([chunk([], undefined, { usageMetadata: first }), chunk([], 'STOP', { usageMetadata: last })]);
  expect((await answered(answer)).response.usage).toEqual({
    input: 30,
    output: 12,
    cacheRead: 4,
    reasoning: 7,
    audioInput: 2,
  });
});

describe('endings', () => {
  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'content-filter'],
    ['RECITATION', 'content-filter'],
    ['PROHIBITED_CONTENT', 'content-filter'],
    ['SPII', 'content-filter'],
    ['BLOCKLIST', 'content-filter'],
    ['MALFORMED_FUNCTION_CALL', 'error'],
    ['FUNCTION_CALL', 'tool-calls'],
    ['LANGUAGE', 'content-filter'],
    ['MODEL_ARMOR', 'content-filter'],
    ['UNEXPECTED_TOOL_CALL', 'error'],
    ['__proto__', 'other'],
  ])('%s is %s', async (reason, expected) => {
    expect((await answered(events([chunk([{ text: 'x' }], reason)]))).response.finishReason).toBe(expected);
  });

  test('a blocked prompt is a content filter, with its reason', async () => {
    const answer = events([{ promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 3 } }]);
    expect((await answered(answer)).response).toMatchObject({
      finishReason: 'content-filter',
      refusal: 'SAFETY',
      usage: { input: 3, output: 0 },
    });
  });

  test('a body without a reason is cut', async () => {
    expect(await failure(answered(events([chunk([{ text: 'x' }])])))).toMatchObject({ code: 'truncated' });
  });

  test('counts may follow the reason', async () => {
    const { response } = await answered(
      events([chunk([{ text: 'x' }], 'STOP', { usageMetadata: undefined }), { usageMetadata: USAGE }]),
    );
    expect(response.usage).toEqual({ input: 10, output: 5 });
  });

  test('an error in the middle of a stream is one', async () => {
    const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } };
    expect(await failure(answered(events([chunk([{ text: 'x' }]), error])))).toMatchObject({
      code: 'overloaded',
      status: 503,
    });
  });
});

test('sources, log probabilities and the body on request', async () => {
  const candidate = {
    content: { parts: [{ text: 'Paris is it.' }] },
    finishReason: 'STOP',
    groundingMetadata: {
      groundingChunks: [{ web: { uri: 'https://a', title: 'A' } }, { retrievedContext: { uri: 'b', text: 'B' } }],
      groundingSupports: [{ segment: { startIndex: 0, endIndex: 5, text: 'Paris' }, groundingChunkIndices: [0, 1] }],
    },
    logprobsResult: {
      chosenCandidates: [{ token: 'Paris', logProbability: -0.1 }],
      topCandidates: [{ candidates: [{ token: 'Rome', logProbability: -2 }] }],
    },
  };
  const { response } = await answered(events([{ candidates: [candidate] }]), chat('Hi', { includeRaw: true }));
  expect(response).toMatchObject({
    citations: [
      { url: 'https://a', title: 'A', text: 'Paris' },
      { url: 'b', text: 'Paris' },
    ],
    logprobs: [{ token: 'Paris', logprob: -0.1, top: [{ token: 'Rome', logprob: -2 }] }],
    raw: { candidates: [candidate] },
  });
  expect(codes(response)).toEqual(['usage-missing']);
});
