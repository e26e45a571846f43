/** What one run may do, with all runs nested in it. An operator can change it (`limits.run` of the config), a plan cannot. */
import { PolyphonyError } from '../errors.ts';

export interface RunLimits {
  /** Calls of models by its nodes. What retries, fallbacks, rungs and judges add to a call belongs to it. */
  readonly calls: number;
  /** Calls of the planner's model: for its plan, for revisions and for `plan` nodes. */
  readonly plannerCalls: number;
  /** Time in which a process drives it, planning included. Undefined: no limit. */
  readonly seconds: number | undefined;
  /** Milliseconds that undoing may take in a process; after it, each effect that is left gets a second. */
  readonly undoMs: number;
}

/** Twice the items of the longest `each`, and a hundred items that are each planned with one repair. */
export const RUN_LIMITS: RunLimits = { calls: 20_000, plannerCalls: 200, seconds: undefined, undoMs: 600_000 };

/** What a run counts of them. */
export type CountedCall = 'calls' | 'plannerCalls';

/** The call that a run may not make any more. */
export function callsExceeded(runId: string, what: CountedCall, most: number): PolyphonyError {
  const whose = what === 'calls' ? 'models' : "the planner's model";
  const message = `Run ${runId} has reached the limit of ${most} for calls of ${whose}, those of runs nested in it included (limits.run.${what}): raise the limit in the config, or split the work.`;
  return new PolyphonyError('limit-exceeded', message, { details: { runId, limit: `limits.run.${what}`, most } });
}
