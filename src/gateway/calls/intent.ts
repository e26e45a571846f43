/** The bounds that a request states as an intent become its limits. */
import type { ModelRequest, RequestLimits } from '../../core/model/model.ts';
import { intentBounds } from '../../kit/requests/intent.ts';

/**
 * The request with limits in the place of its intent; the same object if it has none, which costs one comparison.
 *
 * @throws invalid-request naming what is not understood
 */
export function withIntent<R extends ModelRequest>(request: R): R {
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
