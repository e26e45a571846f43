/**
 * How good a model is at a field of work, 0 to 1 on the scale of cards and of `limits.quality`. The figures of the user go
 * first, then those that a card states, then the measured ones, then what is only assumed. See docs/reference/models.md.
 */
import type { MeasuredStrength } from '../../core/model/model-facts.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { isAssumed } from './model-card.ts';
import { knownModel } from './model-catalogue.ts';

/** A model as gateway and plans list it. */
export interface RatedModel {
  /** The id of its provider. */
  readonly provider: string;
  readonly card: ModelCard;
}

export interface StrengthFigure {
  /** 0 to 1, on the scale of cards. */
  readonly value: number;
  /** `own`: a figure of the user; `card`: stated by its card; `derived`: from measured ones; `assumed`: nobody measured it. */
  readonly basis: 'own' | 'card' | 'measured' | 'derived' | 'assumed';
  /** The names of the sources, where it was measured. */
  readonly sources: readonly string[];
  /** Observations that it counts as, when a run time corrects it. */
  readonly weight: number;
}

/** The measured scale on that of cards: a line through the cards that were set by hand before there were measurements. */
const OFFSET = 0.34;
const SLOPE = 0.65;
export const onCardScale = (measured: number): number => OFFSET + SLOPE * measured;
const onMeasuredScale = (value: number): number => Math.min(1, Math.max(0, (value - OFFSET) / SLOPE));

/** The quality of a model of which nothing is known. */
const UNKNOWN = 0.5;
/** The median of the measured rates at which answers have the asked form: for models of which no rate is known. */
const USUAL_FORM = 0.93;
/** Skill says nothing of these: they are unknown unless they were measured. */
const APART: ReadonlySet<string> = new Set(['grounding', 'structured', 'image', 'imageEdit', 'search']);
export const isApart = (field: string): boolean => APART.has(field);
/** What a figure counts as against observations: a stated one as 20, an assumed one as 4. */
const WEIGHTS = { own: 40, card: 20, derived: 20, assumed: 4 } as const;

interface Rating {
  readonly provider: string;
  readonly figures: Map<string, StrengthFigure | undefined>;
  readonly measured: Readonly<Record<string, MeasuredStrength>>;
}

const ratings = new WeakMap<ModelCard, Rating>();

function ratingOf({ provider, card }: RatedModel): Rating {
  const before = ratings.get(card);
  if (before?.provider === provider) return before;
  const measured = knownModel(provider, card.id)?.facts?.strengths ?? {};
  const rating: Rating = { provider, figures: new Map(), measured };
  ratings.set(card, rating);
  return rating;
}

/** The figure of one field with where it is from; undefined where the field is unknown. */
export function strengthFigure(model: RatedModel, field: string): StrengthFigure | undefined {
  const { figures, measured } = ratingOf(model);
  if (figures.has(field)) return figures.get(field);
  const figure = figureOf(model, field, measured);
  figures.set(field, figure);
  return figure;
}

/** 0 to 1, on the scale of cards; undefined where the field is unknown. `planning` may be derived. */
export const strengthOf = (model: RatedModel, field: string): number | undefined => strengthFigure(model, field)?.value;

const own = <T>(record: Readonly<Record<string, T>> | undefined, field: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, field) ? record[field] : undefined;

function figureOf(
  model: RatedModel,
  field: string,
  measured: Readonly<Record<string, MeasuredStrength>>,
): StrengthFigure | undefined {
  const { card } = model;
  const given = own(card.measured, field);
  if (given !== undefined) return { value: given, basis: 'own', sources: [], weight: WEIGHTS.own };
  const stated = own(card.strengths, field);
  const assumed = isAssumed(card.strengths);
  if (stated !== undefined && !assumed) return { value: stated, basis: 'card', sources: [], weight: WEIGHTS.card };
  const found = own(measured, field);
  if (found !== undefined) return measuredFigure(found);
  const derived = field === 'planning' ? derivedPlanning(model) : undefined;
  if (derived !== undefined) return derived;
  return stated === undefined ? undefined : { value: stated, basis: 'assumed', sources: [], weight: WEIGHTS.assumed };
}

const measuredFigure = ({ value, sources, observations }: MeasuredStrength): StrengthFigure => ({
  value: onCardScale(value),
  basis: 'measured',
  sources,
  weight: Math.min(20, 5 * observations),
});

/** Planning is tool use and reasoning, in the asked form: their mean times the rate of well-formed answers. */
function derivedPlanning(model: RatedModel): StrengthFigure | undefined {
  const tools = strengthFigure(model, 'tools');
  const reasoning = strengthFigure(model, 'reasoning');
  if (tools === undefined || reasoning === undefined) return undefined;
  const structured = strengthFigure(model, 'structured');
  const skill = (onMeasuredScale(tools.value) + onMeasuredScale(reasoning.value)) / 2;
  return {
    value: onCardScale(skill * formRate(structured)),
    basis: tools.basis === 'assumed' && reasoning.basis === 'assumed' ? 'assumed' : 'derived',
    sources: [...new Set([tools, reasoning, structured].flatMap((figure) => figure?.sources ?? []))].sort(),
    weight: WEIGHTS.derived,
  };
}

const formRate = (structured: StrengthFigure | undefined): number =>
  structured === undefined ? USUAL_FORM : onMeasuredScale(structured.value);

/**
 * What counts for a field that is unknown: the model in general, less where that says little. Never a good value: a field apart
 * from skill, such as `grounding`, counts as that of a model of which nothing is known.
 */
export function unknownStrength(model: RatedModel, field: string): number {
  if (APART.has(field)) return UNKNOWN;
  const general = strengthOf(model, 'general') ?? UNKNOWN;
  if (field === 'maths') return Math.min(general, strengthOf(model, 'reasoning') ?? general);
  if (field !== 'planning') return general;
  return Math.min(general, onCardScale(onMeasuredScale(general) * formRate(strengthFigure(model, 'structured'))));
}

/** Quality, 0 to 1: the mean of the asked fields, in general where none is asked for. */
export function qualityOf(model: RatedModel, asked: readonly string[] = []): number {
  if (asked.length === 0) return strengthOf(model, 'general') ?? UNKNOWN;
  let sum = 0;
  for (const field of asked) sum += strengthOf(model, field) ?? unknownStrength(model, field);
  return sum / asked.length;
}
