/** A weak model that never ends: the node's stream is stopped, its connection closed, and the bounds are those of the config. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Config } from '../../src/core/config.ts';
import { createPolyphony } from '../../src/polyphony.ts';

let server: Server | undefined;
afterEach(() => server?.close());

const chunk = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`;

/** Writes the same passage until the client leaves. */
async function endless(passage: string) {
  const bodies: { max_tokens?: number }[] = [];
  const closed: Promise<unknown>[] = [];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      bodies.push(JSON.parse(body) as { max_tokens?: number });
      closed.push(once(response, 'close'));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      write(response, passage);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, bodies, closed };
}

function write(response: ServerResponse, passage: string): void {
  if (response.destroyed) return;
  response.write(chunk(passage), () => setImmediate(write, response, passage));
}

const plan = {
  version: 1 as const,
  nodes: [{ id: 'a', use: 'llm', in: { prompt: 'Say something.' } }],
  output: '{{a.text}}',
};

async function runWith(url: string, config: Config) {
  const polyphony = await createPolyphony({
    plugins: [],
    providers: [openaiCompatible({ baseURL: url, models: ['weak'] })],
    config: { retry: { retries: 0 }, ...config },
  });
  try {
    return await polyphony.run(plan).then(
      () => undefined,
      (error: unknown) => error,
    );
  } finally {
    await polyphony.close();
  }
}

it('is stopped, and its connection is closed', async () => {
  const { url, bodies, closed } = await endless('and then he said that ');
  expect(await runWith(url, {})).toMatchObject({
    code: 'invalid-output',
    message: expect.stringContaining('repeat themselves'),
  });
  expect(bodies).toMatchObject([{ max_tokens: 4096 }]);
  await Promise.all(closed);
});

it('has the bounds that the config sets', async () => {
  const { url, bodies } = await endless('da ');
  const config = { limits: { answers: { nodeTokens: 77, repeatedCharacters: 256 } } };
  expect(await runWith(url, config)).toMatchObject({ message: expect.stringContaining('last 256 characters') });
  expect(bodies).toMatchObject([{ max_tokens: 77 }]);
});
