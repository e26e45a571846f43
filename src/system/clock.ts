/** The real clock, randomness and ids: no other file reads them. */
import { randomBytes } from 'node:crypto';
import type { Clock, Ids, Random, Runtime } from '../core/clock.ts';
import { abortError, PolyphonyError } from '../core/errors.ts';
import { onAbort } from '../core/on-abort.ts';
import { bootName, systemProcesses } from './processes.ts';

/** `performance.now` counts from the start of the process. The system counts for all processes alike, but costs more to ask. */
const startedMs = Number(process.hrtime.bigint()) / 1e6 - performance.now();

export const systemClock: Clock = {
  now: () => Date.now(),
  stepMs: 1,
  monotonic: () => startedMs + performance.now(),
  origin: bootName,
  schedule(delayMs, callback, options) {
    if (delayMs > LONGEST_TIMER_MS) return scheduleLong(delayMs, callback, options);
    const timer = setTimeout(callback, delayMs);
    if (options?.background) timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Some 25 days. Node makes 1 ms of more. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** By one timer after the other. */
function scheduleLong(delayMs: number, callback: () => void, options: Parameters<Clock['schedule']>[2]): () => void {
  let cancel = systemClock.schedule(
    LONGEST_TIMER_MS,
    () => {
      cancel = systemClock.schedule(delayMs - LONGEST_TIMER_MS, callback, options);
    },
    options,
  );
  return () => cancel();
}

export const systemRandom: Random = () => Math.random();

/** In hex. */
let pool = '';
let used = 0;
/** Two for each id. V8 copies a short part of a string; a longer one would hold all of the pool for as long as the id is kept. */
const PART_DIGITS = 10;
const IDS_PER_DRAW = 256;

let latestMs = 0;
let latest = '';

/**
 * The prefix, the time and 10 random bytes in hex: in the index of a store, ids that are made one after the other stand beside
 * each other, so that a write changes few pages. Random bytes come from a pool, because one draw per id costs microseconds.
 */
export const systemIds: Ids = (prefix) => {
  const nowMs = Date.now();
  if (nowMs !== latestMs) {
    latestMs = nowMs;
    latest = nowMs.toString(16).padStart(12, '0');
  }
  if (used === pool.length) {
    pool = randomBytes(PART_DIGITS * IDS_PER_DRAW).toString('hex');
    used = 0;
  }
  const middle = used + PART_DIGITS;
  const random = pool.slice(used, middle) + pool.slice(middle, middle + PART_DIGITS);
  used = middle + PART_DIGITS;
  return `${prefix}_${latest}${random}`;
};

export const systemRuntime: Runtime = {
  clock: systemClock,
  random: systemRandom,
  ids: systemIds,
  processes: systemProcesses,
};

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

/** Calls back once timers, signals and sockets have had their turn. */
export const nextMacrotask = (callback: () => void): void => void setImmediate(callback);

/** Resolves when the work has settled, however that was, and at the latest after `ms` milliseconds: then with false. */
export function settlesWithin(clock: Clock, ms: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(ms, () => resolve(false));
    const settled = (): void => {
      cancel();
      resolve(true);
    };
    work.then(settled, settled);
  });
}

/**
 * The result of the work, which goes on without its caller when the signal aborts: that waits `graceMs` milliseconds more, so
 * that an abort does not change what is nearly done.
 *
 * @throws cancelled (or the signal's own reason)
 */
export function orAborted<T>(
  clock: Clock,
  graceMs: number,
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    let cancel = (): void => {};
    const giveUp = (): void => {
      cancel = clock.schedule(graceMs, () => reject(abortError(signal)));
    };
    const stopFollowing = onAbort(signal, giveUp);
    if (signal.aborted) giveUp();
    const leave = (): void => {
      cancel();
      stopFollowing();
    };
    work.finally(leave).then(resolve, reject);
  });
}

/** How long a part that others wrote may take to close, in milliseconds. */
const CLOSE_MS = 5000;

/** @throws what the part throws; timeout when it has not closed after 5 seconds */
export async function closesInTime(clock: Clock, close: () => Promise<unknown>): Promise<void> {
  const closing = close();
  if (await settlesWithin(clock, CLOSE_MS, closing)) await closing;
  else throw new PolyphonyError('timeout', `It has not closed after ${CLOSE_MS} ms, so closing goes on without it.`);
}

/** The date of a given moment, in epoch milliseconds. It reads no clock. */
export const dateAt = (epochMs: number): Date => new Date(epochMs);
