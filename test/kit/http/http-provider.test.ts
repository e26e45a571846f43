import { afterAll, describe, expect, test } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Attempt, ModelEvent, ModelRequest, Target } from '../../../src/core/model/model.ts';
import type { Provider, RateLimit, WireFormat } from '../../../src/core/model/provider.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { httpError } from '../../../src/kit/http/http-errors.ts';
import { type HttpProviderOptions, httpProvider } from '../../../src/kit/http/http-provider.ts';
import { parseRateLimits } from '../../../src/kit/http/rate-limits.ts';
import { modelCard } from '../../../src/kit/models/model-card.ts';
import { fakeClock, providerContext } from '../../../src/testing/index.ts';
import { loopback } from '../loopback.ts';

const transport = createTransport();
afterAll(() => transport.close());

/** The smallest wire: the body is the text; `…` at its end means that the finish is missing. */
const wire: WireFormat = {
  encode(request, context) {
    context.warn({ code: 'told', message: 'while encoding' });
    const headers = context.apiKey === undefined ? {} : { authorization: context.apiKey };
    return { url: '/echo', headers, body: JSON.stringify(request) };
  },
  async *decode(response) {
    for await (const chunk of response.body) {
      const text = Buffer.from(chunk).toString();
      yield { type: 'text-delta', text };
      if (!text.endsWith('…')) yield { type: 'finish', reason: 'stop', usage: { input: 1, output: 1 } };
    }
  },
  classify: (status, _headers, body) => httpError({ status, message: body }),
  rateLimits: parseRateLimits,
};

const request: ModelRequest = { operation: 'chat', messages: [{ role: 'user', content: 'Hi' }] };

function providerOf(options: Partial<HttpProviderOptions> = {}): Provider {
  return httpProvider({
    id: 'echo',
    wire,
    baseURL: 'http://127.0.0.1:1',
    models: [modelCard({ id: 'm' })],
    ...options,
  });
}

async function run(
  provider: Provider,
  target: Partial<Target> = {},
  signal = new AbortController().signal,
  context = providerContext(transport),
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of provider.stream(attemptOf(provider, target, signal), context)) events.push(event);
  return events;
}

const thrower = (): never => {
  throw new Error('never mind');
};

const attemptOf = (provider: Provider, target: Partial<Target>, signal: AbortSignal): Attempt => ({
  id: 'call',
  request,
  signal,
  purpose: 'answer',
  scopes: [],
  trace: { attempts: [] },
  target: { provider: provider.id, model: 'm', ...target },
  number: 1,
});

async function failure(work: Promise<unknown>): Promise<PolyphonyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PolyphonyError) return error;
  throw new Error(`expected a PolyphonyError, got ${String(error)}`);
}

describe('a good answer', () => {
  test('is streamed behind the warnings of encoding', async () => {
    const server = await loopback((_, response) => void response.end('Hello'));
    const events = await run(providerOf({ baseURL: `${server.url}/v1/`, headers: { 'x-extra': '1' } }));
    expect(events.map((event) => event.type)).toEqual(['warning', 'text-delta', 'finish']);
    expect(server.received[0]).toMatchObject({ path: '/v1/echo', headers: { 'x-extra': '1' } });
  });

  test('that ends without a finish is truncated', async () => {
    const server = await loopback((_, response) => void response.end('Hel…'));
    expect(await failure(run(providerOf({ baseURL: server.url })))).toMatchObject({
      code: 'truncated',
      retryable: true,
    });
  });

  test('left early closes its socket', async () => {
    const server = await loopback((_, response) => void response.write('Hello'));
    const provider = providerOf({ baseURL: server.url });
    const attempt = attemptOf(provider, {}, new AbortController().signal);
    for await (const event of provider.stream(attempt, providerContext(transport))) {
      if (event.type === 'finish') break;
    }
    await server.closed;
  });

  test('cancelled within is `cancelled`, and its socket is closed', async () => {
    const server = await loopback((_, response) => void response.write('Hel…'));
    const controller = new AbortController();
    const provider = providerOf({
      baseURL: server.url,
      wire: {
        ...wire,
        async *decode(response) {
          for await (const _ of response.body) controller.abort();
          yield* [];
        },
      },
    });
    expect((await failure(run(provider, {}, controller.signal))).code).toBe('cancelled');
    await server.closed;
  });

  test('that the wire gives up on closes its socket, read or not', async () => {
    const server = await loopback((_, response) => void response.write('Hello'));
    const lazy: WireFormat = {
      ...wire,
      async *decode() {
        yield { type: 'text-delta', text: 'x' };
        throw new PolyphonyError('unsupported', 'never mind');
      },
    };
    const error = await failure(run(providerOf({ baseURL: server.url, wire: lazy })));
    expect(error).toMatchObject({ code: 'unsupported', message: 'echo/m: never mind' });
    await server.closed;
  });

  test('tells the limits of its headers', async () => {
    const server = await loopback((_, response) => {
      response.setHeader('x-ratelimit-remaining-tokens', '99');
      response.setHeader('x-ratelimit-reset-tokens', '1m2s');
      response.end('Hello');
    });
    const told: (readonly RateLimit[])[] = [];
    await run(providerOf({ baseURL: server.url, onRateLimits: (limits) => void told.push(limits) }));
    expect(told).toEqual([[{ kind: 'tokens', remaining: 99, resetMs: 62_000 }]]);
  });

  test('reports limits and the id of the request at once, the rest at its end, and nothing where nothing is stated', async () => {
    const server = await loopback((_, response) => {
      response.setHeader('x-ratelimit-remaining-tokens', '99');
      response.setHeader('x-other-id', 'second');
      response.end('Hello');
    });
    const stating: WireFormat = {
      ...wire,
      requestIdHeaders: ['x-request-id', 'x-other-id'],
      async *decode(_response, _request, { report }) {
        report({ costNanoUsd: 1 });
        report({ costNanoUsd: 2, serviceTier: 'flex' });
        yield { type: 'finish', reason: 'stop', usage: { input: 1, output: 1 }, model: 'm-2026' };
      },
    };
    const context = providerContext(transport);
    await run(providerOf({ baseURL: server.url, wire: stating }), {}, undefined, context);
    expect(context.reports).toEqual([
      { rateLimits: [{ kind: 'tokens', remaining: 99 }], requestId: 'second' },
      { costNanoUsd: 2, serviceTier: 'flex', model: 'm-2026' },
    ]);
    const silent = await loopback((_, response) => void response.end('Hello'));
    const nothing = providerContext(transport);
    await run(providerOf({ baseURL: silent.url }), {}, undefined, nothing);
    expect(nothing.reports).toEqual([]);
  });

  test.each([
    ['a reader of limits', { wire: { ...wire, rateLimits: thrower } }, 0],
    ['a listener to limits', { onRateLimits: thrower }, 1],
  ])('is not lost over %s that throws', async (_, options, reported) => {
    const server = await loopback((_, response) => {
      response.setHeader('x-ratelimit-remaining-tokens', '99');
      response.end('Hello');
    });
    const context = providerContext(transport);
    const events = await run(providerOf({ baseURL: server.url, ...options }), {}, undefined, context);
    expect(events.at(-1)?.type).toBe('finish');
    expect(context.reports).toHaveLength(reported);
  });
});

describe('a bad answer', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const clock = fakeClock(now);

  test.each([
    ['retry-after', '7', 7000],
    ['retry-after', '0', 0],
    ['retry-after', '1.5', 1500],
    ['retry-after', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['retry-after', 'Wed, 31 Dec 2025 00:00:30 GMT', 0],
    ['retry-after-ms', '250', 250],
    ['retry-after', 'soon', undefined],
  ])('carries the waiting time of %s: %s', async (header, value, expected) => {
    const server = await loopback((_, response) => {
      response.writeHead(429, { [header]: value });
      response.end('slow down');
    });
    const context = providerContext(transport, clock);
    const error = await failure(run(providerOf({ baseURL: server.url }), {}, undefined, context));
    expect(error).toMatchObject({ code: 'rate-limited', status: 429 });
    expect(error.retryAfterMs).toBe(expected);
    expect(error.message).toMatch(/^echo\/m: HTTP 429: slow down/);
  });

  test('is read to 64 KiB and no further', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(500);
      response.write('x'.repeat(200_000));
    });
    const bodies: number[] = [];
    const classify: WireFormat['classify'] = (status, _headers, body) => {
      bodies.push(body.length);
      return httpError({ status, message: body });
    };
    const error = await failure(run(providerOf({ baseURL: server.url, wire: { ...wire, classify } })));
    expect(error.code).toBe('overloaded');
    expect(bodies).toEqual([65_536]);
    await server.closed;
  });

  test('that is a redirect says where to, and is not followed', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(308, { location: 'https://elsewhere.example/v1?key=abc' });
      response.end();
    });
    const error = await failure(run(providerOf({ baseURL: server.url })));
    expect(error).toMatchObject({ code: 'invalid-config', status: 308 });
    expect(error.message).toContain('https://elsewhere.example,');
  });

  test.each(['odd:key/1', 'k:1/x'])('never shows a key, wherever the server repeats it: %s', async (secret) => {
    const server = await loopback((call, response) => {
      response.writeHead(401);
      response.end(`no: ${call.headers.authorization} nor sk-abcdefghijklmnopqrstuvwxyz`);
    });
    const wireWithDetails: WireFormat = {
      ...wire,
      classify: (status, _headers, body) => httpError({ status, message: body, details: { body } }),
    };
    const error = await failure(run(providerOf({ baseURL: server.url, apiKeys: [secret], wire: wireWithDetails })));
    const shown = `${error.message} ${error.stack} ${JSON.stringify(error.details)} ${String(error.cause)}`;
    expect(error.code).toBe('invalid-credential');
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('abcdefghijklmnop');
  });
});

describe('credentials', () => {
  test('are labels, and the label chooses the key', async () => {
    const server = await loopback((_, response) => void response.end('ok'));
    const provider = providerOf({ baseURL: server.url, apiKeys: ['first-key', 'second-key'] });
    expect(provider.credentials).toEqual(['echo#1', 'echo#2']);
    await run(provider, { credential: 'echo#2' });
    await run(provider);
    expect(server.received.map((call) => call.headers.authorization)).toEqual(['second-key', 'first-key']);
  });

  test('are read at each request where a function tells them', async () => {
    const server = await loopback((_, response) => void response.end('ok'));
    const keys: string[] = [];
    const provider = providerOf({ baseURL: server.url, apiKeys: () => keys, missingKey: 'set ECHO_KEY.' });
    const error = await failure(run(provider));
    expect(error).toMatchObject({ code: 'invalid-credential' });
    expect(error.message).toContain('set ECHO_KEY');
    expect(server.received).toHaveLength(0);
    keys.push('late-key');
    await run(provider);
    expect(server.received[0]?.headers.authorization).toBe('late-key');
  });
});

describe('models', () => {
  test('are found by id, by alias, and by `unlisted`', async () => {
    const server = await loopback((_, response) => void response.end('ok'));
    const seen: string[] = [];
    const provider = providerOf({
      baseURL: server.url,
      models: [modelCard({ id: 'm-2026', aliases: ['m'] })],
      unlisted: (id) => (id.startsWith('free-') ? modelCard({ id }) : undefined),
      wire: {
        ...wire,
        encode(_, context) {
          seen.push(context.card.id);
          return { url: '/', headers: {}, body: '' };
        },
      },
    });
    await run(provider, { model: 'm' });
    await run(provider, { model: 'free-1' });
    expect(seen).toEqual(['m-2026', 'free-1']);
    expect((await failure(run(provider, { model: 'other' }))).code).toBe('model-not-found');
  });
});

describe('probe', () => {
  test('asks the free endpoint with the first key', async () => {
    const server = await loopback((_, response) => void response.end('{}'));
    const provider = providerOf({
      baseURL: server.url,
      apiKeys: ['first-key'],
      probe: ({ baseURL, apiKey }) => ({ url: `${baseURL}/models`, headers: { authorization: apiKey ?? '' } }),
    });
    await provider.probe?.(providerContext(transport), new AbortController().signal);
    expect(server.received[0]).toMatchObject({
      method: 'GET',
      path: '/models',
      headers: { authorization: 'first-key' },
    });
  });

  test('throws what the provider refuses with', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(503);
      response.end('down');
    });
    const provider = providerOf({ baseURL: server.url, probe: ({ baseURL }) => ({ url: `${baseURL}/models` }) });
    const error = await failure(
      Promise.resolve(provider.probe?.(providerContext(transport), new AbortController().signal)),
    );
    expect(error.code).toBe('overloaded');
  });
});
