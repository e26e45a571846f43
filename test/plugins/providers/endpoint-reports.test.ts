/** From the headers and the body of a real server to `gateway.health()`, by each dialect of the wires. */
import type { EndpointReport, Provider } from 'polyphony';
import { providerContext } from 'polyphony/testing';
import { afterAll, describe, expect, test } from 'vitest';
import { anthropic } from '../../../plugins/providers/anthropic.ts';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { openaiResponses } from '../../../plugins/providers/openai-responses.ts';
import { openrouter } from '../../../plugins/providers/openrouter.ts';
import { perplexity } from '../../../plugins/providers/perplexity.ts';
import { xai } from '../../../plugins/providers/xai.ts';
import { createGateway, type GatewayHandle } from '../../../src/gateway/create-gateway.ts';
import { createTransport } from '../../../src/gateway/transport/transport.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { systemRuntime } from '../../../src/system/clock.ts';
import { type Loopback, loopback } from '../../kit/loopback.ts';
import { HELLO as MESSAGE } from './anthropic-answers.ts';
import { HELLO as CONVERSE } from './bedrock-answers.ts';
import { namedEvents } from './native-exchange.ts';
import { saying, stream } from './responses-exchange.ts';

type Headers = Readonly<Record<string, string>>;

const gateways: GatewayHandle[] = [];
afterAll(() => Promise.all(gateways.map((gateway) => gateway.close())));

function gatewayOf(provider: Provider): GatewayHandle {
  const gateway = createGateway({
    providers: [provider],
    config: { retry: { retries: 0 } },
    runtime: systemRuntime,
    keyValue: memoryStores({ clock: systemRuntime.clock }).keyValue,
    transport: createTransport(),
  });
  gateways.push(gateway);
  return gateway;
}

const serving = (body: string | Buffer, headers: Headers, status = 200): Promise<Loopback> =>
  loopback((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  });

const chatBody = (usage: object, rest: object = {}): string =>
  JSON.stringify({
    id: 'c-1',
    model: 'served-2026',
    choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 1, ...usage },
    ...rest,
  });
const cohereBody = namedEvents([
  { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hi' } } } },
  {
    type: 'message-end',
    delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 1, output_tokens: 1 } } },
  },
]);

interface Dialect {
  readonly name: string;
  readonly make: (baseURL: string) => Provider;
  readonly body: string | Buffer;
  readonly headers: Headers;
  readonly limits: readonly object[];
  readonly requestId: string | undefined;
  readonly model?: string;
}

const key = { apiKey: 'a-secret-key-of-ours' };
const chatModel = (provider: Provider): string =>
  `${provider.id}/${provider.models.find(({ operations }) => operations.includes('chat'))?.id}`;

const DIALECTS: readonly Dialect[] = [
  {
    name: 'chat completions',
    make: (baseURL) => azureOpenAI({ ...key, baseURL, models: ['m'] }),
    body: chatBody({}),
    headers: {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-reset-requests': '1m2s',
      'x-ratelimit-remaining-tokens': '0',
      'apim-request-id': 'req-azure',
    },
    limits: [
      { kind: 'requests', limit: 500, remaining: 499, resetsAt: expect.any(Number) },
      { kind: 'tokens', limit: null, remaining: 0, resetsAt: null },
    ],
    requestId: 'req-azure',
    model: 'served-2026',
  },
  {
    name: 'responses',
    make: (baseURL) => openaiResponses({ ...key, baseURL }),
    body: stream(saying('Hi')),
    headers: {
      'x-ratelimit-limit-tokens': '30000',
      'x-ratelimit-remaining-tokens': '29999',
      'x-ratelimit-reset-tokens': '20s',
      'x-request-id': 'req-1',
      'cf-ray': 'ray',
    },
    limits: [{ kind: 'tokens', limit: 30_000, remaining: 29_999, resetsAt: expect.any(Number) }],
    requestId: 'req-1',
  },
  {
    name: 'messages',
    make: (baseURL) => anthropic({ ...key, baseURL }),
    body: MESSAGE,
    headers: {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': '2999-01-01T00:00:00Z',
      'anthropic-ratelimit-input-tokens-remaining': '100',
      'request-id': 'req_011',
    },
    limits: [
      { kind: 'requests', limit: 50, remaining: 49, resetsAt: expect.any(Number) },
      { kind: 'tokens', limit: null, remaining: 100, resetsAt: null },
    ],
    requestId: 'req_011',
  },
  {
    name: 'chat completions, per minute',
    make: (baseURL) => mistral({ ...key, baseURL }),
    body: chatBody({}),
    headers: { 'x-ratelimit-remaining-req-minute': '5', 'x-ratelimit-limit-req-minute': '6', 'x-request-id': 'm-1' },
    limits: [{ kind: 'requests', limit: 6, remaining: 5, resetsAt: null }],
    requestId: 'm-1',
    model: 'served-2026',
  },
  {
    name: 'the wire of Cohere',
    make: (baseURL) => cohere({ ...key, baseURL }),
    body: cohereBody,
    headers: {
      'x-trial-endpoint-ratelimit-limit': '40',
      'x-trial-endpoint-ratelimit-remaining': '39',
      'x-debug-trace-id': 't-1',
    },
    limits: [{ kind: 'requests', limit: 40, remaining: 39, resetsAt: null }],
    requestId: 't-1',
  },
  {
    name: 'Converse',
    make: (baseURL) => bedrock({ ...key, baseURL, region: 'eu-west-1' }),
    body: CONVERSE,
    headers: { 'content-type': 'application/vnd.amazon.eventstream', 'x-amzn-requestid': 'amzn-1' },
    limits: [],
    requestId: 'amzn-1',
  },
];

const healthOf = (gateway: GatewayHandle, model: string) =>
  gateway.health().find(({ target }) => `${target.provider}/${target.model}` === model)?.credentials[0];

describe.each(DIALECTS)('$name', ({ make, body, headers, limits, requestId, model: served }) => {
  test.each([true, false])('an answer, streamed: %s', async (streamed) => {
    const server = await serving(body, headers);
    const provider = make(server.url);
    const model = chatModel(provider);
    const gateway = gatewayOf(provider);
    const request = { messages: [{ role: 'user' as const, content: 'Hi' }], model };
    if (streamed) for await (const _ of gateway.stream(request));
    else await gateway.generate(request);
    const health = healthOf(gateway, model);
    expect(health?.limits).toMatchObject(limits);
    expect(health?.limits).toHaveLength(limits.length);
    expect(health?.stated).toMatchObject({ requestId, ...(served === undefined ? {} : { model: served }) });
    expect(JSON.stringify(gateway.health())).not.toContain(key.apiKey);
  });

  test('a refusal', async () => {
    const server = await serving('{"error":{"message":"Too many requests"}}', headers, 429);
    const provider = make(server.url);
    const model = chatModel(provider);
    const gateway = gatewayOf(provider);
    const request = { messages: [{ role: 'user' as const, content: 'Hi' }], model };
    await expect(gateway.generate(request)).rejects.toMatchObject({ code: 'rate-limited' });
    expect(healthOf(gateway, model)?.limits).toMatchObject(limits);
    expect(healthOf(gateway, model)?.stated).toMatchObject({ requestId });
  });
});

/** An answer of the responses wire whose usage says this too. */
const priced = (usage: object): string =>
  stream(saying('Hi')).replaceAll('"usage":{', `"usage":{${JSON.stringify(usage).slice(1, -1)},`);

describe('a price that the endpoint states', () => {
  async function reportsOf(make: (baseURL: string) => Provider, body: string): Promise<readonly EndpointReport[]> {
    const server = await serving(body, { 'x-request-id': 'r' });
    const provider = make(server.url);
    const transport = createTransport();
    const context = providerContext(transport);
    const target = { provider: provider.id, model: provider.models[0]?.id ?? 'm' };
    const call = { id: 'call', signal: new AbortController().signal, purpose: 'answer' as const, scopes: [] };
    const request = { operation: 'chat' as const, messages: [{ role: 'user' as const, content: 'Hi' }] };
    const attempt = { ...call, request, trace: { attempts: [] }, target, number: 1 };
    for await (const event of provider.stream(attempt, context)) expect(event).not.toHaveProperty('costNanoUsd');
    await transport.close();
    return context.reports;
  }

  test.each([
    ['openrouter', (baseURL: string) => openrouter({ ...key, baseURL }), chatBody({ cost: 0.00014 }), 140_000],
    [
      'perplexity',
      (baseURL: string) => perplexity({ ...key, baseURL }),
      chatBody({ cost: { input_tokens_cost: 0.001, total_cost: 0.0061 } }),
      6_100_000,
    ],
    ['xai', (baseURL: string) => xai({ ...key, baseURL }), priced({ cost_in_usd_ticks: 37_756_000 }), 3_775_600],
    ['openai-responses', (baseURL: string) => openaiResponses({ ...key, baseURL }), priced({ cost: 0.5 }), 500_000_000],
  ] as const)('is reported once, with the model, and is not the charge: %s', async (_, make, body, costNanoUsd) => {
    const reports = await reportsOf(make, body);
    expect(reports).toHaveLength(2);
    expect(reports[0]).toEqual({ requestId: 'r' });
    expect(reports[1]).toMatchObject({ costNanoUsd });
  });

  test.each([{ cost: -1 }, { cost: 'free' }, { cost: 1e12 }, { cost: null }, {}])('is none: %j', async (usage) => {
    const reports = await reportsOf((baseURL) => openrouter({ ...key, baseURL }), chatBody(usage));
    expect(reports).toEqual([{ requestId: 'r' }, { model: 'served-2026' }]);
  });
});
