/** Against an independent mock of the Responses protocol. */
import { LLMock } from '@copilotkit/aimock';
import type { Provider } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { testProvider } from 'polyphony/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { loopback } from '../../kit/loopback.ts';
import { ask, chat, speak } from './attempts.ts';
import { failure, transport } from './exchange.ts';
import { saying, stream } from './responses-exchange.ts';

testProvider({
  test,
  async make() {
    const own = createTransport();
    const rateLimitHeaders = { 'x-ratelimit-remaining-tokens': '8', 'x-ratelimit-reset-tokens': '6m0s' };
    const server = await loopback((_, response) => void response.end(stream(saying('Hi', ' there'))));
    const provider = openaiResponses({ apiKey: 'a-secret-key-of-ours', baseURL: server.url });
    return { provider, transport: own, secrets: ['a-secret-key-of-ours'], rateLimitHeaders, close: () => own.close() };
  },
});

describe('an upstream of others', () => {
  const mock = new LLMock({ port: 0 });
  let provider: Provider;
  beforeAll(async () => {
    await mock.start();
    provider = openaiResponses({ apiKey: 'test-key', baseURL: `${mock.url}/v1` });
  });
  beforeEach(() => mock.clearFixtures());
  afterAll(() => mock.stop());

  const target = { model: 'gpt-4o' };
  const run = (text: string) => ask(provider, transport, chat(text), { target });

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
        { name: 'weather', arguments: '{"city":"Paris"}', id: 'c1' },
        { name: 'weather', arguments: '{"city":"Rome"}', id: 'c2' },
      ],
    });
    const response = await run('weather');
    expect(response.finishReason).toBe('tool-calls');
    expect(response.content).toMatchObject([
      { type: 'tool-call', id: 'c1', arguments: { city: 'Paris' } },
      { type: 'tool-call', id: 'c2', arguments: { city: 'Rome' } },
    ]);
  });

  test('tells its reasoning', async () => {
    mock.onMessage('think', { content: 'Four.', reasoning: 'Two and two.' });
    const response = await run('think');
    expect(textOf(response)).toBe('Four.');
    expect(response.content).toContainEqual(expect.objectContaining({ type: 'reasoning', text: 'Two and two.' }));
  });

  test('answers 429 with Retry-After, and 529', async () => {
    const busy = { message: 'Rate limit reached', type: 'rate_limit_error' };
    mock.onMessage('busy', { error: busy, status: 429, retryAfter: 3 });
    expect(await failure(run('busy'))).toMatchObject({ code: 'rate-limited', status: 429, retryAfterMs: 3000 });
    mock.onMessage('full', { error: { message: 'Overloaded', type: 'overloaded_error' }, status: 529 });
    expect(await failure(run('full'))).toMatchObject({ code: 'overloaded', retryable: true });
  });

  test('cuts the stream after some chunks', async () => {
    mock.onMessage('cut', { content: 'x'.repeat(200) }, { chunkSize: 10, truncateAfterChunks: 6 });
    const error = await failure(run('cut'));
    expect(['network', 'truncated']).toContain(error.code);
    expect(error.retryable).toBe(true);
  });
});
