/**
 * Groq over chat completions. Key: GROQ_API_KEY, read at each request.
 * Windows and prices are those of @pydantic/genai-prices 0.1.8 (the window of the Llama models is that of their vendor). Output
 * limits are those that console.groq.com/docs/models stated in 2025; they could not be read again.
 */
import {
  asRecord,
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

const source = '@pydantic/genai-prices 0.1.8';
const WITHOUT_SCHEMA = [...CHAT_CAPABILITIES.filter((capability) => capability !== 'json-schema'), 'seed'] as const;
const REASONS = [...CHAT_CAPABILITIES, 'seed', 'reasoning', 'prompt-cache'] as const;

/** A batch costs half (console.groq.com/docs/batch); as nothing says that both discounts add up, a cached token counts as any other. */
const price = (input: number, output: number, cacheRead?: number, from = source): TokenPrice => ({
  input,
  output,
  ...defined({ cacheRead }),
  serviceTiers: { batch: { ...(cacheRead === undefined ? {} : { cacheRead: input }), times: 0.5 } },
  source: from,
});

/** The tools of a request: console.groq.com/docs/api-reference, as its SDK (groq-python) has it. */
const toolSupport = { count: 128 } as const;
const window = { contextTokens: 131_072, retention: 'provider', toolSupport } as const;
/** Only one effort besides none, the model's own. Its reasoning is separate from the text only on request. */
const hybrid: ChatCompletionsQuirks = {
  reasoning: 'effort',
  effortNames: { minimal: 'default', low: 'default', medium: 'default', high: 'default' },
  structuredOutput: 'json-object',
  body: { reasoning_format: 'parsed' },
};
const effortful: ChatCompletionsQuirks = { reasoning: 'effort', efforts: ['low', 'medium', 'high'] };

/** console.groq.com/docs/deprecations, read in November 2026. */
const ended = (endsOn: string) => ({ stage: 'retired', endsOn }) as const;

const MODELS: readonly ModelCardFields[] = [
  {
    ...window,
    id: 'openai/gpt-oss-120b',
    maxOutputTokens: 65_536,
    tier: 'fast',
    capabilities: REASONS,
    price: price(0.15, 0.6, 0.075),
    wire: { ...effortful },
  },
  {
    ...window,
    id: 'openai/gpt-oss-20b',
    maxOutputTokens: 65_536,
    tier: 'fast',
    capabilities: REASONS,
    price: price(0.075, 0.3, 0.0375),
    wire: { ...effortful },
  },
  {
    ...window,
    id: 'llama-3.3-70b-versatile',
    maxOutputTokens: 32_768,
    tier: 'fast',
    lifecycle: ended('2026-08-16'),
    capabilities: WITHOUT_SCHEMA,
    price: price(0.59, 0.79),
  },
  {
    ...window,
    id: 'llama-3.1-8b-instant',
    maxOutputTokens: 131_072,
    tier: 'fast',
    lifecycle: ended('2026-08-16'),
    capabilities: WITHOUT_SCHEMA,
    price: price(0.05, 0.08),
  },
  {
    ...window,
    id: 'qwen/qwen3-32b',
    maxOutputTokens: 40_960,
    tier: 'fast',
    lifecycle: ended('2026-07-17'),
    capabilities: [...WITHOUT_SCHEMA, 'reasoning'],
    price: price(0.29, 0.59),
    wire: { ...hybrid },
  },
  {
    ...window,
    id: 'qwen/qwen3.6-27b',
    // console.groq.com/docs/model/qwen/qwen3.6-27b
    maxOutputTokens: 16_384,
    tier: 'balanced',
    capabilities: [...WITHOUT_SCHEMA, 'reasoning'],
    price: price(0.6, 3, undefined, 'https://console.groq.com/docs/models'),
    wire: { ...hybrid },
  },
  {
    ...window,
    id: 'qwen/qwen3.8-27b',
    // console.groq.com/docs/model/qwen/qwen3.8-27b, whose price was not read.
    tier: 'balanced',
    capabilities: [...WITHOUT_SCHEMA, 'reasoning', 'image-in'],
    price: null,
    wire: { ...hybrid },
  },
];

const quirks: ChatCompletionsQuirks = {
  maxTokensField: 'max_completion_tokens',
  omit: ['top_k', 'logprobs', 'top_logprobs', 'presence_penalty', 'frequency_penalty'],
  jsonInWords: true,
  messageNames: false,
  reasoning: 'none',
};

const batch = httpBatches(
  fileBatches({
    // The vendor takes 100 MB; the file is written in memory.
    most: { requests: 50_000, bytes: 64_000_000 },
    operations: ['chat'],
    job: (input_file_id, endpoint, _batch, metadata) => ({
      input_file_id,
      endpoint,
      // Seven days at most; a batch that takes longer than a day is better asked at once.
      completion_window: '24h',
      metadata,
    }),
    // The list takes no parameters.
    newest: '',
    ended: ['completed', 'failed', 'expired', 'cancelled'],
    files: ['output_file_id', 'error_file_id'],
    answered: ({ request_counts }) => asRecord(request_counts)?.completed,
  }),
);

/** @throws invalid-config when an option is malformed */
export function groq(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'groq',
    baseURL: 'https://api.groq.com/openai/v1',
    keyVariable: 'GROQ_API_KEY',
    models: MODELS,
    quirks,
    batch,
    ...options,
  });
}

export default definePlugin({ name: 'groq', providers: [groq()] });
