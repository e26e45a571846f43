/** Scores each deployment that satisfies a request: parts from 0 (worst) to 1 (best), weighted by intent. */
import type { ModelRequest } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { expectedCost, termsOf } from './estimate.ts';
import { latencyOf, qualityOf } from './figures/posterior.ts';
import type { Negotiation } from './negotiate.ts';
import type { Deployment } from './registry.ts';

export interface ScoreParts extends Readonly<Record<string, number>> {
  readonly cost: number;
  readonly latency: number;
  readonly quality: number;
  readonly reliability: number;
  /** Lower if the request must be adapted or the model is deprecated. */
  readonly fit: number;
}

export interface Scored {
  readonly deployment: Deployment;
  readonly score: number;
  readonly parts: ScoreParts;
  readonly estimatedNanoUsd: NanoUsd | null;
}

type Intent = NonNullable<ModelRequest['optimise']>;

/** Weights, which add up to 1; `balanced` unless the request or the config sets another intent. */
const WEIGHTS: Readonly<Record<Intent, ScoreParts>> = {
  cost: { cost: 0.7, latency: 0.05, quality: 0.1, reliability: 0.1, fit: 0.05 },
  latency: { cost: 0.05, latency: 0.7, quality: 0.1, reliability: 0.1, fit: 0.05 },
  quality: { cost: 0.05, latency: 0.05, quality: 0.75, reliability: 0.1, fit: 0.05 },
  balanced: { cost: 0.3, latency: 0.15, quality: 0.35, reliability: 0.15, fit: 0.05 },
};

const DEFAULT_MS = 1500;
/** A hundredth of a cent, in nano-dollars: without it, a free model would make every other price infinitely bad. */
const FREE = 100_000;

interface Figures {
  readonly deployment: Deployment;
  readonly cost: NanoUsd | null;
  readonly ms: number | undefined;
}

/** Scores in the given order; see `bestFirst`. */
export function scoreAll(deployments: readonly Deployment[], negotiation: Negotiation): readonly Scored[] {
  const { request, needs, config, nowMs } = negotiation;
  const weights = WEIGHTS[request.optimise ?? config.optimise ?? 'balanced'];
  const terms = termsOf(request, nowMs);
  let cheapest = Number.POSITIVE_INFINITY;
  let fastest = Number.POSITIVE_INFINITY;
  let knownMs = 0;
  let known = 0;
  const figures = deployments.map((deployment): Figures => {
    const cost = expectedCost(request, needs.size, deployment, terms);
    const ms = latencyOf(deployment, nowMs);
    cheapest = Math.min(cheapest, cost ?? cheapest);
    if (ms !== undefined) {
      fastest = Math.min(fastest, ms);
      knownMs += ms;
      known += 1;
    }
    return { deployment, cost, ms };
  });
  // An unknown latency is no good one: it counts as the mean of the known ones, and as the default at least.
  const unknownMs = known === 0 ? DEFAULT_MS : Math.max(DEFAULT_MS, knownMs / known);
  fastest = Math.min(fastest, unknownMs);
  return figures.map((figure) => scoreOne(figure, { cheapest, fastest, unknownMs, weights }, negotiation));
}

/** Best score first; equal scores keep their order. */
export const bestFirst = (scored: readonly Scored[]): readonly Scored[] =>
  [...scored].sort((a, b) => b.score - a.score);

/** The first of `bestFirst`, without sorting. */
export function bestOf(scored: readonly Scored[]): Scored | undefined {
  let best: Scored | undefined;
  for (const one of scored) if (best === undefined || one.score > best.score) best = one;
  return best;
}

interface Comparison {
  readonly cheapest: number;
  readonly fastest: number;
  readonly unknownMs: number;
  readonly weights: ScoreParts;
}

function scoreOne(
  { deployment, cost, ms }: Figures,
  { cheapest, fastest, unknownMs, weights }: Comparison,
  { request, needs, nowMs }: Negotiation,
): Scored {
  const { statistics } = deployment;
  const parts: ScoreParts = {
    cost: cost === null ? 0 : (cheapest + FREE) / (cost + FREE),
    latency: (fastest + 1) / ((ms ?? unknownMs) + 1),
    quality: qualityOf(deployment, needs.choice.strengths, nowMs),
    reliability: 1 - statistics.errorRate(nowMs),
    fit: fitOf(deployment, request),
  };
  const score =
    weights.cost * parts.cost +
    weights.latency * parts.latency +
    weights.quality * parts.quality +
    weights.reliability * parts.reliability +
    weights.fit * parts.fit;
  return { deployment, score, parts, estimatedNanoUsd: cost };
}

function fitOf({ card }: Deployment, request: ModelRequest): number {
  let fit = 1;
  if (card.lifecycle?.stage === 'deprecated') fit -= 0.5;
  if (request.operation === 'chat' && request.output !== undefined) {
    const native = request.output.schema === undefined ? 'json-mode' : 'json-schema';
    if (!card.capabilities.includes(native)) fit -= 0.5;
  }
  return fit;
}
