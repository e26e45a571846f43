import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { systemClock } from 'polyphony/kit';
import { fakeClock } from 'polyphony/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../plugins/tools/http/address.ts';
import { type HttpToolOptions, httpTool } from '../../../plugins/tools/http.ts';

const pages: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  '/plain': (_request, response) =>
    response.setHeader('content-type', 'text/plain; charset=latin1').end(Buffer.from([0xe9])),
  '/host': ({ headers }, response) => response.end(headers.host),
  '/packed': (_request, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync('x'.repeat(100_000))),
  '/upper': (_request, response) => response.setHeader('content-encoding', 'GZip, identity').end(gzipSync('ok')),
  '/twice': (_request, response) => response.setHeader('content-encoding', 'gzip, br').end('x'),
  '/unnamed': (_request, response) => response.setHeader('content-encoding', '').end('ok'),
  '/nothing-gzip': (_request, response) => response.setHeader('content-encoding', 'gzip').end(),
  '/nothing-br': (_request, response) => response.writeHead(204, { 'content-encoding': 'br' }).end(),
  '/nothing-deflate': (_request, response) =>
    response.writeHead(200, { 'content-encoding': 'deflate', 'content-length': 0 }).end(),
  '/cut': (_request, response) => {
    response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': 100 });
    response.write('', () => response.socket?.destroy());
    response.flushHeaders();
  },
  '/image': (_request, response) => response.setHeader('content-type', 'image/png').end('x'),
  '/binary': (_request, response) => response.end(Buffer.from([1, 0])),
  '/slow': (_request, response) => void response.write('first'),
  '/loop': (_request, response) => response.writeHead(302, { location: '/loop' }).end(),
  '/out': (_request, response) => response.writeHead(301, { location: '/plain' }).end(),
  '/missing': (_request, response) => response.writeHead(404).end('no'),
  '/inward': (_request, response) => response.writeHead(302, { location: 'http://internal.test/' }).end(),
  '/metadata': (_request, response) => response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end(),
  '/file': (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
};

let server: Server;
let port = 0;
let connections = 0;

beforeAll(async () => {
  server = createServer((request, response) => pages[request.url ?? '']?.(request, response));
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** `public.test` leads to the loopback server, which stands for the internet here; nothing else may be reached. */
const names: Record<string, readonly string[]> = {
  'public.test': ['127.0.0.1'],
  'internal.test': ['10.0.0.1'],
  'mixed.test': ['127.0.0.1', '10.0.0.1'],
  'none.test': [],
};
const resolve = async (host: string): Promise<readonly string[]> => {
  const found = names[host];
  if (found === undefined) throw new Error('ENOTFOUND');
  return found;
};
const options: HttpToolOptions = { resolve, isAllowed: (address) => address === '127.0.0.1' };

function get(url: string, more: HttpToolOptions = {}, signal = new AbortController().signal, clock = systemClock) {
  const [tool] = httpTool({ ...options, ...more }).tools ?? [];
  return tool?.run({ url }, { signal, idempotencyKey: 'k', clock, runId: 'run', nodeId: 'a' });
}
const at = (path: string, host = 'public.test'): string => `http://${host}:${port}${path}`;

describe('http_get', () => {
  it('fetches text, follows redirects and keeps the name for the server', async () => {
    expect(await get(at('/plain'))).toEqual({
      status: 200,
      text: 'é',
      contentType: 'text/plain; charset=latin1',
      url: at('/plain'),
      truncated: false,
    });
    expect(await get(at('/out'))).toMatchObject({ url: at('/plain') });
    expect(await get(at('/host'))).toMatchObject({ text: `public.test:${port}` });
    expect(await get(at('/missing'))).toMatchObject({ status: 404, text: 'no' });
  });

  it('counts what is unpacked', async () => {
    expect(await get(at('/packed'))).toMatchObject({ truncated: false, text: 'x'.repeat(100_000) });
    expect(await get(at('/packed'), { maxBytes: 50 })).toMatchObject({ truncated: true, text: 'x'.repeat(50) });
  });

  it('resolves a name once: what was checked is what is connected to', async () => {
    let asked = 0;
    const rebinding = async (): Promise<readonly string[]> => [++asked === 1 ? '127.0.0.1' : '10.0.0.1'];
    expect(await get(at('/plain', 'rebind.test'), { resolve: rebinding })).toMatchObject({ status: 200 });
    expect(asked).toBe(1);
    await expect(
      get(at('/out', 'rebind.test'), { resolve: async () => [++asked === 3 ? '10.0.0.1' : '127.0.0.1'] }),
    ).rejects.toThrow(/public address/);
  });

  const refused: Record<string, RegExp> = {
    'file:///etc/passwd': /"file:" cannot be fetched/,
    'ftp://public.test/': /"ftp:"/,
    'no url': /is not a valid URL/,
    'http://user:secret@public.test/': /user name or a password/,
    'http://internal.test/': /public address/,
    'http://mixed.test/': /public address/,
    'http://none.test/': /public address/,
    'http://unknown.test/': /cannot be resolved/,
    'http://10.0.0.1/': /public address/,
    'http://[::ffff:10.0.0.1]/': /public address/,
    'http://2130706434/': /public address/,
  };
  for (const [url, message] of Object.entries(refused)) {
    it(`refuses ${url} without connecting`, async () => {
      const before = connections;
      await expect(get(url)).rejects.toThrow(message);
      expect(connections).toBe(before);
    });
  }

  const afterRedirect: Record<string, RegExp> = {
    '/inward': /"internal.test" does not resolve only to public/,
    '/metadata': /169\.254\.169\.254/,
    '/file': /"file:"/,
    '/loop': /more than 5 times/,
    '/image': /image\/png/,
    '/binary': /binary/,
  };
  for (const [path, message] of Object.entries(afterRedirect)) {
    it(`refuses ${path}`, () => expect(get(at(path))).rejects.toThrow(message));
  }

  it('keeps to the hosts that it was given', async () => {
    expect(await get(at('/plain'), { hosts: ['*.test'] })).toMatchObject({ status: 200 });
    await expect(get(at('/plain'), { hosts: ['example.org', 'test'] })).rejects.toThrow(/not among the allowed hosts/);
  });

  it('keeps the number of fetches at once, and serves those that wait in order', async () => {
    const [tool] = httpTool({ ...options, concurrency: 2, perSecond: 1000 }).tools ?? [];
    const context = {
      signal: new AbortController().signal,
      idempotencyKey: 'k',
      clock: systemClock,
      runId: 'run',
      nodeId: 'a',
    };
    const order: number[] = [];
    let most = 0;
    pages['/counted'] = (_request, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open -= 1;
        response.end('x');
      }, 5);
    };
    let open = 0;
    await Promise.all(
      [0, 1, 2, 3, 4, 5].map(async (index) => {
        await tool?.run({ url: at('/counted') }, context);
        order.push(index);
      }),
    );
    expect(most).toBe(2);
    expect(order).toHaveLength(6);
    expect(order[0]).toBeLessThan(2);
  });

  it('ends at its time limit and at the cancel of its caller, while resolving too', async () => {
    const clock = fakeClock();
    const slow = get(at('/slow'), { timeoutMs: 50 }, undefined, clock)?.catch((error: unknown) => error);
    await clock.runAll();
    expect(await slow).toMatchObject({ code: 'tool-failed', retryable: true });
    expect(clock.pending()).toBe(0);
    const abort = new AbortController();
    const hanging = get(at('/plain'), { resolve: () => new Promise(() => undefined) }, abort.signal)?.catch(
      (error: unknown) => error,
    );
    abort.abort();
    expect(await hanging).toMatchObject({ code: 'cancelled' });
    await expect(get(at('/plain'), {}, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
  });
});

describe('a public address', () => {
  const inward = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.1.2.3',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'localhost',
    '',
    '2130706433',
  ];
  for (const address of inward) it(`is not ${address}`, () => expect(isPublicAddress(address)).toBe(false));
  for (const address of ['8.8.8.8', '1.1.1.1', '172.32.0.1', '2606:4700:4700::1111', '2a00:1450:4001::1']) {
    it(`is ${address}`, () => expect(isPublicAddress(address)).toBe(true));
  }
});

describe('a packed body', () => {
  const page = (path: string) => get(`http://public.test:${port}${path}`);

  it.each(['/nothing-gzip', '/nothing-br', '/nothing-deflate'])('may be none: %s', async (path) => {
    expect(await page(path)).toMatchObject({ text: '', truncated: false });
  });

  it.each(['/upper', '/unnamed'])('is named in any case, and only what is packed counts: %s', async (path) => {
    expect(await page(path)).toMatchObject({ text: 'ok' });
  });

  it('that is packed twice, or was cut before it began, is refused', async () => {
    await expect(page('/twice')).rejects.toMatchObject({ code: 'tool-failed', retryable: false });
    await expect(page('/cut')).rejects.toMatchObject({ code: 'tool-failed', retryable: true });
  });
});
