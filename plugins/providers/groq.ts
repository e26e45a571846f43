/**
 * Groq over chat completions. Key: GROQ_API_KEY, read at each request.
 * Windows and prices are those of @pydantic/genai-prices 0.1.8 (the window of the Llama models is that of their vendor). Output
 * limits are those that console.groq.com/docs/models stated in 2025; they could not be read again.
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

const source = '@pydantic/genai-prices 0.1.8';
const WITHOUT_SCHEMA = [...CHAT_CAPABILITIES.filter((capability) => capability !== 'json-schema'), 'seed'] as const;
const REASONS = [...CHAT_CAPABILITIES, 'seed', 'reasoning', 'prompt-cache'] as const;
const window = { contextTokens: 131_072, retention: 'provider' } as const;
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
    price: { input: 0.15, output: 0.6, cacheRead: 0.075, source },
    wire: { ...effortful },
  },
  {
    ...window,
    id: 'openai/gpt-oss-20b',
    maxOutputTokens: 65_536,
    tier: 'fast',
    capabilities: REASONS,
    price: { input: 0.075, output: 0.3, cacheRead: 0.0375, source },
    wire: { ...effortful },
  },
  {
    ...window,
    id: 'llama-3.3-70b-versatile',
    maxOutputTokens: 32_768,
    tier: 'fast',
    lifecycle: ended('2026-08-16'),
    capabilities: WITHOUT_SCHEMA,
    price: { input: 0.59, output: 0.79, source },
  },
  {
    ...window,
    id: 'llama-3.1-8b-instant',
    maxOutputTokens: 131_072,
    tier: 'fast',
    lifecycle: ended('2026-08-16'),
    capabilities: WITHOUT_SCHEMA,
    price: { input: 0.05, output: 0.08, source },
  },
  {
    ...window,
    id: 'qwen/qwen3-32b',
    maxOutputTokens: 40_960,
    tier: 'fast',
    lifecycle: ended('2026-07-17'),
    capabilities: [...WITHOUT_SCHEMA, 'reasoning'],
    price: { input: 0.29, output: 0.59, source },
    wire: { ...hybrid },
  },
  {
    ...window,
    id: 'qwen/qwen3.6-27b',
    // console.groq.com/docs/model/qwen/qwen3.6-27b
    maxOutputTokens: 16_384,
    tier: 'balanced',
    capabilities: [...WITHOUT_SCHEMA, 'reasoning'],
    price: { input: 0.6, output: 3, source: 'https://console.groq.com/docs/models' },
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

/** @throws invalid-config when an option is malformed */
export function groq(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'groq',
    baseURL: 'https://api.groq.com/openai/v1',
    keyVariable: 'GROQ_API_KEY',
    models: MODELS,
    quirks,
    ...options,
  });
}

export default definePlugin({ name: 'groq', providers: [groq()] });
