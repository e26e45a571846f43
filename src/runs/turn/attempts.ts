/** Attempts at a step: how many it has, how long each may take, and whether another one follows. */
import { backOffMs } from '../../core/backoff.ts';
import { boundedDelayMs, ERROR_CODES, errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { PlanNode } from '../../core/plan/plan.ts';
import { isAttemptedHere, timeLimitsOf } from '../../core/plan/steps.ts';
import { SuspendRun } from '../../core/run/engine.ts';
import { chargeOf } from '../state/charge.ts';
import type { RunState } from '../state/run-state.ts';
import type { Task, Unit } from '../state/task.ts';
import { holdError } from '../unit/kept-errors.ts';
import { placeOf } from './calls.ts';

const RETRY_BASE_MS = 500;
const RETRY_CEILING_MS = 30_000;

/** False where the node has rounds, retries or a bound of its own on each attempt. */
export function isSingleCall({ task }: Unit): boolean {
  const { repeat, limits, use } = task.node;
  if (repeat !== undefined) return false;
  return limits === undefined || (retriesOf(use, limits.retries) === 0 && attemptMsOf(task.node) === undefined);
}

/**
 * Of steps, tools, workflows and plans. The gateway tries model calls again; a person and a rendered value never fail in a way
 * that another attempt mends.
 */
const retriesOf = (use: string, retries = 0): number => (isAttemptedHere(use) ? retries : 0);

/** How long one attempt may take, in milliseconds; undefined where the gateway bounds it, or nothing does. */
export function attemptMsOf(node: PlanNode): number | undefined {
  const { attemptSeconds } = timeLimitsOf(node);
  return attemptSeconds === undefined || !isAttemptedHere(node.use) ? undefined : attemptSeconds * 1000;
}

/** The attempt took too long, so the next one may follow. */
export function attemptTimeout({ id, node }: Task): PolyphonyError {
  const field = node.limits?.attemptSeconds === undefined ? 'seconds' : 'attemptSeconds';
  const message = `An attempt of node ${id} took longer than its limit of ${node.limits?.[field]} seconds (limits.${field}): raise the limit, or give it more attempts with limits.retries.`;
  return new PolyphonyError('timeout', message);
}

const FINAL: ReadonlySet<PolyphonyError['code']> = new Set([
  'cancelled',
  'budget-exceeded',
  'limit-exceeded',
  'blocked',
  'invalid-request',
  'invalid-plan',
  'invalid-config',
  'not-found',
]);

/** Whether another attempt may follow this one. Attempts count from 1. */
export function mayRetry({ task, stop }: Unit, attempt: number, error: unknown): boolean {
  const { use, limits } = task.node;
  if (attempt > retriesOf(use, limits?.retries) || stop !== undefined) return false;
  return !(error instanceof SuspendRun) && !FINAL.has(errorRecord(error).code) && !isMarkedFinal(error);
}

/**
 * Whoever threw it says that another attempt is useless: an error of one's own with `retryable: false`, or a code that is tried
 * again otherwise. The error of a tool stands in the cause of ours.
 */
function isMarkedFinal(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!(error instanceof PolyphonyError)) return 'retryable' in error && error.retryable === false;
  return (!error.retryable && ERROR_CODES[error.code]) || isMarkedFinal(error.cause);
}

/**
 * Records that the attempt failed and another one follows. Returns the delay before it, in milliseconds.
 *
 * @throws limit-exceeded when the run has no room for the error
 */
export function recordRetry(run: RunState, unit: Unit, attempt: number, error: unknown): number {
  const wanted = error instanceof Error && 'retryAfterMs' in error ? boundedDelayMs(error.retryAfterMs) : undefined;
  const record = errorRecord(error);
  holdError(run.values, record, unit.task.id);
  run.recorder.record({ type: 'node-retried', ...placeOf(unit), attempt, error: record, ...chargeOf(error) });
  run.driver.wake();
  const { random } = run.host.runtime;
  return backOffMs({
    failures: attempt,
    baseMs: RETRY_BASE_MS,
    maxMs: RETRY_CEILING_MS,
    random,
    atLeastMs: wanted ?? 0,
  });
}
