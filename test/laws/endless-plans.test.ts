/**
 * Answers of a planner that do not end, from servers of three wires.
 *
 * E1. Each ends by a bound, with the code of that bound, and the socket is closed.
 * E2. It is not asked for again, and the run is charged what its row in the ledger says.
 */
import { describe, expect, it } from 'vitest';
import { anthropic } from '../../plugins/providers/anthropic.ts';
import { google } from '../../plugins/providers/google.ts';
import { openaiCompatible } from '../../plugins/providers/openai-compatible.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import { createPolyphony } from '../../src/index.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { type Loopback, loopback } from '../kit/loopback.ts';

interface Wire {
  readonly head: string;
  readonly text: (text: string) => string;
  readonly ping: string;
  readonly provider: (url: string) => Provider;
}

const named = (type: string, fields: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const plain = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;

const CARD = {
  id: 'm',
  tier: 'premium',
  contextTokens: 200_000,
  maxOutputTokens: 8000,
  capabilities: ['text', 'streaming', 'system', 'planning', 'json-mode'],
  price: { input: 1, output: 4 },
} as const;

const WIRES: Readonly<Record<string, Wire>> = {
  'chat completions': {
    head: '',
    text: (content) => plain({ id: 'x', choices: [{ index: 0, delta: { content } }] }),
    ping: ': ping\n\n',
    provider: (url) => openaiCompatible({ baseURL: `${url}/v1`, apiKey: 'key-of-a-test', models: [CARD] }),
  },
  messages: {
    head: `${named('message_start', { message: { id: 'm', role: 'assistant', content: [], usage: { input_tokens: 9, output_tokens: 1 } } })}${named('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })}`,
    text: (text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    ping: named('ping'),
    provider: (url) => anthropic({ baseURL: url, apiKey: 'key-of-a-test', models: [CARD] }),
  },
  'generate content': {
    head: '',
    text: (text) => plain({ candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0 }] }),
    ping: ': ping\n\n',
    provider: (url) => google({ baseURL: url, apiKey: 'key-of-a-test', models: [CARD] }),
  },
};

/** What is sent again and again, with a number that counts up; the code that it ends with. */
const ENDLESS: Readonly<Record<string, readonly [first: string, piece: (count: number) => string, code: string]>> = {
  'the same words': ['', () => 'and so on '.repeat(20), 'invalid-output'],
  blanks: ['', () => ' '.repeat(500), 'invalid-output'],
  'line ends': ['{"version":1,', () => '\n'.repeat(500), 'invalid-output'],
  'words that differ': ['', (count) => words(count, 'word'), 'truncated'],
  'one text': ['{"version":1,"goal":"', (count) => words(count, 'goal'), 'truncated'],
  nodes: ['{"version":1,"nodes":[{"id":"z","use":"value"}', (count) => nodes(count), 'truncated'],
};
const words = (count: number, word: string): string =>
  Array.from({ length: 4000 }, (_, at) => `${word}${count * 4000 + at}`).join(' ');
const nodes = (count: number): string =>
  Array.from({ length: 1000 }, (_, at) => `,{"id":"n${count * 1000 + at}","use":"value","in":{"x":1}}`).join('');

/** Sends pieces until the connection is closed. */
const pouring = (head: string, piece: (count: number) => string): Promise<Loopback> =>
  loopback((_received, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(head);
    let count = 0;
    const pour = (): void => {
      if (response.destroyed) return;
      count += 1;
      if (response.write(piece(count))) setImmediate(pour);
      else response.once('drain', pour);
    };
    pour();
  });

describe.each(Object.entries(WIRES))(
  'over the wire of %s, an endless plan',
  (_name, { head, text, ping, provider }) => {
    it.each(Object.entries(ENDLESS))(
      'of %s ends by a bound, and is paid for',
      async (_kind, [first, piece, code]) => {
        const server = await pouring(`${head}${text(first)}`, (count) => text(piece(count)));
        const polyphony = await createPolyphony({ providers: [provider(server.url)], environment: false });
        const result = await (await polyphony.start('Do four things.')).result();
        expect(result).toMatchObject({ status: 'failed', error: { code } });
        expect(server.received).toHaveLength(1);
        await server.closed;
        const [total] = await polyphony.stores.ledger.totals('scope:run');
        expect(total).toMatchObject({ attempts: 1, costNanoUsd: result.costNanoUsd });
        expect(result.usage.output).toBeGreaterThan(0);
        await polyphony.close();
      },
      60_000,
    );

    it('of signs of life alone ends when its time is up', async () => {
      const runtime = fakeRuntime();
      let pings = 0;
      let heard: () => void = () => {};
      const enough = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const server = await pouring(head, () => {
        pings += 1;
        if (pings === 500) heard();
        return ping;
      });
      const config = { timeouts: { firstTokenMs: 5000, idleMs: 5000, totalMs: 20_000 }, retry: { retries: 0 } };
      const polyphony = await createPolyphony({
        providers: [provider(server.url)],
        environment: false,
        runtime,
        config,
      });
      const handle = await polyphony.start('Do four things.');
      const ended = handle.result();
      await enough;
      await runtime.clock.advance(20_000);
      expect(await ended).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
      await server.closed;
      const { costNanoUsd } = await ended;
      expect(await polyphony.stores.ledger.totals('scope:run')).toMatchObject([{ attempts: 1, costNanoUsd }]);
      await polyphony.close();
    }, 60_000);
  },
);
