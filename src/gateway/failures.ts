/** The one error that stands for all targets that failed. */
import { type ErrorCode, PolyphonyError } from '../core/errors.ts';
import type { Target } from '../core/model.ts';
import { isBreakerRefusal } from './breaker.ts';
import { faultOf } from './faults.ts';
import { isProviderFault } from './provider.ts';
import { nameOf } from './route.ts';

export interface Failure {
  readonly target: Target;
  readonly error: PolyphonyError;
}

/** What a caller can act on comes first: change the request, wait, try again, mend the set-up. */
const USEFULNESS: readonly ErrorCode[] = [
  'context-window',
  'content-policy',
  'rate-limited',
  'overloaded',
  'timeout',
  'network',
  'truncated',
  'plugin-failed',
  'unsupported',
  'model-not-found',
  'invalid-credential',
];

function usefulness({ error }: Failure): number {
  if (faultOf(error) === 'caller' && !isProviderFault(error)) return -1;
  if (isBreakerRefusal(error)) return USEFULNESS.length;
  const rank = USEFULNESS.indexOf(error.code);
  return rank === -1 ? USEFULNESS.length : rank;
}

/** The most useful of the errors, with the reason of every target in its message and details. */
export function allFailed(failures: readonly Failure[]): PolyphonyError {
  const [best] = [...failures].sort((a, b) => usefulness(a) - usefulness(b));
  if (best === undefined) return new PolyphonyError('no-route', 'No target was left to try.');
  const { error } = best;
  const attempts = failures.map(({ target, error: { code, message } }) => ({ target, code, message }));
  const waits = failures.map((failure) => failure.error.retryAfterMs).filter((wait) => wait !== undefined);
  return new PolyphonyError(error.code, failures.length === 1 ? error.message : summary(failures), {
    cause: error,
    retryable: usefulness(best) >= 0 ? failures.some((failure) => failure.error.retryable) : error.retryable,
    ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    ...(error.status === undefined ? {} : { status: error.status }),
    details: { ...error.details, attempts },
  });
}

function summary(failures: readonly Failure[]): string {
  const reasons = failures.map(({ target, error }) => `${nameOf(target)} (${error.code}): ${error.message}`);
  return `All ${failures.length} targets failed. ${reasons.join(' ')}`;
}
