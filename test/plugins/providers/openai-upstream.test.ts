/** Against an upstream that others wrote: aimock, which speaks the chat-completions wire. */
import { LLMock } from '@copilotkit/aimock';
import { type ModelResponse, PolyphonyError, type Provider } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openai } from '../../../plugins/providers/openai.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { ask, chat, speak } from './attempts.ts';

const transport = createTransport();
const mock = new LLMock({ port: 0 });
let provider: Provider;
beforeAll(async () => {
  await mock.start();
  provider = openai({ apiKey: 'test-key', baseURL: `${mock.url}/v1` });
});
beforeEach(() => mock.clearFixtures());
afterAll(async () => {
  await transport.close();
  await mock.stop();
});

const target = { model: 'gpt-4o' };
const run = (text: string): Promise<ModelResponse> => ask(provider, transport, chat(text), { target });

async function failure(work: Promise<unknown>): Promise<PolyphonyError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PolyphonyError) return error;
  throw new Error(`expected a PolyphonyError, got ${String(error)}`);
}

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
        { name: 'weather', arguments: '{"city":"Paris"}', id: 'c1' },
        { name: 'weather', arguments: '{"city":"Rome"}', id: 'c2' },
      ],
    });
    const response = await run('weather');
    expect(response.finishReason).toBe('tool-calls');
    expect(response.content).toMatchObject([
      { type: 'tool-call', id: 'c1', name: 'weather', arguments: { city: 'Paris' } },
      { type: 'tool-call', id: 'c2', name: 'weather', arguments: { city: 'Rome' } },
    ]);
  });

  test('answers 429 with Retry-After', async () => {
    mock.onMessage('busy', {
      error: { message: 'Rate limit reached', type: 'rate_limit_error' },
      status: 429,
      retryAfter: 3,
    });
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

  test('embeds and moderates', async () => {
    mock.onEmbedding('hello', { embedding: [0.5, 0.25] });
    const embedded = await ask(
      provider,
      transport,
      { operation: 'embed', input: ['hello'] },
      { target: { model: 'text-embedding-3-small' } },
    );
    expect(embedded.output).toEqual({ operation: 'embed', vectors: [[0.5, 0.25]] });
    mock.onModerate('bad', { flagged: true, categories: { violence: true } });
    const input = [{ type: 'text', text: 'bad' }] as const;
    const judged = await ask(
      provider,
      transport,
      { operation: 'moderate', input },
      { target: { model: 'omni-moderation-latest' } },
    );
    expect(judged.output).toMatchObject({ results: [{ flagged: true, categories: { violence: true } }] });
  });

  test('after text is a text', async () => {
    mock.onMessage('plain', { content: 'ok' });
    expect(textOf(await run('plain'))).toBe('ok');
  });
});
