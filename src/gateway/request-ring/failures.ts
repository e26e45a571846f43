/** Combines the errors of all failed targets into one. */
import { defined } from '../../core/defined.ts';
import { type ErrorCode, PolyphonyError } from '../../core/errors.ts';
import type { Target } from '../../core/model/model.ts';
import type { Fault } from '../calls/faults.ts';
import { nameOf } from '../calls/target.ts';

export interface TargetFailure {
  readonly target: Target;
  readonly error: PolyphonyError;
  readonly fault: Fault;
}

/** The errors that a caller can act on come first: change the request, wait, try again, fix the configuration. */
const USEFULNESS: readonly ErrorCode[] = [
  'context-window',
  'content-policy',
  'rate-limited',
  'overloaded',
  'timeout',
  'network',
  'truncated',
  'invalid-output',
  'plugin-failed',
  'unsupported',
  'model-not-found',
  'invalid-credential',
  'invalid-config',
];

function usefulness({ error, fault }: TargetFailure): number {
  if (fault === 'caller') return -1;
  if (fault === 'open-breaker') return USEFULNESS.length;
  const rank = USEFULNESS.indexOf(error.code);
  return rank === -1 ? USEFULNESS.length : rank;
}

/** Returns the most useful of the errors, with the reason of every target in its message and details. */
export function allFailed(failures: readonly TargetFailure[]): PolyphonyError {
  const [best] = [...failures].sort((a, b) => usefulness(a) - usefulness(b));
  if (best === undefined) return new PolyphonyError('no-route', 'No target was left to try.');
  const { error } = best;
  const attempts = failures.map(({ target, error: { code, message, details } }) => ({
    target,
    code,
    message,
    ...defined({ requestId: details?.requestId }),
  }));
  const waits = failures.map((failure) => failure.error.retryAfterMs).filter((wait) => wait !== undefined);
  return new PolyphonyError(error.code, failures.length === 1 ? error.message : summary(failures), {
    cause: error,
    retryable: usefulness(best) >= 0 ? failures.some((failure) => failure.error.retryable) : error.retryable,
    ...(waits.length === 0 ? {} : { retryAfterMs: Math.min(...waits) }),
    ...defined({ status: error.status }),
    unsent: failures.every((failure) => failure.error.unsent),
    details: { ...error.details, attempts },
  });
}

const MAX_NAMES = 4;

/** Each reason once, with all its targets, because targets of one provider mostly fail for the same reason. */
function summary(failures: readonly TargetFailure[]): string {
  const byReason = new Map<string, string[]>();
  for (const { target, error } of failures) {
    const reason = `${error.code}: ${withoutName(error.message, target)}`;
    const names = byReason.get(reason) ?? [];
    if (!names.includes(nameOf(target))) names.push(nameOf(target));
    byReason.set(reason, names);
  }
  const count = new Set(failures.map(({ target }) => nameOf(target))).size;
  const all = count === 1 ? 'Every attempt at the target failed.' : `All ${count} targets failed.`;
  return [all, ...[...byReason].map(([reason, names]) => `${listed(names)}: ${reason}`)].join(' ');
}

/** An error may begin with the name of its target, with the region or without, which would make equal reasons look different. */
function withoutName(message: string, target: Target): string {
  const names = [nameOf(target), `${target.provider}/${target.model}`];
  const name = names.find((each) => message.startsWith(`${each}: `));
  return name === undefined ? message : message.slice(name.length + 2);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}
