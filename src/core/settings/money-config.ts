/** Caps and prices. */
import type { DatedPrice, PriceChange, PriceWindow } from '../money/token-price.ts';

export interface BudgetConfig {
  /** Whose spending is capped; `provider`: what is spent at a provider. */
  readonly scope: 'session' | 'user' | 'team' | 'tenant' | 'tag' | 'run' | 'provider';
  /** The one scope of that kind; a tag of a run is `key=value`. @default each scope has a cap of its own */
  readonly id?: string;
  /** The cap, in US dollars. */
  readonly usd: number;
  /** Starts again at 0 each day, week or month, in UTC. @default never */
  readonly period?: 'day' | 'week' | 'month';
  /** The day on which a week (1 is Monday, 7 Sunday) or a month (1 to 28) begins. @default 1 */
  readonly startsOn?: number;
  /** Amounts that are added to the cap until a time, at most 20. @default none */
  readonly raises?: readonly BudgetRaise[];
  /** Counts, and tells what would not have fit, but refuses and limits nothing. @default false */
  readonly dryRun?: boolean;
  /** Shares of the cap, above 0 to 1, that are told once a period by `budget-alert` when they are spent, at most 10. @default none */
  readonly alerts?: readonly number[];
  /** The share, above 0 to 1, by which the last seven days may differ from the seven before until `spend-drift` tells it. @default none */
  readonly drift?: number;
  /** Only of a provider: the share of the cap from which other providers come first, unless a call is critical. @default none */
  readonly shiftAt?: number;
}

/** Answers whose claim is compared with what the provider's own free endpoint counts. */
export interface ClaimsConfig {
  /** The share of answers of providers that have such an endpoint, above 0, at most 1. */
  readonly share: number;
  /** The share, above 0 to 1, by which both may differ, beside 16 tokens, until `claim-differs` tells it. @default 0.05 */
  readonly tolerance?: number;
}

/** A cap that is higher for a while. */
export interface BudgetRaise {
  /** What is added, in US dollars. */
  readonly usd: number;
  /** When it ends, `2027-01-31T18:00:00Z`. */
  readonly until: string;
}

/** Reserved capacity, or usage that was committed to: it costs nothing more, or less, until the amount of the period is used up. */
export interface CommitmentConfig {
  /** The provider that was committed to. */
  readonly provider: string;
  /** Its one model. @default all of them, together */
  readonly model?: string;
  /** The amount, in US dollars at the usual prices. @default `tokens` */
  readonly usd?: number;
  /** The amount in tokens, those of prompts and answers together. @default `usd` */
  readonly tokens?: number;
  /** How often the amount begins anew, in UTC. */
  readonly period: 'minute' | 'day' | 'week' | 'month';
  /** The day on which a week (1 is Monday, 7 Sunday) or a month (1 to 28) begins. @default 1 */
  readonly startsOn?: number;
  /** What the usual price is multiplied by until the amount is used up, 0 to 1. @default 0 */
  readonly times?: number;
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
