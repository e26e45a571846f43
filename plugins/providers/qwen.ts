/**
 * Qwen over the compatible mode of Alibaba Cloud Model Studio. Key: DASHSCOPE_API_KEY of the region, read at each request.
 * Prices depend on the region and, by steps, on the length of the prompt; the vendor's own figures could not be read, so
 * the cards have none: give yours in `models`. Windows are those that resellers of the models state.
 */
import { definePlugin, PolyphonyError, type Provider } from 'polyphony';
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  type ModelCardFields,
} from 'polyphony/kit';

/** Keys belong to one region each. */
const REGIONS = {
  'ap-southeast-1': 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1',
  'us-east-1': 'https://dashscope-us.aliyuncs.com/compatible-mode/v1',
  'cn-beijing': 'https://dashscope.aliyuncs.com/compatible-mode/v1',
} as const;

export type QwenOptions = ChatCompletionsVendorOptions & {
  /** Where the key belongs: Singapore, Virginia, Beijing. @default 'ap-southeast-1' */
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
const unpriced = { price: null, retention: 'provider' } as const;

const MODELS: readonly ModelCardFields[] = [
  { ...unpriced, id: 'qwen3.7-max', tier: 'premium', contextTokens: 1_000_000, capabilities: CAN },
  { ...unpriced, id: 'qwen3-max', tier: 'premium', contextTokens: 262_144, capabilities: CAN },
  { ...unpriced, id: 'qwen3.5-plus', tier: 'balanced', contextTokens: 1_000_000, capabilities: SEES },
  { ...unpriced, id: 'qwen-plus', tier: 'balanced', contextTokens: 1_000_000, capabilities: CAN },
  { ...unpriced, id: 'qwen3.5-flash', tier: 'fast', contextTokens: 1_000_000, capabilities: SEES },
  { ...unpriced, id: 'qwen-flash', tier: 'fast', contextTokens: 1_000_000, capabilities: CAN },
  {
    ...unpriced,
    id: 'text-embedding-v4',
    operations: ['embed'],
    capabilities: ['embeddings'],
    contextTokens: 8192,
    maxOutputTokens: 0,
  },
];

const quirks: ChatCompletionsQuirks = {
  omit: ['user', 'service_tier'],
  structuredOutput: 'json-object',
  jsonInWords: true,
  reasoning: 'switch',
  // Structured output while it reasons is refused.
  outputEndsReasoning: true,
  prefixField: 'partial',
  cacheControl: true,
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
    models: MODELS,
    regions: [region],
    quirks,
    ...options,
  });
}

export default definePlugin({ name: 'qwen', providers: [qwen()] });
