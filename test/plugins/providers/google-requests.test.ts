/** Our requests beside those of the official client: both are sent to a recorder, and their bodies must say the same. */
import { FunctionCallingConfigMode, type GenerateContentParameters, GoogleGenAI, ThinkingLevel } from '@google/genai';
import type { ModelRequest } from 'polyphony';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { google } from '../../../plugins/providers/google.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { HELLO } from './google-answers.ts';
import type { Json } from './native-exchange.ts';

const transport = createTransport();
afterAll(() => transport.close());

const VECTORS = JSON.stringify({ embedding: { values: [0.5] }, embeddings: [{ values: [0.5] }, { values: [0.25] }] });
let server: Loopback;
let client: GoogleGenAI;
beforeEach(async () => {
  server = await loopback((call, response) => void response.end(/[eE]mbedContent/.test(call.path) ? VECTORS : HELLO));
  client = new GoogleGenAI({ apiKey: 'test-key', httpOptions: { baseUrl: server.url } });
});

/** Sends ours, then the client's, and returns what arrived of both. */
async function both(
  request: ModelRequest,
  model: string,
  official: () => Promise<unknown>,
): Promise<readonly unknown[]> {
  const provider = google({ apiKey: 'test-key', baseURL: `${server.url}/v1beta` });
  await ask(provider, transport, request, { target: { model } });
  await official();
  return server.received.map(({ path, headers, body }) => ({
    path,
    key: headers['x-goog-api-key'],
    body: withoutRole(JSON.parse(body) as Json),
  }));
}

/** The client gives system text a role, which the wire ignores. */
function withoutRole({ systemInstruction, ...body }: Json): Json {
  if (systemInstruction === undefined) return body;
  return { ...body, systemInstruction: { parts: (systemInstruction as Json).parts } };
}

const stream = (params: GenerateContentParameters) => async (): Promise<void> => {
  for await (const _ of await client.models.generateContentStream(params));
};

const schema = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Where' }, days: { type: 'array', items: { type: 'integer' } } },
  required: ['city'],
  additionalProperties: false,
} as const;

describe('requests say what the official client says', () => {
  test('system text, sampling and limits', async () => {
    const [ours, theirs] = await both(
      chat(
        [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
        ],
        { maxOutputTokens: 50, temperature: 0.2, topP: 0.9, topK: 4, seed: 7, stop: ['END'], serviceTier: 'flex' },
      ),
      'gemini-3.5-flash',
      stream({
        model: 'gemini-3.5-flash',
        contents: [{ role: 'user', parts: [{ text: 'Hello' }] }],
        config: {
          systemInstruction: 'Be brief.',
          maxOutputTokens: 50,
          temperature: 0.2,
          topP: 0.9,
          topK: 4,
          seed: 7,
          stopSequences: ['END'],
          serviceTier: 'flex' as never,
        },
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('tools, parallel calls with a signature, results with errors, media, a level of thinking', async () => {
    const [ours, theirs] = await both(
      chat(
        [
          {
            role: 'user',
            content: [
              { type: 'image', source: { type: 'base64', data: 'aGk=', mediaType: 'image/png' } },
              { type: 'video', source: { type: 'url', url: 'gs://a/b.mp4' } },
              { type: 'text', text: 'Weather?' },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rome' }, signature: 'google:c2ln' },
              { type: 'tool-call', id: 'b', name: 'weather', arguments: { city: 'Bern' } },
            ],
          },
          {
            role: 'tool',
            content: [
              { type: 'tool-result', id: 'a', content: 'Sun' },
              { type: 'tool-result', id: 'b', content: 'No such city', isError: true },
            ],
          },
        ],
        {
          tools: [{ name: 'weather', description: 'The weather', inputSchema: schema }],
          toolChoice: { name: 'weather' },
          reasoning: { effort: 'high' },
        },
      ),
      'gemini-3.8-flash',
      stream({
        model: 'gemini-3.8-flash',
        contents: [
          {
            role: 'user',
            parts: [
              { inlineData: { mimeType: 'image/png', data: 'aGk=' } },
              { fileData: { fileUri: 'gs://a/b.mp4', mimeType: 'video/mp4' } },
              { text: 'Weather?' },
            ],
          },
          {
            role: 'model',
            parts: [
              { functionCall: { id: 'a', name: 'weather', args: { city: 'Rome' } }, thoughtSignature: 'c2ln' },
              { functionCall: { id: 'b', name: 'weather', args: { city: 'Bern' } } },
            ],
          },
          {
            role: 'user',
            parts: [
              { functionResponse: { id: 'a', name: 'weather', response: { output: 'Sun' } } },
              { functionResponse: { id: 'b', name: 'weather', response: { error: 'No such city' } } },
            ],
          },
        ],
        config: {
          tools: [
            { functionDeclarations: [{ name: 'weather', description: 'The weather', parametersJsonSchema: schema }] },
          ],
          toolConfig: {
            functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['weather'] },
          },
          thinkingConfig: { thinkingLevel: ThinkingLevel.HIGH, includeThoughts: true },
        },
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('a schema and a budget', async () => {
    const [ours, theirs] = await both(
      chat('Where?', { output: { type: 'json', schema }, reasoning: { budgetTokens: 1000 } }),
      'gemini-2.5-flash',
      stream({
        model: 'gemini-2.5-flash',
        contents: [{ role: 'user', parts: [{ text: 'Where?' }] }],
        config: {
          responseMimeType: 'application/json',
          responseJsonSchema: schema,
          thinkingConfig: { thinkingBudget: 1000, includeThoughts: true },
        },
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('embeddings of several texts', async () => {
    const [ours, theirs] = await both(
      { operation: 'embed', input: ['one', 'two'], dimensions: 256, purpose: 'document' },
      'gemini-embedding-001',
      () =>
        client.models.embedContent({
          model: 'gemini-embedding-001',
          contents: ['one', 'two'],
          config: { taskType: 'RETRIEVAL_DOCUMENT', outputDimensionality: 256 },
        }),
    );
    const { path, body } = theirs as { path: string; body: { requests: Json[] } };
    // The client gives each text a role, which embeddings ignore.
    const requests = body.requests.map(({ content, ...rest }) => ({
      ...rest,
      content: { parts: (content as Json).parts },
    }));
    expect(ours).toMatchObject({ path, body: { requests } });
  });
});

describe('media at an address', () => {
  const at = (url: string): ModelRequest =>
    chat([{ role: 'user', content: [{ type: 'image', source: { type: 'url', url } }] }]);
  const sent = async (model: string, url: string): Promise<string> => {
    const provider = google({ apiKey: 'test-key', baseURL: `${server.url}/v1beta` });
    return ask(provider, transport, at(url), { target: { model } }).then(
      () => 'sent',
      ({ code }: { readonly code: string }) => code,
    );
  };

  test.each([
    ['gemini-2.0-flash', 'https://example.com/cat.png', 'unsupported'],
    ['gemini-1.5-pro', 'http://example.com/cat.png', 'unsupported'],
    ['gemini-2.0-flash', 'https://generativelanguage.googleapis.com/v1beta/files/abc', 'sent'],
    ['gemini-2.0-flash', 'https://youtu.be/abc', 'sent'],
    ['gemini-2.0-flash', 'data:image/png;base64,iVBORw0KGgo=', 'sent'],
    ['gemini-2.5-flash', 'https://example.com/cat.png', 'sent'],
  ])('of %s: %s is %s', async (model, url, expected) => {
    expect(await sent(model, url)).toBe(expected);
    expect(server.received).toHaveLength(expected === 'sent' ? 1 : 0);
  });
});
