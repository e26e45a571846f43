/** What the gateway decides or notices by itself, beside the answers of its calls. */
import type { Target } from '../model/event.ts';
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

/** Each member has its own `type`; more will come, so ignore those that you do not know. */
export type GatewayEvent =
  | BreakerOpened
  | BreakerClosed
  | HealthEvent
  | LifecycleEvent
  | Throttled
  | ConcurrencyReduced
  | WarmingPaused
  | Hedged;

/** An event before it is told. */
export type GatewayEventDraft<E extends GatewayEvent = GatewayEvent> = E extends GatewayEvent ? Omit<E, 'at'> : never;
