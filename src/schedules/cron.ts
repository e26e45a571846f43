/**
 * When a schedule is due. The library reads the expression and finds matching times on the wall of no zone; which moment such
 * a time is, in a zone whose clocks change, is decided here: each time that is named happens once.
 *
 * D1. A time that exists twice is its first moment.
 * D2. A time that does not exist is as long after the change as it would have been without it: 02:30 becomes 03:30.
 * D3. Where the hour is free (`*`), the expression means a rhythm, not times of a day: it goes on through a change.
 *     Steps of hours name hours.
 */
import { Cron } from 'croner';
import { PolyphonyError } from '../core/errors.ts';
import { dateAt } from '../system/clock.ts';

export interface CronRule {
  /** The first due moment after the given one, in epoch milliseconds; undefined when there is none. */
  next(afterMs: number): number | undefined;
  /** The last due moment after `afterMs` and not after `untilMs`. */
  last(afterMs: number, untilMs: number): number | undefined;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far back `last` looks for one: the days between two leap days. */
const LONGEST_LOOK_MS = 9 * 366 * DAY_MS;

/**
 * @param where the field of the config, for messages
 * @throws invalid-config when the expression or the zone cannot be read, and when no time ever matches
 */
export function cronRule(where: string, cron: string, timeZone = 'UTC'): CronRule {
  const zone = zoneOf(where, timeZone);
  const isRhythm = hasFreeHour(cron);
  const matcher = read(where, cron, isRhythm ? timeZone : 'UTC');
  const next = isRhythm
    ? (afterMs: number) => matcher.nextRun(dateAt(afterMs))?.getTime()
    : (afterMs: number) => nextInZone(matcher, zone, afterMs);
  if (next(0) === undefined) throw invalid(`${where}.cron "${cron}" names a time that never comes: correct it.`);
  return { next, last: (afterMs, untilMs) => lastOf(next, afterMs, untilMs) };
}

const invalid = (message: string, cause?: unknown): PolyphonyError =>
  new PolyphonyError('invalid-config', message, { cause });

function read(where: string, cron: string, timezone: string): Cron {
  try {
    return new Cron(cron, { timezone, paused: true, mode: '5-part' });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^\w+: /, '') : String(error);
    const remedy = 'give minute, hour, day of the month, month and day of the week, such as "0 7 * * 1-5"';
    throw invalid(`${where}.cron "${cron}" cannot be read (${reason.slice(0, 200)}): ${remedy}.`, error);
  }
}

function hasFreeHour(cron: string): boolean {
  const [first = '', hour = ''] = cron.trim().split(/\s+/);
  return first.toLowerCase() === '@hourly' || hour === '*' || hour === '*/1';
}

/** The offset of a zone from UTC at a moment, in milliseconds. */
type Zone = (ms: number) => number;

function zoneOf(where: string, timeZone: string): Zone {
  const format = formatOf(where, timeZone);
  return (ms) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1000) * 1000;
  };
}

function formatOf(where: string, timeZone: string): Intl.DateTimeFormat {
  const two = '2-digit';
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two, second: two },
    });
  } catch (error) {
    throw invalid(`${where}.timeZone "${timeZone}" is not known: give a name such as "Europe/Berlin".`, error);
  }
}

/** A time on the wall is a number as if it were UTC. */
function momentOf(zone: Zone, wallMs: number): { readonly ms: number; readonly gapMs: number } {
  const before = zone(wallMs - DAY_MS);
  const after = zone(wallMs + DAY_MS);
  const [early, late] = [wallMs - before, wallMs - after];
  if (zone(early) === before) return { ms: early, gapMs: 0 };
  if (zone(late) === after) return { ms: late, gapMs: 0 };
  return { ms: early, gapMs: after - before };
}

/** Times in a gap come after times that follow the gap, so those are looked at too. */
function nextInZone(matcher: Cron, zone: Zone, afterMs: number): number | undefined {
  const gapBehind = Math.max(0, zone(afterMs) - zone(afterMs - DAY_MS));
  let best: number | undefined;
  let lastWall = Number.POSITIVE_INFINITY;
  let wall = afterMs + zone(afterMs) - gapBehind;
  for (;;) {
    const found = matcher.nextRun(dateAt(wall))?.getTime();
    if (found === undefined || found > lastWall) return best;
    wall = found;
    const { ms, gapMs } = momentOf(zone, wall);
    if (ms <= afterMs) continue;
    if (best === undefined) lastWall = wall + gapMs;
    best = Math.min(best ?? ms, ms);
    if (lastWall <= wall) return best;
  }
}

/** Steps back in doubling spans, so that neither a rare nor a frequent rule takes many steps. */
function lastOf(next: CronRule['next'], afterMs: number, untilMs: number): number | undefined {
  const floor = Math.max(afterMs, untilMs - LONGEST_LOOK_MS);
  for (let span = 60_000; ; span *= 2) {
    const from = Math.max(floor, untilMs - span);
    let found: number | undefined;
    for (let due = next(from); due !== undefined && due <= untilMs; due = next(due)) found = due;
    if (found !== undefined || from === floor) return found;
  }
}
