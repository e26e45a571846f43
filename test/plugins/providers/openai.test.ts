import type OpenAI from 'openai';
import { type ModelRequest, PolyphonyError } from 'polyphony';
import { testProvider } from 'polyphony/testing';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import plugin, { openai } from '../../../plugins/providers/openai.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import type { Loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { recorder } from './openai-recorder.ts';

const transport = createTransport();
afterAll(() => transport.close());

let server: Loopback;
let client: OpenAI;
beforeEach(async () => {
  ({ server, client } = await recorder());
});

const weatherSchema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

testProvider({
  test,
  async make() {
    const own = createTransport();
    const rateLimitHeaders = { 'x-ratelimit-remaining-tokens': '8', 'x-ratelimit-reset-tokens': '6m0s' };
    const provider = openai({ apiKey: 'a-secret-key-of-ours', baseURL: server.url });
    return { provider, transport: own, secrets: ['a-secret-key-of-ours'], rateLimitHeaders, close: () => own.close() };
  },
});

describe('the provider', () => {
  test('decodes base64 vectors as the client does', async () => {
    const provider = openai({ apiKey: 'k', baseURL: server.url });
    const target = { model: 'text-embedding-3-small' };
    const response = await ask(provider, transport, { operation: 'embed', input: ['a'] }, { target });
    const official = await client.embeddings.create({ model: target.model, input: ['a'] });
    expect(response.output).toEqual({ operation: 'embed', vectors: [official.data[0]?.embedding] });
    expect(response.output).toMatchObject({ vectors: [[1, 2]] });
  });

  test('calls tools of the newest models at the only effort that they take on this wire, and says so', async () => {
    const tools = [{ name: 'weather', inputSchema: weatherSchema }];
    const provider = openai({ apiKey: 'k', baseURL: server.url });
    const request = chat('x', { tools, reasoning: { effort: 'high' }, temperature: 0.3 });
    const response = await ask(provider, transport, request, { target: { model: 'gpt-6-sol' } });
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ reasoning_effort: 'none', temperature: 0.3 });
    expect(response.warnings.map(({ code }) => code)).toContain('effort-changed');
  });

  test('drops what a model refuses, and says so', async () => {
    const provider = openai({ apiKey: 'k', baseURL: server.url });
    const request = chat('x', { topK: 5, temperature: 0.3 });
    const response = await ask(provider, transport, request, { target: { model: 'gpt-5-mini' } });
    expect(Object.keys(JSON.parse(server.received[0]?.body ?? '') as object)).not.toContain('temperature');
    expect(response.warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'parameter-dropped "temperature" was dropped, because gpt-5-mini does not support it.',
      'parameter-dropped "top_k" was dropped, because gpt-5-mini does not support it.',
    ]);
  });

  test('counts images that are paid in tokens as tokens alone', async () => {
    const provider = openai({ apiKey: 'k', baseURL: server.url });
    const target = { model: 'gpt-image-2' };
    const image: ModelRequest = {
      operation: 'image',
      prompt: 'bluer',
      image: { type: 'url', url: 'https://example.com/a.png' },
    };
    const response = await ask(provider, transport, image, { target });
    expect(response.usage).toEqual({ input: 1, output: 2 });
    expect(server.received[0]?.path).toBe('/images/edits');
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
      images: [{ image_url: 'https://example.com/a.png' }],
    });
  });

  test('every card names a price with its source, and no id twice', () => {
    const { models } = openai();
    expect(models.every((card) => card.price?.source !== undefined)).toBe(true);
    expect(new Set(models.map(({ id }) => id)).size).toBe(models.length);
  });

  test('as a plugin reads its key at the request, and names the variable when it is missing', async () => {
    const provider = plugin.providers[0];
    if (provider === undefined) throw new Error('The plugin has no provider.');
    vi.stubEnv('OPENAI_API_KEY', '');
    const error: unknown = await ask(provider, transport, chat('x')).catch((thrown: unknown) => thrown);
    vi.unstubAllEnvs();
    expect(error).toBeInstanceOf(PolyphonyError);
    expect(error).toMatchObject({ code: 'invalid-credential', message: expect.stringContaining('OPENAI_API_KEY') });
  });
});

test('chats over chat completions say how many tools a request may have, and those over the Responses API do not', () => {
  const counts = (provider: ReturnType<typeof openai>) =>
    new Map(provider.models.map(({ id, toolSupport }) => [id, toolSupport?.count]));
  const chats = counts(openai());
  expect([chats.get('gpt-6-sol'), chats.get('gpt-6-astra'), chats.get('text-embedding-3-small')]).toEqual([
    128,
    undefined,
    undefined,
  ]);
  expect([...counts(openai({ api: 'responses' })).values()].every((count) => count === undefined)).toBe(true);
});
