/**
 * xAI over its Responses API, which the vendor recommends; `api: 'chat-completions'` uses the older one. Key:
 * XAI_API_KEY, read at each request. Prices and windows are those of @pydantic/genai-prices 0.1.8; the limit of the output
 * is the default of docs.x.ai, which states no hard limit.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  type ModelCardFields,
  type Provider,
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
const shared = { capabilities: REASONS, maxOutputTokens: 128_000, retention: 'provider' } as const;

const MODELS: readonly ModelCardFields[] = [
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
    tier: 'fast',
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

/** @throws invalid-config when an option is malformed */
export function xai({ api = 'responses', ...options }: XaiOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'xai',
    baseURL: 'https://api.x.ai/v1',
    keyVariable: 'XAI_API_KEY',
    models: MODELS,
    quirks,
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
