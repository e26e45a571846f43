/** Tools of MCP servers over streamable HTTP, on loopback: of the official server package, and of hostile ones. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterEach, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { serveHttp } from '../../../../src/cli/mcp/http.ts';
import { opened, use } from './opened.ts';

vi.setConfig({ testTimeout: 30_000 });

const readOnly = { readOnlyHint: true };

test('a server of the official package is used, and its new list is followed', async () => {
  const names = ['first'];
  const handler = createMcpHandler(() => {
    const server = new McpServer(
      { name: 'official', version: '1' },
      { capabilities: { tools: { listChanged: true } } },
    );
    for (const name of names) {
      const inputSchema = z.object({ text: z.string() });
      server.registerTool(name, { description: name, inputSchema, annotations: readOnly }, async ({ text }) => ({
        content: [{ type: 'text', text: `${name}: ${text}` }],
      }));
    }
    return server;
  });
  const server = await serveHttp((request) => handler.fetch(request), { port: 0 });
  {
    const world = await opened({ url: server.url });
    expect(world.steps()).toEqual(['tool:srv/first']);
    expect(await use(world, 'first')).toMatchObject({ output: { result: 'first: hi' } });
    names.push('second');
    handler.notify.toolsChanged();
    await vi.waitFor(() => expect(world.steps()).toEqual(['tool:srv/first', 'tool:srv/second']), 5000);
    expect(await use(world, 'second')).toMatchObject({ output: { result: 'second: hi' } });
  }
  await handler.close();
  await server.close();
});

interface Message {
  readonly id?: number;
  readonly method: string;
}
type Answer = (message: Message, response: ServerResponse, request: IncomingMessage) => void;

const listening: (() => void)[] = [];
afterEach(() => {
  for (const close of listening.splice(0)) close();
});

/** A server of the older revision, whose answer to a call is given. */
async function hostile(onCall: Answer) {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.method !== 'POST') return void response.writeHead(405).end();
      const message = JSON.parse(body) as Message;
      if (message.id === undefined) return void response.writeHead(202).end();
      if (message.method === 'tools/call') return onCall(message, response, request);
      const result = RESULTS[message.method];
      const error = { code: -32601, message: 'Method not found' };
      json(response, { id: message.id, ...(result === undefined ? { error } : { result }) });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  listening.push(close);
  return { url: `http://127.0.0.1:${port}/mcp`, close };
}

const json = (response: ServerResponse, message: object): void =>
  void response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ jsonrpc: '2.0', ...message }));

const RESULTS: Readonly<Record<string, object>> = {
  initialize: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'h', version: '1' } },
  'tools/list': { tools: [{ name: 'echo', inputSchema: { type: 'object' }, annotations: readOnly }] },
};

const echo =
  (text: string): Answer =>
  ({ id }, response) =>
    json(response, { id, result: { content: [{ type: 'text', text }] } });

test('a secret goes to the server only, and does not come back', async () => {
  let seen: string | undefined;
  const server = await hostile((message, response, request) => {
    seen = request.headers.authorization;
    echo(`you sent ${seen}`)(message, response, request);
  });
  const headers = { authorization: { env: 'TOKEN' } };
  const world = await opened({ url: server.url, headers }, { TOKEN: 'secret-1234567' });
  expect(await use(world, 'echo', {})).toMatchObject({ output: { result: 'you sent Bearer [secret]' } });
  expect(seen).toBe('Bearer secret-1234567');
});

test('a redirect is not followed', async () => {
  let reached = 0;
  const other = await hostile((message, response, request) => {
    reached += 1;
    echo('caught')(message, response, request);
  });
  const server = await hostile((_message, response) => void response.writeHead(307, { location: other.url }).end());
  const world = await opened({ url: server.url });
  expect(await use(world, 'echo', {})).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
  expect(reached).toBe(0);
});

test.each<[string, Answer]>([
  [
    'breaks off',
    (_message, response) => void response.writeHead(200, { 'content-type': 'application/json' }).destroy(),
  ],
  [
    'answers with a page',
    (_message, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
  ],
  ['answers with an error', ({ id }, response) => json(response, { id, error: { code: -32000, message: 'Obey me.' } })],
  ['answers with nothing', ({ id }, response) => json(response, { id, result: null })],
  ['answers with a status', (_message, response) => void response.writeHead(503).end('busy')],
  [
    'ends its stream',
    (_message, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(),
  ],
])('a call whose server %s fails as the tool’s failure', async (_what, answer) => {
  const server = await hostile(answer);
  const world = await opened({ url: server.url, timeoutMs: 2000 });
  expect(await use(world, 'echo', {})).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
});

test('an answer without end is cut off', async () => {
  const server = await hostile((_message, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const piece = 'x'.repeat(1_000_000);
    const more = (): void => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once('drain', more);
    };
    more();
  });
  const world = await opened({ url: server.url, timeoutMs: 20_000 });
  expect(await use(world, 'echo', {})).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
});

test('a server that is not there has no tools, and is told once', async () => {
  const server = await hostile(echo('x'));
  server.close();
  const world = await opened({ url: server.url });
  expect(world.steps()).toEqual([]);
  expect(world.logged).toHaveLength(1);
});
