/** Servers on one's own machine: asked for their models and windows, few requests at once, and free where that is said. */

import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import type { Provider } from 'polyphony';
import { createPolyphony } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { type OpenAICompatibleOptions, openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { loopback, type Received } from '../../kit/loopback.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.resetModules();
});

const json = (response: ServerResponse, body: unknown, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  return response.end(JSON.stringify(body));
};
const completion = (content: string) => ({
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
});

/** A server that lists `models` and answers every other request. */
const server = (models: unknown, status = 200) =>
  loopback((received, response) => {
    if (received.path.startsWith('/v1/models')) json(response, models, status);
    else json(response, completion('hello'));
  });

async function withModels<T>(provider: Provider, use: (gateway: Awaited<ReturnType<typeof open>>['gateway']) => T) {
  const polyphony = await open(provider);
  try {
    return await use(polyphony.gateway);
  } finally {
    await polyphony.close();
  }
}
const open = (provider: Provider) => createPolyphony({ plugins: [], providers: [provider] });
const cards = (provider: Provider) => withModels(provider, (gateway) => gateway.models().map(({ card }) => card));
const user = (content = 'Hi') => ({ messages: [{ role: 'user' as const, content }] });

describe('a server that is declared local', () => {
  const LISTED = {
    data: [
      { id: 'wide', max_model_len: 131_072 },
      { id: 'narrow', meta: { n_ctx: 4096, n_ctx_train: 131_072 } },
      { id: 'plain' },
      { id: 'nomic-embed-text' },
      { id: 'odd', max_model_len: -1, n_ctx: 'many' },
      { nothing: true },
      null,
    ],
  };
  const local = (url: string, more: Partial<OpenAICompatibleOptions> = {}) =>
    openaiCompatible({ baseURL: `${url}/v1`, local: true, apiKey: 'secret-key', ...more });

  it('lists its models with their windows', async () => {
    const { url, received } = await server(LISTED);
    const found = await cards(local(url));
    expect(found.map(({ id, contextTokens, operations }) => [id, contextTokens, operations[0]])).toEqual([
      ['wide', 131_072, 'chat'],
      ['narrow', 4096, 'chat'],
      ['plain', 32_768, 'chat'],
      ['nomic-embed-text', 32_768, 'embed'],
      ['odd', 32_768, 'chat'],
    ]);
    expect(found[1]?.maxOutputTokens).toBe(4096);
    expect(received).toHaveLength(1);
    expect(received[0]?.headers.authorization).toBe('Bearer secret-key');
  });

  it('completes the cards of models that were named, without the others, and overrules no stated window', async () => {
    const { url } = await server(LISTED);
    const models = ['narrow', { id: 'wide', contextTokens: 8192 }, 'absent'];
    const found = await cards(local(url, { models }));
    expect(found.map(({ id, contextTokens }) => [id, contextTokens])).toEqual([
      ['narrow', 4096],
      ['wide', 8192],
      ['absent', 32_768],
    ]);
  });

  it.each<[string, unknown, number]>([
    ['an error', { error: 'no' }, 500],
    ['no list', { hello: 1 }, 200],
    ['an empty list', { data: [] }, 200],
    ['a text', 'models', 200],
  ])('keeps what it was given where the server answers with %s', async (_what, body, status) => {
    const { url } = await server(body, status);
    expect((await cards(local(url, { models: ['m'] }))).map(({ id }) => id)).toEqual(['m']);
    expect(await cards(local(url))).toEqual([]);
  });

  it('starts where nothing listens', async () => {
    expect(await cards(local('http://127.0.0.1:9', { models: ['m'] }))).toMatchObject([{ id: 'm' }]);
  });

  it('reads any list without failing, and makes at most 500 cards of it', async () => {
    const many = { data: Array.from({ length: 900 }, (_, index) => ({ id: `m${index}` })) };
    expect(await cards(local((await server(many)).url))).toHaveLength(500);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        const { url } = await server({ data: [value, { id: 'm', n_ctx: value }] });
        const found = await cards(local(url));
        for (const { contextTokens } of found) expect(contextTokens).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });

  it('gets four requests at once, or as many as its options or the config say', async () => {
    const most = async (make: (url: string) => Provider, config: object = {}) => {
      let running = 0;
      let peak = 0;
      const { url } = await loopback((received, response) => {
        if (received.path.startsWith('/v1/models')) {
          json(response, { data: [{ id: 'm' }] });
          return;
        }
        running += 1;
        peak = Math.max(peak, running);
        setTimeout(() => {
          running -= 1;
          json(response, completion('ok'));
        }, 5);
      });
      const polyphony = await createPolyphony({ plugins: [], providers: [make(url)], config });
      await Promise.all(Array.from({ length: 24 }, (_, index) => polyphony.gateway.generate(user(String(index)))));
      await polyphony.close();
      return peak;
    };
    expect(await most(local)).toBe(4);
    expect(await most((url) => local(url, { concurrency: 2 }))).toBe(2);
    expect(await most(local, { concurrency: { 'openai-compatible': 3 } })).toBe(3);
    // The address alone decides nothing.
    expect(await most((url) => openaiCompatible({ baseURL: `${url}/v1`, models: ['m'] }))).toBeGreaterThan(4);
  });

  it('is not asked where it is not declared', async () => {
    const { url, received } = await server(LISTED);
    expect(await cards(openaiCompatible({ baseURL: `${url}/v1`, models: ['m'] }))).toHaveLength(1);
    expect(received).toEqual([]);
  });

  it('costs nothing where that is said, and is then allowed under a cap', async () => {
    const { url } = await server(LISTED);
    const response = await withModels(local(url, { free: true }), (gateway) =>
      gateway.generate({ ...user(), limits: { usd: 0.01 } }),
    );
    expect(response.costNanoUsd).toBe(0);
    const provider = local(url, { free: true, models: [{ id: 'paid', price: { input: 1, output: 1 } }] });
    expect((await cards(provider))[0]?.price).toMatchObject({ input: 1 });
    expect(provider.unlisted?.('other')?.price).toMatchObject({ input: 0, output: 0 });
  });
});

describe('the address of the environment', () => {
  const fromEnvironment = async (address: string, more: Record<string, string> = {}) => {
    for (const [name, value] of Object.entries({ POLYPHONY_BASE_URL: address, ...more })) vi.stubEnv(name, value);
    vi.resetModules();
    const { default: plugin } = await import('../../../plugins/providers/openai-compatible.ts');
    return plugin.providers?.[0] as Provider;
  };

  it.each([
    ['http://127.0.0.1:8000/v1', 4],
    ['http://localhost:8000/v1', 4],
    ['http://user@[::1]:8000/v1', 4],
    ['http://127.0.0.1.example.com/v1', 64],
    ['https://localhost.example.com/v1', 64],
    ['https://models.example.com/v1?host=localhost', 64],
  ])('%s has room for %i requests', async (address, expected) => {
    expect((await fromEnvironment(address)).concurrency).toBe(expected);
  });

  it('lists the models of a server on this machine, free if that is said, with the query of the address', async () => {
    const { url, received } = await server({ data: [{ id: 'mine', n_ctx: 2048 }] });
    const provider = await fromEnvironment(`${url}/v1/?team=a`, { POLYPHONY_FREE: '1', POLYPHONY_MODELS: '' });
    const response = await withModels(provider, (gateway) => gateway.generate(user()));
    expect(textOf(response)).toBe('hello');
    expect(response.costNanoUsd).toBe(0);
    expect(received.map(({ path }) => path)).toEqual(['/v1/models?team=a', '/v1/chat/completions?team=a']);
  });
});

describe('Ollama', () => {
  const TAGS = {
    models: [
      { name: 'talks:8b', model: 'talks:8b', details: { family: 'llama' } },
      { name: 'sees:4b', details: {} },
      { name: 'vectors', details: { family: 'nomic-bert' } },
      { name: 'older', details: null },
      {},
    ],
  };
  const SHOWN: Record<string, unknown> = {
    'talks:8b': { capabilities: ['completion', 'tools', 'thinking'], model_info: { 'llama.context_length': 131_072 } },
    'sees:4b': { capabilities: ['completion', 'vision'], model_info: { 'x.context_length': 8192 } },
    vectors: { capabilities: ['embedding'] },
  };
  const answering = (received: Received, response: ServerResponse): void => {
    const { model = '' } = received.body === '' ? {} : (JSON.parse(received.body) as { readonly model?: string });
    const shown = received.path === '/api/tags' ? TAGS : received.path === '/api/show' ? SHOWN[model] : undefined;
    json(response, shown ?? { error: 'not found' }, shown === undefined ? 404 : 200);
  };

  it('says which models it has, and what each of them can do', async () => {
    const { url } = await loopback(answering);
    const [talks, sees, vectors, older] = await cards(ollama({ baseURL: url }));
    expect(talks).toMatchObject({ id: 'talks:8b', operations: ['chat'], contextTokens: 32_768 });
    expect(talks?.capabilities).toEqual(expect.arrayContaining(['tools', 'reasoning']));
    expect(sees).toMatchObject({ id: 'sees:4b', contextTokens: 8192, price: { input: 0 }, retention: 'none' });
    expect(sees?.capabilities).toContain('image-in');
    expect(sees?.capabilities).not.toContain('tools');
    expect(vectors).toMatchObject({ operations: ['embed'], capabilities: ['embeddings'] });
    expect(older?.operations).toEqual(['chat', 'embed']);
  });

  it('is not asked where models are named, and starts where nothing listens', async () => {
    const { url, received } = await loopback(answering);
    expect(await cards(ollama({ baseURL: url, models: ['mine'] }))).toMatchObject([{ id: 'mine' }]);
    expect(received).toEqual([]);
    expect(await cards(ollama({ baseURL: 'http://127.0.0.1:9' }))).toEqual([]);
  });
});
