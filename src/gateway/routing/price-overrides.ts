/** The config's prices over those on the cards. */
import type { Config } from '../../core/config.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import type { TokenPrice } from '../../core/money/token-price.ts';

type Prices = NonNullable<Config['prices']>;
type OverlayPrice = Prices[string];

const SOURCE = 'the config';

/** The card itself where the config says nothing of it. */
export function withPrice(provider: string, card: ModelCard, prices: Config['prices']): ModelCard {
  const own = prices === undefined ? undefined : priceFor(provider, card, prices);
  return own === undefined ? card : { ...card, price: overlaid(card.price, own) };
}

/** By the model's id, by an alias of its card, by its provider. */
function priceFor(provider: string, { id, aliases = [] }: ModelCard, prices: Prices): OverlayPrice | undefined {
  const name = [id, ...aliases, '*'].map((model) => `${provider}/${model}`).find((key) => Object.hasOwn(prices, key));
  return name === undefined ? undefined : prices[name];
}

/** A whole price replaces the card's; a factor alone multiplies it, and what is unknown stays so. */
function overlaid(price: TokenPrice | null, own: OverlayPrice): TokenPrice | null {
  const { input, output, source, times = 1 } = own;
  if (input !== undefined && output !== undefined) return { ...own, input, output, source: source ?? SOURCE };
  if (price === null) return null;
  const { source: listed = 'the card' } = price;
  return { ...price, times: (price.times ?? 1) * times, source: `${listed}, times ${times} by ${source ?? SOURCE}` };
}
