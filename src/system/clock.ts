/** The real clock, randomness and ids: no other file reads them. */
import { randomBytes } from 'node:crypto';
import type { Clock, Ids, Random, Runtime } from '../core/clock.ts';
import { abortError } from '../core/errors.ts';
import { onAbort } from '../core/on-abort.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(delayMs, callback, options) {
    // Node clamps longer delays to 1 ms.
    const timer = setTimeout(callback, Math.min(delayMs, 2_147_483_647));
    if (options?.background) timer.unref();
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = () => Math.random();

let pool = Buffer.alloc(0);
let used = 0;

/** The prefix and 12 random bytes in hex, from a pool, because one draw per id costs microseconds. */
export const systemIds: Ids = (prefix) => {
  if (used + 12 > pool.length) {
    pool = randomBytes(12 * 256);
    used = 0;
  }
  used += 12;
  return `${prefix}_${pool.toString('hex', used - 12, used)}`;
};

export const systemRuntime: Runtime = { clock: systemClock, random: systemRandom, ids: systemIds };

/**
 * Waits on the given clock.
 *
 * @throws cancelled (or the signal's own reason) as soon as the signal aborts
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    let stopFollowing: (() => void) | undefined;
    const cancel = clock.schedule(delayMs, () => {
      stopFollowing?.();
      resolve();
    });
    if (signal === undefined) return;
    stopFollowing = onAbort(signal, () => {
      cancel();
      reject(abortError(signal));
    });
  });
}
