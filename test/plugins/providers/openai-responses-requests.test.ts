/** Our requests beside those of the official client: both are sent to a recorder, and their bodies must say the same. */
import OpenAI from 'openai';
import type { ResponseCreateParamsStreaming } from 'openai/resources/responses/responses';
import type { ModelRequest } from 'polyphony';
import { beforeEach, describe, expect, test } from 'vitest';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { transport } from './exchange.ts';
import { saying, stream } from './responses-exchange.ts';

let server: Loopback;
beforeEach(async () => {
  server = await loopback((_, response) => {
    response.setHeader('content-type', 'text/event-stream');
    response.end(stream(saying('Hi')));
  });
});

/** Sends ours, then the client's, and returns what arrived of both. */
async function both(request: ModelRequest, params: Omit<ResponseCreateParamsStreaming, 'stream'>) {
  const provider = openaiResponses({ apiKey: 'test-key', baseURL: server.url });
  await ask(provider, transport, request, { target: { model: String(params.model) } });
  const client = new OpenAI({ apiKey: 'test-key', baseURL: server.url, maxRetries: 0 });
  for await (const _ of await client.responses.create({ ...params, stream: true }));
  const [ours, theirs] = server.received.map(({ path, body, headers }) => ({
    path,
    authorization: headers.authorization,
    body: JSON.parse(body) as unknown,
  }));
  return { ours, theirs };
}

const include: ResponseCreateParamsStreaming['include'] = ['reasoning.encrypted_content'];
const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;

describe('requests say what the official client says', () => {
  test('instructions, limits, sampling and the rest of the parameters', async () => {
    const { ours, theirs } = await both(
      chat(
        [
          { role: 'system', content: 'Be brief.' },
          { role: 'system', content: 'Be kind.' },
          { role: 'user', content: 'Hello' },
        ],
        { maxOutputTokens: 50, temperature: 0.2, topP: 0.9, logprobs: 3, serviceTier: 'flex', user: 'u1' },
      ),
      {
        model: 'gpt-4o',
        instructions: 'Be brief.\n\nBe kind.',
        input: [{ role: 'user', content: 'Hello' }],
        max_output_tokens: 50,
        temperature: 0.2,
        top_p: 0.9,
        top_logprobs: 3,
        service_tier: 'flex',
        user: 'u1',
        include: ['message.output_text.logprobs'],
        store: false,
      },
    );
    expect(ours).toEqual(theirs);
  });

  test('reasoning, tools, their calls and results, one failed and one with an image', async () => {
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
          tools: [
            { name: 'weather', description: 'Tells it', inputSchema: parameters, strict: true },
            { name: 'open', inputSchema: { type: 'object' } },
          ],
          toolChoice: { name: 'weather' },
          parallelToolCalls: false,
          reasoning: { effort: 'high' },
        },
      ),
      {
        model: 'gpt-6-sol',
        input: [
          { role: 'user', content: 'Weather?' },
          { role: 'assistant', content: 'Looking.' },
          { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Paris"}' },
          { type: 'function_call', call_id: 'c2', name: 'weather', arguments: '{}' },
          {
            type: 'function_call_output',
            call_id: 'c1',
            output: [
              { type: 'input_text', text: 'Sunny' },
              { type: 'input_image', image_url: 'data:image/png;base64,aGk=' },
            ],
          },
          { type: 'function_call_output', call_id: 'c2', output: 'Error: bad arguments' },
        ],
        tools: [
          { type: 'function', name: 'weather', description: 'Tells it', parameters, strict: true },
          { type: 'function', name: 'open', parameters: { type: 'object', properties: {} }, strict: false },
        ],
        tool_choice: { type: 'function', name: 'weather' },
        parallel_tool_calls: false,
        reasoning: { effort: 'high' },
        include,
        store: false,
      },
    );
    expect(ours).toEqual(theirs);
  });

  test('images and files, by address, inline and by id', async () => {
    const pdf = { type: 'base64', mediaType: 'application/pdf', data: 'aGk=' } as const;
    const { ours, theirs } = await both(
      chat([
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is all this?' },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, detail: 'low' },
            { type: 'image', source: { type: 'base64', mediaType: 'image/jpeg', data: 'aGk=' } },
            { type: 'image', source: { type: 'url', url: 'file-7' } },
            { type: 'file', source: pdf, name: 'a.pdf' },
            { type: 'file', source: { type: 'url', url: 'https://example.com/b.pdf' } },
            { type: 'file', source: { type: 'url', url: 'file-123' } },
          ],
        },
      ]),
      {
        model: 'gpt-6-sol',
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is all this?' },
              { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
              { type: 'input_image', image_url: 'data:image/jpeg;base64,aGk=' },
              { type: 'input_image', file_id: 'file-7' },
              { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,aGk=' },
              { type: 'input_file', file_url: 'https://example.com/b.pdf' },
              { type: 'input_file', file_id: 'file-123' },
            ] as never,
          },
        ],
        include,
        store: false,
      },
    );
    expect(ours).toEqual(theirs);
  });

  test('an output schema in the strict subset, beside options of the provider', async () => {
    const { ours, theirs } = await both(
      chat('x', {
        output: { type: 'json', schema: parameters, name: 'place' },
        reasoning: { effort: 'low' },
        providerOptions: {
          'openai-responses': {
            text: { verbosity: 'low' },
            reasoning: { summary: 'auto' },
            include: ['web_search_call.results'],
            prompt_cache_key: 'p',
          },
        },
      }),
      {
        model: 'gpt-6-sol',
        input: [{ role: 'user', content: 'x' }],
        text: { format: { type: 'json_schema', name: 'place', schema: parameters, strict: true }, verbosity: 'low' },
        reasoning: { effort: 'low', summary: 'auto' },
        include: ['reasoning.encrypted_content', 'web_search_call.results'],
        prompt_cache_key: 'p',
        store: false,
      },
    );
    expect(ours).toEqual(theirs);
  });
});
