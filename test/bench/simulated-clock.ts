/** A runtime whose clock jumps to the next timer as soon as nothing else is left to do. */
import type { Clock, Runtime } from '../../src/core/clock.ts';
import { countedIds, seededRandom } from '../../src/testing/fakes.ts';

export interface SimulatedRuntime extends Runtime {
  /** Moves time on until the promise settles. */
  drive<T>(promise: Promise<T>): Promise<T>;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export function simulatedRuntime(): SimulatedRuntime {
  const timers = new Map<number, Set<Timer>>();
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    schedule(delayMs, callback) {
      const timer = { at: now + Math.max(0, delayMs), callback };
      const due = timers.get(timer.at) ?? new Set();
      timers.set(timer.at, due.add(timer));
      return () => void due.delete(timer);
    },
  };
  const fireNext = (): void => {
    const at = Math.min(...timers.keys());
    const due = timers.get(at) ?? [];
    timers.delete(at);
    now = Math.max(now, at);
    for (const timer of due) timer.callback();
  };
  return {
    clock,
    random: seededRandom(1),
    ids: countedIds(),
    async drive(promise) {
      let over = false;
      void promise.finally(() => {
        over = true;
      });
      while (!over) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        if (!over && timers.size > 0) fireNext();
      }
      return promise;
    },
  };
}
