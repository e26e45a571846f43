/** How long to wait before the next try: one rule for models, tools and stores. */
import type { Random } from './clock.ts';

export interface BackOff {
  /** Tries that have failed, from 1. */
  readonly failures: number;
  /** The most that is waited after the first failure, in milliseconds; it doubles with each further one. */
  readonly baseMs: number;
  /** The most that is waited at all, in milliseconds, but for `atLeastMs`. */
  readonly maxMs: number;
  /** Full jitter: the wait is uniform between 0 and the ceiling, so that many who failed together do not come back together. */
  readonly random: Random;
  /** What the other side asked to wait, in milliseconds. @default 0 */
  readonly atLeastMs?: number;
}

/** Milliseconds to wait. Takes one random number. */
export function backOffMs({ failures, baseMs, maxMs, random, atLeastMs = 0 }: BackOff): number {
  return Math.max(atLeastMs, random() * ceilingMs(failures, baseMs, maxMs));
}

/** The most that is waited after so many failures, in milliseconds: base, twice the base, four times the base, …, at most `maxMs`. */
export const ceilingMs = (failures: number, baseMs: number, maxMs: number): number =>
  Math.min(maxMs, baseMs * 2 ** Math.max(0, failures - 1));
