/** The limits of a request as the gateway reads them: those of its intent too, and under their current names. */
import { PolyphonyError } from '../../core/errors.ts';
import type { ModelRequest, RequestLimits } from '../../core/model/model.ts';
import { bothGiven, type OlderName, withCurrentFields } from '../../core/older-names.ts';
import { intentBounds } from '../../kit/requests/intent.ts';

export const OLDER_LIMIT_NAMES = [
  { older: 'milliseconds', name: 'ms' },
  { older: 'p95Milliseconds', name: 'p95Ms' },
] as const satisfies readonly OlderName[];

/**
 * The same object where nothing is to change, which costs three comparisons.
 *
 * @throws invalid-request when a limit is given under both names, or for an intent that is not understood
 */
export const withLimits = <R extends ModelRequest>(request: R): R => withIntent(withCurrentLimits(request));

function withCurrentLimits<R extends ModelRequest>(request: R): R {
  const { limits } = request;
  if (limits === undefined || (limits.milliseconds === undefined && limits.p95Milliseconds === undefined)) {
    return request;
  }
  return { ...request, limits: withCurrentFields(limits, OLDER_LIMIT_NAMES, refuse) };
}

function refuse(older: string, name: string): never {
  throw new PolyphonyError('invalid-request', bothGiven(`limits.${older}`, `limits.${name}`));
}

/** The request with limits in the place of its intent; the same object if it has none. */
function withIntent<R extends ModelRequest>(request: R): R {
  if (request.intent === undefined) return request;
  const { intent, ...rest } = request;
  const { usd, ms, accuracy } = intentBounds(intent);
  const { limits = {} } = request;
  const bounds: RequestLimits = {
    ...limits,
    ...(usd === undefined ? {} : { usd: Math.min(usd, limits.usd ?? usd) }),
    ...(ms === undefined ? {} : { p95Ms: Math.min(ms, limits.p95Ms ?? ms), unknownLatency: 'refuse' as const }),
    ...(accuracy === undefined ? {} : { accuracy: Math.max(accuracy, limits.accuracy ?? accuracy) }),
  };
  return { ...rest, limits: bounds } as R;
}
