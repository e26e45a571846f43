/** What the gateway decides or notices by itself, beside the answers of its calls. */
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

/** Each member has its own `type`; more will come, so ignore those that you do not know. */
export type GatewayEvent = BreakerOpened | BreakerClosed | HealthEvent | LifecycleEvent;

/** An event before it is told. */
export type GatewayEventDraft<E extends GatewayEvent = GatewayEvent> = E extends GatewayEvent ? Omit<E, 'at'> : never;
