/**
 * Mistral over chat completions, embeddings and moderation. Key: MISTRAL_API_KEY, read at each request.
 * Windows and prices are those of @pydantic/genai-prices 0.1.8; a batch costs half (mistral.ai/news/batch-api). Only the
 * window, which prompt and answer share, limits the output. `safe_prompt` and the like go through `providerOptions`.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  defined,
  definePlugin,
  fileBatches,
  httpBatches,
  type ModelCardFields,
  type Provider,
  type TokenPrice,
} from 'polyphony/kit';

const price = (input: number, output: number, cacheRead?: number): TokenPrice => ({
  input,
  output,
  ...defined({ cacheRead }),
  serviceTiers: { batch: { times: 0.5 } },
  source: '@pydantic/genai-prices 0.1.8',
});

const WRITES = [...CHAT_CAPABILITIES, 'seed', 'penalties', 'prefix', 'prompt-cache'] as const;
const SEES = [...WRITES, 'image-in', 'file-in'] as const;
const quarterMillion = { contextTokens: 262_144, maxOutputTokens: 262_144, retention: 'provider' } as const;
/** These reason on request, either fully or not at all. */
const reasons = {
  capabilities: [...SEES, 'reasoning'],
  wire: { reasoning: 'effort', efforts: ['none', 'high'] } satisfies ChatCompletionsQuirks,
} as const;

const MODELS: readonly ModelCardFields[] = [
  {
    ...quarterMillion,
    ...reasons,
    id: 'mistral-medium-3-5',
    aliases: ['mistral-medium-latest'],
    tier: 'balanced',
    lifecycle: { stage: 'deprecated', endsOn: '2027-04-30' },
    price: price(1.5, 7.5, 0.15),
  },
  {
    ...quarterMillion,
    id: 'mistral-large-2512',
    aliases: ['mistral-large-latest'],
    tier: 'balanced',
    lifecycle: { stage: 'deprecated', endsOn: '2027-04-30' },
    capabilities: SEES,
    price: price(0.5, 1.5, 0.05),
  },
  {
    ...quarterMillion,
    ...reasons,
    id: 'mistral-large-4-0',
    aliases: ['mistral-large-4'],
    tier: 'premium',
    lifecycle: { stage: 'preview' },
    // Of two windows that are stated, the smaller; as two prices are stated, none.
    contextTokens: 524_288,
    price: null,
  },
  {
    ...quarterMillion,
    ...reasons,
    id: 'mistral-small-2603',
    aliases: ['mistral-small-latest'],
    tier: 'fast',
    price: price(0.15, 0.6, 0.015),
  },
  {
    ...quarterMillion,
    id: 'ministral-8b-2512',
    aliases: ['ministral-8b-latest'],
    tier: 'fast',
    capabilities: SEES,
    price: price(0.15, 0.15, 0.015),
  },
  {
    id: 'ministral-3b-2512',
    aliases: ['ministral-3b-latest'],
    tier: 'fast',
    contextTokens: 131_072,
    maxOutputTokens: 131_072,
    retention: 'provider',
    capabilities: SEES,
    price: price(0.1, 0.1, 0.01),
  },
  {
    id: 'codestral-2508',
    aliases: ['codestral-latest'],
    tier: 'balanced',
    contextTokens: 256_000,
    maxOutputTokens: 256_000,
    retention: 'provider',
    capabilities: WRITES,
    price: price(0.3, 0.9, 0.03),
  },
  {
    id: 'mistral-embed',
    operations: ['embed'],
    capabilities: ['embeddings'],
    contextTokens: 8192,
    maxOutputTokens: 0,
    retention: 'provider',
    price: price(0.1, 0.1),
    wire: { omit: ['dimensions'] } satisfies ChatCompletionsQuirks,
  },
  {
    id: 'mistral-moderation-latest',
    operations: ['moderate'],
    capabilities: ['moderation'],
    retention: 'provider',
    price: null,
  },
];

const quirks: ChatCompletionsQuirks = {
  // Unknown fields are rejected.
  omit: ['top_k', 'user', 'service_tier', 'logprobs', 'top_logprobs'],
  rename: { seed: 'random_seed', dimensions: 'output_dimension' },
  streamUsage: false,
  messageNames: false,
  toolChoiceRequired: 'any',
  toolCallIds: 'nine-alphanumerics',
  files: 'document_url',
  prefixField: 'prefix',
  strictSchemas: true,
  reasoning: 'none',
};

/** docs.mistral.ai, batch inference. The model is named by the job, once. */
const batch = httpBatches(
  fileBatches({
    // The vendor takes a million requests; the file is written in memory.
    most: { requests: 100_000, bytes: 64_000_000 },
    operations: ['chat', 'embed', 'moderate'],
    jobs: '/batch/jobs',
    newest: '?page_size=100&order_by=-created',
    line({ id, body }) {
      const { model: _, ...rest } = JSON.parse(body) as Readonly<Record<string, unknown>>;
      return { custom_id: id, body: rest };
    },
    job: (file, endpoint, { target }, metadata) => ({ input_files: [file], endpoint, model: target.model, metadata }),
    ended: ['success', 'failed', 'timeout_exceeded', 'cancelled'],
    files: ['output_file', 'error_file'],
    answered: ({ succeeded_requests }) => succeeded_requests,
  }),
);

/** @throws invalid-config when an option is malformed */
export function mistral(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'mistral',
    baseURL: 'https://api.mistral.ai/v1',
    keyVariable: 'MISTRAL_API_KEY',
    models: MODELS,
    quirks,
    // The vendor names neither; its endpoint refuses more tokens than these, and more than a few hundred texts.
    embeddingBatch: { texts: 128, tokens: 16_000 },
    batch,
    ...options,
  });
}

export default definePlugin({ name: 'mistral', providers: [mistral()] });
