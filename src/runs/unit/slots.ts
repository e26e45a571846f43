/**
 * What a run and the runs nested in it may do at the same time: one number for the whole tree. A call that only waits for a
 * nested run gives its slot back, so that a tree of any depth goes on with a single slot.
 */
import type { RunState, Slots } from '../state/run-state.ts';
import type { Unit } from '../state/task.ts';

export const createSlots = (limit: number): Slots => ({ limit, taken: 0, waiting: new Set() });

/** For a call that was made again after it had given its slot back, without a wait: others wait until one is free again. */
export function takeSlot({ slots }: RunState, unit: Unit): void {
  if (unit.hasSlot || unit.settled) return;
  unit.hasSlot = true;
  slots.taken += 1;
}

/** Does nothing when the unit has none. */
export function giveSlotBack({ slots }: RunState, unit: Unit): void {
  if (!unit.hasSlot) return;
  unit.hasSlot = false;
  slots.taken -= 1;
  passOn(slots);
}

/** There is no slot for what the run has to start: it is woken when one is free. */
export function awaitSlot(run: RunState): void {
  run.slots.waiting.add(run);
}

export const waitsForSlot = (run: RunState): boolean => run.slots.waiting.size > 0 && run.slots.waiting.has(run);

/** The run has nothing to start any more. */
export function leaveSlots(run: RunState): void {
  if (run.slots.waiting.size === 0) return;
  run.slots.waiting.delete(run);
  passOn(run.slots);
}

/** Wakes the run that has waited longest, if there is a slot for it. It waits again, behind the others, if it comes too late. */
function passOn({ waiting, taken, limit }: Slots): void {
  if (waiting.size === 0 || taken >= limit) return;
  for (const run of waiting) {
    waiting.delete(run);
    run.driver.wake();
    return;
  }
}
