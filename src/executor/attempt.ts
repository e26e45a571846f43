/**
 * One attempt at a step that may take only so long. When its time is up its signal aborts, and it has the grace period to stop,
 * so that the next attempt does not run beside it. What it finishes by then counts, because it was paid.
 */
import { defined } from '../core/defined.ts';
import type { PolyphonyError } from '../core/errors.ts';
import { onAbort } from '../core/on-abort.ts';
import { type NodeOutput, SuspendRun } from '../core/run/engine.ts';
import { chargeOf, withCharge } from '../runs/state/charge.ts';
import type { Unit } from '../runs/state/task.ts';
import { attemptTimeout } from '../runs/turn/attempts.ts';
import { bookFailure } from '../runs/turn/calls.ts';
import { type Driving, signalOf } from './driving.ts';

/** The output of `call`, which gets the signal of the attempt. Throws what that throws, or timeout after `ms` milliseconds. */
export function callWithin(
  driving: Driving,
  unit: Unit,
  ms: number,
  call: (signal: AbortSignal) => Promise<NodeOutput>,
): Promise<NodeOutput> {
  const { host, run } = driving;
  const { clock } = host.runtime;
  const stopped = signalOf(driving, unit);
  const attempt = new AbortController();
  return new Promise((resolve, reject) => {
    let late: PolyphonyError | undefined;
    let isOver = false;
    let cancel = clock.schedule(ms, () => {
      late = attemptTimeout(unit.task);
      cancel = clock.schedule(host.graceMs, () => end(() => reject(late)));
      attempt.abort(late);
    });
    // The driver itself waits for a unit that is stopped.
    const stopFollowing = onAbort(stopped, () => {
      cancel();
      attempt.abort(stopped.reason);
    });
    /** Only the first end counts; a later one is at least charged. */
    const end = (settle: () => void, charge?: () => void): void => {
      cancel();
      stopFollowing();
      if (isOver) charge?.();
      else settle();
      isOver = true;
    };
    const reasonOf = (error: unknown): unknown =>
      late === undefined || error instanceof SuspendRun ? error : withCharge(late, chargeOf(error));
    call(attempt.signal).then(
      (output) => {
        const { costNanoUsd, usage } = output;
        const charge = (): void =>
          bookFailure(run, unit, withCharge(attemptTimeout(unit.task), { costNanoUsd, ...defined({ usage }) }));
        end(() => resolve(output), charge);
      },
      (error: unknown) =>
        end(
          () => reject(reasonOf(error)),
          () => bookFailure(run, unit, error),
        ),
    );
  });
}
