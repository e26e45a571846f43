import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { transportOptions } from '../../../src/composition/config/transport-options.ts';
import { proxyChoice } from '../../../src/gateway/transport/proxy.ts';
import { loopback } from '../../kit/loopback.ts';
import { failure, get, textOf, transportOf } from './open-transport.ts';

interface Tunnelling {
  readonly url: string;
  readonly asked: { readonly target: string | undefined; readonly authorization: string | undefined }[];
}

const servers: Server[] = [];
const sockets = new Set<Socket>();
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) await new Promise<void>((resolve) => server.close(() => resolve()));
});

/** A proxy that answers each wish for a tunnel with these bytes. */
async function tunnelling(answer: string): Promise<Tunnelling> {
  const asked: Tunnelling['asked'] = [];
  const server = createServer();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  server.on('connect', ({ url, headers }, socket) => {
    asked.push({ target: url, authorization: headers['proxy-authorization'] });
    socket.end(answer);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('http: addresses', () => {
  test('go to the proxy with the whole address, the host and the user of the proxy', async () => {
    const proxy = await loopback(({ path }, response) => void response.end(path));
    const transport = transportOf({ proxy: { http: proxy.url.replace('//', '//ann:p%40ss@') } });
    const answers = [1, 2].map((n) => transport.request({ ...get(`http://models.example:8080/v${n}?a=b`) }));
    const texts = await Promise.all(answers.map(async (answer) => textOf(await answer)));
    expect(texts).toEqual(['http://models.example:8080/v1?a=b', 'http://models.example:8080/v2?a=b']);
    expect(proxy.received[0]?.headers).toMatchObject({
      host: 'models.example:8080',
      'proxy-authorization': `Basic ${Buffer.from('ann:p@ss').toString('base64')}`,
    });
  });

  test('keep their connection to the proxy', async () => {
    const proxy = await loopback((_, response) => void response.end('ok'));
    const transport = transportOf({ proxy: { http: proxy.url } });
    for (const host of ['a', 'b', 'a', 'c', 'a']) await textOf(await transport.request(get(`http://${host}.example/`)));
    expect(proxy.sockets.size).toBeLessThan(5);
  });

  test('are sent directly where the host is excepted', async () => {
    const server = await loopback((_, response) => void response.end('direct'));
    const transport = transportOf({ proxy: { http: 'http://127.0.0.1:9', except: ['127.0.0.0/8'] } });
    expect(await textOf(await transport.request(get(server.url)))).toBe('direct');
  });

  test('are refused by a proxy that wants a user', async () => {
    const proxy = await loopback((_, response) => void response.writeHead(407).end('who?'));
    const error = await failure(transportOf({ proxy: { http: proxy.url } }).request(get('http://models.example/')));
    expect(error).toMatchObject({ code: 'network', message: expect.stringContaining('status 407') });
  });
});

describe('https: addresses', () => {
  test.each([
    ['HTTP/1.1 407 Who are you\r\n\r\n', 'refused the connection with status 407'],
    ['HTTP/1.1 403 No\r\n\r\n', 'refused the connection with status 403'],
    ['HTTP/1.1 200 Connection established\r\n\r\nno TLS', 'models.example'],
    ['', 'cannot be reached'],
  ])('ask for a tunnel, and say what %j means', async (answer, words) => {
    const proxy = await tunnelling(answer);
    const transport = transportOf({ proxy: { https: proxy.url.replace('//', '//ann:secret-word-1@') } });
    const error = await failure(transport.request(get('https://models.example/v1')));
    expect(proxy.asked[0]?.target).toBe('models.example:443');
    expect(proxy.asked[0]?.authorization).toBe(`Basic ${Buffer.from('ann:secret-word-1').toString('base64')}`);
    expect(error).toMatchObject({ code: 'network', unsent: true, message: expect.stringContaining(words) });
    expect(error.message).not.toContain('secret-word-1');
  });
});

test('a proxy that nobody listens at is named, not the host behind it', async () => {
  const proxy = { http: 'http://127.0.0.1:9', https: '127.0.0.1:9' };
  for (const url of ['http://models.example/', 'https://models.example/']) {
    const error = await failure(transportOf({ proxy }).request(get(url)));
    expect(error).toMatchObject({ code: 'network', message: expect.stringContaining('The proxy 127.0.0.1:9') });
  }
});

test('a proxy of another kind is refused with the remedy', async () => {
  const error = await failure(
    transportOf({ proxy: { http: 'socks5://127.0.0.1:9' } }).request(get('http://a.example')),
  );
  expect(error).toMatchObject({ code: 'invalid-config', message: expect.stringContaining('HTTP_PROXY') });
});

describe('hosts without proxy', () => {
  const isProxied = (origin: string, ...except: readonly string[]): boolean =>
    proxyChoice({ http: 'http://proxy.example:3128', https: 'proxy.example:3128', except })?.(origin) !== undefined;

  test.each([
    ['https://api.corp.example', 'corp.example'],
    ['https://api.corp.example', '.corp.example'],
    ['https://api.corp.example', '*.corp.example'],
    ['https://API.corp.example', 'x, corp.EXAMPLE y'],
    ['http://host:8080', 'host:8080'],
    ['https://host', 'host:443'],
    ['http://10.1.2.3', '10.0.0.0/8'],
    ['http://[::1]:8080', '::1'],
    ['http://[fd00::7]', 'fd00::/8'],
    ['https://anything', '*'],
  ])('%s is excepted by %j', (origin, entry) => {
    expect(isProxied(origin, entry)).toBe(false);
  });

  test.each([
    ['https://mycorp.example', 'corp.example'],
    ['http://host:8081', 'host:8080'],
    ['http://11.1.2.3', '10.0.0.0/8'],
    ['http://10.1.2.3', '10.0.0.0/99'],
    ['http://host', ''],
  ])('%s is not by %j', (origin, entry) => {
    expect(isProxied(origin, entry)).toBe(true);
  });
});

describe('config and environment', () => {
  test.each([
    [{}, {}, { except: [''] }],
    [{}, { HTTP_PROXY: 'a:1', https_proxy: ' b:2 ', NO_PROXY: 'x,y' }, { http: 'a:1', https: 'b:2', except: ['x,y'] }],
    [{}, { HTTP_PROXY: 'A:1', http_proxy: 'a:1', ALL_PROXY: 'c:3' }, { http: 'a:1', https: 'c:3', except: [''] }],
    [
      { http: 'm:1', except: [] },
      { HTTP_PROXY: 'a:1', HTTPS_PROXY: 'b:2', NO_PROXY: '*' },
      { http: 'm:1', https: 'b:2', except: [] },
    ],
    [
      { http: '', https: '' },
      { HTTP_PROXY: 'a:1', HTTPS_PROXY: 'b:2' },
      { http: '', https: '', except: [''] },
    ],
    [{}, { REQUEST_METHOD: 'GET', HTTP_PROXY: 'a:1' }, { except: [''] }],
  ])('%j with %j', (proxy, environment, expected) => {
    expect(transportOptions({ proxy }, environment).proxy).toEqual(expected);
  });

  test('the socket has no limit of its own beside the timeouts of the config', () => {
    const options = transportOptions({ timeouts: { answerMs: 3_600_000, connectMs: 5 } }, {});
    expect(options).toMatchObject({ headersTimeoutMs: 0, idleTimeoutMs: 0, connectTimeoutMs: 5 });
  });
});
