/** What is asked of the endpoints that count, and what comes of their answers. */
import type { Provider, Target } from 'polyphony';
import { providerContext } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { google } from '../../../plugins/providers/google.ts';
import { googleVertex } from '../../../plugins/providers/google-vertex.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { chat } from './attempts.ts';
import { failure, transport } from './exchange.ts';

const request = chat(
  [
    { role: 'system', content: 'Be terse.' },
    { role: 'user', content: 'Capital of France?' },
  ],
  {
    maxOutputTokens: 50,
    stop: ['END'],
    tools: [{ name: 'weather', description: 'Weather', inputSchema: { type: 'object', properties: {} } }],
  },
);
const asked = { ...request, providerOptions: { anthropic: { betas: ['b-1'] } } } as typeof request;

function count(provider: Provider, what = request, target: Partial<Target> = {}): Promise<number> {
  const call = { id: 'call', signal: new AbortController().signal, purpose: 'answer' as const, scopes: [] };
  const chosen = { provider: provider.id, model: 'm', ...target };
  const attempt = { ...call, request: what, trace: { attempts: [] }, target: chosen, number: 1 };
  return provider.countTokens?.(attempt, providerContext(transport)) ?? Promise.reject(new Error('it counts nothing'));
}

const answering = (body: unknown, status = 200): Promise<Loopback> =>
  loopback((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });

const bodyOf = (server: Loopback): unknown => JSON.parse(server.received[0]?.body ?? '');

describe('tokens are counted', () => {
  test('by Anthropic: the parts of a message that are read, and nothing else', async () => {
    const server = await answering({ input_tokens: 588 });
    const provider = anthropic({ apiKey: 'k', baseURL: `${server.url}/v1` });
    expect(await count(provider, asked)).toBe(588);
    expect(server.received[0]).toMatchObject({
      path: '/v1/messages/count_tokens',
      headers: { 'anthropic-beta': 'b-1' },
    });
    expect(Object.keys(bodyOf(server) as object).sort()).toEqual(['messages', 'model', 'system', 'tools']);
  });

  test('by Gemini: a request within the request', async () => {
    const server = await answering({ totalTokens: 61 });
    const provider = google({ apiKey: 'k', baseURL: `${server.url}/v1beta` });
    expect(await count(provider)).toBe(61);
    expect(server.received[0]?.path).toBe('/v1beta/models/m:countTokens');
    expect(bodyOf(server)).toMatchObject({
      generateContentRequest: { model: 'models/m', contents: [{ role: 'user' }] },
    });
  });

  test('by Vertex: the parts themselves', async () => {
    const server = await answering({ totalTokens: 13 });
    const provider = googleVertex({ accessToken: async () => 'token', baseURL: `${server.url}/publishers/google` });
    expect(await count(provider)).toBe(13);
    expect(server.received[0]).toMatchObject({
      path: '/publishers/google/models/m:countTokens',
      headers: { authorization: 'Bearer token' },
    });
    const known = ['contents', 'generationConfig', 'systemInstruction', 'tools'];
    expect(Object.keys(bodyOf(server) as object).sort()).toEqual(known);
  });

  test('by Bedrock: by the model, whatever profile spreads its calls', async () => {
    const server = await answering({ inputTokens: 18 });
    const provider = bedrock({ apiKey: 'k', region: 'eu-central-1', baseURL: server.url });
    expect(await count(provider, request, { model: 'global.anthropic.claude-x-v1:0' })).toBe(18);
    expect(server.received[0]?.path).toBe('/model/anthropic.claude-x-v1%3A0/count-tokens');
    const { converse } = (bodyOf(server) as { input: { converse: object } }).input;
    expect(Object.keys(converse).sort()).toEqual(['messages', 'system', 'toolConfig']);
  });

  test.each([
    ['over its older wire', openai],
    ['over Responses', openaiResponses],
  ])('by OpenAI, %s', async (_way, make) => {
    const server = await answering({ object: 'response.input_tokens', input_tokens: 40 });
    expect(await count(make({ apiKey: 'k', baseURL: server.url }), request, { model: 'gpt-5.6' })).toBe(40);
    expect(server.received[0]?.path).toBe('/responses/input_tokens');
    const keys = Object.keys(bodyOf(server) as object);
    expect(keys).toEqual(expect.arrayContaining(['model', 'input', 'instructions', 'tools']));
    expect(keys).not.toContain('max_output_tokens');
  });
});

describe('a count that is none', () => {
  test('is an error that names the target and holds no key', async () => {
    const server = await answering({ error: { message: 'bad key sk-secret', type: 'authentication_error' } }, 401);
    const error = await failure(count(anthropic({ apiKey: 'sk-secret', baseURL: server.url })));
    expect(error).toMatchObject({ code: 'invalid-credential', status: 401 });
    expect(error.message).toContain('anthropic/m');
    expect(error.message).not.toContain('sk-secret');
  });

  test('is refused where the answer holds none, and where nothing is chatted', async () => {
    const server = await answering({ message: 'hello' });
    const provider = google({ apiKey: 'k', baseURL: server.url });
    expect((await failure(count(provider))).code).toBe('invalid-output');
    const embed = { operation: 'embed', input: ['a'] } as const;
    expect((await failure(count(provider, embed))).code).toBe('unsupported');
    expect(server.received).toHaveLength(1);
  });
});
