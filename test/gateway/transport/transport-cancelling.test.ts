import { getEventListeners } from 'node:events';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import { deferred, loopback } from '../../kit/loopback.ts';
import { failure, get, textOf, transportOf } from './open-transport.ts';

describe('cancelling', () => {
  test('before the headers reaches the socket', async () => {
    const arrived = deferred();
    const server = await loopback(() => arrived.resolve());
    const controller = new AbortController();
    const pending = failure(transportOf().request(get(server.url, controller.signal)));
    await arrived.promise;
    controller.abort();
    expect((await pending).code).toBe('cancelled');
    await server.closed;
    // Nothing connects again for a caller who left.
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(server.sockets.size).toBe(1);
  });

  test('within the body reaches the socket', async () => {
    const server = await loopback((_, response) => void response.write('first'));
    const controller = new AbortController();
    const response = await transportOf().request(get(server.url, controller.signal));
    const read = async (): Promise<void> => {
      for await (const _ of response.body) controller.abort();
    };
    expect((await failure(read())).code).toBe('cancelled');
    await server.closed;
  });

  test('by closing the transport while a body is read', async () => {
    const server = await loopback((_, response) => void response.write('first'));
    const transport = transportOf();
    const response = await transport.request(get(server.url, new AbortController().signal));
    const read = async (): Promise<void> => {
      for await (const _ of response.body) void transport.close();
    };
    expect(await failure(read())).toMatchObject({ code: 'cancelled', message: expect.stringContaining('was closed') });
    await server.closed;
  });

  test('within a compressed body reaches the socket', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.write(gzipSync('x'.repeat(100)).subarray(0, 20));
    });
    const controller = new AbortController();
    const response = await transportOf().request(get(server.url, controller.signal));
    const pending = failure(response.bytes());
    controller.abort();
    expect((await pending).code).toBe('cancelled');
    await server.closed;
  });

  test('while the first request of all still loads what it needs ends it', async () => {
    const server = await loopback(() => {});
    const controller = new AbortController();
    const pending = failure(transportOf().request(get(server.url, controller.signal)));
    controller.abort();
    expect((await pending).code).toBe('cancelled');
    expect(server.received).toHaveLength(0);
  });

  test('while it waits for a free connection ends it at once, and it is never sent', async () => {
    const arrived = deferred();
    const server = await loopback(({ path }, response) => {
      if (path === '/1') arrived.resolve();
      else response.end('second');
    });
    const transport = transportOf({ maxConnectionsPerOrigin: 1 });
    const first = new AbortController();
    const pending = failure(transport.request(get(`${server.url}/1`, first.signal)));
    await arrived.promise;
    const queued = new AbortController();
    const waiting = failure(transport.request(get(`${server.url}/never`, queued.signal)));
    queued.abort();
    expect((await waiting).code).toBe('cancelled');
    first.abort();
    expect((await pending).code).toBe('cancelled');
    expect(await textOf(await transport.request(get(`${server.url}/2`)))).toBe('second');
    expect(server.received.map(({ path }) => path)).not.toContain('/never');
  });

  test('leaves no listener behind on a signal that many requests share', async () => {
    const server = await loopback((_, response) => void response.end('done'));
    const transport = transportOf();
    const { signal } = new AbortController();
    for (let round = 0; round < 3; round += 1) await textOf(await transport.request(get(server.url, signal)));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('carries the reason of the signal where it is an error of ours', async () => {
    const controller = new AbortController();
    controller.abort(new PolyphonyError('timeout', 'No first token in 5 ms.'));
    expect(await failure(transportOf().request(get('http://127.0.0.1:1', controller.signal)))).toMatchObject({
      code: 'timeout',
      message: 'No first token in 5 ms.',
    });
  });
});
