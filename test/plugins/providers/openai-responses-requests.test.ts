/** Our requests beside those of the official client: both are sent to a recorder, and their bodies must say the same. */
import OpenAI from 'openai';
import type { ResponseCreateParamsStreaming } from 'openai/resources/responses/responses';
import type { ModelRequest } from 'polyphony';
import { beforeEach, describe, expect, test } from 'vitest';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, failure, transport } from './exchange.ts';
import { exchange, saying, stream } from './responses-exchange.ts';

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
          { type: 'function_call', call_id: 'c2', name: 'weather', arguments: '{"city":' },
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
          { type: 'function', name: 'open', parameters: { type: 'object' }, strict: false },
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

const answer = stream(saying('Hi'));

describe('what the wire or a model does not take', () => {
  test('is left out or changed, and said', async () => {
    const request = chat([{ role: 'user', content: 'x', name: 'ann' }], {
      topK: 5,
      stop: ['END'],
      seed: 1,
      temperature: 0.3,
      maxOutputTokens: 9,
      reasoning: { effort: 'minimal', budgetTokens: 100 },
    });
    const { body, response } = await exchange(answer, request);
    expect(body).toEqual({
      model: 'gpt-6-sol',
      input: [{ role: 'user', content: 'x' }],
      max_output_tokens: 16,
      reasoning: { effort: 'low' },
      include: ['reasoning.encrypted_content'],
      store: false,
      stream: true,
    });
    expect(codes(response).toSorted()).toEqual(
      ['effort-changed', ...Array(6).fill('parameter-dropped'), 'parameter-changed'].toSorted(),
    );
  });

  test('sampling is sent where the model is told not to reason', async () => {
    const { body, response } = await exchange(answer, chat('x', { temperature: 0.3, reasoning: { effort: 'none' } }));
    expect(body).toMatchObject({ temperature: 0.3, reasoning: { effort: 'none' } });
    expect(codes(response)).toEqual([]);
  });

  test('audio is refused before anything is sent', async () => {
    const source = { type: 'base64', mediaType: 'audio/wav', data: 'aGk=' } as const;
    const work = exchange(answer, chat([{ role: 'user', content: [{ type: 'audio', source }] }]));
    expect(await failure(work)).toMatchObject({ code: 'unsupported' });
  });

  test('bare JSON is asked for in words where no message does', async () => {
    const { body } = await exchange(answer, chat('x', { output: { type: 'json' } }));
    expect(body.text).toEqual({ format: { type: 'json_object' } });
    expect(body.input).toEqual([
      { role: 'developer', content: 'Answer in JSON.' },
      { role: 'user', content: 'x' },
    ]);
  });

  test('a schema that is advice is not made strict', async () => {
    const output = { type: 'json', schema: { type: 'object' }, strict: false } as const;
    const { body } = await exchange(answer, chat('x', { output }));
    expect(body.text).toMatchObject({ format: { schema: { type: 'object' }, strict: false } });
  });
});

describe('reasoning goes back', () => {
  const item = { type: 'reasoning', id: 'rs_1', summary: [] };
  const thought = (raw: object, family = 'openai-responses') =>
    chat([
      { role: 'user', content: 'x' },
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: '', signature: 's', family, raw: raw as never },
          { type: 'text', text: 'y' },
        ],
      },
      { role: 'user', content: 'z' },
    ]);

  test('encrypted, to the provider that made it alone', async () => {
    const encrypted = { ...item, encrypted_content: 'secret' };
    expect((await exchange(answer, thought(encrypted))).body.input).toContainEqual(encrypted);
    const foreign = await exchange(answer, thought(encrypted, 'xai'));
    expect(foreign.body.input).not.toContainEqual(encrypted);
    expect(codes(foreign.response)).toEqual(['reasoning-dropped']);
  });

  test('by its id alone only where the provider stores responses', async () => {
    expect((await exchange(answer, thought(item))).body.input).not.toContainEqual(item);
    const request = { ...thought(item), providerOptions: { 'openai-responses': { store: true } } };
    const { body } = await exchange(answer, request);
    expect(body.input).toContainEqual(item);
    expect(body.store).toBe(true);
  });
});

describe('which wire', () => {
  const paths = async (provider: ReturnType<typeof openai>, model: string): Promise<string | undefined> => {
    await ask(provider, transport, chat('x'), { target: { model } }).catch(() => undefined);
    return server.received.at(-1)?.path;
  };

  test('is chosen by the factory, and by the card of a model that needs it', async () => {
    const options = { apiKey: 'k', baseURL: server.url };
    expect(await paths(openai(options), 'gpt-6-sol')).toBe('/chat/completions');
    expect(await paths(openai({ ...options, api: 'responses' }), 'gpt-6-sol')).toBe('/responses');
    expect(await paths(openai(options), 'gpt-6-astra')).toBe('/responses');
  });

  test('is the other one for everything but chat', async () => {
    const provider = openaiResponses({ apiKey: 'k', baseURL: server.url });
    const target = { model: 'text-embedding-3-small' };
    await ask(provider, transport, { operation: 'embed', input: ['a'] }, { target }).catch(() => undefined);
    expect(server.received[0]?.path).toBe('/embeddings');
  });
});
