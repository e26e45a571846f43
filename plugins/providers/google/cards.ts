/**
 * Models of this wire format. Prices are those of @pydantic/genai-prices 0.1.8; limits, thinking levels and dates those of
 * ai.google.dev/gemini-api/docs (models, deprecations; read November 2026). Strengths are assumed:
 * those that were measured go before them. Batch and flex cost half, priority 1.8 times the price (ai.google.dev/gemini-api/docs/pricing and
 * /optimization). The hourly cost of cached content is not counted.
 */
import { assumedStrengths, type ModelCardFields, type TokenPrice } from 'polyphony/kit';
import { CHAT } from './facts.ts';

const source = '@pydantic/genai-prices 0.1.8';

const BATCH = { batch: { times: 0.5 } } as const;
const serviceTiers = { ...BATCH, flex: { times: 0.5 }, priority: { times: 1.8 } } as const;

/** Cached input costs a tenth. */
const price = (input: number, output: number, audioInput?: number): TokenPrice => ({
  ...{ input, output, cacheRead: input / 10, serviceTiers, source },
  ...(audioInput === undefined ? {} : { audioInput, audioCacheRead: audioInput / 10 }),
});

/** Above 200,000 tokens the whole request costs twice the input and one and a half times the output. */
const longPrice = (input: number, output: number): TokenPrice => ({
  ...price(input, output),
  tiers: [{ aboveInputTokens: 200_000, input: input * 2, output: output * 1.5, cacheRead: input / 5 }],
});

const WITHOUT_SAMPLING = CHAT.capabilities.filter((name) => name !== 'temperature' && name !== 'top-p');
/** These models continue a final assistant message. */
const WITH_PREFIX = [...CHAT.capabilities, 'prefix'] as const;
const ALL_LEVELS = ['minimal', 'low', 'medium', 'high'];

/** Used for fields that nobody measured. */
const strengths = (general: number, reasoning: number, code: number, extraction: number, vision: number) =>
  assumedStrengths({ general, reasoning, code, extraction, vision });
const stable = { stage: 'stable' } as const;

const ARGON = 'https://ai.google.dev/gemini-api/docs/latest-model';
/** Two flashes that cost what the newest does. */
const flash = {
  tier: 'balanced',
  capabilities: WITHOUT_SAMPLING,
  price: { ...price(0.75, 3.75), changes: [{ from: '2027-01-01', times: 2 }] },
  contextTokens: 1_000_000,
  lifecycle: stable,
  wire: { sampling: false },
} as const;

export const CHAT_MODELS: readonly ModelCardFields[] = [
  {
    id: 'gemini-3.1-pro-preview',
    tier: 'premium',
    strengths: strengths(0.92, 0.93, 0.9, 0.91, 0.95),
    price: longPrice(2, 12),
    lifecycle: { stage: 'preview' },
  },
  {
    id: 'gemini-4-argon',
    tier: 'premium',
    capabilities: WITHOUT_SAMPLING,
    price: {
      ...{ input: 2, output: 10, cacheRead: 0.1, source: ARGON },
      changes: [{ from: '2026-12-01', times: 2 }],
    },
    lifecycle: stable,
    wire: { sampling: false },
  },
  {
    id: 'gemini-3.8-flash',
    tier: 'premium',
    capabilities: WITHOUT_SAMPLING,
    strengths: strengths(0.89, 0.88, 0.9, 0.89, 0.93),
    price: { ...price(0.75, 3.75), changes: [{ from: '2027-01-01', times: 2 }] },
    lifecycle: stable,
    wire: { sampling: false },
  },
  { id: 'gemini-3.7-flash', ...flash },
  { id: 'gemini-3.6-flash', ...flash },
  {
    id: 'gemini-3.5-flash',
    tier: 'balanced',
    strengths: strengths(0.86, 0.84, 0.86, 0.87, 0.9),
    price: price(1.5, 9),
    lifecycle: stable,
    wire: { levels: ALL_LEVELS },
  },
  {
    id: 'gemini-3.5-flash-lite',
    tier: 'fast',
    capabilities: WITHOUT_SAMPLING,
    strengths: strengths(0.74, 0.68, 0.72, 0.8, 0.8),
    price: price(0.3, 2.5),
    lifecycle: stable,
    wire: { sampling: false, levels: ALL_LEVELS },
  },
  {
    id: 'gemini-3.1-flash-lite',
    tier: 'fast',
    strengths: strengths(0.7, 0.63, 0.66, 0.77, 0.76),
    price: price(0.25, 1.5, 0.5),
    lifecycle: { stage: 'stable', endsOn: '2027-05-07' },
    wire: { levels: ALL_LEVELS },
  },
  {
    id: 'gemini-2.5-pro',
    tier: 'balanced',
    capabilities: WITH_PREFIX,
    strengths: strengths(0.86, 0.86, 0.84, 0.87, 0.9),
    price: longPrice(1.25, 10),
    lifecycle: { stage: 'deprecated', endsOn: '2026-12-01' },
    wire: { leastBudget: 128, mostBudget: 32_768 },
  },
  {
    id: 'gemini-2.5-flash',
    tier: 'fast',
    capabilities: WITH_PREFIX,
    strengths: strengths(0.78, 0.75, 0.76, 0.82, 0.85),
    price: price(0.3, 2.5, 1),
    lifecycle: { stage: 'deprecated', endsOn: '2026-12-01' },
  },
  {
    id: 'gemini-2.5-flash-lite',
    tier: 'fast',
    capabilities: WITH_PREFIX,
    strengths: strengths(0.66, 0.58, 0.6, 0.74, 0.74),
    price: price(0.1, 0.4, 0.3),
    lifecycle: stable,
  },
];

const embedding = {
  operations: ['embed'],
  capabilities: ['embeddings'],
  maxOutputTokens: 0,
  lifecycle: stable,
} as const;

export const EMBEDDING_MODELS: readonly ModelCardFields[] = [
  {
    id: 'gemini-embedding-2',
    ...embedding,
    contextTokens: 8192,
    price: { input: 0.2, output: 0, audioInput: 6.5, imageInput: 0.45, serviceTiers: BATCH, source },
    wire: { taskInText: true },
  },
  {
    id: 'gemini-embedding-001',
    ...embedding,
    lifecycle: { stage: 'stable', endsOn: '2028-05-14' },
    contextTokens: 2048,
    price: { input: 0.15, output: 0, serviceTiers: BATCH, source },
  },
];
