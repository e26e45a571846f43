/** The right to drive a run: claimed before the first event, renewed while the run lives, released at its end. */
import type { Clock } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { RunJournal } from '../core/stores.ts';

export interface LeaseOptions {
  readonly journal: RunJournal;
  readonly clock: Clock;
  readonly runId: string;
  readonly owner: string;
  readonly leaseMs: number;
  /** Another owner has the run now: stop at once and write nothing. */
  readonly onLost: (error: unknown) => void;
}

/** @throws store-busy when another living owner drives the run */
export async function takeLease(options: LeaseOptions): Promise<() => Promise<void>> {
  const { journal, clock, runId, owner, leaseMs, onLost } = options;
  if (!(await journal.claim(runId, owner, leaseMs))) throw busy(runId);
  let released = false;
  let until = clock.monotonic() + leaseMs;
  let isAsking = false;
  let due = 0;
  /** How long the process stood still since its lease was renewed, as far as its timers tell, in milliseconds. */
  let stoodMs = 0;
  let cancelTimer = scheduleRenewal();

  function scheduleRenewal(): () => void {
    const pauseMs = Math.ceil(leaseMs / 3);
    due = clock.monotonic() + pauseMs;
    return clock.schedule(pauseMs, renew, { background: true });
  }
  function renew(): void {
    const now = clock.monotonic();
    stoodMs += Math.max(0, now - due);
    const hasEnded = now >= until;
    // A process that was stalled past its lease asks its store what others did in the meantime. Else the store did not answer.
    const mayAsk = !hasEnded || (journal.renew !== undefined && now - stoodMs < until);
    if (!mayAsk) {
      lose();
      return;
    }
    cancelTimer = scheduleRenewal();
    if (isAsking) return;
    isAsking = true;
    const asked = hasEnded ? journal.renew?.(runId, owner, leaseMs) : journal.claim(runId, owner, leaseMs);
    asked?.then((held) => answered(held, now), notAnswered);
  }
  function answered(held: boolean, asked: number): void {
    isAsking = false;
    if (held) {
      until = asked + leaseMs;
      stoodMs = 0;
    } else if (!released) lose();
  }
  /** It is not claimed anew: another process may have continued the run. */
  function lose(): void {
    cancelTimer();
    onLost(busy(runId));
  }
  /** A failed renewal is tried again: a store that is busy for a moment must not end the run. */
  function notAnswered(): void {
    isAsking = false;
  }
  return async () => {
    released = true;
    cancelTimer();
    await journal.release(runId, owner);
  };
}

export function busy(runId: string): PolyphonyError {
  const message = `Run ${runId} is already being driven, here or by another process: wait until it ends; if it was driven by a process on another host that has died, until the lease of that process expires.`;
  return new PolyphonyError('store-busy', message);
}
