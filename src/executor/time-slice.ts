/**
 * How much a process runs before the event loop turns. Steps without any wait follow one another in microtasks, so without
 * this a large run of them would keep timers, signals, sockets and other runs from their turn.
 */
import { nextMacrotask } from '../system/clock.ts';

export interface TimeSlice {
  /** Counts a unit that starts at this time, in monotonic milliseconds. */
  take(nowMs: number): void;
  isUsedUp(): boolean;
  /** Nothing further begins in the slice, whatever the time: what was done in it took long. Only after `take`. */
  end(): void;
  /** Calls back in the next slice, in the order of the calls. */
  next(callback: () => void): void;
}

/** Most units of a slice, and the time after which no further one begins. */
const UNITS = 256;
const SLICE_MS = 10;

/** One for all runs of an engine. */
export function createTimeSlice(): TimeSlice {
  let units = 0;
  let beganAt = 0;
  let isUsedUp = false;
  let waiting: (() => void)[] = [];
  const begin = (): void => {
    units = 0;
    isUsedUp = false;
    const callbacks = waiting;
    waiting = [];
    for (const [index, callback] of callbacks.entries()) {
      // Those who have not had their turn come before those who have had it.
      if (isUsedUp) {
        waiting = [...callbacks.slice(index), ...waiting];
        return;
      }
      callback();
    }
  };
  return {
    take(nowMs) {
      if (units === 0) {
        beganAt = nowMs;
        nextMacrotask(begin);
      }
      units += 1;
      if (units >= UNITS || nowMs - beganAt >= SLICE_MS) isUsedUp = true;
    },
    isUsedUp: () => isUsedUp,
    end() {
      isUsedUp = true;
    },
    next: (callback) => void waiting.push(callback),
  };
}
