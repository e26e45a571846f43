/** Model cards from the fields that differ from the usual ones. */
import type { Capability, Tier } from '../../core/model/model.ts';
import type { ModelCard } from '../../core/model/provider.ts';

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

/** Assumed quality by tier for cards without strengths: an order among models, not a measurement. */
const PRIOR_QUALITY: Readonly<Record<Tier, number>> = { fast: 0.65, balanced: 0.8, premium: 0.9 };

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
    strengths: { general: PRIOR_QUALITY[tier] },
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
