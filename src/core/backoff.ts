/** How long to wait before the next attempt: one rule for models, tools and stores. */
import type { Random } from './clock.ts';

export interface BackOff {
  /** The number of attempts that have failed, from 1. */
  readonly failures: number;
  /** The longest wait after the first failure, in milliseconds; it doubles with each further failure. */
  readonly baseMs: number;
  /** The longest wait, in milliseconds; only `atLeastMs` may exceed it. */
  readonly maxMs: number;
  /** Full jitter: the wait is uniform between 0 and the ceiling, so that callers that failed together do not retry together. */
  readonly random: Random;
  /** The shortest wait, as the other side asked for it, in milliseconds. @default 0 */
  readonly atLeastMs?: number;
}

/** Returns the milliseconds to wait. Draws one random number. */
export function backOffMs({ failures, baseMs, maxMs, random, atLeastMs = 0 }: BackOff): number {
  return Math.max(atLeastMs, random() * ceilingMs(failures, baseMs, maxMs));
}

/** The longest wait after this number of failures, in milliseconds: base, twice the base, four times the base, …, at most `maxMs`. */
export const ceilingMs = (failures: number, baseMs: number, maxMs: number): number =>
  Math.min(maxMs, baseMs * 2 ** Math.max(0, failures - 1));
