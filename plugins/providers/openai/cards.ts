/**
 * Models of this provider. Where the facts on the cards come from:
 *
 * - Windows and prices: @pydantic/genai-prices 0.1.8, the threshold of the tiers included.
 * - Output limits are not in that list. GPT-5.4 mini and GPT-5.5 (128,000): pages of resellers (vercel.com/ai-gateway,
 *   docs.oxen.ai). GPT-6: the window minus the 922,000 input tokens in the release notes of a client. GPT-5, GPT-4.1
 *   (32,768) and GPT-4o (16,384): third-party lists of 2025. None was read on the vendor's own pages.
 * - Efforts, and which models call tools over chat completions: bug reports and release notes of clients (GPT-6 Astra has
 *   no `none`; the other GPT-6 models support tools only at `none`), not the vendor's reference.
 * - That reasoning models reject sampling parameters: the error messages of the API.
 * - Service tiers: openai.com/api-fast-mode and /api-priority-processing (both names are one tier; long prompts are served
 *   at the usual one), developers.openai.com/api/docs/guides (batch and flex cost half). Twice the price for the
 *   fast tier of GPT-6: release notes of clients.
 * - End dates: developers.openai.com/api/docs/deprecations, read in November 2026.
 */
import {
  type Capability,
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ModelCardFields,
  type TokenPrice,
} from 'polyphony/kit';

const source = '@pydantic/genai-prices 0.1.8';
const models = 'https://developers.openai.com/api/docs/models';

const SEES = ['image-in', 'file-in', 'prompt-cache', 'planning'] as const;
const CLASSIC = unique([...CHAT_CAPABILITIES, ...SEES, 'logprobs', 'seed', 'penalties']);
const REASONING = unique([...CLASSIC, 'reasoning']).filter(
  (capability) => !['temperature', 'top-p', 'stop', 'logprobs', 'penalties'].includes(capability),
);

function unique(capabilities: readonly Capability[]): readonly Capability[] {
  return [...new Set(capabilities)];
}

const SAMPLING = ['temperature', 'top_p', 'presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs'];
/** Reasoning models reject sampling parameters unless reasoning is switched off. */
const reasoningWire = {
  systemRole: 'developer',
  omit: ['stop', 'top_k'],
  omitWhenReasoning: SAMPLING,
} satisfies ChatCompletionsQuirks;
/** The newest models call tools over chat completions only at effort `none`. */
const sixthWire = {
  ...reasoningWire,
  efforts: ['none', 'low', 'medium', 'high'],
  effortWithTools: 'none',
} satisfies ChatCompletionsQuirks;

/** Without the effort `none`, tools work only over the Responses API, which all chats of these models use. */
const astraWire = { ...reasoningWire, efforts: ['low', 'medium', 'high'], api: 'responses' } as const;

/** Above the threshold the whole request costs twice the input and one and a half times the output. */
function longContext(input: number, output: number, aboveInputTokens: number, writes: boolean): TokenPrice {
  const rates = (twice: number, half: number) => ({
    input: input * twice,
    output: output * half,
    cacheRead: (input * twice) / 10,
    ...(writes ? { cacheWrite: input * twice * 1.25 } : {}),
  });
  return { ...rates(1, 1), tiers: [{ aboveInputTokens, ...rates(2, 1.5) }], serviceTiers: twice, source };
}

/** The batch API costs half the price of every text model. */
const BATCH = { batch: { times: 0.5 } } as const;
const FLEX = { ...BATCH, flex: { times: 0.5 } } as const;
/** Two names for the same tier. */
const fast = (times: number) => ({ priority: { times }, fast: { times } });
const twice = { ...FLEX, ...fast(2) };

const million = { contextTokens: 1_050_000, maxOutputTokens: 128_000, capabilities: REASONING } as const;
const fourHundred = { contextTokens: 400_000, maxOutputTokens: 128_000, capabilities: REASONING } as const;
const fifthWire = { ...reasoningWire, efforts: ['minimal', 'low', 'medium', 'high'] } satisfies ChatCompletionsQuirks;

/** Prices of the smallest model of its family, which are not a multiple of the standard ones. */
const mini = { input: 0.25, cacheRead: 0.125, output: 1 } as const;
const ends = (endsOn: string) => ({ stage: 'deprecated', endsOn }) as const;

/** Tools over the Responses API only, which all chats of these models use. */
const newestWire = { ...reasoningWire, efforts: ['none', 'low', 'medium', 'high'], api: 'responses' } as const;

/**
 * The newest models read the cache for a twentieth. Input and output are on the vendor's page of its models, read in November 2026;
 * the rest is on the page of each, as release notes of clients tell it.
 */
function newest(input: number, output: number): TokenPrice {
  const rates = (twice: number, half: number) => ({
    input: input * twice,
    output: output * half,
    cacheWrite: input * twice * 1.25,
    cacheRead: (input * twice) / 20,
  });
  return {
    ...rates(1, 1),
    tiers: [{ aboveInputTokens: 272_000, ...rates(2, 1.5) }],
    serviceTiers: twice,
    source: models,
  };
}

const CHAT_MODELS: readonly ModelCardFields[] = [
  { id: 'gpt-6-sol', tier: 'premium', ...million, price: longContext(2, 10, 272_000, true), wire: sixthWire },
  { id: 'gpt-6-luna', tier: 'fast', ...million, price: longContext(0.1, 0.5, 272_000, true), wire: sixthWire },
  { id: 'gpt-6-astra', tier: 'premium', ...million, price: longContext(10, 50, 271_999, true), wire: astraWire },
  { id: 'gpt-6.2-astra', tier: 'premium', ...million, price: newest(8, 40), wire: astraWire },
  { id: 'gpt-6.2-sol', tier: 'premium', ...million, price: newest(2, 10), wire: astraWire },
  { id: 'gpt-6.1-sol', tier: 'premium', ...million, price: newest(2, 10), wire: newestWire },
  { id: 'gpt-6.1-terra', tier: 'balanced', ...million, price: newest(1, 5), wire: newestWire },
  {
    id: 'gpt-5.5',
    tier: 'premium',
    ...million,
    contextTokens: 1_000_000,
    price: { ...longContext(5, 30, 271_999, false), serviceTiers: { ...FLEX, ...fast(2.5) } },
    wire: { ...reasoningWire, efforts: ['none', 'low', 'medium', 'high'] },
  },
  {
    id: 'gpt-5.4-mini',
    tier: 'balanced',
    ...fourHundred,
    price: { input: 0.75, output: 4.5, cacheRead: 0.075, serviceTiers: twice, source },
    wire: { ...reasoningWire, efforts: ['none', 'low', 'medium', 'high'] },
  },
  {
    id: 'gpt-5-mini',
    tier: 'fast',
    ...fourHundred,
    price: { input: 0.25, output: 2, cacheRead: 0.025, serviceTiers: { ...FLEX, ...fast(1.8) }, source },
    lifecycle: ends('2026-12-11'),
    wire: fifthWire,
  },
  {
    id: 'gpt-5-nano',
    tier: 'fast',
    ...fourHundred,
    price: { input: 0.05, output: 0.4, cacheRead: 0.005, serviceTiers: FLEX, source },
    lifecycle: ends('2026-12-11'),
    wire: fifthWire,
  },
  {
    id: 'gpt-4.1',
    tier: 'balanced',
    contextTokens: 1_000_000,
    maxOutputTokens: 32_768,
    capabilities: CLASSIC,
    price: { input: 2, output: 8, cacheRead: 0.5, serviceTiers: { ...BATCH, ...fast(1.75) }, source },
    lifecycle: ends('2027-01-14'),
  },
  {
    id: 'gpt-4.1-mini',
    tier: 'fast',
    contextTokens: 1_000_000,
    maxOutputTokens: 32_768,
    capabilities: CLASSIC,
    price: { input: 0.4, output: 1.6, cacheRead: 0.1, serviceTiers: { ...BATCH, ...fast(1.75) }, source },
    lifecycle: ends('2027-01-14'),
  },
  {
    id: 'gpt-4o',
    tier: 'fast',
    contextTokens: 128_000,
    maxOutputTokens: 16_384,
    capabilities: CLASSIC,
    price: { input: 2.5, output: 10, cacheRead: 1.25, serviceTiers: { ...BATCH, ...fast(1.7) }, source },
    lifecycle: ends('2027-01-14'),
  },
  {
    id: 'gpt-4o-mini',
    tier: 'fast',
    contextTokens: 128_000,
    maxOutputTokens: 16_384,
    capabilities: CLASSIC,
    price: {
      ...{ input: 0.15, output: 0.6, cacheRead: 0.075, source },
      serviceTiers: { ...BATCH, priority: mini, fast: mini },
    },
    lifecycle: ends('2027-01-14'),
  },
];

const embedding = (id: string, input: number): ModelCardFields => ({
  id,
  operations: ['embed'],
  capabilities: ['embeddings'],
  contextTokens: 8192,
  maxOutputTokens: 0,
  price: { input, output: 0, serviceTiers: BATCH, source },
});

/** Resellers state the rates of the model before and of the sibling; the vendor's own page of the model was not read. */
const SAME_RATES = 'docs.apiyi.com, November 2026, a reseller: assumed';
/** All generations so far cost the same a token. */
const images = (id: string, tier: NonNullable<ModelCardFields['tier']>, from: string): ModelCardFields => ({
  id,
  tier,
  operations: ['image'],
  capabilities: ['image-out', 'image-edit'],
  // A prompt may have up to 32,000 characters.
  contextTokens: 8000,
  price: { input: 5, output: 30, cacheRead: 1.25, imageInput: 8, source: from },
  wire: { imageFormat: 'none', omit: ['seed', 'negative_prompt'] },
});

const OTHER_MODELS: readonly ModelCardFields[] = [
  embedding('text-embedding-3-small', 0.02),
  embedding('text-embedding-3-large', 0.13),
  images('gpt-image-2', 'balanced', source),
  images('gpt-image-2.5-flare', 'fast', SAME_RATES),
  images('gpt-image-2.5-sunburst', 'premium', SAME_RATES),
  images('gpt-image-2.6-flare', 'fast', SAME_RATES),
  images('gpt-image-2.6-sunburst', 'premium', `${models}/gpt-image-2.6-sunburst`),
  {
    id: 'omni-moderation-latest',
    operations: ['moderate'],
    capabilities: ['moderation'],
    price: { input: 0, output: 0, source: `${models}/omni-moderation-latest` },
  },
];

export const MODELS: readonly ModelCardFields[] = [...CHAT_MODELS, ...OTHER_MODELS].map((card) => ({
  retention: 'provider',
  ...card,
}));
