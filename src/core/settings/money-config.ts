/** Caps and prices. */
import type { DatedPrice, PriceChange, PriceWindow } from '../money/token-price.ts';

export interface BudgetConfig {
  /** Whose spending is capped. */
  readonly scope: 'session' | 'user' | 'team' | 'tenant' | 'tag' | 'run';
  /** The one scope of that kind; a tag of a run is `key=value`. @default each scope has a cap of its own */
  readonly id?: string;
  /** The cap, in US dollars. */
  readonly usd: number;
  /** Starts again at 0 each day or month, in UTC. @default never */
  readonly period?: 'day' | 'month';
}

/** The complete price of one model (`input` and `output`), or only `times`, which multiplies the built-in price. */
export interface PriceConfig extends PriceChange {
  /** If there was any reasoning, its rate applies to the whole answer. @default false */
  readonly reasoningCoversAnswer?: boolean;
  /** These rates also decide where the provider states a cost, which otherwise settles the answer. @default false */
  readonly overStated?: boolean;
  /** Other rates from a date on, in ascending order, at most 10; each changes the one before. @default none */
  readonly changes?: readonly DatedPrice[];
  /** Other rates at hours of the day, at most 10; where several apply, the last one counts. @default none */
  readonly windows?: readonly PriceWindow[];
  /** Other rates by the provider's service tier (`batch`, `flex`, `priority`). @default every tier costs the same */
  readonly serviceTiers?: Readonly<Record<string, PriceChange>>;
  /** Where the figures come from, for readers. @default none */
  readonly source?: string;
}
