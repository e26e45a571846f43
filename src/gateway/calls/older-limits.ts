/** The limits of a request under their older names, which are accepted at the entry of the gateway. */
import { PolyphonyError } from '../../core/errors.ts';
import type { ModelRequest } from '../../core/model/model.ts';
import { bothGiven, type OlderName, withCurrentFields } from '../../core/older-names.ts';

export const OLDER_LIMIT_NAMES = [
  { older: 'milliseconds', name: 'ms' },
  { older: 'p95Milliseconds', name: 'p95Ms' },
] as const satisfies readonly OlderName[];

/**
 * The request with current names; the same object if it has no older name, which costs two comparisons.
 *
 * @throws invalid-request when a limit is given under both names
 */
export function withCurrentLimits<R extends ModelRequest>(request: R): R {
  const { limits } = request;
  if (limits === undefined || (limits.milliseconds === undefined && limits.p95Milliseconds === undefined)) {
    return request;
  }
  return { ...request, limits: withCurrentFields(limits, OLDER_LIMIT_NAMES, refuse) };
}

function refuse(older: string, name: string): never {
  throw new PolyphonyError('invalid-request', bothGiven(`limits.${older}`, `limits.${name}`));
}
