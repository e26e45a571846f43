/** Connections that are never made: what fails, hangs or is closed on the way leaves nothing behind, and the next requests are sent. */
import { getEventListeners } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Client } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openConnections } from '../../../src/gateway/transport/connections.ts';
import { Exchange } from '../../../src/gateway/transport/exchange.ts';
import {
  type OriginPool,
  originPool,
  type PooledClient,
  type TrackedOptions,
} from '../../../src/gateway/transport/origin-pool.ts';
import type { TransportOptions } from '../../../src/gateway/transport/transport.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { deferred, loopback } from '../../kit/loopback.ts';
import { failure, get, textOf, transportOf } from './open-transport.ts';

const requestOf = (origin: string, signal = new AbortController().signal): TrackedOptions => ({
  origin,
  path: '/',
  method: 'GET',
  headers: [],
  body: null,
  exchange: new Exchange(signal, systemClock),
});

/** A server that accepts connections and says nothing on them; `closed`: the one it accepted has been closed. */
async function silent(): Promise<{
  readonly port: number;
  readonly accepted: Promise<void>;
  readonly closed: Promise<void>;
}> {
  const [accepted, closed] = [deferred(), deferred()];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', closed.resolve);
    // Until something has come in, its other side may not be done with connecting.
    socket.once('data', accepted.resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { readonly port: number };
  return { port, accepted: accepted.promise, closed: closed.promise };
}

describe('a transport that closes, twice, while', () => {
  test.each<[string, (port: number) => { readonly url: string; readonly options: TransportOptions }]>([
    ['a TLS handshake hangs', (port) => ({ url: `https://127.0.0.1:${port}/`, options: {} })],
    [
      'a proxy does not say whether there is a tunnel',
      (port) => ({
        url: 'https://models.example/',
        options: { proxy: { https: `http://127.0.0.1:${port}` } },
      }),
    ],
    [
      'the TLS handshake with a proxy hangs',
      (port) => ({ url: 'http://models.example/', options: { proxy: { http: `https://127.0.0.1:${port}` } } }),
    ],
  ])('%s ends the connection', async (_, asked) => {
    const server = await silent();
    const { url, options } = asked(server.port);
    const transport = transportOf(options);
    const pending = failure(transport.request(get(url)));
    await server.accepted;
    await Promise.all([transport.close(), transport.close()]);
    expect(await pending).toMatchObject({ code: 'cancelled', unsent: true });
    await server.closed;
  });
});

test('nothing is sent after the connections were destroyed, not even what was lost on a kept one', async () => {
  const server = await loopback((_, response) => void response.end('ok'));
  const connections = await openConnections({
    connectTimeoutMs: 1000,
    headersTimeoutMs: 0,
    idleTimeoutMs: 0,
    maxConnectionsPerOrigin: 1,
    keepAliveMs: 1000,
    maxHeaderBytes: 65_536,
  });
  await connections.destroy();
  for (const dispatch of [connections.dispatch, connections.dispatchFresh]) {
    const request = requestOf(server.url);
    dispatch(request);
    await expect(request.exchange.head).rejects.toThrow('The transport was closed.');
  }
  expect(server.sockets.size).toBe(0);
});

test.each<[string, string, TransportOptions]>([
  ['http://', 'invalid-config', {}],
  ['file:///a', 'invalid-config', {}],
  ['ftp://a.example/', 'network', {}],
  ['http://a.example/', 'invalid-config', { proxy: { http: 'socks5://127.0.0.1:9' } }],
  ['https://a.example/', 'invalid-config', { proxy: { https: 'socks5://127.0.0.1:9' } }],
])('a request to %s that cannot be sent (%s) leaves no listener and no rejection', async (url, code, options) => {
  const controller = new AbortController();
  const error = await failure(transportOf(options).request(get(url, controller.signal)));
  expect(error).toMatchObject({ code, unsent: true });
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  // A rejection that nobody handles would fail the test.
  controller.abort();
  await new Promise((resolve) => setImmediate(resolve));
});

describe('a pool of two connections', () => {
  type Connect = NonNullable<Client.Options['connect']>;
  const poolOf = (origin: string, connect: Connect, onEmpty = (): void => {}): OriginPool => {
    const open = (): PooledClient => ({
      client: new Client(origin, { connect }),
      connection: { socket: undefined, requests: 0 },
    });
    const pool = originPool({ open, most: 2, onEmpty });
    onTestFinished(() => pool.destroy());
    return pool;
  };

  test.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'UND_ERR_CONNECT_TIMEOUT',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('fails each request whose connection fails (%s), and is empty afterwards', async (code) => {
    const failing: Connect = (_, callback) => setImmediate(callback, Object.assign(new Error(code), { code }), null);
    for (const origin of ['http://a.example', 'https://a.example']) {
      const empty = deferred();
      const pool = poolOf(origin, failing, empty.resolve);
      const requests = Array.from({ length: 7 }, () => requestOf(origin));
      for (const request of requests) pool.dispatch(request);
      for (const { exchange } of requests) await expect(exchange.head).rejects.toMatchObject({ code });
      await empty.promise;
    }
  });

  test('keeps none of the requests that ended while all connections are busy', async () => {
    const pool = poolOf('http://a.example', () => {});
    let looks = 0;
    for (let count = 0; count < 502; count += 1) {
      const controller = new AbortController();
      const request = requestOf('http://a.example', controller.signal);
      request.exchange.head.catch(() => {});
      pool.dispatch(request);
      if (count < 2) continue;
      controller.abort();
      Object.defineProperty(request.exchange, 'isOpen', {
        get() {
          looks += 1;
          return false;
        },
      });
    }
    looks = 0;
    // Looks at each that it still keeps.
    await pool.destroy();
    expect(looks).toBeLessThan(100);
  });
});

describe('nothing connects for a caller who left', () => {
  const soon = () => new Promise((resolve) => setTimeout(resolve, 30));

  test('while it was sent once more, after the kept connection was lost', async () => {
    const arrived = deferred();
    const server = await loopback((_, response) => {
      const before = server.received.length;
      if (before === 1) response.end('ok');
      else if (before === 2) response.socket?.destroy();
      else arrived.resolve();
    });
    const transport = transportOf();
    await textOf(await transport.request(get(server.url)));
    await soon();
    const controller = new AbortController();
    const pending = failure(transport.request(get(server.url, controller.signal)));
    await arrived.promise;
    controller.abort();
    expect((await pending).code).toBe('cancelled');
    await soon();
    expect(server.sockets.size).toBe(2);
    await server.closed;
  });
});
