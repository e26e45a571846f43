/**
 * Which models end: by their card or the config, else by what the catalogue knows. A deprecated model ends from now on, any other from
 * some days before the date of its end.
 */
import type { ModelCard } from '../../core/model/provider.ts';
import { DAY_MS } from '../../core/money/calendar.ts';
import { knownModel } from '../../kit/models/model-catalogue.ts';
import type { Deployment } from '../routing/registry.ts';

export interface Ending {
  /** YYYY-MM-DD, or YYYY-MM where the day is not known; null: not known */
  readonly endsOn: string | null;
  readonly isDeprecated: boolean;
  /** Epoch milliseconds of the end; Infinity where it is not known. */
  readonly endMs: number;
}

/** A cache: each call asks for the same cards. null: nothing says that it ends. */
const known = new WeakMap<ModelCard, Ending | null>();

/** Undefined for a model of which nobody knows that it ends. Reads the catalogue where the card does not say. */
export function endingOf({ card, target }: Pick<Deployment, 'card' | 'target'>): Ending | undefined {
  const before = known.get(card);
  if (before !== undefined) return before ?? undefined;
  const ending = factsOf(card.lifecycle ?? knownModel(target.provider, card.id)?.card?.lifecycle);
  known.set(card, ending);
  return ending ?? undefined;
}

/** The same without reading the catalogue for it: what the card says, or what was read before. */
export const endingSaid = (deployment: Deployment): Ending | undefined =>
  deployment.card.lifecycle === undefined ? (known.get(deployment.card) ?? undefined) : endingOf(deployment);

export const isEnding = ({ isDeprecated, endMs }: Ending, nowMs: number, noticeDays: number): boolean =>
  isDeprecated || nowMs >= endMs - noticeDays * DAY_MS;

function factsOf(lifecycle: ModelCard['lifecycle']): Ending | null {
  if (lifecycle === undefined) return null;
  const { stage, endsOn } = lifecycle;
  const isDeprecated = stage === 'deprecated' || stage === 'retired';
  const endMs = endsOn === undefined ? Number.NaN : Date.parse(endsOn);
  if (!isDeprecated && Number.isNaN(endMs)) return null;
  return { endsOn: endsOn ?? null, isDeprecated, endMs: Number.isNaN(endMs) ? Number.POSITIVE_INFINITY : endMs };
}
