/**
 * Models of this provider. Prices and windows are those of @pydantic/genai-prices 0.1.8 and, where it lacks a model, of
 * the model's own page; limits, thinking modes and dates are those of platform.claude.com/docs (models, model
 * deprecations, migration guides; read November 2026). A batch costs half (platform.claude.com/docs, batch processing); the
 * priority tier is capacity bought in advance, so its calls cost the usual price. Strengths are assumed:
 * those that were measured go before them.
 */
import { assumedStrengths, type ModelCardFields, type TokenPrice } from 'polyphony/kit';
import { CHAT, type MessagesFacts } from './facts.ts';

const LISTED = '@pydantic/genai-prices 0.1.8';
const page = (model: string): string => `https://platform.claude.com/docs/en/models/${model}/overview`;

/** Cache writes cost a quarter more than input for five minutes, twice the input for an hour. */
function price(input: number, output: number, cacheRead: number, source = LISTED): TokenPrice {
  const writes = { cacheWrite: input * 1.25, cacheWriteLong: input * 2 };
  return { input, output, cacheRead, ...writes, serviceTiers: { batch: { times: 0.5 } }, source };
}

const WITHOUT_SAMPLING = CHAT.capabilities.filter((name) => name !== 'temperature' && name !== 'top-p');
/** These models continue a final assistant message. */
const WITH_PREFIX = [...CHAT.capabilities, 'prefix'] as const;

const million = {
  ...CHAT,
  capabilities: WITHOUT_SAMPLING,
  contextTokens: 1_000_000,
  maxOutputTokens: 128_000,
} as const;
const classic = { ...CHAT, capabilities: WITH_PREFIX, contextTokens: 200_000, maxOutputTokens: 64_000 } as const;

const common = { effort: true, sampling: 'none', structured: true } as const;
const alwaysThinking: MessagesFacts = {
  ...common,
  thinking: 'adaptive',
  thinkingOff: 'never',
  thinksByDefault: true,
  forcedTools: false,
};
const thinking: MessagesFacts = { ...alwaysThinking, thinkingOff: 'disabled', forcedTools: true };
const quiet: MessagesFacts = { ...thinking, thinkingOff: 'omit', thinksByDefault: false };
const budgeted: MessagesFacts = {
  thinking: 'budget',
  thinkingOff: 'omit',
  thinksByDefault: false,
  effort: false,
  sampling: 'one',
  forcedTools: true,
  structured: true,
};
const fourSix: MessagesFacts = { ...budgeted, thinking: 'either', effort: true };

/** Used for fields that nobody measured. */
const strengths = (general: number, reasoning: number, code: number, extraction: number, creative: number) =>
  assumedStrengths({ general, reasoning, code, extraction, creative });
const stable = { stage: 'stable' } as const;

export const MODELS: readonly ModelCardFields[] = [
  {
    id: 'claude-fable-5-1',
    tier: 'premium',
    ...million,
    strengths: strengths(0.98, 0.98, 0.98, 0.95, 0.96),
    price: price(10, 50, 0.25),
    lifecycle: stable,
    wire: alwaysThinking,
  },
  {
    // Announced as a successor with the capabilities of the model before it; its price was not read on the vendor's page.
    id: 'claude-fable-5-2',
    tier: 'premium',
    ...million,
    strengths: strengths(0.98, 0.98, 0.98, 0.95, 0.96),
    price: null,
    lifecycle: stable,
    wire: alwaysThinking,
  },
  {
    id: 'claude-opus-5-5',
    tier: 'premium',
    ...million,
    strengths: strengths(0.96, 0.96, 0.97, 0.94, 0.94),
    price: price(4, 20, 0.2),
    lifecycle: stable,
    wire: alwaysThinking,
  },
  {
    id: 'claude-opus-5',
    tier: 'premium',
    ...million,
    strengths: strengths(0.94, 0.94, 0.95, 0.93, 0.93),
    price: price(5, 25, 0.5),
    lifecycle: stable,
    wire: thinking,
  },
  {
    id: 'claude-opus-4-8',
    tier: 'premium',
    ...million,
    strengths: strengths(0.92, 0.92, 0.93, 0.91, 0.92),
    price: price(5, 25, 0.5),
    lifecycle: stable,
    wire: quiet,
  },
  {
    id: 'claude-sonnet-5-5',
    tier: 'premium',
    ...million,
    strengths: strengths(0.91, 0.9, 0.93, 0.91, 0.9),
    price: price(2, 10, 0.1, page('sonnet-5-5')),
    lifecycle: stable,
    wire: { ...alwaysThinking, thinkingOff: 'between_tools' },
  },
  {
    id: 'claude-sonnet-5',
    tier: 'balanced',
    ...million,
    strengths: strengths(0.89, 0.88, 0.91, 0.9, 0.88),
    price: price(2, 10, 0.2),
    lifecycle: stable,
    wire: thinking,
  },
  {
    id: 'claude-sonnet-4-6',
    tier: 'balanced',
    ...million,
    capabilities: CHAT.capabilities,
    strengths: strengths(0.86, 0.85, 0.88, 0.88, 0.86),
    price: price(3, 15, 0.3),
    lifecycle: stable,
    wire: fourSix,
  },
  {
    id: 'claude-sonnet-4-5',
    aliases: ['claude-sonnet-4-5-20250929'],
    tier: 'balanced',
    ...classic,
    strengths: strengths(0.84, 0.82, 0.86, 0.86, 0.85),
    price: price(3, 15, 0.3),
    lifecycle: { stage: 'deprecated', endsOn: '2026-11-30' },
    wire: budgeted,
  },
  {
    id: 'claude-haiku-5-5',
    tier: 'fast',
    ...million,
    strengths: strengths(0.8, 0.77, 0.8, 0.84, 0.77),
    price: {
      ...price(0.1, 0.5, 0.01, page('haiku-5-5')),
      tiers: [
        { aboveInputTokens: 100_000, input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite: 0.625, cacheWriteLong: 1 },
      ],
    },
    lifecycle: stable,
    wire: thinking,
  },
  {
    id: 'claude-haiku-4-5',
    aliases: ['claude-haiku-4-5-20251001'],
    tier: 'fast',
    ...classic,
    strengths: strengths(0.75, 0.7, 0.75, 0.8, 0.74),
    price: price(1, 5, 0.1),
    lifecycle: stable,
    wire: budgeted,
  },
];
