/**
 * OpenRouter over chat completions. Key: OPENROUTER_API_KEY, read at each request.
 * Prices and windows are those of @pydantic/genai-prices 0.1.8 for this router, output limits those on the cards of the
 * models' own providers. It has hundreds of models: any other is available as `openrouter/<vendor>/<model>`. Its own routing
 * is set in `providerOptions`, such as `{ openrouter: { provider: { order: […] }, models: […] } }`.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  defined,
  definePlugin,
  type ModelCardFields,
  type Provider,
  type TokenPrice,
} from 'polyphony/kit';

const CAN = [...CHAT_CAPABILITIES, 'reasoning', 'prompt-cache', 'image-in', 'file-in'] as const;
const WITHOUT_IMAGES = CAN.filter((capability) => capability !== 'image-in');

const price = (input: number, output: number, cacheRead: number, cacheWrite?: number): TokenPrice => ({
  input,
  output,
  cacheRead,
  ...defined({ cacheWrite }),
  source: '@pydantic/genai-prices 0.1.8',
});

/** Above the threshold the whole request costs twice the input and one and a half times the output. */
function longContext(input: number, output: number, cacheRead: number, cacheWrite: number): TokenPrice {
  const above = { input: input * 2, output: output * 1.5, cacheRead: cacheRead * 2, cacheWrite: cacheWrite * 2 };
  return { ...price(input, output, cacheRead, cacheWrite), tiers: [{ aboveInputTokens: 272_000, ...above }] };
}

const MODELS: readonly ModelCardFields[] = [
  {
    id: 'anthropic/claude-opus-5.5',
    tier: 'premium',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    price: price(4, 20, 0.2, 5),
  },
  // The list has no price of these two yet.
  { id: 'anthropic/claude-sonnet-5.5', tier: 'premium', contextTokens: 1_000_000, maxOutputTokens: 128_000 },
  { id: 'anthropic/claude-haiku-5.5', tier: 'fast', contextTokens: 1_000_000, maxOutputTokens: 128_000 },
  {
    id: 'anthropic/claude-sonnet-5',
    tier: 'balanced',
    contextTokens: 1_000_000,
    maxOutputTokens: 128_000,
    price: price(2, 10, 0.2, 2.5),
  },
  {
    id: 'anthropic/claude-haiku-4.5',
    tier: 'fast',
    contextTokens: 200_000,
    maxOutputTokens: 64_000,
    price: price(1, 5, 0.1, 1.25),
  },
  {
    id: 'openai/gpt-6-sol',
    tier: 'premium',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    price: longContext(2, 10, 0.2, 2.5),
  },
  {
    id: 'openai/gpt-6-luna',
    tier: 'fast',
    contextTokens: 1_050_000,
    maxOutputTokens: 128_000,
    price: longContext(0.1, 0.5, 0.01, 0.125),
  },
  {
    id: 'z-ai/glm-5.3',
    tier: 'balanced',
    contextTokens: 1_048_576,
    capabilities: WITHOUT_IMAGES,
    price: price(1.4, 4.4, 0.26),
  },
  {
    id: 'z-ai/glm-5.3-flash',
    tier: 'fast',
    contextTokens: 1_310_720,
    capabilities: WITHOUT_IMAGES,
    price: price(0.075, 0.25, 0.015),
  },
  { id: 'moonshotai/kimi-k2.6', tier: 'balanced', capabilities: WITHOUT_IMAGES, price: price(0.68, 3.41, 0.34) },
  {
    id: 'qwen/qwen3.7-plus',
    tier: 'balanced',
    contextTokens: 1_000_000,
    price: price(0.4, 1.6, 0.08, 0.5),
  },
  {
    id: 'moonshotai/kimi-k3',
    tier: 'premium',
    contextTokens: 1_048_576,
    capabilities: WITHOUT_IMAGES,
    price: price(3, 15, 0.3),
  },
  { id: 'minimax/minimax-m3', tier: 'balanced', capabilities: WITHOUT_IMAGES, price: price(0.3, 1.2, 0.06) },
  // The list has no price of these two yet; windows are those of vercel.com/ai-gateway/models.
  { id: 'meta/muse-spark-1.3', tier: 'premium', contextTokens: 1_048_576, maxOutputTokens: 131_072 },
  { id: 'xiaomi/mimo-v2.6-pro', tier: 'premium', contextTokens: 1_048_576, maxOutputTokens: 131_072 },
];

const quirks: ChatCompletionsQuirks = {
  reasoning: 'object',
  cacheControl: true,
  answerImages: true,
  // Every answer reports usage without this option.
  streamUsage: false,
  statedCost: 'cost',
  freeModels: true,
};

/** @throws invalid-config when an option is malformed */
export function openrouter(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'openrouter',
    baseURL: 'https://openrouter.ai/api/v1',
    keyVariable: 'OPENROUTER_API_KEY',
    models: MODELS.map((card) => ({ capabilities: CAN, ...card })),
    quirks,
    ...options,
  });
}

export default definePlugin({ name: 'openrouter', providers: [openrouter()] });
