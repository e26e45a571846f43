/** What differs from server to server is data. */
import type { ModelRequest } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { loopback, sse } from '../../kit/loopback.ts';
import { ask, chat } from './attempts.ts';
import { codes, delta, failure, transport, usage } from './exchange.ts';

describe('quirks are data', () => {
  const answer = sse([delta({ content: 'Hi' }, 'stop', { usage })]);

  test('names, paths, roles, headers and fixed fields', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    const provider = openaiCompatible({
      baseURL: server.url,
      apiKey: 'abc',
      quirks: {
        authorisation: 'api-key',
        paths: { chat: '/deployments/{model}/chat' },
        maxTokensField: 'max_completion_tokens',
        systemRole: 'developer',
        rename: { seed: 'random_seed' },
        omit: ['user'],
        toolChoiceRequired: 'any',
        streamUsage: false,
        structuredOutput: 'json-object',
        cacheControl: true,
        body: { safe: true },
      },
    });
    const messages = [{ role: 'system', content: [{ type: 'text', text: 'Be brief', cache: 'long' }] }] as const;
    const request = chat(messages, {
      maxOutputTokens: 5,
      seed: 1,
      user: 'u',
      tools: [{ name: 'f', inputSchema: {} }],
      toolChoice: 'required',
      output: { type: 'json', schema: { type: 'object' } },
      providerOptions: { 'openai-compatible': { extra: 1, safe: false }, other: { extra: 2 } },
    });
    const response = await ask(provider, transport, request, { target: { model: 'a/b' } });
    expect(server.received[0]).toMatchObject({ path: '/deployments/a%2Fb/chat', headers: { 'api-key': 'abc' } });
    expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({
      model: 'a/b',
      messages: [
        {
          role: 'developer',
          content: [{ type: 'text', text: 'Be brief', cache_control: { type: 'ephemeral', ttl: '1h' } }],
        },
        { role: 'developer', content: expect.stringContaining('{"type":"object"}') },
      ],
      max_completion_tokens: 5,
      random_seed: 1,
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
      tool_choice: 'any',
      response_format: { type: 'json_object' },
      stream: true,
      safe: false,
      extra: 1,
    });
    expect(codes(response)).toEqual(['schema-in-prompt', 'parameter-dropped']);
  });

  test('a card adds its own to those of the server', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    const provider = openaiCompatible({
      baseURL: server.url,
      models: [{ id: 'm', wire: { systemRole: 'developer' } }],
      quirks: { maxTokensField: 'max_new_tokens' },
    });
    await ask(provider, transport, chat([{ role: 'system', content: 'x' }], { maxOutputTokens: 5 }));
    expect(JSON.parse(server.received[0]?.body ?? '')).toMatchObject({
      messages: [{ role: 'developer' }],
      max_new_tokens: 5,
    });
  });

  test('a card without streaming asks for no stream', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    await ask(
      openaiCompatible({ baseURL: server.url, models: [{ id: 'm', capabilities: ['text'] }] }),
      transport,
      chat('x'),
    );
    expect(Object.keys(JSON.parse(server.received[0]?.body ?? '') as object)).toEqual(['model', 'messages']);
  });

  test('reranking is refused before anything is sent', async () => {
    const server = await loopback((_, response) => void response.end(answer));
    const request: ModelRequest = { operation: 'rerank', query: 'a', documents: ['b'] };
    const error = await failure(ask(openaiCompatible({ baseURL: server.url }), transport, request));
    expect(error.code).toBe('unsupported');
    expect(server.received).toHaveLength(0);
  });
});
