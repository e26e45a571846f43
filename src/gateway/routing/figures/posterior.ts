/**
 * Prior knowledge, corrected by what is observed. A prior counts as some observations, its weight, and each observation counts
 * as itself until it decays: (weight × prior + sum of observations) ÷ (weight + observations). For a rate this is the
 * mean of a Beta distribution; for a duration it is a weighted mean. See docs/reference/models.md.
 */
import type { CorrectedFigure } from '../../../core/gateway.ts';
import type { Target } from '../../../core/model/model.ts';
import type { ModelCard } from '../../../core/model/provider.ts';
import { speedOf } from '../../../kit/models/speed.ts';
import {
  onCardScale,
  type RatedModel,
  type StrengthFigure,
  strengthFigure,
  unknownStrength,
} from '../../../kit/models/strengths.ts';
import type { CardColumns, PriorColumns } from './card-columns.ts';
import { LATENCY_WEIGHTS, UNKNOWN_WEIGHT } from './card-figures.ts';
import type { Rating } from './decaying-mean.ts';
import type { Sketch } from './sketch.ts';

/** What a deployment is known by, and what was observed of it: see `TargetStatistics`. */
interface Observations {
  /** Nothing else need be read of a target while this is false. */
  readonly isObserved: boolean;
  readonly isRated: boolean;
  readonly total: Sketch;
  rating(field: string, nowMs: number): Rating | undefined;
  errorRate(nowMs: number): number;
  outcomes(nowMs: number): { readonly failed: number; readonly attempts: number; readonly prior: number };
}
interface Observed {
  readonly target: Target;
  readonly card: ModelCard;
  /** The row of its card in the columns. */
  readonly row: number;
  readonly statistics: Observations;
}

const GENERAL: readonly string[] = ['general'];

export const ratedModel = ({ target, card }: Observed): RatedModel => ({ provider: target.provider, card });

const corrected = (prior: number, weight: number, mean: number, observations: number): number =>
  (weight * prior + observations * mean) / (weight + observations);

/** A field of work with what is known of all cards. */
interface Field {
  readonly name: string;
  readonly priors: PriorColumns;
}

export interface Fields {
  readonly each: readonly Field[];
  /** The mean of all, where nothing is observed. */
  readonly mean: PriorColumns;
}

/** The asked fields, in general where none is asked for. */
export function fieldsOf(columns: CardColumns, asked: readonly string[] | undefined): Fields {
  const names = namesOf(asked);
  const each = names.map((name) => ({ name, priors: columns.strengths(name) }));
  return { each, mean: columns.meanStrengths(names) };
}

const namesOf = (asked: readonly string[] | undefined): readonly string[] =>
  asked === undefined || asked.length === 0 ? GENERAL : asked;

/** 0 to 1: the mean of the fields. */
export function qualityOf(deployment: Observed, { each, mean }: Fields, nowMs: number): number {
  if (!deployment.statistics.isRated) return mean.value(deployment.row);
  let sum = 0;
  for (const field of each) sum += strengthNow(deployment, field, nowMs);
  return sum / each.length;
}

/** The first of these fields that nothing is known of. */
export function unknownField(deployment: Observed, fields: readonly string[], nowMs: number): string | undefined {
  const model = ratedModel(deployment);
  return fields.find(
    (field) => strengthFigure(model, field) === undefined && deployment.statistics.rating(field, nowMs) === undefined,
  );
}

/** What was told of its answers, with no prior: the lowest mean and the fewest scores of the asked fields. */
export function accuracyOf(
  { statistics }: Pick<Observed, 'statistics'>,
  asked: readonly string[] | undefined,
  nowMs: number,
): { readonly mean: number; readonly scores: number } {
  let mean = 1;
  let scores = Number.POSITIVE_INFINITY;
  for (const field of namesOf(asked)) {
    const rating = statistics.isObserved ? statistics.rating(field, nowMs) : undefined;
    mean = Math.min(mean, rating?.mean ?? 0);
    scores = Math.min(scores, rating?.weight ?? 0);
  }
  return { mean, scores };
}

function strengthNow({ row, statistics }: Observed, { name, priors }: Field, nowMs: number): number {
  const prior = priors.value(row);
  const rating = statistics.rating(name, nowMs);
  return rating === undefined ? prior : corrected(prior, priors.weight(row), scoreOf(name, rating.mean), rating.weight);
}

/** Rates of well-formed answers are on the measured scale, scores of evaluators on that of cards. */
const scoreOf = (field: string, mean: number): number => (field === 'structured' ? onCardScale(mean) : mean);

/** Expected milliseconds of an answer; NaN while nobody knows. */
export function latencyOf({ row, statistics }: Observed, latencies: PriorColumns, nowMs: number): number {
  const prior = latencies.value(row);
  const observed = statistics.isObserved ? statistics.total.quantile(0.5, nowMs) : undefined;
  if (observed === undefined) return prior;
  if (Number.isNaN(prior)) return observed;
  return corrected(prior, latencies.weight(row), observed, statistics.total.weight(nowMs));
}

/** 0 to 1. */
export const reliabilityOf = ({ statistics }: Observed, nowMs: number): number =>
  statistics.isObserved ? 1 - statistics.errorRate(nowMs) : 1;

// ---------------------------------------------------------------------------------------------------- explained

/** How each part of a score came about: what was known before, what was observed, and what counts. */
export function correctedFigures(
  deployment: Observed,
  columns: CardColumns,
  asked: readonly string[] | undefined,
  nowMs: number,
): readonly CorrectedFigure[] {
  return [
    ...fieldsOf(columns, asked).each.map((field) => qualityFigure(deployment, field, nowMs)),
    latencyFigure(deployment, columns.latencies(), nowMs),
    reliabilityFigure(deployment, nowMs),
  ];
}

function qualityFigure(deployment: Observed, field: Field, nowMs: number): CorrectedFigure {
  const { name } = field;
  const model = ratedModel(deployment);
  const figure: StrengthFigure | undefined = strengthFigure(model, name);
  const rating = deployment.statistics.rating(name, nowMs);
  return {
    of: name,
    prior: figure?.value ?? unknownStrength(model, name),
    basis: figure?.basis ?? 'unknown',
    sources: figure?.sources ?? [],
    priorWeight: figure?.weight ?? UNKNOWN_WEIGHT,
    observed: rating === undefined ? null : scoreOf(name, rating.mean),
    observations: rating?.weight ?? 0,
    used: strengthNow(deployment, field, nowMs),
  };
}

function latencyFigure(deployment: Observed, latencies: PriorColumns, nowMs: number): CorrectedFigure {
  const { total } = deployment.statistics;
  const speed = speedOf(ratedModel(deployment));
  const used = latencyOf(deployment, latencies, nowMs);
  return {
    of: 'latency',
    prior: speed?.expectedMs ?? null,
    basis: speed?.basis ?? 'unknown',
    sources: speed?.sources ?? [],
    priorWeight: speed === undefined ? 0 : LATENCY_WEIGHTS[speed.basis],
    observed: total.quantile(0.5, nowMs) ?? null,
    observations: total.weight(nowMs),
    used: Number.isNaN(used) ? null : used,
  };
}

function reliabilityFigure({ statistics }: Observed, nowMs: number): CorrectedFigure {
  const outcomes = statistics.outcomes(nowMs);
  return {
    of: 'reliability',
    prior: 1,
    basis: 'assumed',
    sources: [],
    priorWeight: outcomes.prior,
    observed: outcomes.attempts === 0 ? null : 1 - outcomes.failed / outcomes.attempts,
    observations: outcomes.attempts,
    used: 1 - statistics.errorRate(nowMs),
  };
}
