/**
 * DeepSeek over chat completions. Key: DEEPSEEK_API_KEY, read at each request.
 * Windows, output limits and prices are those of api-docs.deepseek.com/quick_start/pricing, read in November 2026. The
 * prices are the peak ones (01:00 to 04:00 and 06:00 to 10:00 UTC on working days in China); off-peak costs half.
 */
import { definePlugin, type Provider } from 'polyphony';
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  type ModelCardFields,
} from 'polyphony/kit';

const source = 'https://api-docs.deepseek.com/quick_start/pricing (peak)';
const CAN = [
  ...CHAT_CAPABILITIES.filter((capability) => capability !== 'json-schema'),
  'reasoning',
  'prompt-cache',
  'logprobs',
] as const;
const million = { contextTokens: 1_000_000, maxOutputTokens: 384_000, retention: 'provider' } as const;

const MODELS: readonly ModelCardFields[] = [
  {
    ...million,
    id: 'deepseek-flash',
    aliases: ['deepseek-v4-flash'],
    tier: 'fast',
    capabilities: [...CAN, 'image-in'],
    price: { input: 0.3, output: 1.2, cacheRead: 0.006, source },
  },
  {
    ...million,
    id: 'deepseek-v4-pro',
    tier: 'premium',
    capabilities: CAN,
    price: { input: 1.32, output: 3.96, cacheRead: 0.044, source },
  },
];

const quirks: ChatCompletionsQuirks = {
  omit: ['top_k', 'seed', 'service_tier', 'parallel_tool_calls'],
  // Taken and ignored while it reasons, which it does unless told not to.
  omitWhenReasoning: ['temperature', 'presence_penalty', 'frequency_penalty'],
  structuredOutput: 'json-object',
  jsonInWords: true,
  reasoning: 'thinking-effort',
  efforts: ['none', 'low', 'high'],
  // A conversation whose calls lack it is refused while the model reasons, also where the calls are of another model.
  reasoningFieldOfCalls: 'reasoning_content',
};

/** @throws invalid-config when an option is malformed */
export function deepseek(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'deepseek',
    baseURL: 'https://api.deepseek.com',
    keyVariable: 'DEEPSEEK_API_KEY',
    models: MODELS,
    quirks,
    ...options,
  });
}

export default definePlugin({ name: 'deepseek', providers: [deepseek()] });
