/** Servers that send without end, read or not. Each test ends because of a limit, and the limit closes the socket. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loopback } from '../../kit/loopback.ts';
import { rawServer } from '../../kit/raw-server.ts';
import { failure, get, transportOf } from './open-transport.ts';

const limits = { maxAnswerBytes: 100_000 };

/** Writes the piece as long as somebody takes it; tells how many bytes the socket took. */
function flood(piece: string, headers: Readonly<Record<string, string>> = {}) {
  const counts = { sent: 0, stopped: false };
  const serve = loopback((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    const write = (): void => {
      for (let turn = 0; turn < 100; turn += 1) {
        if (response.destroyed) return;
        counts.sent += piece.length;
        if (!response.write(piece)) {
          response.once('drain', write);
          return;
        }
      }
      setImmediate(write);
    };
    response.on('close', () => {
      counts.stopped = true;
    });
    write();
  });
  return { counts, serve };
}

describe('a flood', () => {
  test.each([': ping\n\n', 'data: {}\n\n', 'x', '{"a":1}\n'])(
    'of %j is read up to four times the limit',
    async (piece) => {
      const { counts, serve } = flood(piece.repeat(1000));
      const server = await serve;
      const response = await transportOf(limits).request(get(server.url));
      let read = 0;
      const error = await failure(
        (async () => {
          for await (const chunk of response.body) read += chunk.length;
        })(),
      );
      expect(error).toMatchObject({ code: 'truncated', retryable: false, unsent: false });
      expect(error.message).toContain('400000 bytes');
      expect(read).toBeLessThanOrEqual(400_000);
      await server.closed;
      expect(counts.stopped).toBe(true);
    },
  );

  test('that nobody reads is held back at the socket', async () => {
    const { counts, serve } = flood('x'.repeat(64_000));
    const response = await transportOf().request(get((await serve).url));
    let before = -1;
    // Until the server cannot write any more: the buffers of the system are full, and ours holds 64 KiB.
    while (counts.sent !== before) {
      before = counts.sent;
      for (let turn = 0; turn < 200; turn += 1) await new Promise(setImmediate);
    }
    expect(counts.sent).toBeLessThan(32_000_000);
    await response.body[Symbol.asyncIterator]().return?.();
  });

  test('as one body is refused above the limit', async () => {
    const { serve } = flood('x'.repeat(10_000));
    const response = await transportOf(limits).request(get((await serve).url));
    expect(await failure(response.bytes())).toMatchObject({ code: 'truncated', retryable: false });
  });
});

describe('a compressed body', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));

  test.each(['stream', 'whole'])('is bounded by what it becomes: %s', async (how) => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(bomb);
    });
    const response = await transportOf(limits).request(get(server.url));
    let read = 0;
    const work = async (): Promise<void> => {
      for await (const chunk of response.body) read += chunk.length;
    };
    expect(await failure(how === 'whole' ? response.bytes() : work())).toMatchObject({ code: 'truncated' });
    expect(read).toBeLessThanOrEqual(400_000);
  });

  test('in more encodings than anybody applies is refused', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': Array.from({ length: 500 }, () => 'gzip').join(', ') });
      response.end(bomb);
    });
    const error = await failure(transportOf().request(get(server.url)));
    expect(error.code).toBe('network');
    expect(error.message.length).toBeLessThan(400);
  });
});

describe('headers', () => {
  test.each([
    ['one that is long', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`],
    ['many', `HTTP/1.1 200 OK\r\n${'x: a\r\n'.repeat(200_000)}\r\n`],
    ['announcements', 'HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n'.repeat(20_000)],
    ['a status line without end', `HTTP/1.1 200 ${'O'.repeat(2_000_000)}`],
  ])('are bounded: %s', async (_name, bytes) => {
    const server = await rawServer(({ socket }) => void socket.end(bytes));
    expect(await failure(transportOf().request(get(server.url)))).toMatchObject({ code: 'network', unsent: false });
  });
});
