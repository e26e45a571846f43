/**
 * Models of this provider. Prices and windows are those of @pydantic/genai-prices 0.1.8 (provider `aws`, for the inference
 * profiles in the ids); output limits those of the models' own pages. Strengths are priors by tier.
 */
import type { ModelCardFields, TokenPrice } from 'polyphony/kit';
import { CHAT, type ConverseFacts, EMBEDDING } from './facts.ts';

const PAGE = 'https://aws.amazon.com/bedrock/pricing';
const source = '@pydantic/genai-prices 0.1.8';
const price = (input: number, output: number): TokenPrice => ({ input, output, source });
/** Cache writes cost a quarter more than input for five minutes, twice the input for an hour. */
const cached = (input: number, output: number, cacheRead: number): TokenPrice => ({
  input,
  output,
  cacheRead,
  cacheWrite: input * 1.25,
  cacheWriteLong: input * 2,
  source,
});

/** Global profiles cost what the vendor of the models asks itself. */
const own = (input: number, output: number, cacheRead: number): TokenPrice => ({
  ...cached(input, output, cacheRead),
  source: 'https://platform.claude.com/docs/en/about-claude/pricing',
});

const SEES = [...CHAT.capabilities, 'image-in', 'file-in'] as const;
const CLAUDE = [...SEES, 'json-schema', 'reasoning', 'prompt-cache'] as const;
const claude = { ...CHAT, capabilities: CLAUDE, contextTokens: 200_000, maxOutputTokens: 64_000 } as const;
const newClaude = {
  ...claude,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
  capabilities: CLAUDE.filter((name) => name !== 'temperature' && name !== 'top-p'),
  wire: { reasoning: 'adaptive', topK: 'none' } satisfies Partial<ConverseFacts>,
} as const;
const nova = {
  ...CHAT,
  capabilities: [...SEES, 'json-schema', 'video-in', 'prompt-cache'],
  contextTokens: 300_000,
  maxOutputTokens: 10_000,
  wire: { reasoning: 'none' } satisfies Partial<ConverseFacts>,
} as const;
/** Models that follow a JSON Schema. */
const HELD = [...CHAT.capabilities, 'json-schema'] as const;
const openWeights = { ...CHAT, maxOutputTokens: 8192 } as const;

export const MODELS: readonly ModelCardFields[] = [
  { id: 'global.anthropic.claude-opus-5', tier: 'premium', ...newClaude, price: cached(5, 25, 0.5) },
  {
    id: 'global.anthropic.claude-sonnet-5',
    // The list of prices spells it so; the service does not.
    aliases: ['global.anthropic.claude-sonnet-5-v1:0'],
    tier: 'balanced',
    ...newClaude,
    price: own(2, 10, 0.2),
  },
  // The page on what is kept does not name it, but does its predecessor.
  { id: 'global.anthropic.claude-fable-5-2', tier: 'premium', ...newClaude, retention: 'unknown', price: null },
  {
    id: 'global.anthropic.claude-fable-5-1',
    tier: 'premium',
    ...newClaude,
    // Thirty days, by docs.aws.amazon.com/bedrock/latest/userguide/abuse-detection.html.
    retention: 'provider',
    price: own(10, 50, 0.25),
  },
  { id: 'global.anthropic.claude-opus-5-5', tier: 'premium', ...newClaude, price: own(4, 20, 0.2) },
  { id: 'global.anthropic.claude-sonnet-5-5', tier: 'premium', ...newClaude, price: own(2, 10, 0.1) },
  { id: 'global.anthropic.claude-haiku-5-5', tier: 'fast', ...newClaude, price: null },
  {
    id: 'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
    tier: 'balanced',
    lifecycle: { stage: 'deprecated', endsOn: '2027-04-08' },
    ...claude,
    price: cached(3, 15, 0.3),
  },
  {
    id: 'global.anthropic.claude-haiku-4-5-20251001-v1:0',
    tier: 'fast',
    ...claude,
    price: cached(1, 5, 0.1),
  },
  {
    id: 'global.amazon.nova-2-lite-v1:0',
    tier: 'fast',
    ...nova,
    capabilities: [...nova.capabilities, 'reasoning'],
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    price: { ...price(0.3, 2.5), cacheRead: 0.075 },
    wire: { reasoning: 'nova' } satisfies Partial<ConverseFacts>,
  },
  { id: 'amazon.nova-pro-v1:0', tier: 'fast', ...nova, price: { ...price(0.8, 3.2), cacheRead: 0.2 } },
  { id: 'amazon.nova-lite-v1:0', tier: 'fast', ...nova, price: { ...price(0.06, 0.24), cacheRead: 0.015 } },
  {
    id: 'amazon.nova-micro-v1:0',
    tier: 'fast',
    ...nova,
    capabilities: [...CHAT.capabilities, 'json-schema', 'prompt-cache'],
    contextTokens: 128_000,
    price: { ...price(0.035, 0.14), cacheRead: 0.00875 },
  },
  {
    id: 'openai.gpt-oss-120b-1:0',
    tier: 'fast',
    ...openWeights,
    capabilities: [...CHAT.capabilities, 'reasoning'],
    price: price(0.15, 0.6),
  },
  {
    id: 'mistral.mistral-large-3-675b-instruct',
    tier: 'balanced',
    ...openWeights,
    capabilities: HELD,
    contextTokens: 256_000,
    price: price(0.5, 1.5),
  },
  {
    id: 'meta.llama3-3-70b-instruct-v1:0',
    tier: 'fast',
    ...openWeights,
    price: price(0.72, 0.72),
    lifecycle: { stage: 'deprecated', endsOn: '2027-03-30' },
  },
  {
    id: 'qwen.qwen3-32b-v1:0',
    tier: 'fast',
    ...openWeights,
    capabilities: HELD,
    contextTokens: 32_000,
    price: price(0.15, 0.6),
  },
  { id: 'amazon.titan-embed-text-v2:0', ...EMBEDDING, price: { input: 0.02, output: 0, source: PAGE } },
  { id: 'cohere.embed-v4:0', ...EMBEDDING, contextTokens: 128_000, price: { input: 0.12, output: 0, source: PAGE } },
];
