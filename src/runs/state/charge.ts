/**
 * The cost of a failed call is kept beside its error, because an error has no field for money.
 *
 * An error object is no name of a call: a stop is the reason of all that it stops, and a store may throw one object for ever. So
 * each charge has an error of its own, or one call would be charged what another one cost.
 */
import { asPolyphonyError, type PolyphonyError, sameError } from '../../core/errors.ts';
import type { AttemptRecord } from '../../core/model/model.ts';
import { totalCost } from '../../core/model/response.ts';
import { NO_USAGE, usageOfAttempts } from '../../core/money/usage.ts';
import { SuspendRun } from '../../core/run/engine.ts';
import type { Paid } from '../../core/run/node-call.ts';

/** Only errors that were made here. */
const charges = new WeakMap<object, Paid>();
const FREE: Paid = { costNanoUsd: 0 };

/**
 * Remembers the charge of a failure. Throw what it returns, not what it was given: an equal error that no other call throws, or the
 * given one where nothing was paid. What is no error becomes one.
 */
export function withCharge(thrown: PolyphonyError, charge: Paid): PolyphonyError;
export function withCharge(thrown: unknown, charge: Paid): unknown;
export function withCharge(thrown: unknown, charge: Paid): unknown {
  const isKnown = typeof thrown === 'object' && thrown !== null && charges.has(thrown);
  if (!isKnown && isFree(charge)) return thrown;
  const error = ownError(thrown);
  charges.set(error, charge);
  return error;
}

const isFree = ({ costNanoUsd, usage }: Paid): boolean =>
  costNanoUsd === 0 && (usage === undefined || usage === NO_USAGE);

function ownError(thrown: unknown): Error {
  if (thrown instanceof SuspendRun) return new SuspendRun(thrown.question);
  const known = asPolyphonyError(thrown);
  if (known !== thrown) return known;
  const own = sameError(known);
  if (known.stack !== undefined) own.stack = known.stack;
  return own;
}

/** The cost of the failed call; 0 where its runner reported none. */
export function chargeOf(error: unknown): Paid {
  return (typeof error === 'object' && error !== null ? charges.get(error) : undefined) ?? FREE;
}

/** The total charge of all attempts of a call, however it ended. */
export function chargeOfAttempts(attempts: readonly AttemptRecord[]): Paid {
  return { costNanoUsd: totalCost(attempts), usage: usageOfAttempts(attempts) };
}
