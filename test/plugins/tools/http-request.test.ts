import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from 'polyphony/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type HttpToolOptions, httpTool } from '../../../plugins/tools/http.ts';

const VALUE = 'crm-0123456789abcdef';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
let server: Server;
let port = 0;
let seen: Seen[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(pieces).toString() });
      if (url === '/cut') return request.socket.destroy();
      if (url === '/empty') return response.writeHead(204).end();
      if (url === '/text') return response.writeHead(422, { 'content-type': 'text/plain' }).end('no');
      if (url.startsWith('/to/')) {
        const location = url === '/to/other' ? `http://other.test:${port}/echo` : '/echo';
        return response.writeHead(302, { location }).end();
      }
      response.setHeader('content-type', 'application/problem+json; charset=utf-8');
      return response.end(JSON.stringify({ method, headers }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as AddressInfo).port;
});
beforeEach(() => {
  seen = [];
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const request = {
  hosts: ['api.test', 'other.test', 'inward.test', '*.sub.test'],
  secrets: {
    crm: { env: 'CRM_TOKEN', hosts: ['api.test'], unencrypted: true },
    header: { env: 'CRM_TOKEN', hosts: ['api.test'], header: 'X-Key', unencrypted: true },
    safe: { env: 'CRM_TOKEN', hosts: ['api.test'] },
    unset: { env: 'NOT_SET', hosts: ['api.test'], unencrypted: true },
  },
};
const options: HttpToolOptions = {
  get: false,
  request,
  environment: { CRM_TOKEN: VALUE },
  resolve: async (host) => (host === 'inward.test' ? ['10.0.0.1'] : ['127.0.0.1']),
  isAllowed: (address) => address === '127.0.0.1',
};

function send(input: Record<string, unknown>, idempotencyKey = 'k', more: HttpToolOptions = {}): Promise<unknown> {
  const tool = httpTool({ ...options, ...more }).tools?.find(({ name }) => name === 'http_request');
  const context = {
    signal: new AbortController().signal,
    idempotencyKey,
    clock: systemClock,
    runId: 'run',
    nodeId: 'a',
  };
  return Promise.resolve(tool?.run(input, context));
}
const at = (path: string, host = 'api.test') => `http://${host}:${port}${path}`;

describe('http_request', () => {
  it('is off by default, beside http_get where hosts are named, and has side effects', () => {
    const namesOf = (given: HttpToolOptions) => httpTool(given).tools?.map(({ name }) => name);
    expect(namesOf({})).toEqual(['http_get']);
    expect(namesOf({ request })).toEqual(['http_get', 'http_request']);
    expect(httpTool(options).tools).toMatchObject([{ name: 'http_request', sideEffects: true }]);
    expect(() => httpTool({ request: { hosts: [] } })).toThrow(/names no hosts/);
    const secrets = { a: { env: 'A', hosts: ['a.test'], header: 'host' } };
    expect(() => httpTool({ request: { hosts: ['a.test'], secrets } })).toThrow(/header "host"/);
  });

  it('sends JSON, a text as it is, and reads JSON back', async () => {
    const reply = await send({ url: at('/a'), method: 'POST', body: { x: [1] }, headers: { 'X-Trace': 't' } });
    expect(reply).toMatchObject({ status: 200, json: { method: 'POST', headers: { 'x-trace': 't' } } });
    expect(seen[0]).toMatchObject({ body: '{"x":[1]}', headers: { 'content-type': 'application/json' } });
    await send({ url: at('/a'), method: 'PUT', body: 'a=1', headers: { 'Content-Type': 'text/csv' } });
    expect(seen[1]).toMatchObject({ body: 'a=1', headers: { 'content-type': 'text/csv', 'content-length': '3' } });
  });

  it('returns what the service says, whatever its status', async () => {
    expect(await send({ url: at('/text'), method: 'DELETE' })).toMatchObject({ status: 422, text: 'no' });
    expect(await send({ url: at('/empty'), method: 'PATCH', body: {} })).toMatchObject({ status: 204, text: '' });
    expect(await send({ url: at('/a'), method: 'HEAD' })).toMatchObject({ status: 200, text: '' });
  });

  it('gives the service one key for one call, and nothing else of the run', async () => {
    for (const key of ['run-1/node', 'run-1/node', 'run-2/node'])
      await send({ url: at('/a'), method: 'POST', body: {} }, key);
    const [first, again, other] = seen.map(({ headers }) => headers['idempotency-key']);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect([first === again, first === other]).toEqual([true, false]);
    await send({ url: at('/a') });
    expect(seen.at(-1)?.headers['idempotency-key']).toBeUndefined();
  });

  it('reads a reference in a variable where the variable was', async () => {
    const environment = { CRM_TOKEN: 'env:VAULT_TOKEN', VAULT_TOKEN: VALUE };
    await send({ url: at('/a'), secret: 'crm' }, 'k', { environment });
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${VALUE}`);
  });

  it('asks named hosts only, at allowed addresses only', async () => {
    await expect(send({ url: at('/a', 'evil.test') })).rejects.toThrow(/not among the allowed hosts/);
    await expect(send({ url: at('/a', '127.0.0.1') })).rejects.toThrow(/not among the allowed hosts/);
    await expect(send({ url: at('/a', 'inward.test') })).rejects.toThrow(/public addresses/);
    expect(seen).toEqual([]);
    expect(await send({ url: at('/a', 'b.sub.test') })).toMatchObject({ status: 200 });
  });

  it('follows a redirect of what changes nothing, and tells any other', async () => {
    expect(await send({ url: at('/to/echo') })).toMatchObject({ status: 200, url: at('/echo') });
    const reply = await send({ url: at('/to/echo'), method: 'POST', body: {} });
    expect(reply).toMatchObject({ status: 302, location: '/echo' });
    expect(seen).toHaveLength(3);
  });

  it('does not try again by itself what may have been done', async () => {
    await expect(send({ url: at('/cut'), method: 'POST', body: {} })).rejects.toMatchObject({ retryable: false });
    await expect(send({ url: at('/cut'), method: 'PUT', body: {} })).rejects.toMatchObject({ retryable: true });
  });

  it.each([
    [{ Host: 'x' }, /set by the tool/],
    [{ 'Content-Length': '1' }, /set by the tool/],
    [{ 'Proxy-Authorization': 'x' }, /set by the tool/],
    [{ Authorization: 'Bearer x' }, /carries a secret/],
    [{ cookie: 'a=b' }, /carries a secret/],
    [{ 'X-API-Key': 'x' }, /carries a secret/],
    [{ 'x-a': 'b\r\nx-c: d' }, /line end/],
    [{ 'x-a': '\u0000' }, /line end/],
    [{ 'x-a': 'x'.repeat(9000) }, /too long/],
    [{ 'x a': 'b' }, /no name of a header/],
  ])('refuses the headers %j', async (headers, message) => {
    await expect(send({ url: at('/a'), headers })).rejects.toThrow(message);
    expect(seen).toEqual([]);
  });

  it('refuses a body where there is none, and too much of one', async () => {
    await expect(send({ url: at('/a'), body: 'x' })).rejects.toThrow(/has no body/);
    await expect(send({ url: at('/a'), method: 'POST', body: 'x'.repeat(5_000_000) })).rejects.toThrow(/at most/);
  });
});

describe('a secret of http_request', () => {
  it('is sent by its name, and does not come back', async () => {
    const reply = await send({ url: at('/a'), method: 'POST', body: {}, secret: 'crm' });
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${VALUE}`);
    expect(reply).toMatchObject({ json: { headers: { authorization: 'Bearer [secret]' } } });
    expect(JSON.stringify(reply)).not.toContain(VALUE);
    await send({ url: at('/a'), secret: 'header' });
    expect(seen[1]?.headers['x-key']).toBe(VALUE);
  });

  it.each([
    ['none', '/a', 'api.test', /no secret "none": use one of crm/],
    ['constructor', '/a', 'api.test', /no secret/],
    ['unset', '/a', 'api.test', /set the environment variable NOT_SET/],
    ['safe', '/a', 'api.test', /not sent over http:/],
    ['crm', '/a', 'other.test', /not sent to "other.test"/],
  ])('%s is refused at %s of %s', async (secret, path, host, message) => {
    await expect(send({ url: at(path, host), secret })).rejects.toThrow(message);
    expect(seen).toEqual([]);
  });

  it('does not follow a redirect to a host that it is not for', async () => {
    await expect(send({ url: at('/to/other'), secret: 'crm' })).rejects.toThrow(/not sent to "other.test"/);
    expect(seen.map(({ url }) => url)).toEqual(['/to/other']);
  });
});
