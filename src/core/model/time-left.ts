/** What is left of the time of a call, whatever happens to the wall clock while it runs. */
import type { Clock } from '../clock.ts';
import type { Call } from './model.ts';

type Timed = Pick<Call, 'deadline' | 'clockAheadMs'>;
type Times = Pick<Clock, 'now' | 'monotonic'>;

/** What the wall clock is ahead of the monotonic one, in milliseconds: it changes only where the wall clock is set. */
export const clockAheadMs = (clock: Times): number => clock.now() - clock.monotonic();

/** Milliseconds until the deadline of the call, below 0 once it has passed; Infinity: it has none. */
export function timeLeftMs({ deadline, clockAheadMs: ahead }: Timed, clock: Times): number {
  if (deadline === undefined) return Number.POSITIVE_INFINITY;
  return deadline - (ahead === undefined ? clock.now() : ahead + clock.monotonic());
}
