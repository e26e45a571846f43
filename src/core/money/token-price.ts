/**
 * What a provider charges, as in its price list: USD per million tokens of a kind, per image, per request. Rates may differ
 * above a length of prompt, from a date on, at hours of the day and by service tier; `costOf` in price.ts says how they
 * combine.
 */

/** A kind without a rate has the rate of the kind that it is part of. */
export interface PriceRates {
  /** Tokens of the prompt, in USD per million. */
  readonly input: number;
  /** Tokens of the answer, in USD per million. */
  readonly output: number;
  /** Prompt tokens read from the provider's cache, in USD per million. @default input */
  readonly cacheRead?: number | undefined;
  /** Prompt tokens written to the cache for five minutes, in USD per million. @default input */
  readonly cacheWrite?: number | undefined;
  /** Prompt tokens written to the cache for an hour, in USD per million. @default cacheWrite */
  readonly cacheWriteLong?: number | undefined;
  /** Tokens of reasoning, in USD per million. @default output */
  readonly reasoning?: number | undefined;
  /** Tokens of audio in the prompt, in USD per million. @default input */
  readonly audioInput?: number | undefined;
  /** Tokens of audio read from the cache, in USD per million. @default cacheRead */
  readonly audioCacheRead?: number | undefined;
  /** Tokens of audio in the answer, in USD per million. @default output */
  readonly audioOutput?: number | undefined;
  /** Tokens of pictures in the prompt, in USD per million. @default input */
  readonly imageInput?: number | undefined;
  /** Tokens of pictures in the answer, in USD per million. @default output */
  readonly imageOutput?: number | undefined;
  /** One generated image, in USD, if images are priced per image. @default the price of generated images is unknown */
  readonly image?: number | undefined;
  /** One request, in USD, whatever its size. @default 0 */
  readonly request?: number | undefined;
  /** One search that the provider's server made, in USD. @default the provider's own fee, else unknown */
  readonly search?: number | undefined;
}

/** Some of the rates. */
export type SomeRates = { readonly [Kind in keyof PriceRates]?: PriceRates[Kind] | undefined };

/** Other rates for the whole request above a threshold of input tokens. */
export interface PriceTier extends SomeRates {
  /** The number of prompt tokens above which the whole request has these rates. */
  readonly aboveInputTokens: number;
}

/** A change of the price that it belongs to; rates that it does not name stay. */
export interface PriceChange extends SomeRates {
  /** Multiplies every rate, including those of `tiers`. @default 1 */
  readonly times?: number | undefined;
  /** Other rates for long prompts, in ascending order of their thresholds, which replace the price's own. @default the price's own */
  readonly tiers?: readonly PriceTier[] | undefined;
}

/** Other rates from the beginning of a day (UTC), `2027-01-01`. */
export interface DatedPrice extends PriceChange {
  /** The first day on which they apply (UTC), `2027-01-01`. */
  readonly from: string;
}

/** Other rates at hours of the day (UTC), `01:30`; the start belongs to the window, the end does not. */
export interface PriceWindow extends PriceChange {
  /** When they begin (UTC), `01:30`. */
  readonly start: string;
  /** When they end (UTC); a time at or before the start is on the next day. */
  readonly end: string;
  /** Days of the week on which it starts, Sunday 0. @default every day */
  readonly days?: readonly number[] | undefined;
}

export interface TokenPrice extends PriceRates {
  /** Multiplies every rate, such as for an agreed discount. @default 1 */
  readonly times?: number | undefined;
  /** If there was any reasoning, its rate applies to the whole answer. @default false */
  readonly reasoningCoversAnswer?: boolean | undefined;
  /** In ascending order of their thresholds. */
  readonly tiers?: readonly PriceTier[] | undefined;
  /** In ascending order; each changes the one before. */
  readonly changes?: readonly DatedPrice[] | undefined;
  /** If several apply, the last one counts. */
  readonly windows?: readonly PriceWindow[] | undefined;
  /** By the provider's names (`batch`, `flex`, `priority`); a tier that is not named has the usual rates. */
  readonly serviceTiers?: Readonly<Record<string, PriceChange>> | undefined;
  /** These rates also decide where the provider states a cost, which otherwise settles the answer. @default false */
  readonly overStated?: boolean | undefined;
  /** Multiplies a cost that the provider states. @default 1 */
  readonly statedTimes?: number | undefined;
  /** Where the figures come from, for readers. */
  readonly source?: string | undefined;
}
