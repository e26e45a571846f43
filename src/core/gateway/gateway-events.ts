/** What the gateway decides or notices by itself, beside the answers of its calls. */

/** Fields of every event. Plain JSON without keys and without texts of calls. */
interface Told {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `warn`: an operator may want to act. */
  readonly level: 'info' | 'warn';
  /** A sentence for people; programs read the other fields. */
  readonly message: string;
}

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
export type GatewayEvent = BreakerOpened | BreakerClosed | BatchSent | BatchEnded;

/** An event before it is told. */
export type GatewayEventDraft<E extends GatewayEvent = GatewayEvent> = E extends GatewayEvent ? Omit<E, 'at'> : never;
