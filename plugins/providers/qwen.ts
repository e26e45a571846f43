/**
 * Qwen over the compatible mode of Alibaba Cloud Model Studio. Key: DASHSCOPE_API_KEY of the region, read at each request.
 * Prices are those of Singapore, by the length of the prompt: LiteLLM's and models.dev's copies of
 * alibabacloud.com/help/en/model-studio/model-pricing, of 2026, and the vendor's page on embeddings. A prompt cached
 * implicitly costs a fifth; one cached on request costs a tenth to read and a quarter more to write. The usage does not
 * report which, so reads are charged at a fifth. Other regions have no price: give yours in `prices`.
 * Windows and output limits are those of models.dev.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  type ModelCardFields,
  PolyphonyError,
  type PriceTier,
  type Provider,
  type TokenPrice,
} from 'polyphony/kit';

/** Each key is valid in one region only. */
const REGIONS = {
  'ap-southeast-1': 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  'us-east-1': 'https://dashscope-us.aliyuncs.com/compatible-mode/v1',
  'cn-beijing': 'https://dashscope.aliyuncs.com/compatible-mode/v1',
} as const;

export type QwenOptions = ChatCompletionsVendorOptions & {
  /** The region of the key: Singapore, Virginia or Beijing. @default 'ap-southeast-1' */
  readonly region?: keyof typeof REGIONS;
};

const CAN = [
  ...CHAT_CAPABILITIES.filter((capability) => capability !== 'json-schema'),
  'reasoning',
  'seed',
  'logprobs',
  'penalties',
  'prompt-cache',
] as const;
const SEES = [...CAN, 'image-in', 'video-in'] as const;
const source = 'alibabacloud.com/help/en/model-studio/model-pricing, by LiteLLM and models.dev (2026)';
const half = { batch: { times: 0.5 } } as const;
const cached = (input: number) => ({ input, cacheRead: input / 5, cacheWrite: input * 1.25 });
const price = (input: number, output: number, tiers: readonly PriceTier[] = []): TokenPrice => ({
  ...{ ...cached(input), output, source },
  ...(tiers.length === 0 ? undefined : { tiers }),
});
const above = (aboveInputTokens: number, input: number, output: number): PriceTier => ({
  ...{ aboveInputTokens, ...cached(input), output },
});
const kept = { retention: 'provider' } as const;

const PRICED_REGION = 'ap-southeast-1';

const MODELS: readonly ModelCardFields[] = [
  {
    ...kept,
    id: 'qwen3.8-max',
    tier: 'premium',
    contextTokens: 1_000_000,
    maxOutputTokens: 65_536,
    capabilities: [...CAN, 'image-in'],
    // Sources disagree: the vendor's release says 2 and 6 USD, a reseller 2.5 and 7.5.
    price: null,
  },
  {
    ...kept,
    id: 'qwen3.7-max',
    tier: 'premium',
    contextTokens: 1_000_000,
    maxOutputTokens: 65_536,
    capabilities: CAN,
    price: price(2.5, 7.5),
  },
  {
    ...kept,
    id: 'qwen3.7-plus',
    tier: 'balanced',
    contextTokens: 1_000_000,
    maxOutputTokens: 65_536,
    capabilities: [...CAN, 'image-in'],
    // A router states 0.4 and 1.6 USD; the vendor's own price was not read.
    price: null,
  },
  {
    ...kept,
    id: 'qwen3-max',
    tier: 'balanced',
    lifecycle: { stage: 'retired', endsOn: '2026-10-10' },
    contextTokens: 262_144,
    maxOutputTokens: 65_536,
    capabilities: CAN,
    price: { ...price(1.2, 6, [above(32_000, 2.4, 12), above(128_000, 3, 15)]), serviceTiers: half },
  },
  {
    ...kept,
    id: 'qwen3.5-plus',
    tier: 'balanced',
    contextTokens: 1_000_000,
    maxOutputTokens: 65_536,
    capabilities: SEES,
    price: price(0.4, 2.4, [above(256_000, 0.5, 3)]),
  },
  {
    ...kept,
    id: 'qwen-plus',
    tier: 'balanced',
    contextTokens: 1_000_000,
    maxOutputTokens: 32_768,
    capabilities: CAN,
    price: {
      ...price(0.4, 1.2, [{ ...above(256_000, 1.2, 3.6), reasoning: 12 }]),
      ...{ reasoning: 4, reasoningCoversAnswer: true, serviceTiers: half },
    },
  },
  {
    ...kept,
    id: 'qwen3.5-flash',
    tier: 'fast',
    contextTokens: 1_000_000,
    maxOutputTokens: 65_536,
    capabilities: SEES,
    // No source states its price steps.
    price: null,
  },
  {
    ...kept,
    id: 'qwen-flash',
    tier: 'fast',
    contextTokens: 1_000_000,
    maxOutputTokens: 32_768,
    capabilities: CAN,
    price: { ...price(0.05, 0.4, [above(256_000, 0.25, 2)]), serviceTiers: half },
  },
  {
    ...kept,
    id: 'text-embedding-v4',
    operations: ['embed'],
    capabilities: ['embeddings'],
    contextTokens: 8192,
    maxOutputTokens: 0,
    price: {
      ...{ input: 0.07, output: 0 },
      source: 'https://www.alibabacloud.com/help/en/model-studio/embedding-interfaces-compatible-with-openai',
    },
  },
];

const quirks: ChatCompletionsQuirks = {
  omit: ['user', 'service_tier'],
  structuredOutput: 'json-object',
  jsonInWords: true,
  reasoning: 'switch',
  // Structured output is rejected while it reasons.
  outputEndsReasoning: true,
  prefixField: 'partial',
  cacheControl: true,
  // Said of the tokens of a minute; a spent account is `Arrearage`.
  errorNames: { insufficient_quota: 'rate_limit_exceeded' },
};

/** @throws invalid-config when an option is malformed or the region unknown */
export function qwen({ region = 'ap-southeast-1', ...options }: QwenOptions = {}): Provider {
  const known = Object.hasOwn(REGIONS, region);
  if (!known && options.baseURL === undefined) {
    const names = Object.keys(REGIONS).join(', ');
    throw new PolyphonyError('invalid-config', `Qwen has no region "${region}": use one of ${names}, or give baseURL.`);
  }
  return chatCompletionsProvider({
    id: 'qwen',
    baseURL: REGIONS[region],
    keyVariable: 'DASHSCOPE_API_KEY',
    models: region === PRICED_REGION ? MODELS : MODELS.map((model) => ({ ...model, price: null })),
    regions: [region],
    quirks,
    // alibabacloud.com/help/en/model-studio/embedding-interfaces-compatible-with-openai
    embeddingBatch: { texts: 10 },
    ...options,
  });
}

export default definePlugin({ name: 'qwen', providers: [qwen()] });
