/** Our requests beside those of the official client: both are sent to a recorder, and their bodies must say the same. */
import Anthropic from '@anthropic-ai/sdk';
import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import type { ModelRequest } from 'polyphony';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { HELLO } from './anthropic-answers.ts';
import { ask, chat } from './attempts.ts';

const transport = createTransport();
afterAll(() => transport.close());

let server: Loopback;
let client: Anthropic;
beforeEach(async () => {
  server = await loopback((_, response) => {
    response.setHeader('content-type', 'text/event-stream');
    response.end(HELLO);
  });
  client = new Anthropic({ apiKey: 'test-key', baseURL: server.url, maxRetries: 0 });
});

type Params = Omit<Anthropic.MessageCreateParamsStreaming, 'stream'>;

/** Sends ours, then the client's, and returns what arrived of both. */
async function both(request: ModelRequest, params: Params): Promise<readonly unknown[]> {
  const provider = anthropic({ apiKey: 'test-key', baseURL: `${server.url}/v1` });
  await ask(provider, transport, request, { target: { model: params.model } });
  for await (const _ of await client.messages.create({ ...params, stream: true }));
  return server.received.map(({ path, body }) => ({ path, body: JSON.parse(body) as unknown }));
}

const schema = {
  type: 'object',
  properties: { city: { type: 'string', description: 'Where' }, days: { type: 'array', items: { type: 'integer' } } },
  required: ['city'],
  additionalProperties: false,
} as const;
const image = { type: 'base64', data: 'aGk=', mediaType: 'image/png' } as const;

describe('requests say what the official client says', () => {
  // The client of today speaks a newer version of the API, which has no sampling parameters.
  test('limits, tier and user', async () => {
    const [ours, theirs] = await both(
      chat(
        [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
        ],
        { maxOutputTokens: 50, stop: ['END'], serviceTier: 'auto', user: 'u1' },
      ),
      {
        model: 'claude-haiku-4-5',
        max_tokens: 50,
        system: 'Be brief.',
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
        stop_sequences: ['END'],
        service_tier: 'auto',
        metadata: { user_id: 'u1' },
      },
    );
    expect(ours).toEqual(theirs);
  });

  test('tools, parallel calls, results with images and errors, thinking that goes back', async () => {
    const messages = [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm', signature: 's', family: 'anthropic' },
          { type: 'tool-call', id: 'a', name: 'weather', arguments: { city: 'Rome' } },
          { type: 'tool-call', id: 'b', name: 'weather', arguments: { city: 'Bern' } },
        ],
      },
      {
        role: 'tool',
        content: [
          {
            type: 'tool-result',
            id: 'a',
            content: [
              { type: 'text', text: 'Sun' },
              { type: 'image', source: image },
            ],
          },
          { type: 'tool-result', id: 'b', content: 'No such city', isError: true },
        ],
      },
    ] as const;
    const [ours, theirs] = await both(
      chat(messages, {
        maxOutputTokens: 4096,
        tools: [{ name: 'weather', description: 'The weather', inputSchema: schema }],
        toolChoice: 'auto',
        parallelToolCalls: false,
        reasoning: { budgetTokens: 2000 },
      }),
      {
        model: 'claude-haiku-4-5',
        max_tokens: 4096,
        thinking: { type: 'enabled', budget_tokens: 2000 },
        tools: [{ name: 'weather', description: 'The weather', input_schema: { ...schema, required: ['city'] } }],
        tool_choice: { type: 'auto', disable_parallel_tool_use: true },
        messages: [
          { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'Hm', signature: 's' },
              { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Rome' } },
              { type: 'tool_use', id: 'b', name: 'weather', input: { city: 'Bern' } },
            ],
          },
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 'a',
                content: [
                  { type: 'text', text: 'Sun' },
                  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } },
                ],
              },
              { type: 'tool_result', tool_use_id: 'b', content: 'No such city', is_error: true },
            ],
          },
        ],
      },
    );
    expect(ours).toEqual(theirs);
  });

  test('media, cache marks, effort and a schema', async () => {
    const [ours, theirs] = await both(
      chat(
        [
          { role: 'system', content: [{ type: 'text', text: 'Long text', cache: 'long' }] },
          {
            role: 'user',
            content: [
              { type: 'file', source: { type: 'url', url: 'https://a/b.pdf' }, name: 'b.pdf' },
              { type: 'text', text: 'Summarise', cache: 'short' },
            ],
          },
        ],
        { maxOutputTokens: 100, reasoning: { effort: 'medium' }, output: { type: 'json', schema } },
      ),
      {
        model: 'claude-opus-5-5',
        max_tokens: 100,
        system: [{ type: 'text', text: 'Long text', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        messages: [
          {
            role: 'user',
            content: [
              { type: 'document', source: { type: 'url', url: 'https://a/b.pdf' }, title: 'b.pdf' },
              { type: 'text', text: 'Summarise', cache_control: { type: 'ephemeral' } },
            ],
          },
        ],
        thinking: { type: 'adaptive', display: 'summarized' },
        output_config: { effort: 'medium', format: wireFormat() },
      },
    );
    expect(ours).toEqual(theirs);
  });
});

/** The client's own conversion of the schema, without the parser that it adds. */
function wireFormat(): { type: 'json_schema'; schema: Record<string, unknown> } {
  const { type, schema: converted } = jsonSchemaOutputFormat(schema);
  return { type, schema: converted };
}
