/** A provider in a region: its slots, and who goes next of all that wait for one of them or for room. */
import type { Clock } from '../../../core/clock.ts';
import { isBefore, type Turn } from './fair-queue.ts';
import type { Endpoint, Lane } from './lane.ts';
import { hasRoom, roomAt } from './room.ts';
import { NO_WEIGHT } from './weight.ts';

export interface Pump {
  readonly clock: Clock;
  slotsOf(endpoint: Endpoint, now: number): number;
  /** The lane has no room before `at`, in monotonic milliseconds. */
  blocked(lane: Lane, at: number): void;
}

/** Lets go who can go, then sets the timer for the next moment at which somebody can. */
export function pump(endpoint: Endpoint, by: Pump): void {
  if (endpoint.waiting.size === 0) {
    stopTimer(endpoint);
    return;
  }
  for (;;) {
    const next = nextOf(endpoint, by);
    if (next === undefined) break;
    next.lane.queue.shift();
    if (next.lane.queue.length === 0) leave(next.lane);
    next.turn.waiter.go();
  }
  arm(endpoint, by);
}

export function leave(lane: Lane): void {
  lane.endpoint.waiting.delete(lane);
  lane.isTold = false;
  lane.spilledTo = Number.POSITIVE_INFINITY;
  if (lane.endpoint.waiting.size === 0) stopTimer(lane.endpoint);
}

function nextOf(endpoint: Endpoint, by: Pump): { readonly lane: Lane; readonly turn: Turn } | undefined {
  const now = by.clock.monotonic();
  const hasSlot = endpoint.used < by.slotsOf(endpoint, now);
  let next: { readonly lane: Lane; readonly turn: Turn } | undefined;
  for (const lane of endpoint.waiting) {
    const turn = lane.queue.head();
    if (turn === undefined || (turn.waiter.needsSlot && !hasSlot)) continue;
    if (next !== undefined && isBefore(next.turn, turn)) continue;
    if (hasRoom(lane, turn.waiter.weight, now)) next = { lane, turn };
  }
  return next;
}

function arm(endpoint: Endpoint, by: Pump): void {
  const now = by.clock.monotonic();
  let earliest = Number.POSITIVE_INFINITY;
  for (const lane of [...endpoint.waiting]) {
    const turn = lane.queue.head();
    if (turn === undefined || lane.windows === undefined) continue;
    const at = roomAt(lane, turn.waiter.weight, NO_WEIGHT, now);
    if (at <= now) continue;
    by.blocked(lane, at);
    if (lane.queue.length > 0) earliest = Math.min(earliest, at);
  }
  if (earliest === endpoint.timerAt) return;
  stopTimer(endpoint);
  if (earliest === Number.POSITIVE_INFINITY) return;
  endpoint.timerAt = earliest;
  endpoint.cancelTimer = by.clock.schedule(earliest - now, () => {
    endpoint.timerAt = Number.POSITIVE_INFINITY;
    endpoint.cancelTimer = undefined;
    pump(endpoint, by);
  });
}

function stopTimer(endpoint: Endpoint): void {
  endpoint.cancelTimer?.();
  endpoint.cancelTimer = undefined;
  endpoint.timerAt = Number.POSITIVE_INFINITY;
}
