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
export type GatewayEvent = BreakerOpened | BreakerClosed | Hedged;

/** An event before it is told. */
export type GatewayEventDraft<E extends GatewayEvent = GatewayEvent> = E extends GatewayEvent ? Omit<E, 'at'> : never;
