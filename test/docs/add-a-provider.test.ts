/** The providers of docs/how-to/add-a-provider.md: as short as promised, and they work. `npm run docs` compiles them too. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Provider } from 'polyphony';
import { afterAll, expect, test } from 'vitest';
import { loopback } from '../kit/loopback.ts';
import { ask, chat, speak } from '../plugins/providers/attempts.ts';
import { failure, transport } from '../plugins/providers/exchange.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/how-to/add-a-provider.md'), 'utf8');
const [vendor = '', own = ''] = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

const folder = join(root, '.docs-check', 'add-a-provider');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function load<T>(name: string, code: string): Promise<T> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, code);
  return (await import(file)) as T;
}

const linesOf = (code: string): number => code.trimEnd().split('\n').length;

test('a server on the usual wire takes 15 lines, one on its own wire 120', () => {
  expect(linesOf(vendor)).toBeGreaterThan(5);
  expect(linesOf(vendor)).toBeLessThanOrEqual(15);
  expect(linesOf(own)).toBeGreaterThan(30);
  expect(linesOf(own)).toBeLessThanOrEqual(120);
});

test('the one on the usual wire answers', async () => {
  const { acme } = await load<{ acme: (options: object) => Provider }>('vendor', vendor);
  const answer = { choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }], usage: {} };
  const server = await loopback((_, response) => void response.end(JSON.stringify(answer)));
  const provider = acme({ apiKey: 'k', baseURL: server.url });
  const response = await ask(provider, transport, chat('Hello', { seed: 7, reasoning: { effort: 'high' } }));
  expect(response.content).toEqual([{ type: 'text', text: 'Hi' }]);
  const body = JSON.parse(server.received[0]?.body ?? '') as object;
  expect(body).toMatchObject({ model: 'acme-large', enable_thinking: true });
  expect(body).not.toHaveProperty('seed');
});

test('the one on its own wire streams, ends, fails and refuses', async () => {
  const { plain } = await load<{ plain: (keys: string[], url: string) => Provider }>('own', own);
  const frames = (...told: readonly object[]): string =>
    told.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('');
  let answer = frames({ text: 'Hi' }, { text: ' you' }, { end: 'stop', tokens: { in: 2, out: 3 } });
  const server = await loopback((_, response) => void response.end(answer));
  const provider = plain(['k'], server.url);
  const events: unknown[] = [];
  for await (const event of speak(provider, transport, chat('Hello'))) events.push(event);
  expect(events.slice(1)).toEqual([
    { type: 'text-delta', text: 'Hi' },
    { type: 'text-delta', text: ' you' },
    { type: 'finish', reason: 'stop', usage: { input: 2, output: 3 } },
  ]);
  expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({ turns: [{ by: 'user', say: 'Hello' }] });
  answer = frames({ text: 'Hi' }, { fault: 'slow down', status: 429 });
  expect((await failure(ask(provider, transport, chat('Hello')))).code).toBe('rate-limited');
  answer = frames({ text: 'Hi' });
  expect((await failure(ask(provider, transport, chat('Hello')))).code).toBe('truncated');
  expect((await failure(ask(provider, transport, { operation: 'embed', input: ['a'] }))).code).toBe('unsupported');
});
