/** What the wires read of an answer's bill: the stated cost where it is declared, searches, and counts that are told twice. */
import type { FinishEvent, ModelRequest, Provider, ProviderTool } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { google } from '../../../plugins/providers/google.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { loopback } from '../../kit/loopback.ts';
import { chat, speak } from './attempts.ts';
import { frame } from './bedrock-frame.ts';
import { delta, transport } from './exchange.ts';
import { events, namedEvents } from './native-exchange.ts';

type Make = (baseURL: string) => Provider;
const apiKey = 'a-key-of-a-test';

async function finishOf(make: Make, body: string | Buffer, model = 'm', request = chat('Hi')): Promise<FinishEvent> {
  const server = await loopback((_, response) => void response.end(body));
  let last: FinishEvent | undefined;
  for await (const event of speak(make(server.url), transport, request, { target: { model } })) {
    if (event.type === 'finish') last = event;
  }
  if (last === undefined) throw new Error('there is no finish');
  return last;
}

const tokens = { prompt_tokens: 100, completion_tokens: 50 };
const whole = (usage: object): string =>
  JSON.stringify({ id: 'r', choices: [{ index: 0, message: { content: 'ok' }, finish_reason: 'stop' }], usage });
const streamed = (...usages: readonly object[]): string =>
  events([delta({ content: 'ok' }, 'stop'), ...usages.map((usage) => ({ choices: [], usage }))]);
const response = (usage: object, output: readonly object[] = []): string =>
  JSON.stringify({
    object: 'response',
    status: 'completed',
    output: [...output, { type: 'message', content: [{ type: 'output_text', text: 'ok' }] }],
    usage: { input_tokens: 100, output_tokens: 50, ...usage },
  });

const asRouter: Make = (baseURL) => openrouter({ baseURL, apiKey });
const asPerplexity: Make = (baseURL) => perplexity({ baseURL, apiKey });
const asXai: Make = (baseURL) => xai({ baseURL, apiKey });
const asOlderXai: Make = (baseURL) => xai({ baseURL, apiKey, api: 'chat-completions' });
const asServer: Make = (baseURL) => openaiCompatible({ baseURL });
const asDeclared: Make = (baseURL) => openaiCompatible({ baseURL, quirks: { statedCost: 'estimated_cost' } });

describe('a stated cost', () => {
  test.each<readonly [string, Make, object, number | undefined]>([
    ['of a router', asRouter, { cost: 0.0123 }, 12_300_000],
    ['of a router for a free model', asRouter, { cost: 0 }, 0],
    [
      'of a router with a key of one’s own is fee and charge',
      asRouter,
      { cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } },
      21_000_000,
    ],
    ['is unknown if only the fee is told', asRouter, { cost: 0, is_byok: true, cost_details: {} }, undefined],
    ['with its parts', asPerplexity, { cost: { total_cost: 0.0072, request_cost: 0.006 } }, 7_200_000],
    ['of 0 where nothing is free', asPerplexity, { cost: { total_cost: 0 } }, undefined],
    ['in ticks', asOlderXai, { cost_in_usd_ticks: 31_000_000 }, 3_100_000],
    ['that nobody declared', asServer, { cost: 0.5, estimated_cost: 0.5, cost_in_usd_ticks: 5e9 }, undefined],
    ['that a server of one’s own is declared to tell', asDeclared, { estimated_cost: 0.25 }, 250_000_000],
    ['that is negative', asRouter, { cost: -0.1 }, undefined],
    ['that is text', asRouter, { cost: '0.1' }, undefined],
    ['that nobody can pay', asRouter, { cost: 1e9 }, undefined],
  ])('%s', async (_, make, usage, expected) => {
    for (const body of [whole({ ...tokens, ...usage }), streamed({ ...tokens, ...usage })]) {
      expect((await finishOf(make, body)).statedCostNanoUsd).toBe(expected);
    }
  });

  test('on the responses wire', async () => {
    expect((await finishOf(asXai, response({ cost_in_usd_ticks: 42_000_000 }))).statedCostNanoUsd).toBe(4_200_000);
    const undeclared = await finishOf((baseURL) => openaiResponses({ baseURL, apiKey }), response({ cost: 0.5 }));
    expect(undeclared).not.toHaveProperty('statedCostNanoUsd');
  });
});

describe('counts that a stream tells twice', () => {
  const told = { prompt_tokens: 900, completion_tokens: 40, prompt_tokens_details: { cached_tokens: 800 }, cost: 0.01 };
  const nothing = { prompt_tokens: 0, completion_tokens: 41, prompt_tokens_details: { cached_tokens: 0 }, cost: 0 };
  const converse = (type: string, body: object): Buffer =>
    frame({ ':message-type': 'event', ':event-type': type }, JSON.stringify(body));

  test.each<readonly [string, Make, string | Buffer]>([
    ['chat completions', asRouter, streamed(told, nothing)],
    [
      'messages',
      (baseURL) => anthropic({ baseURL, apiKey }),
      namedEvents([
        { type: 'message_start', message: { id: 'm', usage: { input_tokens: 100, cache_read_input_tokens: 800 } } },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: 'ok' } },
        {
          type: 'message_delta',
          delta: { stop_reason: 'end_turn' },
          usage: { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 41 },
        },
        { type: 'message_stop' },
      ]),
    ],
    [
      'generateContent',
      (baseURL) => google({ baseURL, apiKey }),
      events([
        {
          candidates: [{ content: { parts: [{ text: 'ok' }] } }],
          usageMetadata: { promptTokenCount: 900, cachedContentTokenCount: 800, candidatesTokenCount: 3 },
        },
        {
          candidates: [{ finishReason: 'STOP' }],
          usageMetadata: { promptTokenCount: 0, cachedContentTokenCount: 0, candidatesTokenCount: 41 },
        },
      ]),
    ],
    [
      'converse',
      (baseURL) =>
        bedrock({
          baseURL,
          region: 'us-east-1',
          credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret' },
        }),
      Buffer.concat([
        converse('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'ok' } }),
        converse('messageStop', { stopReason: 'end_turn' }),
        converse('metadata', { usage: { inputTokens: 100, outputTokens: 40, cacheReadInputTokens: 800 } }),
        converse('metadata', { usage: { inputTokens: 0, outputTokens: 41, cacheReadInputTokens: 0 } }),
      ]),
    ],
    [
      'responses',
      (baseURL) => openaiResponses({ baseURL, apiKey }),
      namedEvents([
        {
          type: 'response.in_progress',
          response: { id: 'r', usage: { input_tokens: 900, input_tokens_details: { cached_tokens: 800 } } },
        },
        {
          type: 'response.completed',
          response: {
            status: 'completed',
            output: [{ type: 'message', content: [{ type: 'output_text', text: 'ok' }] }],
            usage: { input_tokens: 0, output_tokens: 41, input_tokens_details: { cached_tokens: 0 } },
          },
        },
      ]),
    ],
  ])('a zero takes the place of none: %s', async (_, make, body) => {
    expect((await finishOf(make, body)).usage).toMatchObject({ input: 900, output: 41, cacheRead: 800 });
  });

  test('the stated cost is a count as well', async () => {
    expect((await finishOf(asRouter, streamed(told, nothing))).statedCostNanoUsd).toBe(10_000_000);
  });
});

describe('searches', () => {
  const claude = (uses: number): string =>
    JSON.stringify({
      type: 'message',
      content: [{ type: 'text', text: 'ok' }],
      stop_reason: 'end_turn',
      usage: {
        input_tokens: 1,
        output_tokens: 1,
        server_tool_use: { web_search_requests: uses, web_fetch_requests: 5 },
      },
    });
  const grounded = JSON.stringify({
    candidates: [
      {
        content: { parts: [{ text: 'ok' }] },
        finishReason: 'STOP',
        groundingMetadata: { webSearchQueries: ['a', 'b', ''] },
      },
    ],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
  });
  const searched = [{ type: 'search' }, { type: 'open_page' }, undefined].map((action) => ({
    type: 'web_search_call',
    action,
  }));
  const asGoogle: Make = (baseURL) => google({ baseURL, apiKey });

  test.each<readonly [string, Make, string, string, number | undefined]>([
    ['messages', (baseURL) => anthropic({ baseURL, apiKey }), claude(4), 'm', 4],
    ['messages without any', (baseURL) => anthropic({ baseURL, apiKey }), claude(0), 'm', undefined],
    ['generateContent, by search', asGoogle, grounded, 'gemini-3-flash', 2],
    ['generateContent, by prompt', asGoogle, grounded, 'gemini-2.5-flash', 1],
    ['responses', (baseURL) => openaiResponses({ baseURL, apiKey }), response({}, searched), 'm', 2],
    ['chat completions', asOlderXai, whole({ ...tokens, num_sources_used: 6 }), 'm', 6],
  ])('are counted: %s', async (_, make, body, model, expected) => {
    expect((await finishOf(make, body, model)).usage.searches).toBe(expected);
  });

  const asking = (id: string, options: object): ModelRequest => ({
    ...chat('Hi'),
    providerOptions: { [id]: options as never },
  });
  const url = 'http://127.0.0.1:1';
  test.each<readonly [Provider, object, string, number]>([
    [anthropic({ apiKey }), { tools: [{ type: 'web_search_20250305', max_uses: 3 }] }, 'm', 3],
    [anthropic({ apiKey }), { tools: [{ type: 'web_search_20250305' }] }, 'm', Number.POSITIVE_INFINITY],
    [anthropic({ apiKey }), { tools: [{ type: 'bash_20250124' }, null] }, 'm', 0],
    [anthropic({ apiKey, id: 'mine' }), { tools: [{ type: 'web_search_20250305', max_uses: 2 }] }, 'm', 2],
    [openai({ apiKey }), { tools: [{ type: 'web_search' }], max_tool_calls: 5 }, 'm', 5],
    [openai({ apiKey }), { tools: [{ type: 'web_search_preview' }] }, 'm', Number.POSITIVE_INFINITY],
    [openai({ apiKey }), { max_tool_calls: 5 }, 'm', 0],
    [google({ apiKey }), { tools: [{ googleSearch: {} }] }, 'gemini-2.5-flash', 1],
    [google({ apiKey }), { tools: [{ google_search: {} }] }, 'gemini-3-flash', Number.POSITIVE_INFINITY],
    [xai({ apiKey }), { tools: [{ type: 'x_search' }] }, 'm', Number.POSITIVE_INFINITY],
    [xai({ apiKey, api: 'chat-completions' }), { search_parameters: { mode: 'auto' } }, 'm', 20],
    [xai({ apiKey, api: 'chat-completions' }), { search_parameters: { max_search_results: 4 } }, 'm', 4],
    [xai({ apiKey, api: 'chat-completions' }), { search_parameters: { mode: 'off' } }, 'm', 0],
    [openaiCompatible({ baseURL: url }), { tools: [{ type: 'web_search' }] }, 'm', 0],
  ])('a request allows so many of them (%#)', (provider, options, model, expected) => {
    expect(provider.searches?.most(asking(provider.id, options), model) ?? 0).toBe(expected);
    expect(provider.searches?.most(chat('Hi'), model) ?? 0).toBe(0);
  });

  test.each<readonly [Provider, ProviderTool, string, number]>([
    [anthropic({ apiKey }), { type: 'provider', name: 'web-search', options: { max_uses: 3 } }, 'm', 3],
    [anthropic({ apiKey }), { type: 'provider', name: 'code-execution' }, 'm', 0],
    [google({ apiKey }), { type: 'provider', name: 'web-search' }, 'gemini-2.5-flash', 1],
    [xai({ apiKey }), { type: 'provider', name: 'web-search' }, 'm', Number.POSITIVE_INFINITY],
    [xai({ apiKey }), { type: 'provider', name: 'web-search', provider: 'other' }, 'm', 0],
  ])('a request that lists a tool of the provider allows so many of them (%#)', (provider, tool, model, expected) => {
    const request: ModelRequest = { operation: 'chat', messages: [], providerTools: [tool] };
    expect(provider.searches?.most(request, model)).toBe(expected);
  });

  test.each([-1, 'two', null, undefined])('of a ranking are estimated where they cannot be read: %s', async (units) => {
    const body = JSON.stringify({ results: [], meta: { billed_units: { search_units: units } } });
    const documents = Array.from({ length: 250 }, () => 'a');
    const make: Make = (baseURL) => cohere({ baseURL, apiKey });
    const { usage } = await finishOf(make, body, 'rerank-v3.5', { operation: 'rerank', query: 'q', documents });
    expect(usage.searches).toBe(2);
  });

  test('a ranking is billed by hundreds of documents, longer ones in pieces', () => {
    const most = (documents: readonly string[]) =>
      cohere({ apiKey }).searches?.most({ operation: 'rerank', query: 'q', documents }, 'rerank-v3.5');
    expect(most(['a'])).toBe(0);
    expect(most(Array.from({ length: 100 }, () => 'a'))).toBe(0);
    expect(most(Array.from({ length: 101 }, () => 'a'))).toBe(1);
    expect(most(Array.from({ length: 100 }, () => 'a'.repeat(500)))).toBe(1);
  });
});

describe('pictures', () => {
  test.each([
    [{ prompt_tokens: 9, completion_tokens: 1056 }, undefined],
    [{ input_tokens: 9, output_tokens: -1 }, 2],
    [{ prompt_tokens: 9, completion_tokens: 'many' }, 2],
    [{ prompt_tokens: -1, completion_tokens: null }, 2],
    [undefined, 2],
  ])('are counted one by one where their tokens cannot be read (%#)', async (told, expected) => {
    const body = JSON.stringify({ data: [{ b64_json: 'aGk=' }, { b64_json: 'aGk=' }], usage: told });
    const { usage } = await finishOf(asServer, body, 'm', { operation: 'image', prompt: 'a cat', count: 2 });
    expect(usage.images).toBe(expected);
  });
});
