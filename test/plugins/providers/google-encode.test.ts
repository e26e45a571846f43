/** Requests of the generateContent wire: what canonical ones become, and what is told of what they lose. */
import type { Message } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { type ChatExtras, chat } from './attempts.ts';
import { codes } from './exchange.ts';
import { sentFor } from './google-answers.ts';
import type { Json } from './native-exchange.ts';

const SECOND = 'gemini-2.0-flash';
const BUDGETED = 'gemini-2.5-pro';
const NEWEST = 'gemini-3.8-flash';
const contentsOf = async (messages: readonly Message[], model?: string): Promise<unknown> =>
  (await sentFor(chat(messages), model)).body.contents;
const sent = async (extras: ChatExtras, model?: string) => {
  const { body, response } = await sentFor(chat('Hi', extras), model);
  return { ...body, config: body.generationConfig as Json | undefined, codes: codes(response) } as Json;
};

const history = (signature?: string): readonly Message[] => [
  { role: 'user', content: 'Look' },
  {
    role: 'assistant',
    content: [
      {
        type: 'tool-call',
        id: 'c1',
        name: 'look',
        arguments: { x: 1 },
        ...(signature === undefined ? {} : { signature }),
      },
      { type: 'tool-call', id: 'unnamed_r1_1', name: 'hear', arguments: {} },
    ],
  },
  {
    role: 'tool',
    content: [
      { type: 'tool-result', id: 'c1', content: 'seen' },
      { type: 'tool-result', id: 'unnamed_r1_1', content: 'deaf', isError: true },
    ],
  },
];

describe('turns', () => {
  test('system text stands apart, messages of one role are one turn', async () => {
    const { body } = await sentFor(
      chat([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'One' },
        { role: 'user', content: 'Two' },
        { role: 'assistant', content: 'Three' },
        { role: 'user', content: 'Four' },
      ]),
    );
    expect(body.systemInstruction).toEqual({ parts: [{ text: 'Be brief.' }] });
    expect(body.contents).toEqual([
      { role: 'user', parts: [{ text: 'One' }, { text: 'Two' }] },
      { role: 'model', parts: [{ text: 'Three' }] },
      { role: 'user', parts: [{ text: 'Four' }] },
    ]);
  });

  test('answers of tools say name and id, but no id that the provider did not give', async () => {
    expect(await contentsOf(history('google:sig'))).toEqual([
      { role: 'user', parts: [{ text: 'Look' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'c1', name: 'look', args: { x: 1 } }, thoughtSignature: 'sig' },
          { functionCall: { name: 'hear', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'c1', name: 'look', response: { output: 'seen' } } },
          { functionResponse: { name: 'hear', response: { error: 'deaf' } } },
        ],
      },
    ]);
  });

  test('a signature of another provider is never sent, and its absence is said where it is demanded', async () => {
    const firstCall = async (signature: string | undefined, model: string): Promise<unknown> => {
      const contents = (await contentsOf(history(signature), model)) as { parts: Json[] }[];
      return contents[1]?.parts[0]?.thoughtSignature;
    };
    expect(await firstCall('google-vertex:sig', NEWEST)).toBe('skip_thought_signature_validator');
    expect(await firstCall(undefined, NEWEST)).toBe('skip_thought_signature_validator');
    expect(await firstCall(undefined, BUDGETED)).toBeUndefined();
  });

  test('reasoning goes back to this provider where it is signed or kept, to no other', async () => {
    const back = async (part: object): Promise<unknown> => {
      const messages = [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: [part, { type: 'text', text: 'Yes' }] },
        { role: 'user', content: 'More' },
      ] as readonly Message[];
      const { body, response } = await sentFor(chat(messages));
      const turns = body.contents as { parts: Json[] }[];
      return { parts: turns[1]?.parts.slice(0, -1), codes: codes(response) };
    };
    const thought = { type: 'reasoning', text: 'Hm', signature: 's', family: 'google' };
    expect(await back(thought)).toEqual({ parts: [{ text: 'Hm', thought: true, thoughtSignature: 's' }], codes: [] });
    expect(await back({ ...thought, family: 'anthropic' })).toEqual({ parts: [], codes: ['reasoning-dropped'] });
    expect(await back({ type: 'reasoning', text: 'Hm', family: 'google' })).toEqual({ parts: [], codes: [] });
    const raw = { executableCode: { code: '1' } };
    expect(await back({ type: 'reasoning', text: '', family: 'google', raw })).toEqual({ parts: [raw], codes: [] });
  });

  test('a beginning of the answer is continued, or asked for in words', async () => {
    const messages = [
      { role: 'user', content: 'Count' },
      { role: 'assistant', content: 'One, ' },
    ] as const;
    expect(await contentsOf(messages, BUDGETED)).toHaveLength(2);
    const { body, response } = await sentFor(chat(messages), NEWEST);
    expect(body.contents).toMatchObject([{}, { role: 'model' }, { role: 'user' }]);
    expect(codes(response)).toEqual(['prefix-in-words']);
  });
});

describe('media', () => {
  test('goes inline or by address, with the type that the name says', async () => {
    const url = (address: string) => ({ type: 'url', url: address }) as const;
    const [turn] = (await contentsOf([
      {
        role: 'user',
        content: [
          { type: 'image', source: { type: 'base64', data: 'aGk=', mediaType: 'image/png' } },
          { type: 'image', source: url('data:image/gif;base64,aGk=') },
          { type: 'file', source: url('https://a/b.pdf?x=1') },
          { type: 'audio', source: { type: 'url', url: 'gs://a/b', mediaType: 'audio/wav' } },
          { type: 'video', source: url('https://www.youtube.com/watch?v=1') },
        ],
      },
    ])) as { parts: unknown }[];
    expect(turn?.parts).toEqual([
      { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
      { inlineData: { mimeType: 'image/gif', data: 'aGk=' } },
      { fileData: { fileUri: 'https://a/b.pdf?x=1', mimeType: 'application/pdf' } },
      { fileData: { fileUri: 'gs://a/b', mimeType: 'audio/wav' } },
      { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' } },
    ]);
  });

  test('in results it stands inside them, or behind them where the model wants text', async () => {
    const image = { type: 'image', source: { type: 'base64', data: 'aGk=', mediaType: 'image/png' } } as const;
    const messages: readonly Message[] = [
      ...history().slice(0, 2),
      { role: 'tool', content: [{ type: 'tool-result', id: 'c1', content: [{ type: 'text', text: 'seen' }, image] }] },
    ];
    const inline = { inlineData: { mimeType: 'image/png', data: 'aGk=' } };
    const last = async (model: string): Promise<unknown> =>
      ((await contentsOf(messages, model)) as { parts: unknown }[]).at(-1)?.parts;
    const response = { id: 'c1', name: 'look', response: { output: 'seen' } };
    expect(await last(NEWEST)).toEqual([{ functionResponse: { ...response, parts: [inline] } }]);
    expect(await last(BUDGETED)).toEqual([{ functionResponse: response }, inline]);
  });
});

describe('reasoning', () => {
  test.each([
    [NEWEST, { effort: 'high' }, { thinkingLevel: 'HIGH', includeThoughts: true }, []],
    [NEWEST, { effort: 'minimal' }, { thinkingLevel: 'LOW', includeThoughts: true }, ['effort-changed']],
    [NEWEST, { effort: 'none' }, { thinkingLevel: 'LOW' }, ['effort-changed']],
    [NEWEST, { budgetTokens: 9000 }, { thinkingLevel: 'HIGH', includeThoughts: true }, ['reasoning-budget-changed']],
    ['gemini-3.5-flash', { effort: 'minimal' }, { thinkingLevel: 'MINIMAL', includeThoughts: true }, []],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }, []],
    ['gemini-2.5-flash', { effort: 'medium' }, { thinkingBudget: 8192, includeThoughts: true }, []],
    [BUDGETED, { effort: 'none' }, { thinkingBudget: 128 }, ['reasoning-budget-changed']],
    [SECOND, { effort: 'high' }, undefined, ['reasoning-dropped']],
  ] as const)('%s %j', async (model, reasoning, expected, told) => {
    const body = await sent({ reasoning }, model);
    expect((body.config as Json | undefined)?.thinkingConfig).toEqual(expected);
    expect(body.codes).toEqual(told);
  });
});

describe('parameters', () => {
  const extras = {
    temperature: 0.5,
    topP: 0.9,
    topK: 4,
    presencePenalty: 1,
    seed: 7,
    stop: ['a'],
    maxOutputTokens: 50,
  };

  test('have their names, and are left out where the model refuses or ignores them', async () => {
    expect(await sent(extras, SECOND)).toMatchObject({
      config: {
        temperature: 0.5,
        topP: 0.9,
        topK: 4,
        presencePenalty: 1,
        seed: 7,
        stopSequences: ['a'],
        maxOutputTokens: 50,
      },
      codes: [],
    });
    const body = await sent(extras, NEWEST);
    expect(body.config).toEqual({ seed: 7, stopSequences: ['a'], maxOutputTokens: 50 });
    expect(body.codes).toEqual(Array.from({ length: 4 }, () => 'parameter-dropped'));
  });

  test('options of the provider are merged last, those of generationConfig one by one', async () => {
    const own = { cachedContent: 'cachedContents/1', generationConfig: { topK: 9 } };
    const { body, path, headers } = await sentFor(chat('Hi', { ...extras, providerOptions: { google: own } }), SECOND);
    expect(body).toMatchObject({ cachedContent: 'cachedContents/1', generationConfig: { topK: 9, seed: 7 } });
    expect(path).toBe('/models/gemini-2.0-flash:streamGenerateContent?alt=sse');
    expect(headers['x-goog-api-key']).toBe('test-key');
  });
});

describe('tools and schemas', () => {
  const schema = {
    type: 'object',
    properties: { z: { type: ['string', 'null'] }, a: { $ref: '#/$defs/n' } },
    required: ['z'],
    $defs: { n: { type: 'integer' } },
  } as const;
  const tools = [{ name: 'f', description: 'F', inputSchema: schema }];

  test.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [{ name: 'f' }, { mode: 'ANY', allowedFunctionNames: ['f'] }],
  ] as const)('choice %j', async (toolChoice, functionCallingConfig) => {
    expect((await sent({ tools, toolChoice })).toolConfig).toEqual({ functionCallingConfig });
  });

  test('newer models take JSON Schema as it is, older ones their own dialect; key order is kept', async () => {
    const newer = await sent({ tools, output: { type: 'json', schema } }, NEWEST);
    expect(newer.tools).toEqual([
      { functionDeclarations: [{ name: 'f', description: 'F', parametersJsonSchema: schema }] },
    ]);
    expect(JSON.stringify(newer.config)).toBe(
      JSON.stringify({ responseMimeType: 'application/json', responseJsonSchema: schema }),
    );
    const older = await sent({ output: { type: 'json', schema } }, SECOND);
    expect(JSON.stringify(older.config)).toBe(
      JSON.stringify({
        responseMimeType: 'application/json',
        responseSchema: {
          type: 'object',
          properties: { z: { type: 'string', nullable: true }, a: { type: 'integer' } },
          required: ['z'],
        },
      }),
    );
  });

  test('a schema beside tools goes into the prompt where the model takes one of them', async () => {
    const body = await sent({ tools, output: { type: 'json', schema } }, BUDGETED);
    expect(body.config).toBeUndefined();
    expect(JSON.stringify(body.systemInstruction)).toContain('JSON Schema');
    expect(body.codes).toEqual(['schema-in-prompt']);
  });
});
