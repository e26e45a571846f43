/** The clock readings of one attempt: made by retry, filled by the layers that it passes, read by the budget's record. */
import type { Attempt } from '../../core/model/model.ts';

export interface Timings {
  /** Milliseconds in the limiter's queue. */
  queueMs: number;
  /** Epoch milliseconds; null while nothing has been sent to the provider. */
  dispatchedAt: number | null;
  firstTokenMs: number | null;
  /** From dispatch to end. */
  totalMs: number;
}

/** What the gateway's own layers add to an attempt; it survives a plugin's `{ ...attempt, … }`. */
export interface TimedAttempt extends Attempt {
  readonly timings?: Timings;
  /** No other target is left: an open breaker lets it through. */
  readonly lastResort?: boolean;
}

export const newTimings = (): Timings => ({ queueMs: 0, dispatchedAt: null, firstTokenMs: null, totalMs: 0 });

/** The attempt's own, or fresh ones where a plugin built an attempt of its own. */
export function timed(attempt: TimedAttempt): MeteredAttempt {
  return isMetered(attempt) ? attempt : { ...attempt, timings: newTimings() };
}

export type MeteredAttempt = TimedAttempt & { readonly timings: Timings };

const isMetered = (attempt: TimedAttempt): attempt is MeteredAttempt => attempt.timings !== undefined;
