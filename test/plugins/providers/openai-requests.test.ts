/** Our requests beside those of the official client: both are sent to a recorder, and their bodies must say the same. */
import type OpenAI from 'openai';
import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import type { ModelRequest } from 'polyphony';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openai } from '../../../plugins/providers/openai.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import type { Loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { recorder } from './openai-recorder.ts';

const transport = createTransport();
afterAll(() => transport.close());

let server: Loopback;
let client: OpenAI;
beforeEach(async () => {
  ({ server, client } = await recorder());
});

/** Sends ours, then the client's, and returns what arrived of both. */
async function both(request: ModelRequest, model: string, official: () => Promise<unknown>) {
  await ask(openai({ apiKey: 'test-key', baseURL: server.url }), transport, request, { target: { model } });
  await official();
  const [ours, theirs] = server.received.map(({ path, body, headers }) => ({
    path,
    authorization: headers.authorization,
    body: JSON.parse(body) as unknown,
  }));
  return { ours, theirs };
}

const stream = (params: Omit<ChatCompletionCreateParamsStreaming, 'stream' | 'stream_options'>) => async () => {
  const answer = await client.chat.completions.create({
    ...params,
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const _ of answer);
};

const weatherSchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;

describe('requests say what the official client says', () => {
  test('sampling, limits and the rest of the parameters', async () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello', name: 'ann' },
    ] as const;
    const { ours, theirs } = await both(
      chat(messages, {
        maxOutputTokens: 50,
        temperature: 0.2,
        topP: 0.9,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        stop: ['END'],
        seed: 7,
        logprobs: 3,
        serviceTier: 'flex',
        user: 'u1',
      }),
      'gpt-4o',
      stream({
        model: 'gpt-4o',
        messages: [...messages],
        max_completion_tokens: 50,
        temperature: 0.2,
        top_p: 0.9,
        presence_penalty: 0.1,
        frequency_penalty: 0.2,
        stop: ['END'],
        seed: 7,
        logprobs: true,
        top_logprobs: 3,
        service_tier: 'flex',
        user: 'u1',
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('tools, parallel calls, their results, one failed and one with an image', async () => {
    const { ours, theirs } = await both(
      chat(
        [
          { role: 'user', content: 'Weather?' },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'Looking.' },
              { type: 'tool-call', id: 'c1', name: 'weather', arguments: { city: 'Paris' } },
              { type: 'tool-call', id: 'c2', name: 'weather', arguments: {}, raw: '{"city":' },
            ],
          },
          {
            role: 'tool',
            content: [
              {
                type: 'tool-result',
                id: 'c1',
                content: [
                  { type: 'text', text: 'Sunny' },
                  { type: 'image', source: { type: 'base64', mediaType: 'image/png', data: 'aGk=' } },
                ],
              },
              { type: 'tool-result', id: 'c2', content: 'bad arguments', isError: true },
            ],
          },
        ],
        {
          tools: [{ name: 'weather', description: 'Tells it', inputSchema: weatherSchema, strict: true }],
          toolChoice: { name: 'weather' },
          parallelToolCalls: false,
        },
      ),
      'gpt-4o',
      stream({
        model: 'gpt-4o',
        messages: [
          { role: 'user', content: 'Weather?' },
          {
            role: 'assistant',
            content: 'Looking.',
            tool_calls: [
              { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
              { id: 'c2', type: 'function', function: { name: 'weather', arguments: '{}' } },
            ],
          },
          { role: 'tool', tool_call_id: 'c1', content: 'Sunny\n[image: see the next user message]' },
          { role: 'tool', tool_call_id: 'c2', content: 'Error: bad arguments' },
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,aGk=' } }] },
        ],
        tools: [
          {
            type: 'function',
            function: { name: 'weather', description: 'Tells it', parameters: weatherSchema, strict: true },
          },
        ],
        tool_choice: { type: 'function', function: { name: 'weather' } },
        parallel_tool_calls: false,
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('images by URL and inline, audio, files inline and by id', async () => {
    const { ours, theirs } = await both(
      chat([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is all this?' },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, detail: 'low' },
            { type: 'image', source: { type: 'base64', mediaType: 'image/jpeg', data: 'aGk=' } },
            { type: 'audio', source: { type: 'base64', mediaType: 'audio/mpeg', data: 'aGk=' } },
            { type: 'audio', source: { type: 'base64', mediaType: 'audio/x-wav', data: 'aGk=' } },
            { type: 'file', source: { type: 'base64', mediaType: 'application/pdf', data: 'aGk=' }, name: 'a.pdf' },
            { type: 'file', source: { type: 'url', url: 'file-123' } },
          ],
        },
      ]),
      'gpt-4o',
      stream({
        model: 'gpt-4o',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is all this?' },
              { type: 'image_url', image_url: { url: 'https://example.com/a.png', detail: 'low' } },
              { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,aGk=' } },
              { type: 'input_audio', input_audio: { data: 'aGk=', format: 'mp3' } },
              { type: 'input_audio', input_audio: { data: 'aGk=', format: 'wav' } },
              { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' } },
              { type: 'file', file: { file_id: 'file-123' } },
            ],
          },
        ],
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('an output schema in the strict subset, its keys in order', async () => {
    const schema = {
      type: 'object',
      properties: { z: { type: 'string' }, a: { type: 'number' } },
      required: ['z', 'a'],
    };
    await ask(
      openai({ apiKey: 'k', baseURL: server.url }),
      transport,
      chat('x', { output: { type: 'json', schema, name: 'pair' } }),
      { target: { model: 'gpt-4o' } },
    );
    const { response_format } = JSON.parse(server.received[0]?.body ?? '') as { response_format: unknown };
    expect(response_format).toEqual({
      type: 'json_schema',
      json_schema: { name: 'pair', schema: { ...schema, additionalProperties: false }, strict: true },
    });
    expect(JSON.stringify(response_format)).toContain('"properties":{"z"');
  });

  test('reasoning models: developer role, effort, no sampling', async () => {
    const request = chat(
      [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hello' },
      ],
      { reasoning: { effort: 'none' }, temperature: 0.5, maxOutputTokens: 9 },
    );
    const { ours, theirs } = await both(
      request,
      'gpt-5-mini',
      stream({
        model: 'gpt-5-mini',
        messages: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
        ],
        max_completion_tokens: 9,
        reasoning_effort: 'minimal',
      }),
    );
    expect(ours).toEqual(theirs);
  });

  test('embeddings, base64 on the wire', async () => {
    const { ours, theirs } = await both(
      { operation: 'embed', input: ['a', 'b'], dimensions: 2 },
      'text-embedding-3-small',
      () => client.embeddings.create({ model: 'text-embedding-3-small', input: ['a', 'b'], dimensions: 2 }),
    );
    expect(ours).toEqual(theirs);
  });

  test('images', async () => {
    const request: ModelRequest = { operation: 'image', prompt: 'A cat', size: '1024x1024', count: 2, quality: 'low' };
    const { ours, theirs } = await both(request, 'gpt-image-2', () =>
      client.images.generate({ model: 'gpt-image-2', prompt: 'A cat', size: '1024x1024', n: 2, quality: 'low' }),
    );
    expect(ours).toEqual(theirs);
  });

  test('moderation of texts and of a text with an image', async () => {
    const texts: ModelRequest = {
      operation: 'moderate',
      input: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    };
    const model = 'omni-moderation-latest';
    const first = await both(texts, model, () => client.moderations.create({ model, input: ['a', 'b'] }));
    expect(first.ours).toEqual(first.theirs);
    await ask(
      openai({ apiKey: 'k', baseURL: server.url }),
      transport,
      {
        operation: 'moderate',
        input: [
          { type: 'text', text: 'a' },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
        ],
      },
      { target: { model } },
    );
    expect(JSON.parse(server.received[2]?.body ?? '')).toEqual({
      model,
      input: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      ],
    });
  });
});
