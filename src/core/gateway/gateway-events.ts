/** What the gateway decides or notices by itself, beside the answers of its calls. */

import type { Target } from '../model/event.ts';
import type { Forecast } from '../money/forecast.ts';
import type { HealthEvent } from './health-events.ts';
import type { LifecycleEvent } from './lifecycle-events.ts';
import type { Told } from './told.ts';

export type * from './health-events.ts';
export type * from './lifecycle-events.ts';

/** A provider in a region, or one of its models, has failed so often that it is not asked for a while. */
export interface BreakerOpened extends Told {
  readonly type: 'breaker-opened';
  /** `provider/model`, or `provider` with `@region` where it has one. */
  readonly what: string;
  /** Epoch milliseconds when one attempt tries it again. */
  readonly until: number;
}

/** It answers again. */
export interface BreakerClosed extends Told {
  readonly type: 'breaker-closed';
  readonly what: string;
}

/** The limits that an endpoint announced have no room: calls wait until there is some, or go to another target. */
export interface Throttled extends Told {
  readonly type: 'throttled';
  readonly target: Target;
  /** Epoch milliseconds when the first of them goes on. */
  readonly until: number;
}

/** An endpoint is overloaded and gets fewer requests at the same time. */
export interface ConcurrencyReduced extends Told {
  readonly type: 'concurrency-reduced';
  /** The provider, with `@region` where it has one. */
  readonly what: string;
  /** Requests at the same time from now on. */
  readonly slots: number;
}

/** A model is not kept warm until tomorrow. */
export interface WarmingPaused extends Told {
  readonly type: 'warming-paused';
  /** As the config names it. */
  readonly model: string;
}

/** A target said nothing for so long that a second one was asked beside it. Told when one of them has spoken, or both have failed. */
export interface Hedged extends Told {
  readonly type: 'hedged';
  readonly callId: string;
  /** `provider/model`, with `@region` where it has one. */
  readonly first: string;
  readonly second: string;
  /** Milliseconds that the first had said nothing. */
  readonly afterMs: number;
  readonly winner: 'first' | 'second' | 'none';
}

/** Of whom a budget is. */
export interface BudgetOwner {
  readonly kind: string;
  readonly id: string;
}

/** A share of a budget is spent; told once for each share, scope and period. */
export interface BudgetAlert extends Told {
  readonly type: 'budget-alert';
  readonly scope: BudgetOwner;
  /** The period of the budget by its name, such as `2026-11`; absent where it has none. */
  readonly period?: string;
  /** 0.8: four fifths of the cap. */
  readonly share: number;
  readonly spentNanoUsd: number;
  readonly capNanoUsd: number;
  /** What will be spent by the end of the period; null where too little is known, absent for a budget without a period. */
  readonly forecast?: Forecast | null;
}

/** The amount of a commitment is used up; told once for each period longer than a minute, by whichever process used the last of it. */
export interface CommitmentSpent extends Told {
  readonly type: 'commitment-spent';
  /** Provider, model or `*`, unit, period and price of the commitment. */
  readonly what: string;
  /** The period by its name, such as `2026-11`. */
  readonly period: string;
  readonly amount: { readonly nanoUsd: number } | { readonly tokens: number };
}

/** A call did not fit a budget with `dryRun`, and was made all the same. */
export interface BudgetDryRun extends Told {
  readonly type: 'budget-dry-run';
  readonly scope: BudgetOwner;
  readonly period?: string;
  readonly capNanoUsd: number;
  /** Spent and held. */
  readonly takenNanoUsd: number;
  /** The most that the call may cost. */
  readonly neededNanoUsd: number;
}

/** The last seven days cost much more or much less than the seven before; told at most once in seven days for each scope. */
export interface SpendDrift extends Told {
  readonly type: 'spend-drift';
  readonly scope: BudgetOwner;
  readonly lastNanoUsd: number;
  readonly beforeNanoUsd: number;
  /** 0.4: two fifths more. */
  readonly change: number;
}

/** So much of a provider's budget is spent that other providers come first, until the period ends. */
export interface ProviderShifted extends Told {
  readonly type: 'provider-shifted';
  readonly provider: string;
  readonly period?: string;
  readonly spentNanoUsd: number;
  readonly capNanoUsd: number;
}

/** A provider counts the tokens of a model by a quarter more or fewer than before; told at most once a day by a process. */
export interface TokenDriftTold extends Told {
  readonly type: 'token-drift';
  /** `provider/model`. */
  readonly what: string;
  /** Tokens that it has counted for one of our own estimate, and counts lately. */
  readonly learned: number;
  readonly recent: number;
}

/** A model is too slow for a route: the next one comes before it. */
export interface RouteLeft extends Told {
  readonly type: 'route-left';
  /** Its name in the config. */
  readonly route: string;
  /** `provider/model`, with `@region` where it has one. */
  readonly what: string;
  /** The 95th percentile of its answers within the window, in milliseconds. */
  readonly p95Ms: number | null;
  /** The `p95Ms` of the route. */
  readonly limitMs: number;
}

/** It is fast enough again, or has not been asked for so long that nobody knows. */
export interface RouteResumed extends Told {
  readonly type: 'route-resumed';
  readonly route: string;
  readonly what: string;
  /** null: no answer within the window. */
  readonly p95Ms: number | null;
  readonly limitMs: number;
}

/** What a provider bills for a prompt is not what its own endpoint counts; told at most once a day for a model by a process. */
export interface ClaimDiffers extends Told {
  readonly type: 'claim-differs';
  /** `provider/model`, with `@region` where it has one. */
  readonly what: string;
  /** The id of the call. */
  readonly call: string;
  /** Tokens of the prompt. */
  readonly claimed: number;
  readonly counted: number;
}

/** A batch of calls was sent to a provider. */
export interface BatchSent extends Told {
  readonly type: 'batch-sent';
  /** Our id of the batch. */
  readonly batch: string;
  /** `provider/model`, with `@region` where it has one. */
  readonly what: string;
  readonly calls: number;
}

/** A batch has no calls left that wait for it. */
export interface BatchEnded extends Told {
  readonly type: 'batch-ended';
  readonly batch: string;
  readonly what: string;
  readonly calls: number;
  /** Calls that were answered, errors of the provider excluded. */
  readonly answered: number;
  /** The provider's word for its end, such as `completed` or `expired`; `refused` where it was not accepted. */
  readonly outcome: string;
}

/** Each member has its own `type`; more will come, so ignore those that you do not know. */
export type GatewayEvent =
  | BreakerOpened
  | BreakerClosed
  | HealthEvent
  | LifecycleEvent
  | Throttled
  | ConcurrencyReduced
  | WarmingPaused
  | Hedged
  | BudgetAlert
  | CommitmentSpent
  | BudgetDryRun
  | SpendDrift
  | TokenDriftTold
  | ClaimDiffers
  | ProviderShifted
  | RouteLeft
  | RouteResumed
  | BatchSent
  | BatchEnded;

/** An event before it is told. */
export type GatewayEventDraft<E extends GatewayEvent = GatewayEvent> = E extends GatewayEvent ? Omit<E, 'at'> : never;
