/** Time, randomness and ids: injected everywhere, so that a test controls every race. */
import type { Processes } from './processes.ts';

export interface Clock {
  /** Milliseconds since the epoch: for records and for prices that depend on the time of day. */
  now(): number;
  /**
   * The step of `now`, in milliseconds: what is recorded within one may have the same time, a step late at most.
   *
   * @default 0: it is read for each record
   */
  readonly stepMs?: number;
  /** Monotonic milliseconds, fractions included: for durations. */
  monotonic(): number;
  /**
   * Names what `monotonic` counts from: processes with the same origin can compare their times, whatever happens to the clock
   * on the wall. @default none: comparable within this process only
   */
  origin?(): string | undefined;
  /**
   * Calls back once after `delayMs`; the returned function cancels. The process stays alive for it, unless `background`
   * says that nothing waits for it (probes, flushes that `close` also does).
   */
  schedule(delayMs: number, callback: () => void, options?: { readonly background?: boolean }): () => void;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** Returns an id that is unique across processes; `prefix` names the kind of thing (`run`, `call`). */
export type Ids = (prefix: string) => string;

export interface Runtime {
  /** Names this process in the leases of its runs, so that others can ask whether it lives. @default leases decide alone */
  readonly processes?: Processes;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
}
