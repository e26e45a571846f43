/** The day, week or month of a cap, in UTC. */
import { DAY_MS, dayName, dayOf } from './calendar.ts';

export type PeriodKind = 'day' | 'week' | 'month';

export interface Period {
  /** `2026-11-28`, `2026-11`, `week from 2026-11-23` or `month from 2026-11-15`: a part of the name of a counter. */
  readonly name: string;
  /** Epoch milliseconds, inclusive. */
  readonly from: number;
  /** Epoch milliseconds, exclusive. */
  readonly to: number;
}

/** The latest of each kind and first day, at most 36: every call asks for the same ones. */
const latest = new Map<string, Period>();

/** @param startsOn the first day of a week (1 is Monday, 7 Sunday) or of a month (1 to 28). @default 1 */
export function periodAt(kind: PeriodKind, nowMs: number, startsOn = 1): Period {
  const key = `${kind} ${startsOn}`;
  const known = latest.get(key);
  if (known !== undefined && nowMs >= known.from && nowMs < known.to) return known;
  const period = workedOut(kind, nowMs, startsOn);
  latest.set(key, period);
  return period;
}

function workedOut(kind: PeriodKind, nowMs: number, startsOn: number): Period {
  const today = dayOf(nowMs);
  if (kind === 'day') return between(dayName(today), today, today + 1);
  if (kind === 'week') {
    const first = today - ((weekday(today) - startsOn + 7) % 7);
    return between(`week from ${dayName(first)}`, first, first + 7);
  }
  const first = firstOfMonth(today, startsOn);
  const name = startsOn === 1 ? dayName(first).slice(0, 7) : `month from ${dayName(first)}`;
  return between(name, first, nextFirst(first, startsOn));
}

const between = (name: string, first: number, next: number): Period => ({
  name,
  from: first * DAY_MS,
  to: next * DAY_MS,
});

/** 1 is Monday, 7 Sunday: the first day of the epoch was a Thursday. */
export const weekday = (day: number): number => ((((day + 3) % 7) + 7) % 7) + 1;

const dayOfMonth = (day: number): number => Number(dayName(day).slice(8));

function firstOfMonth(today: number, startsOn: number): number {
  const date = dayOfMonth(today);
  if (date >= startsOn) return today - (date - startsOn);
  const lastOfBefore = today - date;
  return lastOfBefore - (dayOfMonth(lastOfBefore) - startsOn);
}

/** A month has 28 to 31 days. */
function nextFirst(first: number, startsOn: number): number {
  let next = first + 28;
  while (dayOfMonth(next) !== startsOn) next += 1;
  return next;
}
