/** The tier of the first choice: the one that was asked for, or the nearest where no registered model of it would do. */
import { nearestTier, type Tier, type Warning } from '../../core/model/model.ts';
import { nameOf } from '../calls/target.ts';
import { askedOf, someCapable } from './negotiate.ts';
import type { Negotiation } from './negotiation.ts';
import type { Deployment } from './registry.ts';

/**
 * The tier that the first choice must have; undefined for any. `able` are the deployments that satisfy the request. A model
 * that has the tier and could serve such a request, but not within its limits or its sensitivity, keeps the tier in force:
 * the caller is told what it fails, and no other model answers in its place.
 */
export function tierFor(able: readonly Deployment[], question: Negotiation): Tier | undefined {
  const { tier, strict } = question.needs.choice;
  if (tier === undefined || strict === true || able.some(({ card }) => card.tier === tier)) return tier;
  const has = someCapable(askedOf(question), question, ({ card }) => card.tier === tier);
  return has ? tier : nearestTier(tier, able);
}

/** What the response says where another tier than the asked one answers; undefined where the tier was kept. */
export function tierWarning({ needs: { choice } }: Negotiation, first: Deployment | undefined): Warning | undefined {
  const { tier, route } = choice;
  if (tier === undefined || route !== undefined || first === undefined || first.card.tier === tier) return undefined;
  const message = `No registered model of tier "${tier}" can serve this request, so the nearest, ${nameOf(first.target)} of tier "${first.card.tier}", was asked: register a model of that tier, or set "strict" to refuse.`;
  return { code: 'tier-degraded', message };
}
