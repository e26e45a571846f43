/** The same wire at the address of a project; and embeddings, at both addresses. */
import type { ModelRequest, Target, Transport, TransportRequest } from 'polyphony';
import { providerContext } from 'polyphony/testing';
import { describe, expect, test } from 'vitest';
import { google } from '../../../plugins/providers/google.ts';
import { googleVertex } from '../../../plugins/providers/google-vertex.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import { HELLO } from './google-answers.ts';
import { send } from './native-exchange.ts';

const TOKEN = 'ya29.secret-token-of-the-test';
const accessToken = async (): Promise<string> => TOKEN;

/** What would go out, answered by the body. */
async function outgoing(request: ModelRequest, target: Partial<Target>, answer = HELLO, options = {}) {
  const sent: TransportRequest[] = [];
  const bytes = Buffer.from(answer);
  const transport: Transport = {
    async request(one) {
      sent.push(one);
      const body = (async function* () {
        yield bytes;
      })();
      return { status: 200, headers: {}, body, bytes: async () => bytes };
    },
    close: async () => {},
  };
  const provider = googleVertex({ accessToken, project: 'p1', ...options });
  const response = await ask(provider, transport, request, { target });
  const [first] = sent;
  return {
    url: first?.url,
    headers: first?.headers,
    body: JSON.parse(String(first?.body ?? '{}')) as unknown,
    response,
  };
}

describe('addresses', () => {
  const path = (location: string): string =>
    `/v1/projects/p1/locations/${location}/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse`;
  test.each([
    [undefined, `https://aiplatform.googleapis.com${path('global')}`],
    ['europe-west4', `https://europe-west4-aiplatform.googleapis.com${path('europe-west4')}`],
    ['eu', `https://aiplatform.eu.rep.googleapis.com${path('eu')}`],
  ])('region %s', async (region, url) => {
    const target = { model: 'gemini-3.8-flash', ...(region === undefined ? {} : { region }) };
    const sent = await outgoing(chat('Hi'), target);
    expect(sent.url).toBe(url);
    expect(sent.headers).toMatchObject({ authorization: `Bearer ${TOKEN}` });
  });

  test('neither region nor project leads elsewhere', async () => {
    const wrong = outgoing(chat('Hi'), { model: 'gemini-3.8-flash', region: 'x.evil.example/' });
    expect(await failure(wrong)).toMatchObject({ code: 'invalid-config' });
    const none = outgoing(chat('Hi'), { model: 'gemini-3.8-flash' }, HELLO, { project: '' });
    expect(await failure(none)).toMatchObject({ code: 'invalid-config' });
  });

  test('no error shows the token', async () => {
    const answer = JSON.stringify({ error: { code: 401, message: `Bad token ${TOKEN}`, status: 'UNAUTHENTICATED' } });
    const error = await failure(outgoing(chat('Hi'), { model: 'gemini-3.8-flash' }, answer));
    expect(error.code).toBe('invalid-credential');
    expect(JSON.stringify([error.message, error.details])).not.toContain(TOKEN);
  });
});

describe('embeddings', () => {
  const embed = (input: readonly string[], purpose: 'query' | 'document' = 'query'): ModelRequest => ({
    operation: 'embed',
    input,
    dimensions: 2,
    purpose,
  });
  const older = { model: 'gemini-embedding-001' };
  const newer = { model: 'gemini-embedding-2' };
  const viaKey = (request: ModelRequest, answer: string, target: Partial<Target>) =>
    send((baseURL) => google({ baseURL, apiKey: 'k' }), answer, request, target);

  test('one text', async () => {
    const answer = JSON.stringify({ embedding: { values: [0.5, 1] }, usageMetadata: { promptTokenCount: 3 } });
    const { path, body, response } = await viaKey(embed(['a']), answer, older);
    expect(path).toBe('/models/gemini-embedding-001:embedContent');
    expect(body).toEqual({ content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY', outputDimensionality: 2 });
    expect(response).toMatchObject({ output: { vectors: [[0.5, 1]] }, usage: { input: 3, output: 0 } });
  });

  test('a batch, its task in words for the newer model', async () => {
    const answer = JSON.stringify({ embeddings: [{ values: [1] }, { values: [2] }] });
    const { path, body, response } = await viaKey(embed(['a', 'b']), answer, newer);
    expect(path).toBe('/models/gemini-embedding-2:batchEmbedContents');
    expect(body.requests).toMatchObject([
      { model: 'models/gemini-embedding-2', content: { parts: [{ text: 'task: search result | query: a' }] } },
      { content: { parts: [{ text: 'task: search result | query: b' }] } },
    ]);
    expect(response.output).toEqual({ operation: 'embed', vectors: [[1], [2]] });
    expect(codes(response)).toEqual(['usage-missing']);
  });

  test('an answer without a vector is no answer', async () => {
    expect(await failure(viaKey(embed(['a']), '{}', older))).toMatchObject({ code: 'invalid-output' });
  });

  test('on Vertex, older models keep a form of their own and newer ones take one text', async () => {
    const statistics = { token_count: 4 };
    const answer = JSON.stringify({ predictions: [{ embeddings: { values: [1], statistics } }] });
    const { url, body, response } = await outgoing(embed(['a'], 'document'), older, answer);
    expect(url).toMatch(/gemini-embedding-001:predict$/);
    expect(body).toEqual({
      instances: [{ content: 'a', task_type: 'RETRIEVAL_DOCUMENT' }],
      parameters: { outputDimensionality: 2 },
    });
    expect(response).toMatchObject({ output: { vectors: [[1]] }, usage: { input: 4, output: 0 } });
    expect(await failure(outgoing(embed(['a', 'b']), newer))).toMatchObject({ code: 'unsupported' });
  });
});

test('is probed by the list of models, at the host of its location, for the quota of its project', async () => {
  const server = await loopback((_, response) => void response.end('{"publisherModels":[]}'));
  const provider = googleVertex({ accessToken, project: 'p1', baseURL: `${server.url}/v1/publishers/google` });
  await provider.probe?.(providerContext(transport), new AbortController().signal);
  expect(server.received[0]).toMatchObject({
    method: 'GET',
    path: '/v1beta1/publishers/google/models?pageSize=1',
    headers: { authorization: `Bearer ${TOKEN}`, 'x-goog-user-project': 'p1' },
  });
});
