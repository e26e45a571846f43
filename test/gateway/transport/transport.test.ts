import { createServer as createNetServer } from 'node:net';
import { brotliCompressSync, constants, createGzip, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { deferred, loopback } from '../../kit/loopback.ts';
import { failure, get, textOf, transportOf } from './open-transport.ts';

describe('answers', () => {
  test('carry status, lower-case headers and the body, and the request arrives whole', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(201, { 'X-Thing': 'yes', 'Set-Cookie': ['a=1', 'b=2'] });
      response.end('done');
    });
    const response = await transportOf().request({
      method: 'POST',
      url: `${server.url}/path?key=1`,
      headers: { 'content-type': 'application/json' },
      body: '{"a":"é"}',
      signal: new AbortController().signal,
    });
    expect(response.status).toBe(201);
    expect(response.headers['x-thing']).toBe('yes');
    expect(response.headers['set-cookie']).toBe('a=1, b=2');
    expect(await textOf(response)).toBe('done');
    expect(server.received[0]).toMatchObject({ method: 'POST', path: '/path?key=1', body: '{"a":"é"}' });
  });

  test('are not asked for at an address with a user or a password, which would not be sent', async () => {
    const server = await loopback((_, response) => void response.end('done'));
    const url = server.url.replace('//', '//ann:hunter22@');
    const error = await failure(transportOf().request(get(url)));
    expect(error).toMatchObject({ code: 'invalid-config' });
    expect(error.message).toContain(`at ${server.url} holds a user or a password, which are not sent`);
    expect(error.message).not.toMatch(/hunter22/);
    expect(server.received).toEqual([]);
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ] as const)('are decompressed: %s', async (encoding, compress) => {
    const text = 'as long as the text is, '.repeat(5000);
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': encoding });
      response.end(compress(text));
    });
    expect(await textOf(await transportOf().request(get(server.url)))).toBe(text);
  });

  test('larger than what is read ahead reach a slow reader whole and in order', async () => {
    const sent = Buffer.from(Array.from({ length: 2_000_000 }, (_, index) => index % 251));
    const server = await loopback((_, response) => void response.end(sent));
    const response = await transportOf().request(get(server.url));
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) {
      chunks.push(chunk);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  test('are decompressed in the order that several encodings were applied in', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'deflate, gzip' });
      response.end(gzipSync(deflateSync('twice')));
    });
    expect(await textOf(await transportOf().request(get(server.url)))).toBe('twice');
  });

  test('are decompressed while they stream: a chunk is there before the next one is sent', async () => {
    const more = deferred();
    const server = await loopback(async (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const gzip = createGzip({ flush: constants.Z_SYNC_FLUSH });
      gzip.pipe(response);
      gzip.write('first');
      gzip.flush();
      await more.promise;
      gzip.end('second');
    });
    const seen: string[] = [];
    for await (const chunk of (await transportOf().request(get(server.url))).body) {
      seen.push(Buffer.from(chunk).toString());
      more.resolve();
    }
    expect(seen).toEqual(['first', 'second']);
  });

  test('in an unknown encoding are refused, and the socket is closed', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'zstd' });
      response.write('x');
    });
    const error = await failure(transportOf().request(get(server.url)));
    expect(error.message).toContain('zstd');
    await server.closed;
  });

  test('above the limit of bytes are refused, and not read on', async () => {
    const server = await loopback((_, response) => void response.write('x'.repeat(2000)));
    const response = await transportOf().request(get(server.url));
    expect(await failure(response.bytes(1000))).toMatchObject({ code: 'truncated', retryable: false });
    await server.closed;
  });

  test('redirects are not followed', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(302, { location: '/elsewhere' });
      response.end();
    });
    expect((await transportOf().request(get(server.url))).status).toBe(302);
    expect(server.received).toHaveLength(1);
  });
});

describe('connections', () => {
  test('are kept alive and used again', async () => {
    const server = await loopback((_, response) => void response.end('ok'));
    const transport = transportOf();
    for (let count = 0; count < 20; count += 1) await textOf(await transport.request(get(server.url)));
    // The pool frees a socket a moment after its answer has ended, so that the second request may open another.
    expect(server.sockets.size).toBeLessThanOrEqual(2);
  });

  test('are no more than allowed to one origin', async () => {
    const server = await loopback((_, response) => void setImmediate(() => response.end('ok')));
    const transport = transportOf({ maxConnectionsPerOrigin: 3 });
    await Promise.all(Array.from({ length: 20 }, async () => textOf(await transport.request(get(server.url)))));
    expect(server.received).toHaveLength(20);
    expect(server.sockets.size).toBeLessThanOrEqual(3);
  });

  test('many calls on one signal warn of no listener leak', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.name);
    process.on('warning', listen);
    const server = await loopback((_, response) => void response.end('ok'));
    const transport = transportOf();
    const { signal } = new AbortController();
    await Promise.all(Array.from({ length: 64 }, async () => textOf(await transport.request(get(server.url, signal)))));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    expect(warnings).toEqual([]);
  });

  test('leaving the body early closes the socket', async () => {
    const server = await loopback((_, response) => void response.write('first'));
    for await (const _ of (await transportOf().request(get(server.url))).body) break;
    await server.closed;
    expect(server.received).toHaveLength(1);
  });

  test('closing the transport ends what is under way, and nothing can be asked of it afterwards', async () => {
    const arrived = deferred();
    const server = await loopback(() => arrived.resolve());
    const transport = transportOf();
    const pending = failure(transport.request(get(server.url)));
    await arrived.promise;
    await transport.close();
    expect((await pending).code).toBe('cancelled');
    expect((await failure(transport.request(get(server.url)))).code).toBe('cancelled');
    await server.closed;
    expect(server.received).toHaveLength(1);
  });
});

describe('failures', () => {
  test('nobody listening is a network error that names the host and neither path nor query', async () => {
    const error = await failure(transportOf().request(get('http://127.0.0.1:1/v1/secret?key=sk-123')));
    expect(error).toMatchObject({ code: 'network', retryable: true });
    expect(error.message).toContain('127.0.0.1:1');
    expect(error.message).not.toMatch(/sk-123|secret/);
  });

  test('a server that does not answer in time is a timeout', async () => {
    const server = await loopback(() => {});
    const error = await failure(transportOf({ headersTimeoutMs: 50 }).request(get(server.url)));
    expect(error).toMatchObject({ code: 'timeout', retryable: true });
    await server.closed;
  });

  test('a body that falls silent is a timeout', async () => {
    const server = await loopback((_, response) => void response.write('first'));
    const response = await transportOf({ idleTimeoutMs: 50 }).request(get(server.url));
    expect((await failure(response.bytes())).code).toBe('timeout');
    await server.closed;
  });

  test.each(['plain', 'gzip'])('a body cut off is a network error: %s', async (encoding) => {
    const bytes = encoding === 'gzip' ? gzipSync('abcdefgh'.repeat(50)) : Buffer.from('abcdefgh');
    const server = await loopback((_, response) => {
      response.writeHead(200, encoding === 'gzip' ? { 'content-encoding': 'gzip' } : {});
      response.write(bytes.subarray(0, bytes.length - 4), () => response.socket?.destroy());
    });
    const response = await transportOf().request(get(server.url));
    expect((await failure(response.bytes())).code).toBe('network');
  });

  test('a compressed body that ends too early is a network error, not a short answer', async () => {
    const bytes = gzipSync('abcdefgh'.repeat(50));
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end(bytes.subarray(0, bytes.length - 12));
    });
    const response = await transportOf().request(get(server.url));
    expect((await failure(response.bytes())).code).toBe('network');
  });

  test('headers above the limit are a network error', async () => {
    const server = await loopback((_, response) => {
      response.writeHead(200, { 'x-large': 'x'.repeat(5000) });
      response.end();
    });
    const error = await failure(transportOf({ maxHeaderBytes: 2000 }).request(get(server.url)));
    expect(error).toMatchObject({ code: 'network' });
    expect(error.message).toContain('maxHeaderBytes');
  });

  test('an answer that is no HTTP is a network error', async () => {
    const server = createNetServer((socket) => void socket.resume().end('SSH-2.0-something\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect((await failure(transportOf().request(get(`http://127.0.0.1:${port}`)))).code).toBe('network');
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  test('a base URL that is none is a mistake in the config', async () => {
    expect((await failure(transportOf().request(get('localhost/v1')))).code).toBe('invalid-config');
  });
});
