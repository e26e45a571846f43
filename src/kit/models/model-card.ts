/** Model cards from the fields that differ from the usual ones. */
import type { Capability, Tier } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';

const assumedOnes = new WeakSet<object>();

/** Strengths that nobody measured: what was measured of the model, field by field, goes before them. */
export function assumedStrengths(strengths: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const assumed = Object.freeze({ ...strengths });
  assumedOnes.add(assumed);
  return assumed;
}

export const isAssumed = (strengths: Readonly<Record<string, number>>): boolean => assumedOnes.has(strengths);

export type ModelCardFields = Pick<ModelCard, 'id'> & Partial<ModelCard>;

/** The capabilities of nearly every current chat model. */
export const CHAT_CAPABILITIES: readonly Capability[] = [
  'text',
  'streaming',
  'system',
  'tools',
  'parallel-tools',
  'tool-choice',
  'json-mode',
  'json-schema',
  'stop',
  'temperature',
  'top-p',
  'planning',
];

/**
 * Assumed quality by tier for cards without strengths: a low one for its tier, because nothing is known. Measured figures and
 * those of the user go before it.
 */
const PRIOR_QUALITY: Readonly<Record<Tier, Readonly<Record<string, number>>>> = {
  fast: assumedStrengths({ general: 0.58 }),
  balanced: assumedStrengths({ general: 0.72 }),
  premium: assumedStrengths({ general: 0.83 }),
};

/**
 * A complete card. Without other fields: a balanced chat model with the usual capabilities, a window of 32,768 tokens, no
 * known price and unknown retention.
 */
export function modelCard(fields: ModelCardFields): ModelCard {
  const tier = fields.tier ?? 'balanced';
  const contextTokens = fields.contextTokens ?? 32_768;
  return {
    operations: ['chat'],
    tier,
    strengths: PRIOR_QUALITY[tier],
    capabilities: CHAT_CAPABILITIES,
    contextTokens,
    maxOutputTokens: Math.min(contextTokens, 8192),
    price: null,
    retention: 'unknown',
    ...fields,
  };
}

/** Cards by id and by alias; an id takes precedence over an equal alias of another card. */
export function cardIndex(models: readonly ModelCard[]): ReadonlyMap<string, ModelCard> {
  const cards = new Map<string, ModelCard>();
  for (const card of models) for (const alias of card.aliases ?? []) cards.set(alias, card);
  for (const card of models) cards.set(card.id, card);
  return cards;
}
