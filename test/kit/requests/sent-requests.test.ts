/** What people write into options and environment files, and what leaves for the server. */
import { afterAll, describe, expect, test } from 'vitest';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { type Attempt, httpProvider, type PolyphonyError, type WireFormat } from '../../../src/kit/index.ts';
import { providerContext } from '../../../src/testing/provider-context.ts';
import { loopback } from '../loopback.ts';

const transport = createTransport();
afterAll(() => transport.close());

const wire: WireFormat = {
  endpoints: ['/ask'],
  encode: (_request, { apiKey }) => ({
    url: '/ask',
    headers: { 'content-type': 'text/plain', ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }) },
    body: 'x',
  }),
  async *decode(response) {
    await response.bytes();
    yield { type: 'text-delta', text: 'ok' };
    yield { type: 'finish', reason: 'stop', usage: { input: 1, output: 1 } };
  },
  classify: () => new Error('refused') as PolyphonyError,
};

type Options = Partial<Parameters<typeof httpProvider>[0]>;

async function sent(options: Options): Promise<{ headers: Record<string, unknown>; path: string | undefined }> {
  const server = await loopback((_request, response) => void response.end('ok'));
  const provider = httpProvider({
    id: 'p',
    wire,
    models: [],
    unlisted: (id) => ({
      id,
      operations: ['chat'],
      tier: 'fast',
      strengths: {},
      capabilities: [],
      contextTokens: 1,
      maxOutputTokens: 1,
      price: null,
      retention: 'unknown',
    }),
    ...options,
    baseURL: `${server.url}${typeof options.baseURL === 'string' ? options.baseURL : ''}`,
  });
  const attempt = {
    id: 'c',
    request: { operation: 'chat', messages: [] },
    signal: new AbortController().signal,
    purpose: 'answer',
    scopes: [],
    trace: { attempts: [] },
    target: { provider: 'p', model: 'm' },
    number: 1,
  } satisfies Attempt;
  for await (const _ of provider.stream(attempt, providerContext(transport)));
  const [first] = server.received;
  return { headers: first?.headers ?? {}, path: first?.path };
}

describe('keys', () => {
  test.each(['abc-12345678\n', '\r\n abc-12345678\t', '\ufeffabc-12345678'])(
    '%j is sent without what surrounds it',
    async (key) => {
      expect((await sent({ apiKeys: [key] })).headers.authorization).toBe('Bearer abc-12345678');
    },
  );

  test.each(['', ' \n', '\ufeff'])('%j counts as no key', async (key) => {
    expect((await sent({ apiKeys: [key] })).headers.authorization).toBeUndefined();
    await expect(sent({ apiKeys: [key], missingKey: 'set KEY.' })).rejects.toMatchObject({
      code: 'invalid-credential',
    });
  });

  test.each(['abc–12345678', 'abc 12345678', 'abc\n12345678', 'abc\u200b12345678', 'äbc12345678'])(
    '%j is refused by its name before anything is sent',
    async (key) => {
      const error: PolyphonyError = await sent({ apiKeys: [key] }).then(
        () => expect.unreachable(),
        (thrown) => thrown,
      );
      expect(error).toMatchObject({ code: 'invalid-credential', unsent: true });
      expect(error.message).toContain('"p"');
      expect(error.message).not.toContain('12345678');
    },
  );

  test('empty keys among others are left out of the rotation', () => {
    const provider = httpProvider({ id: 'p', wire, models: [], baseURL: 'http://x', apiKeys: ['', 'a-1', ' ', 'b-2'] });
    expect(provider.credentials).toEqual(['p#1', 'p#2']);
  });
});

describe('headers of the caller', () => {
  test.each(['authorization', 'Authorization', 'AUTHORIZATION'])('"%s" takes the place of ours', async (name) => {
    const { headers } = await sent({ apiKeys: ['abc-12345678'], headers: { [name]: ' Basic eA==\n' } });
    expect(headers.authorization).toBe('Basic eA==');
  });
});

test('the query of a base address is sent, and a pasted endpoint is not doubled', async () => {
  expect((await sent({ baseURL: '/v1/ask/?team=a' })).path).toBe('/v1/ask?team=a');
});
