/**
 * DeepSeek over chat completions. Key: DEEPSEEK_API_KEY, read at each request.
 * Windows, output limits and prices are those of api-docs.deepseek.com/quick_start/pricing, read in November 2026. At its
 * peak, 01:00 to 04:00 and 06:00 to 10:00 UTC from Monday to Friday, everything costs twice as much; Chinese holidays
 * are off-peak too, which the price does not model: on them it is an upper bound.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  type ModelCardFields,
  type Provider,
} from 'polyphony/kit';

const source = 'https://api-docs.deepseek.com/quick_start/pricing';
const weekdays = { days: [1, 2, 3, 4, 5], times: 2 } as const;
const windows = [
  { start: '01:00', end: '04:00', ...weekdays },
  { start: '06:00', end: '10:00', ...weekdays },
] as const;
const CAN = [
  ...CHAT_CAPABILITIES.filter((capability) => capability !== 'json-schema'),
  'reasoning',
  'prompt-cache',
  'logprobs',
] as const;
/** The tools of a request: api-docs.deepseek.com/api/create-chat-completion. */
const toolSupport = { count: 128 } as const;
const million = { contextTokens: 1_000_000, maxOutputTokens: 384_000, retention: 'provider', toolSupport } as const;

const MODELS: readonly ModelCardFields[] = [
  {
    ...million,
    id: 'deepseek-flash',
    aliases: ['deepseek-v4-flash'],
    tier: 'fast',
    capabilities: [...CAN, 'image-in'],
    price: { input: 0.15, output: 0.6, cacheRead: 0.003, windows, source },
  },
  {
    ...million,
    id: 'deepseek-v4-pro',
    tier: 'premium',
    capabilities: CAN,
    price: { input: 0.66, output: 1.98, cacheRead: 0.022, windows, source },
  },
];

const quirks: ChatCompletionsQuirks = {
  omit: ['top_k', 'seed', 'service_tier', 'parallel_tool_calls'],
  // Accepted but ignored while it reasons, which it does by default.
  omitWhenReasoning: ['temperature', 'presence_penalty', 'frequency_penalty'],
  structuredOutput: 'json-object',
  jsonInWords: true,
  reasoning: 'thinking-effort',
  efforts: ['none', 'low', 'high'],
  // While the model reasons, a conversation whose calls lack this field is rejected, even where another model made the calls.
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
