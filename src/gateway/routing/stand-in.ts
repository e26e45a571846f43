/** Models that stand in for others: they answer where no other model could, or where they are named. */
import { isCapable, type Negotiation } from './negotiate.ts';
import type { Deployment, Registry } from './registry.ts';

interface Asking extends Negotiation {
  readonly registry: Registry;
}

/**
 * The deployments that the request names, or all. Those that stand in are left out where another one of them could serve such a
 * request, even if not within its limits: the caller is then told what it fails, and no stand-in answers in its place.
 */
export function askedOf(question: Asking): readonly Deployment[] {
  const { registry, needs } = question;
  const { id } = needs.choice;
  const asked = id === undefined ? registry.deployments : registry.named(id);
  return registry.hasStandIns && isServed(asked, question) ? asked.filter(({ card }) => card.standIn !== true) : asked;
}

/** Whether one that does not stand in could serve the request. */
export function isServed(asked: readonly Deployment[], question: Negotiation): boolean {
  return asked.some((deployment) => deployment.card.standIn !== true && isCapable(deployment, question));
}
