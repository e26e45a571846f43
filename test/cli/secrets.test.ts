/** A server repeats everything that it was sent: no key is in what the command prints or writes. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { folderWith, start } from './call.ts';

const SECRETS = ['environment-key-4471', 'user-name-4471', 'pass-word-4471', 'path-segment-4471', 'query-value-4471'];
const [key, user, password, segment, query] = SECRETS;

let server: Server;
let environment: Readonly<Record<string, string>>;
let withUser: Readonly<Record<string, string>>;

beforeAll(async () => {
  server = createServer((request, response) => {
    const echo = inspect({ url: request.url, ...request.headers });
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { message: echo } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  environment = {
    OPENAI_API_KEY: key ?? '',
    POLYPHONY_MODELS: 'm',
    OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1/${segment}?token=${query}`,
  };
  withUser = {
    ...environment,
    OPENAI_BASE_URL: `http://${user}:${password}@127.0.0.1:${port}/v1/${segment}?token=${query}`,
  };
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('prints and writes none, whatever is asked for', async () => {
  const folder = folderWith({
    'a.plan.json': {
      version: 1,
      nodes: [{ id: 'm', use: 'llm', in: { prompt: 'hello' } }],
    },
    'polyphony.json': { retry: { retries: 0 } },
  });
  const texts: string[] = [];
  const command = async (...words: readonly string[]): Promise<string> => {
    const { out, err } = await start(words, { folder, environment }).ended;
    texts.push(`${words.join(' ')}\n${out}${err}`);
    return out;
  };
  await command('run', 'a.plan.json', '--log', 'debug');
  const { runId } = JSON.parse(await command('--json', 'run', 'a.plan.json')) as { readonly runId: string };
  for (const words of ['show', 'replay']) await command('runs', words, runId);
  for (const words of ['spend', 'doctor', 'hello']) await command(words);
  // It is refused, because a user and a password would not be sent.
  const refused = await start(['run', 'a.plan.json', '--log', 'debug'], { folder, environment: withUser }).ended;
  expect(refused.out + refused.err).toContain('holds a user or a password');
  texts.push(refused.out + refused.err);
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (/\.(?:db|db-wal|log)$/.test(name)) texts.push(readFileSync(join(folder, name), 'latin1'));
  }
  expect(texts[0]).toContain('[scrubbed]');
  for (const text of texts) for (const secret of SECRETS) expect(text).not.toContain(secret);
});
