/** Images, sound and files of an answer: all of them are kept, in their places, and the next turn sends them back. */
import type { Message, ModelRequest, Part } from 'polyphony';
import { collect, replay } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { chat } from './attempts.ts';
import { CHAT_WIRES, type ChatWire, said } from './chat-wires.ts';
import { events } from './native-exchange.ts';

const drawn = (letter: string): string => Buffer.from(letter.repeat(24)).toString('base64');
const [ONE, TWO] = [drawn('x'), drawn('y')] as const;

type Json = Record<string, unknown>;
const wireOf = (name: string): ChatWire => CHAT_WIRES.find((wire) => wire.name === name) as ChatWire;
const url = (data: string): Json => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } });

const ANSWERS: readonly { readonly wire: ChatWire; readonly answer: Json }[] = [
  {
    wire: wireOf('chat completions'),
    answer: {
      choices: [{ message: { content: 'two', images: [url(ONE), url(TWO)] }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    },
  },
  {
    wire: wireOf('responses'),
    answer: {
      status: 'completed',
      output: [
        { type: 'image_generation_call', id: 'one', status: 'completed', result: ONE },
        { type: 'image_generation_call', id: 'two', status: 'completed', result: TWO },
        { type: 'message', content: [{ type: 'output_text', text: 'two' }] },
      ],
      usage: { input_tokens: 1, output_tokens: 1 },
    },
  },
  {
    wire: wireOf('google'),
    answer: {
      candidates: [
        {
          content: {
            parts: [
              { inlineData: { mimeType: 'image/png', data: ONE } },
              { text: 'two' },
              { inlineData: { mimeType: 'image/png', data: TWO }, thoughtSignature: 'c2lnbmVk' },
            ],
          },
          finishReason: 'STOP',
        },
      ],
      usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
    },
  },
  {
    wire: wireOf('bedrock'),
    answer: {
      output: {
        message: {
          content: [
            { image: { format: 'png', source: { bytes: ONE } } },
            { text: 'two' },
            { image: { format: 'png', source: { bytes: TWO } } },
          ],
        },
      },
      stopReason: 'end_turn',
      usage: { inputTokens: 1, outputTokens: 1 },
    },
  },
];

const turn = (content: readonly Part[], last = 'Now in blue'): ModelRequest => {
  const messages: Message[] = [
    { role: 'user', content: 'Draw two' },
    { role: 'assistant', content },
    { role: 'user', content: last },
  ];
  return chat(messages);
};

const sources = (content: readonly Part[]): unknown[] =>
  content.flatMap((part) => (part.type === 'image' ? [part.source] : []));

describe.each(ANSWERS)('$wire.name', ({ wire, answer }) => {
  test('both images are in the content, and where those of image models are', async () => {
    const { response } = await said(wire, chat('Draw two'), undefined, answer);
    const images = [ONE, TWO].map((data) => ({ type: 'base64', data, mediaType: 'image/png' }));
    expect(sources(response.content)).toEqual(images);
    expect(response.output).toEqual({ operation: 'image', images });
    expect(response.content.filter((part) => part.type === 'text')).toMatchObject([{ text: 'two' }]);
  });

  test('a replayed answer is the same', async () => {
    const { response } = await said(wire, chat('Draw two'), undefined, answer);
    const again = await collect(replay(response), { trace: { attempts: [] }, signal: new AbortController().signal });
    expect({ ...again, costNanoUsd: null }).toEqual({ ...response, costNanoUsd: null });
  });

  test('the next turn sends both back', async () => {
    const { response } = await said(wire, chat('Draw two'), undefined, answer);
    const card = wire.name === 'chat completions' || wire.name === 'responses' ? { model: 'm' } : {};
    const { text } = await said({ ...wire, ...card }, turn(response.content));
    const sent = [ONE, TWO].filter((data) => text.includes(data));
    // A model that is not known to take images is told of none.
    if (wire.name === 'chat completions') expect(sent).toEqual([]);
    else expect(sent).toEqual([ONE, TWO]);
    if (wire.name === 'google') expect(text).toContain('"thoughtSignature":"c2lnbmVk"');
    if (wire.name === 'responses') expect(text).toContain('"id":"two"');
  });
});

describe('another provider', () => {
  const content: Part[] = [
    { type: 'text', text: 'Here.' },
    {
      type: 'image',
      source: { type: 'base64', data: ONE, mediaType: 'image/png' },
      family: 'elsewhere',
      signature: 's',
    },
    { type: 'file', source: { type: 'url', url: 'file_elsewhere' }, family: 'elsewhere' },
  ];

  test.each(CHAT_WIRES.filter(({ name }) => ['anthropic', 'google', 'bedrock'].includes(name)))(
    '$name is sent the image, and neither signatures nor ids of files of the other',
    async (wire) => {
      const { text, body } = await said(wire, turn(content));
      expect(text).toContain(ONE);
      expect(text).not.toContain('elsewhere');
      expect(text).not.toContain('"s"');
      const listed = (body.messages ?? body.contents) as { role: string }[];
      const place = listed.find((message) => JSON.stringify(message).includes(ONE));
      expect(place?.role).toBe(wire.name === 'google' ? 'model' : 'user');
    },
  );

  test.each(CHAT_WIRES.filter(({ name }) => ['cohere', 'ollama', 'chat completions'].includes(name)))(
    '$name, whose model takes no images, is told so by a warning',
    async (wire) => {
      const { text, response } = await said(wire, turn(content));
      expect(text).not.toContain(ONE);
      expect(response.warnings.map(({ code }) => code)).toContain('media-dropped');
    },
  );
});

describe('chat completions', () => {
  const wire = wireOf('chat completions');

  test('images that come one by one are all kept, and go back in the message that made them', async () => {
    const delta = (fields: Json, finish_reason: string | null = null): Json => ({
      choices: [{ index: 0, delta: fields, finish_reason }],
    });
    const make = (baseURL: string) => openrouter({ apiKey: 'k', baseURL, models: ['m'] });
    const router: ChatWire = { ...wire, make };
    const streamed = events([delta({ images: [url(ONE)] }), delta({ images: [url(TWO)] }), delta({}, 'stop')]);
    const { loopback } = await import('../../kit/loopback.ts');
    const { ask } = await import('./attempts.ts');
    const { transport } = await import('./exchange.ts');
    const server = await loopback((_, response) => {
      response.setHeader('content-type', 'text/event-stream');
      response.end(streamed);
    });
    const response = await ask(make(server.url), transport, chat('Draw two'));
    expect(sources(response.content)).toHaveLength(2);
    const { body } = await said(router, turn(response.content));
    expect((body.messages as Json[])[1]).toMatchObject({ role: 'assistant', images: [url(ONE), url(TWO)] });
  });

  test('sound is kept with its words, and goes back by its id', async () => {
    const audio = { id: 'sound-1', data: 'UklGRg==', transcript: 'Good evening.', expires_at: 4_000_000_000 };
    const answer = {
      choices: [{ message: { content: null, audio }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    };
    const { response } = await said(wire, chat('Say it'), { audio: { format: 'mp3', voice: 'v' } }, answer);
    const source = { type: 'base64', data: 'UklGRg==', mediaType: 'audio/mpeg' };
    expect(response.content).toMatchObject([
      { type: 'text', text: 'Good evening.' },
      { type: 'audio', source, transcript: 'Good evening.' },
    ]);
    const { body } = await said(wire, turn(response.content));
    expect((body.messages as Json[])[1]).toEqual({ role: 'assistant', content: null, audio: { id: 'sound-1' } });
    const elsewhere = await said(wireOf('anthropic'), turn(response.content));
    expect(elsewhere.text).toContain('Good evening.');
    expect(elsewhere.text).not.toContain('UklGRg');
  });

  test('sound in pieces is put together as bytes', async () => {
    const pieces = [Buffer.from('ab'), Buffer.from('cde')].map((bytes) => bytes.toString('base64'));
    const message = (data?: string): Json => ({ audio: { id: 'a', data, transcript: 'w' } });
    const { readAudio, audioDraft, audioEvent } = await import('../../../src/kit/wires/chat-completions/media.ts');
    const context = { target: { provider: 'p', model: 'm' } } as Parameters<typeof audioDraft>[1];
    const draft = audioDraft({ operation: 'chat', messages: [] }, context);
    for (const data of pieces) readAudio(draft, message(data).audio as Json);
    const event = audioEvent(draft);
    const part = event?.type === 'media' ? event.part : undefined;
    expect(part?.source).toMatchObject({ data: Buffer.from('abcde').toString('base64') });
  });
});

test('google: sound, videos and files of an answer are kept as what they are', async () => {
  const media = (mimeType: string): Json => ({ inlineData: { mimeType, data: ONE } });
  const parts = ['audio/wav', 'video/mp4', 'text/csv'].map(media);
  const answer = {
    candidates: [{ content: { parts }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
  };
  const { response } = await said(wireOf('google'), chat('Make'), undefined, answer);
  expect(response.content.map(({ type }) => type)).toEqual(['audio', 'video', 'file']);
  const { body } = await said(wireOf('google'), turn(response.content));
  expect((body.contents as Json[])[1]).toEqual({ role: 'model', parts });
});

test('google: an image is sent under the registered name of its type', async () => {
  const source = { type: 'base64', data: ONE, mediaType: 'image/JPG' } as const;
  const { text } = await said(wireOf('google'), chat([{ role: 'user', content: [{ type: 'image', source }] }]));
  expect(text).toContain('"mimeType":"image/jpeg"');
});
