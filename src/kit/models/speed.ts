/** How fast a model answers, as its card states it or as it was measured at this provider. Means, never percentiles. */
import type { SpeedFacts } from '../../core/model/model-facts.ts';
import type { ModelCard } from '../../core/model/provider.ts';
import { knownModel } from './model-catalogue.ts';
import type { RatedModel } from './strengths.ts';

/** Every field may be absent: unknown, not fast. */
export interface SpeedFigures {
  readonly firstTokenMs?: number;
  readonly tokensPerSecond?: number;
  /** Milliseconds of a short answer, about 60 tokens. */
  readonly expectedMs?: number;
  /** `card`: stated by its card or by the user; else how it was measured. */
  readonly basis: 'card' | SpeedFacts['basis'];
  readonly sources: readonly string[];
}

/** Tokens of a short answer. */
export const SHORT_ANSWER = 60;

interface Kept {
  readonly provider: string;
  readonly speed: SpeedFigures | undefined;
}
const kept = new WeakMap<ModelCard, Kept>();

/** Undefined where nothing is known. */
export function speedOf(model: RatedModel): SpeedFigures | undefined {
  const before = kept.get(model.card);
  if (before?.provider === model.provider) return before.speed;
  const speed = figuresOf(model);
  kept.set(model.card, { provider: model.provider, speed });
  return speed;
}

function figuresOf({ provider, card }: RatedModel): SpeedFigures | undefined {
  const { firstTokenMs, tokensPerSecond } = card;
  const expectedMs = card.expectedMs ?? shortAnswerMs(firstTokenMs, tokensPerSecond);
  if (expectedMs === undefined && firstTokenMs === undefined && tokensPerSecond === undefined) {
    return knownModel(provider, card.id)?.card?.speed;
  }
  return {
    ...(firstTokenMs === undefined ? {} : { firstTokenMs }),
    ...(tokensPerSecond === undefined ? {} : { tokensPerSecond }),
    ...(expectedMs === undefined ? {} : { expectedMs }),
    basis: 'card',
    sources: [],
  };
}

function shortAnswerMs(firstTokenMs: number | undefined, tokensPerSecond: number | undefined): number | undefined {
  if (firstTokenMs === undefined || tokensPerSecond === undefined) return undefined;
  return Math.round(firstTokenMs + (1000 * SHORT_ANSWER) / tokensPerSecond);
}
