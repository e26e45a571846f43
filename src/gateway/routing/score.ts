/**
 * Scores each deployment that satisfies a request: parts from 0 (worst) to 1 (best), weighted by intent. The figures stand in
 * columns, because a catalogue has hundreds of deployments and a call tries a few: only those become objects.
 */
import type { ModelRequest } from '../../core/model/model.ts';
import type { NanoUsd } from '../../core/money/money.ts';
import { maskOf } from '../calls/requirements.ts';
import { ExpectedCosts } from './estimate.ts';
import { fieldsOf, latencyOf, qualityOf, reliabilityOf } from './figures/posterior.ts';
import { type FoundFigures, keepFigures, type Negotiation, takeFigures, type Waits, waitAt } from './negotiation.ts';
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
/** Nobody waits longer. */
const LONGEST_WAIT_MS = 3_600_000;
/** A hundredth of a cent, in nano-dollars: without it, a free model would make every other price infinitely bad. */
const FREE = 100_000;
const JSON_MODE = maskOf(['json-mode']);
const JSON_SCHEMA = maskOf(['json-schema']);

/** The figures of one decision by the index of the deployment. */
export interface Scores {
  readonly deployments: readonly Deployment[];
  readonly columns: Columns;
}

class Columns {
  readonly size: number;
  /** The row of the card. */
  readonly row: Int32Array;
  /** Nano-dollars; NaN where the price is unknown. */
  readonly nanoUsd: Float64Array;
  readonly cost: Float64Array;
  /** Milliseconds first, NaN where unknown, with the wait for announced limits or a slot, then the part of the score. */
  readonly latency: Float64Array;
  readonly quality: Float64Array;
  readonly reliability: Float64Array;
  readonly fit: Float64Array;
  readonly score: Float64Array;

  constructor(size: number) {
    this.size = size;
    this.row = new Int32Array(size);
    this.nanoUsd = new Float64Array(size);
    this.cost = new Float64Array(size);
    this.latency = new Float64Array(size);
    this.quality = new Float64Array(size);
    this.reliability = new Float64Array(size);
    this.fit = new Float64Array(size);
    this.score = new Float64Array(size);
  }
}

const FIRST_SIZE = 64;

/**
 * Used by one decision after the other, because a decision is synchronous. Undefined while one uses them: tokenizers and listeners are
 * called within it, and may ask the gateway, whose decision then has columns of its own.
 */
let spare: Columns | undefined;

function columnsFor(count: number): Columns {
  const before = spare;
  spare = undefined;
  return before !== undefined && count <= before.size ? before : new Columns(Math.max(FIRST_SIZE, 2 * count));
}

/** Nobody reads them any more: the next decision may have their columns. */
export function releaseScores({ columns }: Scores): void {
  spare = columns;
}

/** Scores in the given order, until they are released. `found`: what the limits have found of these deployments. */
export function scoresOf(
  deployments: readonly Deployment[],
  question: Negotiation,
  found: FoundFigures | undefined,
): Scores {
  const scores: Scores = { deployments, columns: columnsFor(deployments.length) };
  fillFigures(scores, question, found);
  const compared = compareFigures(scores);
  addUp(scores, question.waits === undefined ? compared : withWaits(scores, compared, question.waits), question);
  return scores;
}

/** The one pass over the deployments themselves: what follows reads columns. */
function fillFigures({ deployments, columns }: Scores, question: Negotiation, found: FoundFigures | undefined): void {
  const { request, needs, registry, nowMs } = question;
  const costs = new ExpectedCosts(registry.columns, question);
  const latencies = registry.columns.latencies();
  const fields = fieldsOf(registry.columns, needs.choice.strengths);
  const { isDeprecated } = registry.columns.facts();
  const form = formOf(request);
  const isCosted = found !== undefined && request.limits?.usd !== undefined;
  const isRated = found !== undefined && request.limits?.quality !== undefined;
  const { row, nanoUsd, latency, quality, reliability, fit } = columns;
  for (let index = 0; index < deployments.length; index += 1) {
    const deployment = deployments[index] as Deployment;
    row[index] = deployment.row;
    nanoUsd[index] = isCosted ? (found.nanoUsd[index] as number) : costs.of(deployment);
    latency[index] = latencyOf(deployment, latencies, nowMs);
    quality[index] = isRated ? (found.quality[index] as number) : qualityOf(deployment, fields, nowMs);
    reliability[index] = reliabilityOf(deployment, nowMs);
    fit[index] = (isDeprecated[deployment.row] === 1 ? 0.5 : 1) - ((form & ~deployment.mask) === 0 ? 0 : 0.5);
  }
  const { committed } = question;
  if (committed === undefined) return;
  deployments.forEach(({ target }, index) => {
    nanoUsd[index] = (nanoUsd[index] as number) * committed(target);
  });
}

/** What the costs and latencies are compared with. */
interface Comparison {
  readonly cheapest: number;
  readonly fastest: number;
  /** The mean of the known ones. */
  readonly meanMs: number;
  /** What an unknown latency counts as. */
  readonly unknownMs: number;
}

function compareFigures({ deployments, columns: { nanoUsd, latency } }: Scores): Comparison {
  let cheapest = Number.POSITIVE_INFINITY;
  let fastest = Number.POSITIVE_INFINITY;
  let knownMs = 0;
  let known = 0;
  for (let index = 0; index < deployments.length; index += 1) {
    const cost = nanoUsd[index] as number;
    const ms = latency[index] as number;
    // Nothing is less than NaN.
    if (cost < cheapest) cheapest = cost;
    if (Number.isNaN(ms)) continue;
    if (ms < fastest) fastest = ms;
    knownMs += ms;
    known += 1;
  }
  // An unknown latency is no good one: it counts as the mean of the known ones, and as the default at least.
  const meanMs = known === 0 ? DEFAULT_MS : knownMs / known;
  const unknownMs = Math.max(DEFAULT_MS, meanMs);
  return { cheapest, fastest: Math.min(fastest, unknownMs), meanMs, unknownMs };
}

/**
 * Where a candidate would wait for its announced limits or for a slot, the wait is part of its latency. An unknown latency then counts as
 * the mean only: else calls would wait beside a target of which nothing is known but that it could answer now.
 */
function withWaits({ deployments, columns: { latency } }: Scores, compared: Comparison, waits: Waits): Comparison {
  const { cheapest, meanMs } = compared;
  let isWaiting = false;
  for (let index = 0; index < deployments.length; index += 1) {
    const known = latency[index] as number;
    const waitMs = waitAt(waits, deployments[index] as Deployment, known);
    if (waitMs === 0) continue;
    latency[index] = (Number.isNaN(known) ? meanMs : known) + Math.min(LONGEST_WAIT_MS, waitMs);
    isWaiting = true;
  }
  if (!isWaiting) return compared;
  let fastest = Number.POSITIVE_INFINITY;
  for (let index = 0; index < deployments.length; index += 1) {
    const ms = latency[index] as number;
    if (Number.isNaN(ms)) fastest = Math.min(fastest, meanMs);
    else if (ms < fastest) fastest = ms;
  }
  return { cheapest, fastest, meanMs, unknownMs: meanMs };
}

function addUp({ deployments, columns }: Scores, comparison: Comparison, question: Negotiation): void {
  const { cheapest, fastest, unknownMs } = comparison;
  const weights = WEIGHTS[question.request.optimise ?? question.config.optimise ?? 'balanced'];
  const { nanoUsd, cost, latency, quality, reliability, fit, score } = columns;
  for (let index = 0; index < deployments.length; index += 1) {
    const nano = nanoUsd[index] as number;
    const ms = latency[index] as number;
    const cheapness = Number.isNaN(nano) ? 0 : (cheapest + FREE) / (nano + FREE);
    const speed = (fastest + 1) / ((Number.isNaN(ms) ? unknownMs : ms) + 1);
    cost[index] = cheapness;
    latency[index] = speed;
    score[index] =
      weights.cost * cheapness +
      weights.latency * speed +
      weights.quality * (quality[index] as number) +
      weights.reliability * (reliability[index] as number) +
      weights.fit * (fit[index] as number);
  }
}

/** The capability that answers in the asked form, as a bit; 0 for text. */
function formOf(request: ModelRequest): number {
  if (request.operation !== 'chat' || request.output === undefined) return 0;
  return request.output.schema === undefined ? JSON_MODE : JSON_SCHEMA;
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
  const found = takeFigures(deployments);
  const scores = scoresOf(deployments, question, found);
  const scored = deployments.map((_deployment, index) => scoredAt(scores, index));
  releaseScores(scores);
  if (found !== undefined) keepFigures(found);
  return scored;
}

/** Best score first; equal scores keep their order. */
export const bestFirst = (scored: readonly Scored[]): readonly Scored[] =>
  [...scored].sort((a, b) => b.score - a.score);
