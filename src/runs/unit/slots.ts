/**
 * What a run and the runs nested in it may do at the same time: one number for the whole tree. A call that only waits for a
 * nested run gives its slot back, so that a tree of any depth goes on with a single slot. One that does several things at once has
 * a slot for each; nobody waits for another one whose first does not go on meanwhile, so that none waits for ever.
 */
import { onAbort } from '../../core/on-abort.ts';
import type { CallSlot } from '../../core/run/engine.ts';
import type { RunState, Slots, SlotWaiter } from '../state/run-state.ts';
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

/**
 * The unit waits for what is outside the run, such as a batch: it has no slot, and the run may begin others as if it had not begun.
 *
 * @returns takes it back among those that work; resolves when it has a slot again, or is stopped
 */
export function standBy(run: RunState, unit: Unit, signal: AbortSignal): () => Promise<void> {
  giveSlotBack(run, unit);
  run.standingBy += 1;
  run.driver.wake();
  return () => {
    run.standingBy -= 1;
    return slotAgain(run, unit, signal);
  };
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

/**
 * A slot for one more thing that a call does, once there is one and behind those that wait already.
 *
 * @param signal of the call: a thing that does not stop when it aborts keeps no slot from others
 */
export function anotherSlot({ slots }: RunState, signal: AbortSignal): CallSlot {
  let [isTaken, isLeft] = [false, false];
  let settle: (taken: boolean) => void = () => {};
  const taken = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  const take = (): void => {
    isTaken = true;
    slots.taken += 1;
    settle(true);
  };
  const waiter: SlotWaiter = {
    driver: { wake: () => (slots.taken < slots.limit ? take() : slots.waiting.add(waiter)) },
  };
  const leave = (): void => {
    if (isLeft) return;
    isLeft = true;
    unfollow();
    slots.waiting.delete(waiter);
    if (isTaken) slots.taken -= 1;
    else settle(false);
    passOn(slots);
  };
  const unfollow = onAbort(signal, leave);
  if (signal.aborted) leave();
  else if (slots.waiting.size === 0 && slots.taken < slots.limit) take();
  else slots.waiting.add(waiter);
  return { taken, leave };
}

/** For a call that works on after it had given its slot back: resolves when it has one again, or is stopped. */
export async function slotAgain(run: RunState, unit: Unit, signal: AbortSignal): Promise<void> {
  if (unit.hasSlot || unit.settled) return;
  const slot = anotherSlot(run, signal);
  if (!(await slot.taken)) return;
  // From here on it is that of the unit, in one step, so that nobody takes it in between.
  takeSlot(run, unit);
  slot.leave();
}

/** Wakes who has waited longest, if there is a slot for it. It waits again, behind the others, if it comes too late. */
function passOn({ waiting, taken, limit }: Slots): void {
  if (waiting.size === 0 || taken >= limit) return;
  for (const waiter of waiting) {
    waiting.delete(waiter);
    waiter.driver.wake();
    return;
  }
}
