/** Work on a store that a call began and does not wait for. */
import type { Clock } from '../../core/clock.ts';
import { orAborted, settlesWithin } from '../../system/clock.ts';
import { canAbort } from './call.ts';

export interface Background {
  /**
   * The result of the work. When the signal aborts, its reason is thrown and the work goes on; `late` undoes what it then
   * comes to.
   */
  orAborted<T>(work: Promise<T>, signal: AbortSignal, late?: (result: T) => unknown): Promise<T>;
  /** Waits for work that never rejects, until the signal aborts. */
  untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<unknown>;
  /** Resolves when all that goes on has ended, and at the latest after half a minute. */
  settled(): Promise<unknown>;
}

/** How long a caller that aborts waits for a store, in milliseconds: one that works has answered by then. */
const GRACE_MS = 100;
const LONGEST_MS = 30_000;

export function createBackground(clock: Clock): Background {
  const running = new Set<Promise<unknown>>();
  const keep = (work: Promise<unknown>): void => {
    const over = work.then(ignore, ignore);
    running.add(over);
    void over.then(() => running.delete(over));
  };
  const abortable = async <T>(
    work: Promise<T>,
    signal: AbortSignal,
    late: ((result: T) => unknown) | undefined,
  ): Promise<T> => {
    let isLate = false;
    try {
      return await orAborted(clock, GRACE_MS, work, signal);
    } catch (error) {
      // Where the work itself has failed there is nothing to undo.
      isLate = true;
      throw error;
    } finally {
      if (isLate) keep(work.then((result) => late?.(result)));
    }
  };
  return {
    orAborted: (work, signal, late) => (canAbort(signal) ? abortable(work, signal, late) : work),
    untilAborted(work, signal) {
      if (!canAbort(signal)) return work;
      keep(work);
      return orAborted(clock, GRACE_MS, work, signal).catch(ignore);
    },
    settled: () => settlesWithin(clock, LONGEST_MS, Promise.all(running)),
  };
}

const ignore = (): void => {};
