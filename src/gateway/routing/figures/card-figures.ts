/** What is known of a model by its card and the shipped facts, before anything is observed. */
import type { ModelCard } from '../../../core/model/provider.ts';
import { speedOf } from '../../../kit/models/speed.ts';
import { strengthFigure, unknownStrength } from '../../../kit/models/strengths.ts';

export interface Prior {
  readonly value: number;
  /** The observations that it counts as. */
  readonly weight: number;
}

/** What a latency counts as against observed ones, by how it is known. */
export const LATENCY_WEIGHTS = { measured: 4, card: 2, 'rate-measured': 2, 'mean-call': 1 } as const;
/** A strength that is unknown is soon replaced by what is observed. */
export const UNKNOWN_WEIGHT = 2;
const UNKNOWN_LATENCY: Prior = { value: Number.NaN, weight: 0 };

/** One per model of a provider: its deployments differ in nothing that is known before. */
export interface CardFigures {
  readonly provider: string;
  readonly card: ModelCard;
  /** The moment from which the model has ended, in epoch milliseconds: -Infinity if it is retired, Infinity if none is known. */
  readonly endsAt: number;
  /** The main parts of its language tags, `en` of `en-GB`; undefined where it claims none. */
  readonly languages: readonly string[] | undefined;
}

/** What of a card is alike in many of a catalogue: rules that read nothing else are asked once for all that are alike. */
const TERMS = [
  'operations',
  'dedicatedTo',
  'retention',
  'regions',
  'languages',
  'toolSupport',
] as const satisfies readonly (keyof ModelCard)[];
export type CardTerms = Pick<ModelCard, (typeof TERMS)[number]>;

/** Equal for deployments with the same terms, which are these of the card, its capabilities and the region. */
export function termsKey(card: CardTerms, mask: number, region: string | undefined): string {
  // In a list, what is missing would be null.
  const given = (value: unknown): unknown => (value === undefined ? 0 : value);
  return JSON.stringify([mask, given(region), ...TERMS.map((name) => given(card[name]))]);
}

export const cardFigures = (provider: string, card: ModelCard): CardFigures => ({
  provider,
  card,
  endsAt: endOf(card),
  languages: card.languages?.map(mainLanguage),
});

export const mainLanguage = (tag: string): string => (tag.split('-')[0] ?? tag).toLowerCase();

function endOf({ lifecycle }: ModelCard): number {
  if (lifecycle?.stage === 'retired') return Number.NEGATIVE_INFINITY;
  const ms = lifecycle?.endsOn === undefined ? Number.NaN : Date.parse(lifecycle.endsOn);
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
}

/** Milliseconds of a short answer; NaN where nobody knows. */
export function latencyPrior(figures: CardFigures): Prior {
  const speed = speedOf(figures);
  if (speed?.expectedMs === undefined) return UNKNOWN_LATENCY;
  return { value: speed.expectedMs, weight: LATENCY_WEIGHTS[speed.basis] };
}

/** 0 to 1, on the scale of cards. */
export function strengthPrior(figures: CardFigures, field: string): Prior {
  const figure = strengthFigure(figures, field);
  return { value: figure?.value ?? unknownStrength(figures, field), weight: figure?.weight ?? UNKNOWN_WEIGHT };
}
