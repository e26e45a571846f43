/** How long a call may still take: by its attempt, by its node, by its run, and by the runs around it. */
import { timeLimitsOf } from '../../core/plan/steps.ts';
import type { RunState } from '../state/run-state.ts';
import type { Unit } from '../state/task.ts';

/** Milliseconds, at least 0; Infinity where nothing limits it. */
export function timeLeftMs(run: RunState, { task }: Pick<Unit, 'task'>): number {
  const { seconds, attemptSeconds = Number.POSITIVE_INFINITY } = timeLimitsOf(task.node);
  const tookMs = run.host.runtime.clock.monotonic() - task.startedAt;
  return Math.max(0, Math.min(attemptSeconds * 1000, secondsLeftMs(seconds, tookMs), runLeftMs(run)));
}

function runLeftMs(run: RunState): number {
  const tookMs = run.activeMs + run.host.runtime.clock.monotonic() - run.startedAt;
  const own = secondsLeftMs(run.plan.plan.budget?.seconds, tookMs - run.plannedMs);
  const { within } = run;
  // The operator's limit counts once, for the run around all others.
  const around =
    within === undefined ? secondsLeftMs(run.counted.limits.seconds, tookMs) : timeLeftMs(within.run, within);
  return Math.min(own, around);
}

const secondsLeftMs = (seconds: number | undefined, tookMs: number): number =>
  seconds === undefined ? Number.POSITIVE_INFINITY : seconds * 1000 - tookMs;
