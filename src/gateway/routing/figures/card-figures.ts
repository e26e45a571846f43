/**
 * What a decision reads of a card, found once per deployment: a catalogue has hundreds of them, and each call compares all. Only
 * what a decision needs is found, because the shipped facts are read from a file.
 */
import type { ModelCard } from '../../../core/model/provider.ts';
import { type CompiledPrice, compiledPrice } from '../../../core/money/price-sheet.ts';
import { speedOf } from '../../../kit/models/speed.ts';
import { strengthFigure, unknownStrength } from '../../../kit/models/strengths.ts';

/** What is known before anything is observed. */
export interface Prior {
  readonly value: number;
  /** The observations that it counts as. */
  readonly weight: number;
}

/** What a latency counts as against observed ones, by how it is known. */
export const LATENCY_WEIGHTS = { measured: 4, card: 2, 'rate-measured': 2, 'mean-call': 1 } as const;
/** A strength that is unknown is soon replaced by what is observed. */
export const UNKNOWN_WEIGHT = 2;
/** Fields of work whose priors are kept: callers name them. */
const MOST_FIELDS = 64;
const UNKNOWN_LATENCY: Prior = { value: Number.NaN, weight: 0 };

export class CardFigures {
  readonly provider: string;
  readonly card: ModelCard;
  /** The moment from which the model has ended, in epoch milliseconds: -Infinity if it is retired, Infinity if none is known. */
  readonly endsAt: number;
  #price: CompiledPrice | null | undefined;
  #latency: Prior | undefined;
  #general: Prior | undefined;
  #strengths: Map<string, Prior> | undefined;

  constructor(provider: string, card: ModelCard) {
    this.provider = provider;
    this.card = card;
    this.endsAt = endOf(card);
  }

  get price(): CompiledPrice | null {
    if (this.#price === undefined) this.#price = this.card.price === null ? null : compiledPrice(this.card.price);
    return this.#price;
  }

  /** Milliseconds of a short answer; NaN where nobody knows. */
  get latency(): Prior {
    this.#latency ??= this.#findLatency();
    return this.#latency;
  }

  /** 0 to 1, on the scale of cards. */
  strength(field: string): Prior {
    if (field === 'general') {
      this.#general ??= this.#findStrength(field);
      return this.#general;
    }
    this.#strengths ??= new Map();
    const known = this.#strengths.get(field);
    if (known !== undefined) return known;
    const found = this.#findStrength(field);
    if (this.#strengths.size < MOST_FIELDS) this.#strengths.set(field, found);
    return found;
  }

  #findLatency(): Prior {
    const speed = speedOf(this);
    if (speed?.expectedMs === undefined) return UNKNOWN_LATENCY;
    return { value: speed.expectedMs, weight: LATENCY_WEIGHTS[speed.basis] };
  }

  #findStrength(field: string): Prior {
    const figure = strengthFigure(this, field);
    return { value: figure?.value ?? unknownStrength(this, field), weight: figure?.weight ?? UNKNOWN_WEIGHT };
  }
}

function endOf({ lifecycle }: ModelCard): number {
  if (lifecycle?.stage === 'retired') return Number.NEGATIVE_INFINITY;
  const ms = lifecycle?.endsOn === undefined ? Number.NaN : Date.parse(lifecycle.endsOn);
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
}
