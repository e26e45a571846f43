/** The prices of the config, which override those on the cards. */
import type { Config } from '../../core/config.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import type { TokenPrice } from '../../core/money/token-price.ts';

type Prices = NonNullable<Config['prices']>;
type OverlayPrice = Prices[string];

const SOURCE = 'the config';

/** Returns the card itself if the config has no price for it. */
export function withPrice(provider: string, card: ModelCard, prices: Config['prices']): ModelCard {
  const own = prices === undefined ? undefined : priceFor(provider, card, prices);
  return own === undefined ? card : { ...card, price: overlaid(card.price, own) };
}

/** Found by the model's id, else by an alias of its card, else by its provider. */
function priceFor(provider: string, { id, aliases = [] }: ModelCard, prices: Prices): OverlayPrice | undefined {
  const name = [id, ...aliases, '*'].map((model) => `${provider}/${model}`).find((key) => Object.hasOwn(prices, key));
  return name === undefined ? undefined : prices[name];
}

/** A full price replaces the card's. A factor only multiplies it, so an unknown price stays unknown. */
function overlaid(price: TokenPrice | null, own: OverlayPrice): TokenPrice | null {
  const { input, output, source, times = 1 } = own;
  if (input !== undefined && output !== undefined) return { ...own, input, output, source: source ?? SOURCE };
  if (price === null) return null;
  const { source: listed = 'the card' } = price;
  return { ...price, times: (price.times ?? 1) * times, source: `${listed}, times ${times} by ${source ?? SOURCE}` };
}
