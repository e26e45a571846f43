/**
 * When a lease ends, for every kind of store.
 *
 * C1. A lease whose process is known to be dead has ended.
 * C2. Between processes that count from one origin (one boot of one machine) its monotonic end decides: no change of the wall
 *     clock ends a lease or makes it longer.
 * C3. Otherwise its end on the wall clock decides. An end that lies further ahead than the lease and `MOST_SKEW_MS` was written by a
 *     clock that was wrong, so the lease has ended too.
 * C4. Where C2 decides, a lease whose process is known to live holds for `LIVING_MS` more: a process that is slow, or stands still for a
 *     while, keeps its run. That of the process which asks has no such time, because whoever asks does not stand still.
 */
import type { Clock } from '../core/clock.ts';
import type { Processes } from '../core/processes.ts';

/** How far apart the wall clocks of two hosts may be, in milliseconds. */
export const MOST_SKEW_MS = 60_000;
/** Two processes read the same monotonic clock with an error that is far below this. */
const MONOTONIC_SKEW_MS = 1000;
/** How much longer than its lease a living process may stand still before another one may take its run, in milliseconds. */
export const LIVING_MS = 60_000;

export interface Lease {
  /** The name of the process comes first: see core/processes.ts. */
  readonly owner: string;
  readonly leaseMs: number;
  /** Epoch milliseconds. */
  readonly until: number;
  /** What `ends` counts from; undefined when it is not known. */
  readonly origin?: string | undefined;
  /** Monotonic milliseconds. */
  readonly ends: number;
}

export function newLease(owner: string, leaseMs: number, clock: Clock): Lease {
  const until = Math.ceil(clock.now() + leaseMs);
  return { owner, leaseMs, until, origin: clock.origin?.(), ends: clock.monotonic() + leaseMs };
}

/** Whether the lease still holds. `processes` undefined: nothing is asked of the system. */
export function isHeld(lease: Lease, clock: Clock, processes: Processes | undefined): boolean {
  const isAlive = processes?.isAlive(lease.owner);
  if (isAlive === false) return false;
  const { origin } = lease;
  const isComparable = origin !== undefined && origin === clock.origin?.();
  const moreMs = isAlive === true && !isOwn(lease, processes) ? LIVING_MS : 0;
  return isComparable
    ? isWithin(lease.ends + moreMs - clock.monotonic(), lease.leaseMs + moreMs + MONOTONIC_SKEW_MS)
    : isWithin(lease.until - clock.now(), lease.leaseMs + MOST_SKEW_MS);
}

/** A lease of the process that asks, which another engine in it may have left. */
const isOwn = ({ owner }: Lease, processes: Processes | undefined): boolean => {
  const self = processes?.self();
  return self !== undefined && (owner === self || owner.startsWith(`${self}#`));
};

const isWithin = (leftMs: number, mostMs: number): boolean => leftMs > 0 && leftMs <= mostMs;
