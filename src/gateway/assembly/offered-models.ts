/** The models that a gateway offers, as programs see them. */
import type { Gateway } from '../../core/gateway.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { priceAsOf } from '../../core/money/price-sheet.ts';
import type { Registry } from '../routing/registry.ts';

/** Each model once, in however many regions it is deployed, with today's price. */
export function modelsOf({ deployments }: Registry, nowMs: number): ReturnType<Gateway['models']> {
  const models = new Map<string, ReturnType<Gateway['models']>[number]>();
  for (const { provider, card } of deployments) {
    const name = `${provider.id}/${card.id}`;
    if (models.has(name)) continue;
    models.set(name, {
      provider: provider.id,
      card: asOf(card, nowMs),
      ...(provider.isOwn === true ? { isOwn: true } : {}),
    });
  }
  return [...models.values()];
}

function asOf(card: ModelCard, nowMs: number): ModelCard {
  const price = card.price === null ? null : priceAsOf(card.price, nowMs);
  return price === card.price ? card : { ...card, price };
}
