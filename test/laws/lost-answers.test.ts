/**
 * Laws of answers that get lost between the provider and us, on real sockets. Whoever took the request bills for it.
 *
 * 1. A request that never arrived as a whole costs nothing; one that did costs its estimate, however its answer was lost.
 * 2. A kept connection that turns out to be closed costs no attempt and no retry: the request goes out again, once, on a new one.
 * 3. Counter and ledger agree.
 */
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Config } from '../../src/core/config.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { ModelRequest, Scope } from '../../src/core/model/model.ts';
import { createGateway, type GatewayHandle } from '../../src/gateway/create-gateway.ts';
import { createTransport, type TransportOptions } from '../../src/gateway/transport/transport.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { fakeCard } from '../../src/testing/fakes.ts';
import { user } from '../gateway/harness.ts';
import { headOf, type RawRequest, rawServer } from '../kit/raw-server.ts';

const text = 'z'.repeat(8000);
const whole = JSON.stringify({
  choices: [{ message: { content: text }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 10, completion_tokens: 2000 },
});
const scopes: readonly Scope[] = [{ kind: 'tenant', id: 't', capNanoUsd: 1e9 }];
const card = fakeCard({ id: 'm', price: { input: 1, output: 10 }, operations: ['chat', 'embed'], contextTokens: 1e6 });

const opened: GatewayHandle[] = [];
afterEach(async () => {
  for (const gateway of opened.splice(0)) await gateway.close();
});

function world(url: string, config: Config = {}, transport: TransportOptions = {}) {
  const stores = memoryStores();
  const gateway = createGateway({
    providers: [openaiCompatible({ baseURL: url, apiKey: 'k', models: [card] })],
    config: { retry: { retries: 0 }, ...config },
    runtime: systemRuntime,
    keyValue: stores.keyValue,
    ledger: stores.ledger,
    transport: createTransport(transport),
  });
  opened.push(gateway);
  const money = async () => {
    const [total] = await stores.ledger.totals('provider');
    return { counter: await stores.keyValue.get('budget:tenant:t'), ledger: total?.costNanoUsd, rows: total?.attempts };
  };
  return { gateway, money };
}

async function failed(work: Promise<unknown>): Promise<PolyphonyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PolyphonyError) return error;
  throw new Error(`expected a PolyphonyError, got ${String(error)}`);
}

type Answer = (request: RawRequest) => void;
const zipped = gzipSync(whole);

/** How an answer gets lost after the request was taken. */
const LOSSES: Readonly<Record<string, Answer>> = {
  'reset before the headers': ({ socket }) => socket.resetAndDestroy(),
  'closed before the headers': ({ socket }) => socket.end(),
  'reset in the headers': ({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-', () => socket.resetAndDestroy()),
  'cut in the body': ({ socket }) => socket.write(headOf(whole) + whole.slice(0, 7000), () => socket.destroy()),
  'shorter than its content-length': ({ socket }) => socket.end(headOf(whole, { 'content-length': 9000 }) + whole),
  'longer than its content-length': ({ socket }) => socket.end(headOf(whole, { 'content-length': 100 }) + whole),
  'cut in its chunks': ({ socket }) =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"cho\r\n'),
  'cut in its gzip': ({ socket }) => {
    socket.write(headOf(zipped.subarray(0, 30), { 'content-encoding': 'gzip' }));
    socket.end(zipped.subarray(0, 30));
  },
  'damaged in its gzip': ({ socket }) =>
    socket.end(`${headOf('not gzip at all', { 'content-encoding': 'gzip' })}not gzip at all`),
  'in an unknown encoding': ({ socket }) => socket.end(headOf(whole, { 'content-encoding': 'zstd9' }) + whole),
  'not JSON': ({ socket }) => socket.end(`${headOf('{"choices": [nonsense')}{"choices": [nonsense`),
  'not HTTP': ({ socket }) => socket.end('SMTP 220 hello\r\n\r\n'),
  'with more headers than allowed': ({ socket }) =>
    socket.end(headOf(whole, { 'x-long': 'a'.repeat(100_000) }) + whole),
  'announced without end': ({ socket }) => socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(200)),
  'larger than its limit': ({ socket }) => socket.end(headOf('x'.repeat(40_000)) + 'x'.repeat(40_000)),
};

describe('an answer that is lost after the request was taken', () => {
  it.each(Object.entries(LOSSES))('costs its estimate: %s', async (_name, answer) => {
    for (const streaming of [false, true]) {
      const server = await rawServer(answer);
      const { gateway, money } = world(server.url, {}, { maxAnswerBytes: 30_000 });
      const request = { ...user(), model: 'm' };
      const error = await failed(
        streaming
          ? (async () => {
              for await (const _ of gateway.stream(request, { scopes }));
            })()
          : gateway.generate(request, { scopes }),
      );
      expect(error.unsent, error.message).toBe(false);
      expect(['network', 'truncated']).toContain(error.code);
      const { counter, ledger, rows } = await money();
      expect(rows).toBe(1);
      // What is sent only when it is complete was generated as a whole: the usual answer of 400 tokens at least.
      expect(ledger, error.message).toBeGreaterThan(streaming ? 0 : 400 * 10_000);
      expect(counter).toBe(ledger);
      expect(server.counts).toEqual({ connections: 1, requests: 1 });
    }
  });

  it('costs what arrived of its document, as far as that was asked for', async () => {
    for (const [answer, received] of [
      [({ socket }) => socket.write(headOf(whole) + whole.slice(0, 7000), () => socket.destroy()), 7000],
      [({ socket }) => socket.end(headOf(whole.slice(0, 7000)) + whole.slice(0, 7000)), 7000],
    ] as const satisfies readonly (readonly [Answer, number])[]) {
      const server = await rawServer(answer);
      for (const maxOutputTokens of [4000, 800]) {
        const { gateway, money } = world(server.url);
        await failed(gateway.generate({ ...user(), model: 'm', maxOutputTokens }, { scopes }));
        const tokens = Math.min((received - 1024) / 4, maxOutputTokens);
        expect((await money()).counter).toBeGreaterThan(tokens * 10_000);
        expect((await money()).counter).toBeLessThan((tokens + 20) * 10_000);
      }
    }
  });

  it('costs about as much as the answers of its model so far, where less of it arrived', async () => {
    const short = JSON.stringify({
      choices: [{ message: { content: 'Yes.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 5 },
    });
    const server = await rawServer(({ socket, number }) =>
      number <= 3 ? socket.write(headOf(short) + short) : socket.end(headOf(short.slice(0, 60)) + short.slice(0, 60)),
    );
    const { gateway, money } = world(server.url);
    for (let call = 0; call < 3; call += 1) await gateway.generate({ ...user(), model: 'm' }, { scopes });
    const before = Number((await money()).counter);
    await failed(gateway.generate({ ...user(), model: 'm' }, { scopes }));
    const cut = Number((await money()).counter) - before;
    expect(cut).toBeGreaterThan(0);
    expect(cut).toBeLessThan(2 * (before / 3));
  });

  it('costs its estimate where the connection is reset while the request is being sent', async () => {
    const server = await rawServer(
      () => {},
      (socket) => socket.resetAndDestroy(),
    );
    const { gateway, money } = world(server.url);
    const request = { ...user('a long prompt '.repeat(30_000)), model: 'm' };
    expect(await failed(gateway.generate(request, { scopes }))).toMatchObject({ code: 'network', unsent: false });
    expect((await money()).counter).toBeGreaterThan(0);
  });

  it('costs its estimate where no answer comes in time', async () => {
    const server = await rawServer(() => {});
    const { gateway, money } = world(server.url, { timeouts: { answerMs: 50 } });
    const error = await failed(gateway.generate({ ...user(), model: 'm' }, { scopes }));
    expect(error).toMatchObject({ code: 'timeout', unsent: false });
    expect((await money()).counter).toBeGreaterThan(0);
  });

  it('costs its estimate where it holds no result', async () => {
    const server = await rawServer(({ socket }) => socket.end(`${headOf('{"what": 1}')}{"what": 1}`));
    const { gateway, money } = world(server.url);
    const request: ModelRequest = { operation: 'embed', input: ['a text of some length'], model: 'm' };
    expect(await failed(gateway.embed(request, { scopes }))).toMatchObject({ code: 'invalid-output' });
    expect((await money()).counter).toBeGreaterThan(0);
  });
});

describe('a request that never arrived', () => {
  const expectFree = async (url: string, config: Config = {}, transport: TransportOptions = {}): Promise<void> => {
    const { gateway, money } = world(url, config, transport);
    const error = await failed(gateway.generate({ ...user(), model: 'm' }, { scopes }));
    expect(error.unsent, error.message).toBe(true);
    expect(await money()).toEqual({ counter: 0, ledger: 0, rows: 1 });
  };

  it('costs nothing where nobody listens', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    await new Promise<void>((resolve) => closed.close(() => resolve()));
    await expectFree(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`);
  });

  it('costs nothing where the name is unknown', async () => {
    await expectFree('http://no-such-host.invalid');
  });

  it('costs nothing where it waited for a connection until its time was up', async () => {
    const server = await rawServer(() => {});
    const { gateway, money } = world(server.url, { timeouts: { answerMs: 500 } }, { maxConnectionsPerOrigin: 1 });
    // The second has less time, so that the end of the first does not make room for it.
    const results = await Promise.all(
      [{}, { limits: { ms: 50 } }].map((bound) =>
        failed(gateway.generate({ ...user(), ...bound, model: 'm' }, { scopes })),
      ),
    );
    expect(results.map(({ code, unsent }) => ({ code, unsent }))).toEqual([
      { code: 'timeout', unsent: false },
      { code: 'timeout', unsent: true },
    ]);
    expect(server.counts.requests).toBe(1);
    const { counter, ledger } = await money();
    expect(counter).toBe(ledger);
  });

  it('costs nothing where it was refused', async () => {
    const body = '{"error":{"message":"no"}}';
    const refusal = `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const server = await rawServer(({ socket }) => socket.end(refusal));
    const { gateway, money } = world(server.url);
    await failed(gateway.generate({ ...user(), model: 'm' }, { scopes }));
    expect(await money()).toMatchObject({ counter: 0, ledger: 0 });
  });
});

describe('a kept connection', () => {
  /** Until the connection of the call before is free again. */
  const idle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
  };
  const reply = (request: RawRequest): void => void request.socket.write(headOf(whole) + whole);

  it.each([
    ['closed', ({ socket }: RawRequest) => socket.end()],
    ['reset', ({ socket }: RawRequest) => socket.resetAndDestroy()],
  ])('that turns out to be %s costs no attempt', async (_name, lose) => {
    const server = await rawServer((request) => (request.onConnection === 2 ? lose(request) : reply(request)));
    const { gateway, money } = world(server.url);
    for (let call = 1; call <= 4; call += 1) {
      const answer = await gateway.generate({ ...user(), model: 'm' }, { scopes });
      expect(answer.attempts).toHaveLength(1);
      expect(answer.usage).toEqual({ input: 10, output: 2000 });
      await idle();
    }
    expect(server.counts).toEqual({ connections: 4, requests: 6 });
    const { counter, ledger, rows } = await money();
    expect(rows).toBe(4);
    expect(counter).toBe(ledger);
    expect(counter).toBe(4 * (10 * 1000 + 2000 * 10_000));
  });

  it('is replaced once: a server that closes the new one as well costs the estimate', async () => {
    const server = await rawServer((request) => (request.number === 1 ? reply(request) : request.socket.end()));
    const { gateway, money } = world(server.url);
    await gateway.generate({ ...user(), model: 'm' }, { scopes });
    await idle();
    const before = Number((await money()).counter);
    expect(await failed(gateway.generate({ ...user(), model: 'm' }, { scopes }))).toMatchObject({ code: 'network' });
    expect(server.counts.requests).toBe(3);
    expect((await money()).counter).toBeGreaterThan(before);
  });

  it('on which part of an answer came is not replaced', async () => {
    const server = await rawServer((request) => {
      if (request.onConnection === 1) reply(request);
      else request.socket.write('HTTP/1.1 2', () => request.socket.destroy());
    });
    const { gateway } = world(server.url);
    await gateway.generate({ ...user(), model: 'm' }, { scopes });
    await idle();
    await failed(gateway.generate({ ...user(), model: 'm' }, { scopes }));
    expect(server.counts.requests).toBe(2);
  });
});
