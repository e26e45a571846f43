/**
 * Perplexity over chat completions: models that search the web and cite it. Key: PERPLEXITY_API_KEY, read at each request.
 * Prices and windows are those of @pydantic/genai-prices 0.1.8; the fee per request is that of the largest search context.
 * The service ended on 27 September 2026 in favour of another interface of the vendor, so no model is chosen unless it is named:
 * docs.perplexity.ai/docs/agent-api/migrate-from-sonar. `sonar-deep-research` is billed per search and by kinds of tokens that a card cannot express, so it has no price.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  type ModelCardFields,
  type Provider,
  type TokenPrice,
} from 'polyphony/kit';

const MISSING = ['tools', 'parallel-tools', 'tool-choice', 'stop', 'json-mode', 'planning'];
const CAN = [
  ...CHAT_CAPABILITIES.filter((capability) => !MISSING.includes(capability)),
  'image-in',
  'penalties',
] as const;

const price = (input: number, output: number, request: number): TokenPrice => ({
  input,
  output,
  request,
  source: '@pydantic/genai-prices 0.1.8',
});
const effortful = {
  reasoning: 'effort',
  efforts: ['minimal', 'low', 'medium', 'high'],
} satisfies ChatCompletionsQuirks;

const MODELS: readonly ModelCardFields[] = [
  { id: 'sonar', tier: 'fast', contextTokens: 128_000, capabilities: CAN, price: price(1, 1, 0.012) },
  { id: 'sonar-pro', tier: 'balanced', contextTokens: 200_000, capabilities: CAN, price: price(3, 15, 0.014) },
  {
    id: 'sonar-reasoning-pro',
    tier: 'premium',
    contextTokens: 128_000,
    capabilities: [...CAN, 'reasoning'],
    price: price(2, 8, 0.014),
    wire: effortful,
  },
  {
    id: 'sonar-deep-research',
    tier: 'premium',
    contextTokens: 128_000,
    capabilities: [...CAN, 'reasoning'],
    price: null,
    wire: effortful,
  },
];

const quirks: ChatCompletionsQuirks = {
  omit: [
    ...['tools', 'tool_choice', 'parallel_tool_calls', 'stop', 'seed', 'logprobs', 'top_logprobs', 'user'],
    'service_tier',
  ],
  streamUsage: false,
  statedCost: 'cost.total_cost',
  messageNames: false,
  reasoning: 'none',
};

/** @throws invalid-config when an option is malformed */
export function perplexity(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'perplexity',
    baseURL: 'https://api.perplexity.ai',
    keyVariable: 'PERPLEXITY_API_KEY',
    listsModels: false,
    // What is kept: docs.perplexity.ai/docs/resources/privacy-security.
    models: MODELS.map((card) => ({
      ...card,
      retention: 'none',
      lifecycle: { stage: 'retired', endsOn: '2026-09-27' },
    })),
    quirks,
    ...options,
  });
}

export default definePlugin({ name: 'perplexity', providers: [perplexity()] });
