/**
 * What usage costs. Prices are USD per million tokens, as every price list prints them, and are turned into integer
 * pico-dollars a token before they are multiplied.
 */
import type { Usage } from './model.ts';
import { NANO_PER_USD, type NanoUsd } from './money.ts';
import type { ModelCard, TokenPrice } from './provider.ts';

const picoPerToken = (usdPerMillion: number): number => Math.round(usdPerMillion * 1_000_000);

function rates(price: TokenPrice, inputTokens: number): TokenPrice {
  // A request above a tier's threshold is repriced whole, not only what exceeds it.
  let chosen = price;
  for (const tier of price.tiers ?? []) if (inputTokens > tier.aboveInputTokens) chosen = { ...price, ...tier };
  return chosen;
}

/**
 * What the usage costs by the card's price, in nano-dollars rounded up; null when the card has no price, or lacks the
 * rate of a kind that was used (images, say).
 */
export function costOf(card: Pick<ModelCard, 'price'>, usage: Usage): NanoUsd | null {
  if (card.price === null) return null;
  const price = rates(card.price, usage.input);
  const cacheRead = usage.cacheRead ?? 0;
  const cacheWrite = usage.cacheWrite ?? 0;
  const longCacheWrite = Math.min(usage.cacheWriteLong ?? 0, cacheWrite);
  const fresh = Math.max(0, usage.input - cacheRead - cacheWrite);
  const images = usage.images ?? 0;
  if (images > 0 && price.image === undefined) return null;
  const pico =
    fresh * picoPerToken(price.input) +
    cacheRead * picoPerToken(price.cacheRead ?? price.input) +
    (cacheWrite - longCacheWrite) * picoPerToken(price.cacheWrite ?? price.input) +
    longCacheWrite * picoPerToken(price.cacheWriteLong ?? price.cacheWrite ?? price.input) +
    usage.output * picoPerToken(price.output);
  return Math.ceil(pico / 1000) + Math.ceil(images * (price.image ?? 0) * NANO_PER_USD) + requestFee(price);
}

function requestFee(price: TokenPrice): NanoUsd {
  return price.request === undefined ? 0 : Math.ceil(price.request * NANO_PER_USD);
}
