/** Why an attempt is not sent. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { Attempt } from '../../../core/model/model.ts';
import { callStateOf } from '../../calls/call-state.ts';
import { nameOf } from '../../calls/target.ts';

/** Nobody waits for a daily quota. */
export const LONGEST_WAIT_MS = 3_600_000;

/** The next target is tried; no breaker counts it. */
export function noRoom(attempt: Attempt, waitMs: number): PolyphonyError {
  const { target } = attempt;
  const seconds = Math.ceil(waitMs / 1000);
  const message = `${nameOf(target)}: the limits that its endpoint announced have no room for another ${seconds} s, and the call does not wait that long. Wait, try another model, or raise limits.ms.`;
  const error = new PolyphonyError('rate-limited', message, {
    retryAfterMs: waitMs,
    unsent: true,
    details: { provider: target.provider, limit: 'announced' },
  });
  callStateOf(attempt).blame(error, 'no-room');
  return error;
}

export function queuedTooLong(attempt: Attempt): PolyphonyError {
  const { target } = attempt;
  const message = `The call reached its deadline while it waited for a free connection to ${target.provider}: raise concurrency for this provider, or limits.ms.`;
  const details = { timeout: 'deadline', provider: target.provider };
  const error = new PolyphonyError('timeout', message, { retryable: false, details });
  callStateOf(attempt).blame(error, 'caller');
  return error;
}
