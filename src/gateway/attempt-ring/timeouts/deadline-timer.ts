/**
 * One timer for all running attempts. Each has a deadline, but most attempts end long before it: a platform timer each
 * would be created and discarded on every call.
 *
 * D1. No deadline is called before its time, and each is called as soon as the clock's timer fires.
 * D2. The timer is set for the earliest deadline so far. When that deadline was removed, the timer fires without effect and
 *     is set again. So it is set occasionally, not on every call.
 * D3. Without deadlines there is no timer.
 */
import type { Clock } from '../../../core/clock.ts';

/** A deadline of one attempt; `set` moves it. */
export interface Deadline {
  /** Milliseconds on the monotonic clock. */
  at: number;
  /** Called when the deadline is reached. May set the deadline again, or remove it. */
  due: () => void;
  /** Its index in the list of `Deadlines`, which maintains it; -1 when it is not in the list. */
  index: number;
}

export interface Deadlines {
  set(deadline: Deadline, at: number, due: () => void): void;
  remove(deadline: Deadline): void;
}

const nothing = (): void => {};

export const newDeadline = (): Deadline => ({ at: Number.POSITIVE_INFINITY, due: nothing, index: -1 });

export function createDeadlines(clock: Clock): Deadlines {
  const waiting: Deadline[] = [];
  let armedFor = Number.POSITIVE_INFINITY;
  let cancelTimer: (() => void) | undefined;
  const arm = (at: number): void => {
    cancelTimer?.();
    armedFor = at;
    cancelTimer = clock.schedule(Math.max(0, at - clock.monotonic()), fire);
  };
  const fire = (): void => {
    armedFor = Number.POSITIVE_INFINITY;
    cancelTimer = undefined;
    const now = clock.monotonic();
    for (const deadline of waiting.filter(({ at }) => at <= now)) {
      // A deadline called before it may have removed or moved it.
      if (deadline.index >= 0 && deadline.at <= now) deadline.due();
    }
    let earliest = Number.POSITIVE_INFINITY;
    for (const { at } of waiting) if (at < earliest) earliest = at;
    if (earliest < armedFor) arm(earliest);
  };
  return {
    set(deadline, at, due) {
      deadline.at = at;
      deadline.due = due;
      if (deadline.index < 0) deadline.index = waiting.push(deadline) - 1;
      if (at < armedFor) arm(at);
    },
    remove(deadline) {
      const { index } = deadline;
      if (index < 0) return;
      deadline.index = -1;
      // The last one moves to its index.
      const last = waiting.pop();
      if (last !== undefined && last !== deadline) {
        last.index = index;
        waiting[index] = last;
      }
      if (waiting.length > 0) return;
      cancelTimer?.();
      cancelTimer = undefined;
      armedFor = Number.POSITIVE_INFINITY;
    },
  };
}
