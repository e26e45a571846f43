/**
 * How long to wait for a first token or an answer of one target, by what was observed of it: p99 + 4 × (p99 − p50), as the
 * retransmission timer of TCP waits for the smoothed time and four times its deviation (RFC 6298, section 2), with quantiles
 * because times of models have long tails.
 *
 * V1. Never longer than the default, and never shorter than a quarter of it: longer prompts than before may take longer.
 * V2. Only from 20 observations of the last minutes on.
 * V3. The quantiles are read once a second, because reading them costs as much as a layer.
 * V4. Each timeout doubles the time until something is answered (RFC 6298, section 5.5): what is cut off is not observed.
 */
import type { Sketch } from '../../routing/figures/sketch.ts';
import type { TargetStatistics } from '../../routing/statistics.ts';

export const DEFAULT_TIMEOUTS = { firstTokenMs: 120_000, answerMs: 300_000, idleMs: 60_000, totalMs: 600_000 };

const LEAST_OBSERVATIONS = 20;
const LEAST_SHARE = 0.25;
const DEVIATIONS = 4;
const READ_EVERY_MS = 1000;

export interface AdaptiveTimeouts {
  /** In milliseconds. */
  of(field: 'firstTokenMs' | 'answerMs', nowMs: number): number;
  timedOut(): void;
  answered(): void;
}

/** A cache: the statistics of a target outlive its deployments. */
const known = new WeakMap<TargetStatistics, AdaptiveTimeouts>();

export function adaptiveTimeouts(statistics: TargetStatistics): AdaptiveTimeouts {
  const before = known.get(statistics);
  if (before !== undefined) return before;
  const made = timeoutsOf(statistics);
  known.set(statistics, made);
  return made;
}

function timeoutsOf({ firstToken, total }: TargetStatistics): AdaptiveTimeouts {
  let backOff = 1;
  const observed = {
    firstTokenMs: { ms: DEFAULT_TIMEOUTS.firstTokenMs, readAt: Number.NEGATIVE_INFINITY },
    answerMs: { ms: DEFAULT_TIMEOUTS.answerMs, readAt: Number.NEGATIVE_INFINITY },
  };
  return {
    of(field, nowMs) {
      const latest = observed[field];
      if (Math.abs(nowMs - latest.readAt) >= READ_EVERY_MS) {
        latest.ms = bounded(field === 'answerMs' ? total : firstToken, DEFAULT_TIMEOUTS[field], nowMs);
        latest.readAt = nowMs;
      }
      return Math.min(DEFAULT_TIMEOUTS[field], latest.ms * backOff);
    },
    timedOut() {
      backOff = Math.min(2 / LEAST_SHARE, backOff * 2);
    },
    answered() {
      backOff = 1;
    },
  };
}

function bounded(sketch: Sketch, longest: number, nowMs: number): number {
  if (sketch.weight(nowMs) < LEAST_OBSERVATIONS) return longest;
  const p50 = sketch.quantile(0.5, nowMs);
  const p99 = sketch.quantile(0.99, nowMs);
  if (p50 === undefined || p99 === undefined) return longest;
  return Math.min(longest, Math.max(longest * LEAST_SHARE, Math.ceil(p99 + DEVIATIONS * (p99 - p50))));
}
