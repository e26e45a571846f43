/** What is told of each attempt that has ended, to all that draw conclusions from it. */
import type { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, FinishEvent } from '../../core/model/model.ts';

export interface AttemptEnd {
  /** `blamed`: the target's own fault. `other`: neither an answer nor its fault. */
  readonly outcome: 'ok' | 'blamed' | 'other';
  readonly error: PolyphonyError | undefined;
  /** Undefined where there was no answer. */
  readonly finish: FinishEvent | undefined;
  readonly totalMs: number;
}

export interface AttemptWatcher {
  /** Never throws, and nobody waits for it. */
  ended(attempt: Attempt, end: AttemptEnd): void;
}
