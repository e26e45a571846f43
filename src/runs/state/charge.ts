/** The cost of a failed call is kept beside its error, because an error has no field for money. */
import type { AttemptRecord } from '../../core/model/model.ts';
import { totalCost } from '../../core/model/response.ts';
import { usageOfAttempts } from '../../core/money/usage.ts';
import type { Paid } from '../../core/run/node-call.ts';

const charges = new WeakMap<object, Paid>();
const FREE: Paid = { costNanoUsd: 0 };

/** Remembers the charge of a failure and returns the error, to be thrown. */
export function withCharge<E>(error: E, charge: Paid): E {
  if (typeof error === 'object' && error !== null) charges.set(error, charge);
  return error;
}

/** The cost of the failed call; 0 where its runner reported none. */
export function chargeOf(error: unknown): Paid {
  return (typeof error === 'object' && error !== null ? charges.get(error) : undefined) ?? FREE;
}

/** The total charge of all attempts of a call, however it ended. */
export function chargeOfAttempts(attempts: readonly AttemptRecord[]): Paid {
  return { costNanoUsd: totalCost(attempts), usage: usageOfAttempts(attempts) };
}
