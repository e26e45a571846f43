/**
 * Cohere over version 2 of its API: chat, embeddings, reranking. Key: COHERE_API_KEY, read at each request.
 * Windows and limits are those of docs.cohere.com/docs/models (read November 2026).
 */
import {
  apiKeysOf,
  CHAT_CAPABILITIES,
  cardsOf,
  definePlugin,
  httpError,
  httpProvider,
  type ModelCard,
  type ModelCardFields,
  modelCard,
  PolyphonyError,
  type Provider,
  parseRateLimits,
  readFailure,
  type Target,
  type TokenPrice,
  type VendorOptions,
  type WireFormat,
  withProviderOptions,
} from 'polyphony/kit';
import { decodeChat } from './cohere/decode.ts';
import { encodeChat } from './cohere/encode.ts';
import { decodeOperation, encodeEmbedding, encodeRerank, mostUnits } from './cohere/operations.ts';

export interface CohereOptions extends VendorOptions {
  /** URL up to and including the version. @default 'https://api.cohere.com/v2' */
  readonly baseURL?: string | ((target: Target) => string);
}

const LISTED = '@pydantic/genai-prices 0.1.8';
const price = (input: number, output: number): TokenPrice => ({ input, output, source: LISTED });
const CHAT = {
  capabilities: [...CHAT_CAPABILITIES, 'seed', 'penalties'],
  contextTokens: 128_000,
  maxOutputTokens: 4000,
  retention: 'provider',
} as const satisfies Partial<ModelCardFields>;
const large = { ...CHAT, contextTokens: 256_000, maxOutputTokens: 8000 } as const;

const rerank = (id: string, perThousand: number): ModelCardFields => ({
  id,
  operations: ['rerank'],
  capabilities: ['rerank'],
  contextTokens: 4096,
  maxOutputTokens: 0,
  retention: 'provider',
  // One search unit: a query with at most 100 documents.
  price: { input: 0, output: 0, request: perThousand / 1000, source: 'https://cohere.com/pricing' },
});

const MODELS: readonly ModelCardFields[] = [
  { id: 'command-a-03-2025', tier: 'balanced', ...large, price: price(2.5, 10) },
  {
    id: 'command-a-reasoning-08-2025',
    tier: 'balanced',
    ...large,
    maxOutputTokens: 32_000,
    capabilities: [...CHAT.capabilities, 'reasoning'],
  },
  {
    id: 'command-a-vision-07-2025',
    tier: 'balanced',
    ...CHAT,
    maxOutputTokens: 8000,
    // This model does not support tools.
    capabilities: [
      'text',
      'streaming',
      'system',
      'image-in',
      'json-mode',
      'json-schema',
      'stop',
      'temperature',
      'top-p',
    ],
  },
  { id: 'command-r-plus-08-2024', tier: 'fast', ...CHAT, price: price(2.5, 10) },
  { id: 'command-r-08-2024', tier: 'fast', ...CHAT, price: price(0.15, 0.6) },
  { id: 'command-r7b-12-2024', tier: 'fast', ...CHAT, price: price(0.0375, 0.15) },
  {
    id: 'embed-v4.0',
    operations: ['embed'],
    capabilities: ['embeddings'],
    contextTokens: 128_000,
    maxOutputTokens: 0,
    retention: 'provider',
    price: price(0.12, 0),
  },
  rerank('rerank-v4.0-pro', 2.5),
  rerank('rerank-v4.0-fast', 2),
  rerank('rerank-v3.5', 2),
];

/** The price of a request covers its first search unit; the fee is that of each further one. */
const FEES = new Map(MODELS.map(({ id, price: listed }) => [id, listed?.request]));

/** A card for an unknown model: every operation, because only its answer shows what it supports. */
const undescribed = (id: string): ModelCard => modelCard({ id, ...CHAT, operations: ['chat', 'embed', 'rerank'] });

const wire: WireFormat = {
  endpoints: ['/chat', '/embed', '/rerank', '/models'],
  encode(request, context) {
    const [url, body] = encodeOperation(request, context);
    return {
      url,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${context.apiKey ?? ''}` },
      body: JSON.stringify(withProviderOptions(body, request, context)),
    };
  },
  decode(response, request, context) {
    if (request.operation === 'chat') return decodeChat(response, request, context);
    if (request.operation === 'embed' || request.operation === 'rerank') return decodeOperation(response, request);
    throw unknown(request.operation);
  },
  classify: (status, headers, body) => httpError(readFailure(status, body, headers)),
  rateLimits: parseRateLimits,
  // An assistant message holds no media.
  returnsMedia: () => false,
  toolNames: /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/,
  requestIdHeaders: ['x-debug-trace-id', 'x-request-id'],
};

function encodeOperation(...[request, context]: Parameters<WireFormat['encode']>): readonly [string, object] {
  switch (request.operation) {
    case 'chat':
      return ['/chat', encodeChat(request, context)];
    case 'embed':
      return ['/embed', encodeEmbedding(request, context)];
    case 'rerank':
      return ['/rerank', encodeRerank(request, context)];
    default:
      throw unknown(request.operation);
  }
}

const unknown = (operation: string): PolyphonyError =>
  new PolyphonyError('unsupported', `This provider does not support "${operation}": use a model that lists it.`);

/** @throws invalid-config when an option is malformed */
export function cohere(options: CohereOptions = {}): Provider {
  const {
    id = 'cohere',
    embeddingBatch = { texts: 96 },
    baseURL = 'https://api.cohere.com/v2',
    models = MODELS,
    apiKey,
    apiKeys,
    ...rest
  } = options;
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    models: cardsOf(models, CHAT, undescribed),
    unlisted: undescribed,
    searches: { fee: (model) => FEES.get(model), most: (request) => mostUnits(request) - 1 },
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'COHERE_API_KEY'),
    // docs.cohere.com/reference/embed
    embeddingBatch,
    missingKey: 'set COHERE_API_KEY, or pass apiKey.',
    probe: (context) => ({
      url: `${context.baseURL.replace(/\/v2$/, '/v1')}/models?page_size=1`,
      headers: { authorization: `Bearer ${context.apiKey ?? ''}` },
    }),
  });
}

export default definePlugin({ name: 'cohere', providers: [cohere()] });
