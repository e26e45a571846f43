/** The prices of the config, which override those on the cards. */
import type { Config } from '../../../core/config.ts';
import type { ModelCard, Provider } from '../../../core/model/provider.ts';
import type { TokenPrice } from '../../../core/money/token-price.ts';

type Prices = NonNullable<Config['prices']>;
type OverlayPrice = Prices[string];

const SOURCE = 'the config';

/** Returns the card itself if the config has no price for it, and the provider no fee that its price does not name. */
export function withPrice({ id, searches }: Provider, card: ModelCard, prices: Config['prices']): ModelCard {
  const own = prices === undefined ? undefined : priceFor(id, card, prices);
  const price = own === undefined ? card.price : overlaid(card.price, own);
  const fee = price === null || price.search !== undefined ? undefined : searches?.fee(card.id);
  if (price === card.price && fee === undefined) return card;
  return { ...card, price: price === null || fee === undefined ? price : { ...price, search: fee } };
}

/** Found by the model's id, else by an alias of its card, else by its provider. */
function priceFor(provider: string, { id, aliases = [] }: ModelCard, prices: Prices): OverlayPrice | undefined {
  const name = [id, ...aliases, '*'].map((model) => `${provider}/${model}`).find((key) => Object.hasOwn(prices, key));
  return name === undefined ? undefined : prices[name];
}

/** A full price replaces the card's. A factor multiplies it and what the provider states, so an unknown price stays unknown. */
function overlaid(price: TokenPrice | null, own: OverlayPrice): TokenPrice | null {
  const { input, output, source, times = 1 } = own;
  if (input !== undefined && output !== undefined) return { ...own, input, output, source: source ?? SOURCE };
  if (price === null) return null;
  const { source: listed = 'the card' } = price;
  const factors = { times: (price.times ?? 1) * times, statedTimes: times };
  return { ...price, ...factors, source: `${listed}, times ${times} by ${source ?? SOURCE}` };
}
