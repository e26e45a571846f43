/** Times and costs of one unit of a node, drawn from what was observed, what cards state and what is assumed. */
import type { Random } from '../core/clock.ts';
import type { Target } from '../core/model/model.ts';
import type { ForecastRung, ForecastWork, ObservedTarget } from '../core/run/simulation.ts';
import { ESCALATION_CHANCE, LENGTH_SIGMA, MOST_RETRIES, PRIOR_ATTEMPTS, ROUND_CHANCE, TIME_SIGMA } from './assumed.ts';
import { normal, repeats } from './draws.ts';

export type ObservedOf = (target: Target) => ObservedTarget | undefined;

/** Of one unit. It is filled anew for each, so that a unit makes no garbage. */
export interface Drawn {
  ms: number;
  /** NaN: a price is unknown. */
  nanoUsd: number;
}

/** Adds one round of a unit. */
export type Sampler = (random: Random, drawn: Drawn) => void;

/** The parameters of a log-normal distribution. */
export interface LogNormal {
  readonly mu: number;
  readonly sigma: number;
}

/** Between the median and the 95th percentile of a normal distribution. */
const Z95 = 1.645;

/** The card's mean and what was observed, each with its weight. */
export function timesOf({ ms }: Pick<ForecastRung, 'ms'>, observed: ObservedTarget | undefined): LogNormal {
  const prior = { mu: Math.log(Math.max(ms, 1e-6)) - TIME_SIGMA ** 2 / 2, sigma: TIME_SIGMA };
  const { attempts = 0, p50Ms = null, p95Ms = null } = observed ?? {};
  if (p50Ms === null || p50Ms <= 0 || attempts <= 0) return prior;
  const weight = attempts / (attempts + PRIOR_ATTEMPTS);
  const spread = p95Ms === null || p95Ms <= p50Ms ? 0 : Math.log(p95Ms / p50Ms) / Z95;
  return {
    mu: weight * Math.log(p50Ms) + (1 - weight) * prior.mu,
    sigma: weight * Math.min(spread, 2) + (1 - weight) * prior.sigma,
  };
}

export function samplerOf(work: Exclude<ForecastWork, { type: 'workflow' }>, observedOf: ObservedOf): Sampler {
  if (work.type === 'step') return stepSampler(work.ms, work.isCertain);
  const rungs = work.rungs.map((rung) =>
    rungSampler(rung, rung.target === undefined ? undefined : observedOf(rung.target)),
  );
  const { extra } = work;
  return (random, drawn) => {
    for (let at = 0; at < rungs.length; at += 1) {
      if (at > 0 && random() >= ESCALATION_CHANCE) break;
      rungs[at]?.(random, drawn);
    }
    if (extra === undefined) return;
    const factor = Math.exp(TIME_SIGMA * normal(random) - TIME_SIGMA ** 2 / 2);
    drawn.ms += extra.ms * factor;
    drawn.nanoUsd += extra.nanoUsd === null ? Number.NaN : extra.nanoUsd * factor;
  };
}

function stepSampler(ms: number, isCertain: boolean): Sampler {
  if (isCertain || ms === 0) {
    return (_random, drawn) => {
      drawn.ms += ms;
    };
  }
  const mean = -(TIME_SIGMA ** 2) / 2;
  return (random, drawn) => {
    drawn.ms += ms * Math.exp(mean + TIME_SIGMA * normal(random));
  };
}

function rungSampler(rung: ForecastRung, observed: ObservedTarget | undefined): Sampler {
  const { mu, sigma } = timesOf(rung, observed);
  const failed = Math.min(Math.max(observed?.errorRate ?? 0, 0), 0.95);
  const fixed = rung.fixedNanoUsd ?? Number.NaN;
  const answer = rung.answerNanoUsd ?? Number.NaN;
  const { calls, mostCalls, longest } = rung;
  const mean = -(LENGTH_SIGMA ** 2) / 2;
  return (random, drawn) => {
    // A second call follows with the chance that gives the expected number of calls.
    const count = calls > 1 ? repeats(random, 1 - 1 / calls, mostCalls) : 1;
    for (let call = 0; call < count; call += 1) {
      const attempts = failed === 0 ? 1 : repeats(random, failed, 1 + MOST_RETRIES);
      for (let attempt = 0; attempt < attempts; attempt += 1) drawn.ms += Math.exp(mu + sigma * normal(random));
      drawn.nanoUsd += fixed + answer * Math.min(Math.exp(mean + LENGTH_SIGMA * normal(random)), longest);
    }
  };
}

/** Rounds of a `repeat`. */
export const roundsDrawn = (random: Random, most: number): number =>
  most <= 1 ? 1 : repeats(random, ROUND_CHANCE, most);
