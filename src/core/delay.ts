/** Delays that the other side names. Nobody outside may decide that a credential, a run or a model is parked for ever. */

/** The longest delay that is believed, in milliseconds: a day, because quotas are given anew each day at the latest. */
export const LONGEST_DELAY_MS = 86_400_000;

/** The delay in whole milliseconds, at most `LONGEST_DELAY_MS` and never negative; undefined for what is no number. */
export function boundedDelayMs(value: unknown): number | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
  return Math.min(LONGEST_DELAY_MS, Math.max(0, Math.ceil(value)));
}
