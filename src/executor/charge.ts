/** What a failed call cost nevertheless travels beside its error, because an error has no place for money. */
import type { AttemptRecord, Usage } from '../core/model.ts';
import type { NanoUsd } from '../core/money.ts';
import { totalCost } from '../core/response.ts';

export interface Charge {
  readonly costNanoUsd: NanoUsd | null;
  readonly usage?: Usage;
}

const charges = new WeakMap<object, Charge>();
const FREE: Charge = { costNanoUsd: 0 };

/** Remembers the charge of a failure and returns the error, to be thrown. */
export function withCharge<E>(error: E, charge: Charge): E {
  if (typeof error === 'object' && error !== null) charges.set(error, charge);
  return error;
}

/** What the failed call cost; nothing where its runner did not say. */
export function chargeOf(error: unknown): Charge {
  return (typeof error === 'object' && error !== null ? charges.get(error) : undefined) ?? FREE;
}

export const NO_USAGE: Usage = { input: 0, output: 0 };

const OPTIONAL_COUNTS = [
  'cacheRead',
  'cacheWrite',
  'cacheWriteLong',
  'reasoning',
  'audioInput',
  'audioCacheRead',
  'audioOutput',
  'imageInput',
  'imageOutput',
  'images',
] as const;

export function addUsage(a: Usage, b: Usage | undefined): Usage {
  if (b === undefined || b === NO_USAGE) return a;
  if (a === NO_USAGE) return b;
  const sum: { -readonly [K in keyof Usage]: Usage[K] } = { input: a.input + b.input, output: a.output + b.output };
  for (const key of OPTIONAL_COUNTS) {
    const count = (a[key] ?? 0) + (b[key] ?? 0);
    if (a[key] !== undefined || b[key] !== undefined) sum[key] = count;
  }
  return sum;
}

/** What is left of a sum without one of its parts. */
export function subtractUsage(sum: Usage, part: Usage): Usage {
  const left: { -readonly [K in keyof Usage]: Usage[K] } = {
    input: Math.max(0, sum.input - part.input),
    output: Math.max(0, sum.output - part.output),
  };
  for (const key of OPTIONAL_COUNTS) {
    const count = sum[key];
    if (count !== undefined) left[key] = Math.max(0, count - (part[key] ?? 0));
  }
  return left;
}

/** The charge of every attempt of a call, however it ended. */
export function chargeOfAttempts(attempts: readonly AttemptRecord[]): Charge {
  const usage = attempts.reduce((sum, attempt) => addUsage(sum, attempt.usage ?? undefined), NO_USAGE);
  return { costNanoUsd: totalCost(attempts), usage };
}
