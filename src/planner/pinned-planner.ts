/** How the planner asks for a model that the config names. */
import { type ChatRequest, meantBy } from '../core/model/model.ts';
import type { Catalogue } from '../core/plan/validation.ts';

/**
 * A model that is made for planning answers only requests that ask for a plan, so the request says that it does. Any other model
 * may be named, whatever its card says of planning.
 */
export function pinnedPlanner(named: string, { models, aliases }: Catalogue): NonNullable<ChatRequest['model']> {
  const id = meantBy(named, aliases);
  const isMade = models.some(
    ({ provider, card }) => card.dedicatedTo === 'planning' && (id === `${provider}/${card.id}` || id === card.id),
  );
  return isMade ? { id: named, can: ['planning'] } : named;
}
