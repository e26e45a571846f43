/** Waits for a slot, and for room in the announced limits. */
import { abortError, type PolyphonyError } from '../../../core/errors.ts';
import type { Attempt } from '../../../core/model/model.ts';
import { timeLeftMs } from '../../../core/model/time-left.ts';
import { onAbort } from '../../../core/on-abort.ts';
import { leave } from './endpoint.ts';
import type { Waiter } from './fair-queue.ts';
import { costOf, forgetRoom, type Lane } from './lane.ts';
import type { Pacer } from './pacer.ts';
import { LONGEST_WAIT_MS, noRoom, queuedTooLong } from './refusals.ts';
import { roomAt } from './room.ts';
import type { Weight } from './weight.ts';

export interface Place extends Pick<Waiter, 'attempt' | 'rank' | 'tenant' | 'weight' | 'needsSlot'> {
  readonly lane: Lane;
}

/**
 * Resolves after `go` was called, which takes the slot and the room.
 *
 * @throws rate-limited with the fault `no-room` if there is no room before the deadline or for an hour, now or once that shows;
 * timeout at the deadline; cancelled
 */
export function wait(pacer: Pacer, place: Place, go: (weight: Weight) => void): Promise<void> {
  const { attempt, lane } = place;
  const { clock } = pacer;
  const { signal } = attempt;
  if (signal.aborted) return Promise.reject(abortError(signal));
  const now = clock.monotonic();
  const waitMs = roomAt(lane, place.weight, lane.queue.ahead(place.rank, place.tenant), now) - now;
  const leftMs = timeLeftMs(attempt, clock);
  if (waitMs > LONGEST_WAIT_MS || (waitMs > 0 && waitMs >= leftMs)) {
    return Promise.reject(noRoom(attempt, waitMs));
  }
  if (waitMs > 0) tellWaiting(pacer, lane, attempt, waitMs);
  return new Promise((resolve, reject) => {
    const waiter: Waiter = {
      ...place,
      cost: costOf(lane, place.weight),
      since: now,
      go() {
        stop();
        go(waiter.weight);
        resolve();
      },
      giveUp(error) {
        stop();
        lane.queue.remove(waiter);
        if (lane.queue.length === 0) leave(lane);
        reject(error);
      },
    };
    const giveUp = (error: PolyphonyError): void => {
      waiter.giveUp(error);
      pacer.changed(lane.endpoint);
    };
    const stopFollowing = onAbort(signal, () => giveUp(abortError(signal)));
    const cancelTimer = Number.isFinite(leftMs)
      ? clock.schedule(leftMs, () => giveUp(queuedTooLong(attempt)))
      : undefined;
    const stop = (): void => {
      stopFollowing();
      cancelTimer?.();
    };
    lane.queue.push(waiter);
    forgetRoom(lane);
    // So long it can wait.
    lane.spilledTo = Math.min(lane.spilledTo, now + waitMs);
    lane.endpoint.waiting.add(lane);
    pacer.changed(lane.endpoint);
  });
}

function tellWaiting({ clock, tell }: Pacer, lane: Lane, { target }: Attempt, waitMs: number): void {
  if (lane.isTold) return;
  lane.isTold = true;
  const message = `The limits that the endpoint of ${lane.name} announced have no room: calls wait.`;
  tell?.({ type: 'throttled', level: 'info', message, target, until: clock.now() + Math.ceil(waitMs) });
}
