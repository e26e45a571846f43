/**
 * Scores each deployment that satisfies a request: parts from 0 (worst) to 1 (best), weighted by intent. The figures stand in
 * columns, because a catalogue has hundreds of deployments and a call tries a few: only those become objects.
 */
import type { ModelRequest } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { expectedCostIn, pricesFor } from './estimate.ts';
import { figuresOf } from './figures/found-figures.ts';
import { fieldsOf, latencyOf, qualityOf, reliabilityOf } from './figures/posterior.ts';
import type { Deployment } from './registry.ts';
import { maskOf } from './requirements.ts';
import type { Negotiation } from './rules.ts';

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
const JSON_MODE = maskOf(['json-mode']);
const JSON_SCHEMA = maskOf(['json-schema']);

/** The figures of one decision by the index of the deployment. They are valid until the next decision is scored. */
export interface Scores {
  readonly deployments: readonly Deployment[];
  readonly columns: Columns;
}

class Columns {
  readonly size: number;
  /** Nano-dollars; NaN where the price is unknown. */
  readonly nanoUsd: Float64Array;
  readonly cost: Float64Array;
  /** Milliseconds first, NaN where unknown, then the part of the score. */
  readonly latency: Float64Array;
  readonly quality: Float64Array;
  readonly reliability: Float64Array;
  readonly fit: Float64Array;
  readonly score: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.nanoUsd = new Float64Array(size);
    this.cost = new Float64Array(size);
    this.latency = new Float64Array(size);
    this.quality = new Float64Array(size);
    this.reliability = new Float64Array(size);
    this.fit = new Float64Array(size);
    this.score = new Float64Array(size);
  }
}

/** Used by one decision after the other, because a decision is synchronous and asks no plugin while it scores. */
let columns = new Columns(64);

function columnsFor(count: number): Columns {
  if (count > columns.size) columns = new Columns(Math.max(count, 2 * columns.size));
  return columns;
}

/** Scores in the given order. */
export function scoresOf(deployments: readonly Deployment[], question: Negotiation): Scores {
  const scores: Scores = { deployments, columns: columnsFor(deployments.length) };
  compare(scores, fillFigures(scores, question), question);
  return scores;
}

/** What the costs and latencies are compared with. */
interface Comparison {
  readonly cheapest: number;
  readonly fastest: number;
  /** What an unknown latency counts as. */
  readonly unknownMs: number;
}

function fillFigures({ deployments, columns }: Scores, question: Negotiation): Comparison {
  const { registry, nowMs, committed } = question;
  const { nanoUsd, latency } = columns;
  const prices = pricesFor(registry.columns, question);
  const latencies = registry.columns.latencies();
  let cheapest = Number.POSITIVE_INFINITY;
  let fastest = Number.POSITIVE_INFINITY;
  let knownMs = 0;
  let known = 0;
  const costs = question.request.limits?.usd === undefined ? undefined : figuresOf(deployments)?.nanoUsd;
  let index = 0;
  for (const deployment of deployments) {
    const listed = costs === undefined ? expectedCostIn(prices, question, deployment) : (costs[index] as number);
    const cost = committed === undefined ? listed : listed * committed(deployment.target);
    const ms = latencyOf(deployment, latencies, nowMs);
    nanoUsd[index] = cost;
    latency[index] = ms;
    index += 1;
    // Nothing is less than NaN.
    if (cost < cheapest) cheapest = cost;
    if (Number.isNaN(ms)) continue;
    if (ms < fastest) fastest = ms;
    knownMs += ms;
    known += 1;
  }
  // An unknown latency is no good one: it counts as the mean of the known ones, and as the default at least.
  const unknownMs = known === 0 ? DEFAULT_MS : Math.max(DEFAULT_MS, knownMs / known);
  return { cheapest, fastest: Math.min(fastest, unknownMs), unknownMs };
}

function compare({ deployments, columns }: Scores, comparison: Comparison, question: Negotiation): void {
  const { cheapest, fastest, unknownMs } = comparison;
  const { request, needs, config, registry, nowMs } = question;
  const weights = WEIGHTS[request.optimise ?? config.optimise ?? 'balanced'];
  const fields = fieldsOf(registry.columns, needs.choice.strengths);
  const form = formOf(request);
  const qualities = request.limits?.quality === undefined ? undefined : figuresOf(deployments)?.quality;
  for (let index = 0; index < deployments.length; index += 1) {
    const deployment = deployments[index] as Deployment;
    const nanoUsd = columns.nanoUsd[index] as number;
    const ms = columns.latency[index] as number;
    const cost = Number.isNaN(nanoUsd) ? 0 : (cheapest + FREE) / (nanoUsd + FREE);
    const latency = (fastest + 1) / ((Number.isNaN(ms) ? unknownMs : ms) + 1);
    const quality = qualities === undefined ? qualityOf(deployment, fields, nowMs) : (qualities[index] as number);
    const reliability = reliabilityOf(deployment, nowMs);
    const fit = fitOf(deployment, form);
    columns.cost[index] = cost;
    columns.latency[index] = latency;
    columns.quality[index] = quality;
    columns.reliability[index] = reliability;
    columns.fit[index] = fit;
    columns.score[index] =
      weights.cost * cost +
      weights.latency * latency +
      weights.quality * quality +
      weights.reliability * reliability +
      weights.fit * fit;
  }
}

/** The capability that answers in the asked form, as a bit; 0 for text. */
function formOf(request: ModelRequest): number {
  if (request.operation !== 'chat' || request.output === undefined) return 0;
  return request.output.schema === undefined ? JSON_MODE : JSON_SCHEMA;
}

function fitOf({ card, mask }: Deployment, form: number): number {
  const fit = card.lifecycle?.stage === 'deprecated' ? 0.5 : 1;
  return (form & ~mask) === 0 ? fit : fit - 0.5;
}

/** One of them as an object. */
export function scoredAt({ deployments, columns }: Scores, index: number): Scored {
  const nanoUsd = at(columns.nanoUsd, index);
  return {
    deployment: deployments[index] as Deployment,
    score: at(columns.score, index),
    parts: {
      cost: at(columns.cost, index),
      latency: at(columns.latency, index),
      quality: at(columns.quality, index),
      reliability: at(columns.reliability, index),
      fit: at(columns.fit, index),
    },
    estimatedNanoUsd: Number.isNaN(nanoUsd) ? null : nanoUsd,
  };
}

const at = (column: Float64Array, index: number): number => column[index] ?? Number.NaN;

/** Scores in the given order; see `bestFirst`. */
export function scoreAll(deployments: readonly Deployment[], question: Negotiation): readonly Scored[] {
  const scores = scoresOf(deployments, question);
  return deployments.map((_deployment, index) => scoredAt(scores, index));
}

/** Best score first; equal scores keep their order. */
export const bestFirst = (scored: readonly Scored[]): readonly Scored[] =>
  [...scored].sort((a, b) => b.score - a.score);
