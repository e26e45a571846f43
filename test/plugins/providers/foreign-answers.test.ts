/** What answers instead of the API, on every wire: the next target is asked, and the failure counts against this one. */
import { createPolyphony, type Provider, type Transport } from 'polyphony';
import { definePlugin } from 'polyphony/kit';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { google } from '../../../plugins/providers/google.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';

const baseURL = 'http://first.test/v1';
const access = { baseURL, apiKey: 'test-key', models: ['m'] };
const EMBEDS = { id: 'm', operations: ['embed'], capabilities: ['embeddings'] } as const;

const CHATS: Readonly<Record<string, () => Provider>> = {
  'chat completions': () => openaiCompatible({ ...access, id: 'first' }),
  responses: () => openaiResponses({ ...access, id: 'first' }),
  messages: () => anthropic({ ...access, id: 'first' }),
  generateContent: () => google({ ...access, id: 'first' }),
  converse: () => bedrock({ ...access, id: 'first', region: 'eu-west-1' }),
  cohere: () => cohere({ ...access, id: 'first' }),
  ollama: () => ollama({ baseURL, models: ['m'], id: 'first' }),
};
const EMBEDDINGS: Readonly<Record<string, () => Provider>> = {
  'chat completions': () => openaiCompatible({ ...access, models: [EMBEDS], id: 'first' }),
  generateContent: () => google({ ...access, models: [EMBEDS], id: 'first' }),
  cohere: () => cohere({ ...access, models: [EMBEDS], id: 'first' }),
  ollama: () => ollama({ baseURL, models: [EMBEDS], id: 'first' }),
};

type Answer = readonly [status: number, headers: Readonly<Record<string, string>>, text: string];
const html = { 'content-type': 'text/html' };
const json = { 'content-type': 'application/json' };
const FOREIGN: Readonly<Record<string, Answer>> = {
  'a web page': [200, html, '<!DOCTYPE html><title>Maintenance</title>'],
  'a web page that is labelled as JSON': [200, json, '\n<html><body>Sign in</body></html>'],
  'a redirect': [302, { location: 'https://login.test/' }, ''],
  'a redirect without a location': [307, html, '<html>moved</html>'],
  'a page that forbids': [403, html, '<html><title>Blocked</title></html>'],
  'a page that does not understand': [400, html, '<html><h1>400 Bad Request</h1></html>'],
  'JSON of another service': [200, json, '{"status":"ok","uptime":12}'],
  'JSON that is no object': [200, json, '"ok"'],
  'JSON that is nested too deep': [200, json, `${'['.repeat(5000)}${']'.repeat(5000)}`],
  nothing: [200, json, ''],
};

const GOOD = {
  chat: '{"choices":[{"index":0,"message":{"role":"assistant","content":"second"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}',
  embed: '{"data":[{"index":0,"embedding":[1,2]}],"usage":{"prompt_tokens":1}}',
};

function answering(first: Answer, good: string): Transport {
  return {
    async request({ url }) {
      const [status, headers, text] = url.startsWith('http://first.test') ? first : ([200, json, good] as const);
      const bytes = Buffer.from(text);
      async function* body(): AsyncGenerator<Uint8Array> {
        yield bytes;
      }
      return { status, headers, body: body(), bytes: async () => bytes };
    },
    close: async () => undefined,
  };
}

const config = {
  routes: { main: { chain: ['first/m', 'second/m'] } },
  retry: { retries: 0 },
  breaker: { minimumAttempts: 2 },
};

async function withFallback(
  first: Provider,
  second: Provider,
  transport: Transport,
  work: (polyphony: Awaited<ReturnType<typeof createPolyphony>>) => Promise<void>,
) {
  const plugins = [definePlugin({ name: 'two', providers: [first, second] })];
  const polyphony = await createPolyphony({ plugins, config, transport });
  try {
    await work(polyphony);
    const found = polyphony.gateway.health().find(({ target }) => target.provider === 'first');
    expect(found?.breaker.state).toBe('open');
    expect(found?.credentials.map(({ state }) => state)).toEqual(['ready']);
  } finally {
    await polyphony.close();
  }
}

describe.each(Object.entries(CHATS))('%s', (_, make) => {
  test.each(Object.entries(FOREIGN))('%s', async (_name, foreign) => {
    const second = openaiCompatible({ baseURL: 'http://second.test', id: 'second', models: ['m'] });
    await withFallback(make(), second, answering(foreign, GOOD.chat), async ({ gateway }) => {
      const request = { model: { route: 'main' }, messages: [{ role: 'user' as const, content: 'Hi' }] };
      const whole = await gateway.generate(request);
      expect(whole.target.provider).toBe('second');
      let text = '';
      for await (const event of gateway.stream(request)) if (event.type === 'text-delta') text += event.text;
      expect(text).toBe('second');
    });
  });
});

describe.each(Object.entries(EMBEDDINGS))('embeddings of %s', (_, make) => {
  test.each(Object.entries(FOREIGN))('%s', async (_name, foreign) => {
    const second = openaiCompatible({ baseURL: 'http://second.test', id: 'second', models: [EMBEDS] });
    await withFallback(make(), second, answering(foreign, GOOD.embed), async ({ gateway }) => {
      for (let call = 0; call < 2; call += 1) {
        const { target } = await gateway.embed({ model: { route: 'main' }, input: ['a'] });
        expect(target.provider).toBe('second');
      }
    });
  });
});
