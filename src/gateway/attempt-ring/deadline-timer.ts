/**
 * One timer for all attempts under way. Each has a moment at which it wants to be asked; most are over long before, and a
 * timer of the platform's for each would be made and thrown away at every call.
 *
 * D1. No deadline is called before its time, and each as soon as the clock's timer fires.
 * D2. The timer is set for the earliest moment that was ever asked for; when that one is gone it fires for nobody and is
 *     set anew. So it is set once in a while, not at every call.
 * D3. Without deadlines there is no timer.
 */
import type { Clock } from '../../core/clock.ts';

/** One of an attempt's; moved with `set`. */
export interface Deadline {
  /** On the monotonic clock. */
  at: number;
  /** May set the deadline anew, or remove it. */
  due: () => void;
  /** Where it stands among the others; -1: nowhere. Kept by `Deadlines`. */
  index: number;
}

export interface Deadlines {
  set(deadline: Deadline, at: number, due: () => void): void;
  remove(deadline: Deadline): void;
}

export const newDeadline = (): Deadline => ({ at: Number.POSITIVE_INFINITY, due: () => {}, index: -1 });

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
      // An earlier one may have removed or moved it.
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
      // The last one takes its place.
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
