/** The exit codes of the command. */

import { type ErrorCode, PolyphonyError } from '../../core/errors.ts';
import type { RunResult } from '../../core/run/engine.ts';

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  invalidPlan: 3,
  budget: 4,
  suspended: 5,
  interrupted: 130,
} as const;

/** Exit codes for errors of a run and for errors of the command itself. */
const BY_CODE: Partial<Record<ErrorCode, number>> = {
  'invalid-plan': EXIT.invalidPlan,
  'budget-exceeded': EXIT.budget,
  'invalid-config': EXIT.usage,
  cancelled: EXIT.interrupted,
};
/** Outside a run these mean that the user gave a wrong value: an input, an answer, the id of a run. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set(['invalid-request', 'not-found']);

/** Wrong arguments: the message says what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (!(error instanceof PolyphonyError)) return EXIT.failed;
  return BY_CODE[error.code] ?? (USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed);
}

export function exitCodeOfRun(result: RunResult): number {
  if (result.status === 'done') return EXIT.done;
  if (result.status === 'suspended') return EXIT.suspended;
  if (result.status === 'cancelled') return EXIT.interrupted;
  return result.error === undefined ? EXIT.failed : (BY_CODE[result.error.code] ?? EXIT.failed);
}
