/**
 * xAI over its Responses API, which the vendor recommends; `api: 'chat-completions'` uses the older one. Key:
 * XAI_API_KEY, read at each request. Prices and windows are those of @pydantic/genai-prices 0.1.8; the limit of the output
 * is the default of docs.x.ai, which states no hard limit.
 */
import {
  asRecord,
  boundOf,
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  type ModelCardFields,
  type ModelRequest,
  ownOptions,
  type Provider,
  responsesSearches,
  responsesWire,
  type TokenPrice,
} from 'polyphony/kit';

export type XaiOptions = ChatCompletionsVendorOptions & {
  /** The wire format of chats. @default 'responses' */
  readonly api?: 'responses' | 'chat-completions';
};

/** From 200,000 input tokens on the whole request costs twice as much. */
const price = (input: number, output: number, cacheRead: number): TokenPrice => ({
  input,
  output,
  cacheRead,
  tiers: [{ aboveInputTokens: 199_999, input: input * 2, output: output * 2, cacheRead: cacheRead * 2 }],
  source: '@pydantic/genai-prices 0.1.8',
});

const REASONS = [
  ...CHAT_CAPABILITIES.filter((capability) => capability !== 'stop'),
  'image-in',
  'reasoning',
  'prompt-cache',
  'logprobs',
] as const;
/** The tools of a request: docs.x.ai/docs/guides/function-calling. */
const toolSupport = { count: 200 } as const;
const shared = { capabilities: REASONS, maxOutputTokens: 128_000, retention: 'provider', toolSupport } as const;

const MODELS: readonly ModelCardFields[] = [
  {
    ...shared,
    id: 'grok-4.7',
    tier: 'premium',
    contextTokens: 500_000,
    // The page names no rate for cached input, so it counts as the usual one.
    price: { ...price(2, 6, 2), source: 'https://docs.x.ai/developers/grok-4-7' },
    wire: { efforts: ['low', 'medium', 'high'] },
  },
  {
    ...shared,
    id: 'grok-4.6',
    tier: 'premium',
    contextTokens: 500_000,
    price: price(2, 6, 0.5),
    wire: { efforts: ['low', 'medium', 'high'] },
  },
  {
    ...shared,
    id: 'grok-4.5',
    tier: 'premium',
    contextTokens: 500_000,
    price: price(2, 6, 0.3),
    wire: { efforts: ['low', 'medium', 'high'] },
  },
  {
    ...shared,
    id: 'grok-4.3',
    tier: 'balanced',
    contextTokens: 1_000_000,
    price: price(1.25, 2.5, 0.2),
    wire: { efforts: ['none', 'low', 'medium', 'high'] },
  },
  {
    ...shared,
    id: 'grok-build-0.1',
    tier: 'balanced',
    lifecycle: { stage: 'retired', endsOn: '2026-11-19' },
    contextTokens: 256_000,
    price: price(1, 2, 0.2),
    // Every effort is rejected.
    wire: { reasoning: 'none' },
  },
];

const statedCost = 'cost_in_usd_ticks';

const quirks: ChatCompletionsQuirks = {
  statedCost,
  maxTokensField: 'max_completion_tokens',
  strictSchemas: true,
  omit: ['top_k', 'stop', 'presence_penalty', 'frequency_penalty'],
};

/** USD of one call of a tool that searches, and of one source of the older live search (docs.x.ai, pricing). */
const PER_CALL = 0.005;
const PER_SOURCE = 0.025;

/** The most sources that a request of live search may use; the API takes 20 where it says nothing. */
function sourcesOf(request: ModelRequest): number {
  const given = asRecord(ownOptions(request, 'xai').search_parameters);
  return given === undefined || given.mode === 'off' ? 0 : boundOf(given.max_search_results ?? 20);
}

/** @throws invalid-config when an option is malformed */
export function xai({ api = 'responses', ...options }: XaiOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'xai',
    baseURL: 'https://api.x.ai/v1',
    keyVariable: 'XAI_API_KEY',
    models: MODELS,
    quirks,
    searches: {
      fee: () => (api === 'responses' ? PER_CALL : PER_SOURCE),
      most: (request) => (api === 'responses' ? responsesSearches(request, 'xai') : sourcesOf(request)),
    },
    ...(api === 'responses'
      ? {
          wire: (others) =>
            responsesWire({ strictSchemas: true, systemRole: 'system', instructions: false, statedCost }, others),
        }
      : {}),
    ...options,
  });
}

export default definePlugin({ name: 'xai', providers: [xai()] });
