/** Against an upstream that others wrote: aimock, which speaks the Messages wire. And the suite of every provider. */
import { LLMock } from '@copilotkit/aimock';
import type { ModelResponse, Provider } from 'polyphony';
import { testProvider } from 'polyphony/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { loopback } from '../../kit/loopback.ts';
import { HELLO } from './anthropic-answers.ts';
import { ask, chat, speak } from './attempts.ts';
import { failure } from './exchange.ts';

const transport = createTransport();
const mock = new LLMock({ port: 0 });
let provider: Provider;
beforeAll(async () => {
  await mock.start();
  provider = anthropic({ apiKey: 'test-key', baseURL: `${mock.url}/v1` });
});
beforeEach(() => mock.clearFixtures());
afterAll(async () => {
  await transport.close();
  await mock.stop();
});

const target = { model: 'claude-haiku-4-5' };
const run = (text: string): Promise<ModelResponse> => ask(provider, transport, chat(text), { target });

describe('an upstream of others', () => {
  test('streams text in pieces', async () => {
    mock.onMessage('hello', { content: 'Hello there, how are you?' }, { chunkSize: 4 });
    const texts: string[] = [];
    for await (const event of speak(provider, transport, chat('hello'), { target })) {
      if (event.type === 'text-delta') texts.push(event.text);
    }
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.join('')).toBe('Hello there, how are you?');
  });

  test('calls tools in parallel', async () => {
    mock.onMessage('weather', {
      toolCalls: [
        { name: 'weather', arguments: '{"city":"Paris"}' },
        { name: 'weather', arguments: '{"city":"Rome"}' },
      ],
    });
    expect(await run('weather')).toMatchObject({
      finishReason: 'tool-calls',
      content: [
        { type: 'tool-call', name: 'weather', arguments: { city: 'Paris' } },
        { type: 'tool-call', name: 'weather', arguments: { city: 'Rome' } },
      ],
    });
  });

  test('answers 429 with Retry-After', async () => {
    const error = { message: 'Rate limit reached', type: 'rate_limit_error' };
    mock.onMessage('busy', { error, status: 429, retryAfter: 3 });
    expect(await failure(run('busy'))).toMatchObject({ code: 'rate-limited', status: 429, retryAfterMs: 3000 });
  });

  test('answers 529', async () => {
    mock.onMessage('full', { error: { message: 'Overloaded', type: 'overloaded_error' }, status: 529 });
    expect(await failure(run('full'))).toMatchObject({ code: 'overloaded', status: 529, retryable: true });
  });

  test('cuts the stream after some chunks', async () => {
    mock.onMessage('cut', { content: 'x'.repeat(200) }, { chunkSize: 10, truncateAfterChunks: 4 });
    const error = await failure(run('cut'));
    expect(['network', 'truncated']).toContain(error.code);
    expect(error.retryable).toBe(true);
  });
});

describe('the suite of every provider', () => {
  const secret = 'test-key-1234567890';
  testProvider({
    test,
    make: async () => {
      const server = await loopback((_, response) => void response.end(HELLO));
      const own = createTransport();
      return {
        provider: anthropic({ apiKey: secret, baseURL: server.url }),
        transport: own,
        secrets: [secret],
        rateLimitHeaders: {
          'anthropic-ratelimit-output-tokens-limit': '80000',
          'anthropic-ratelimit-output-tokens-reset': '2999-01-01T00:00:00Z',
        },
        close: () => own.close(),
      };
    },
  });
});
