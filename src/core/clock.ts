/** Time, chance and ids: injected everywhere, so that every race can be driven by hand in a test. */

export interface Clock {
  /** Milliseconds since the epoch: for records and for prices that depend on the time of day. */
  now(): number;
  /** Monotonic milliseconds, fractions included: for durations. */
  monotonic(): number;
  /**
   * Calls back once after `delayMs`; the returned function cancels. The process stays alive for it, unless `background`
   * says that nobody waits for it (probes, flushes that closing does too).
   */
  schedule(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): () => void;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** A new id that no other process makes too; `prefix` says of what (`run`, `call`). */
export type Ids = (prefix: string) => string;

export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
}
