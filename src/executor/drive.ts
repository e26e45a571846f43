/**
 * One run: the scheduler. The laws below are tested in test/laws.
 *
 * S1. A node starts only after all that it waits for has ended and those ends are committed; no node ends twice.
 * S2. There are no supersteps: whatever can start after an end is committed starts in the same turn, or when the event loop
 *     has turned, where a time slice is used up.
 * S3. At most `concurrency` runner calls are in flight, in the run and all that are nested in it, and at most
 *     `limits.concurrency` of one node's items. A call that waits for a nested run counts only in its own run.
 * S4. Of several ready nodes the one with the longest expected remaining path starts first.
 * S5. After a stop nothing starts; running units are signalled in the same tick, and the run ends when they have settled.
 * S6. A run ends once: after its last unit has settled, its records are committed, and before its lease is released. One that
 *     was cancelled, or whose store failed, waits for the store only a moment; what is left is written afterwards.
 * S7. `turn` is the only place that starts, ends or suspends anything; everything else changes state and calls `wake`.
 */

import type { NodeOutput, NodeResult } from '../core/run/engine.ts';
import type { Unit } from '../runs/state/task.ts';
import { isSingleCall } from '../runs/turn/attempts.ts';
import { bookFailure, bookOutput } from '../runs/turn/calls.ts';
import { advance } from '../runs/turn/concluding.ts';
import { mayStart, nextUnit, settleUnit } from '../runs/turn/units.ts';
import { awaitSlot, leaveSlots } from '../runs/unit/slots.ts';
import { type Driving, wake } from './driving.ts';
import { callOnce, perform } from './perform.ts';

/** Drives the run until it ends: sets `driving.turn` and takes the first turn. */
export function drive(driving: Driving): void {
  const { run } = driving;
  let turning = false;
  let again = false;
  driving.turn = () => {
    again = true;
    if (turning || run.result !== undefined) return;
    turning = true;
    run.recorder.beginTurn();
    while (again) {
      again = false;
      run.recorder.flush();
      if (startReady(driving) && advance(run)) again = true;
    }
    run.recorder.endTurn();
    turning = false;
  };
  driving.turn();
}

/**
 * Starts ready units, most urgent first, while there are free slots and money.
 *
 * @returns false when it left some for the next time slice
 */
function startReady(driving: Driving): boolean {
  const { run, host } = driving;
  const { slots } = run;
  while (run.active - run.standingBy < slots.limit) {
    if (slots.taken >= slots.limit && mayStart(run)) {
      awaitSlot(run);
      return true;
    }
    if (run.stopping === undefined && host.slice.isUsedUp()) {
      wake(driving);
      return false;
    }
    const unit = nextUnit(run);
    if (unit === undefined) break;
    host.slice.take(unit.startedAt);
    launch(driving, unit);
  }
  leaveSlots(run);
  return true;
}

function launch(driving: Driving, unit: Unit): void {
  if (isSingleCall(unit)) {
    callOnce(driving, unit).then(
      (output) => settleOutput(driving, unit, output),
      (error: unknown) => settleFailure(driving, unit, error),
    );
  } else {
    perform(driving, unit).then(
      (result) => settle(driving, unit, result, undefined),
      (error: unknown) => settle(driving, unit, undefined, error),
    );
  }
}

function settleOutput(driving: Driving, unit: Unit, output: NodeOutput): void {
  const { recorder } = driving.run;
  recorder.beginTurn();
  try {
    settle(driving, unit, bookOutput(driving.run, unit, output), undefined);
  } catch (error) {
    settle(driving, unit, undefined, error);
  }
  recorder.endTurn();
}

function settleFailure(driving: Driving, unit: Unit, error: unknown): void {
  bookFailure(driving.run, unit, error);
  settle(driving, unit, undefined, error);
}

function settle({ run, controllers }: Driving, unit: Unit, result: NodeResult | undefined, error: unknown): void {
  if (controllers.size > 0) controllers.delete(unit);
  settleUnit(run, unit, result, error);
}
