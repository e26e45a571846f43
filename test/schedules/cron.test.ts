/** When schedules are due: each named time once, also where clocks change. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { cronRule } from '../../src/schedules/cron.ts';

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;
const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16);

function dueTimes(cron: string, timeZone: string, from: string, count: number): (string | undefined)[] {
  const rule = cronRule('schedules.x', cron, timeZone);
  const found: (string | undefined)[] = [];
  for (let due = rule.next(at(from)); due !== undefined && found.length < count; due = rule.next(due)) {
    found.push(iso(due));
  }
  return found;
}

/** What the wall shows, as minutes as if it were UTC: an oracle that asks the platform minute by minute. */
function wallOf(timeZone: string): (ms: number) => number {
  const two = '2-digit';
  const format = new Intl.DateTimeFormat('sv-SE', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two },
  });
  return (ms) => at(`${format.format(ms).replace(' ', 'T')}Z`);
}

/** Zones whose clocks change at midnight, by half an hour, before midnight, in the south, or in winter. */
const ZONES = [
  ...['Europe/Berlin', 'Europe/London', 'America/New_York', 'America/Nuuk', 'America/Havana', 'Asia/Beirut'],
  ...['Australia/Lord_Howe', 'Australia/Sydney', 'Pacific/Auckland', 'Africa/Cairo', 'Africa/Casablanca'],
  ...['America/Santiago', 'Pacific/Chatham', 'Atlantic/Azores', 'Asia/Kolkata', 'UTC'],
];

const changes = new Map<string, readonly number[]>();
function changesOf(zone: string): readonly number[] {
  const known = changes.get(zone);
  if (known !== undefined) return known;
  const wall = wallOf(zone);
  const found: number[] = [];
  for (let ms = at('2023-01-01T00:00Z'); ms < at('2030-01-01T00:00Z'); ms += DAY / 4) {
    if (wall(ms + DAY / 4) - wall(ms) !== DAY / 4) found.push(ms);
  }
  // A zone without changes is looked at somewhere.
  const all = found.length === 0 ? [at('2026-03-29T00:00Z')] : found;
  changes.set(zone, all);
  return all;
}

/** Per date of the zone, the moment of a time: its first, or as long after the change as it would have been without one. */
function expectedTimes(zone: string, time: number, from: number, until: number): number[] {
  const wall = wallOf(zone);
  const moments = new Map<number, number>();
  let before = wall(from - MINUTE);
  for (let ms = from; ms < until; ms += MINUTE) {
    const now = wall(ms);
    // Minutes that the wall shows for the first time here, and those that it leaves out.
    for (let shown = before + MINUTE; shown <= now; shown += MINUTE) {
      const late = shown === now ? 0 : shown - before - MINUTE;
      if (shown % DAY === time * MINUTE) moments.set(shown, ms + late);
    }
    before = Math.max(before, now);
  }
  return [...new Set(moments.values())].sort((a, b) => a - b);
}

describe('a time of the day', () => {
  test('comes once for each date of any zone, whatever its clocks do', () => {
    const zone = fc.constantFrom(...ZONES);
    const time = fc.oneof(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 210 }));
    fc.assert(
      fc.property(zone, fc.nat(), time, (timeZone, pick, minutes) => {
        const all = changesOf(timeZone);
        const change = all[pick % all.length] ?? 0;
        const [from, until] = [change - 2 * DAY, change + 3 * DAY];
        const rule = cronRule('schedules.x', `${minutes % 60} ${Math.floor(minutes / 60)} * * *`, timeZone);
        const found: number[] = [];
        for (let due = rule.next(from - 1); due !== undefined && due < until - DAY / 8; due = rule.next(due)) {
          found.push(due);
        }
        const expected = expectedTimes(timeZone, minutes, from, until).filter((ms) => ms < until - DAY / 8);
        expect(found.map(iso)).toEqual(expected.map(iso));
      }),
      { numRuns: 150 },
    );
  });

  test('is found from any moment before it, and never twice', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ZONES),
        fc.nat(),
        fc.integer({ min: 0, max: 240 }),
        fc.integer({ min: -720, max: 720 }),
        (timeZone, pick, minutes, offset) => {
          const all = changesOf(timeZone);
          const moment = (all[pick % all.length] ?? 0) + offset * MINUTE;
          const rule = cronRule('schedules.x', `${minutes % 60} ${Math.floor(minutes / 60)} * * *`, timeZone);
          const series: number[] = [];
          for (let due = rule.next(moment - 3 * DAY); due !== undefined && due < moment + 3 * DAY; due = rule.next(due))
            series.push(due);
          expect(rule.next(moment)).toBe(series.find((due) => due > moment));
          expect(rule.last(moment - 3 * DAY, moment)).toBe(series.findLast((due) => due <= moment));
        },
      ),
      { numRuns: 150 },
    );
  });

  test.each([
    ['does not exist', '30 2 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
    ['exists twice', '30 2 * * *', '2026-10-24T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    [
      'exists twice, with others of its hour',
      '*/30 2 * * *',
      '2026-10-24T12:00Z',
      ['2026-10-25T00:00', '2026-10-25T00:30', '2026-10-26T01:00'],
    ],
    ['meets one that does not exist', '30 2,3 * * *', '2026-03-28T12:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
    [
      'is after one that does not exist',
      '30,45 2 * * *',
      '2026-03-28T12:00Z',
      ['2026-03-29T01:30', '2026-03-29T01:45', '2026-03-30T00:30'],
    ],
    [
      'is every second hour, of which one exists twice',
      '0 */2 * * *',
      '2026-10-24T21:00Z',
      ['2026-10-24T22:00', '2026-10-25T00:00', '2026-10-25T03:00'],
    ],
    ['is weekly', '0 7 * * 1-5', '2026-03-27T12:00Z', ['2026-03-30T05:00', '2026-03-31T05:00']],
  ])('that %s', (_, cron, from, expected) => {
    expect(dueTimes(cron, 'Europe/Berlin', from, expected.length)).toEqual(expected);
  });

  test('before midnight, when the clocks go to the next day', () => {
    const times = dueTimes('15 23 * * *', 'America/Nuuk', '2026-03-28T12:00Z', 2);
    expect(times).toEqual(['2026-03-29T01:15', '2026-03-30T00:15']);
  });
});

describe('a rhythm', () => {
  it('comes at every minute at which the wall of any zone shows one of its minutes', () => {
    const minutes = fc.uniqueArray(fc.integer({ min: 0, max: 59 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.nat(), minutes, (timeZone, pick, some) => {
        const all = changesOf(timeZone);
        const from = all[pick % all.length] ?? 0;
        const [wall, rule] = [wallOf(timeZone), cronRule('schedules.x', `${some.join(',')} * * * *`, timeZone)];
        const expected: string[] = [];
        for (let ms = from; ms < from + DAY / 4; ms += MINUTE) {
          if (some.includes((wall(ms) / MINUTE) % 60)) expected.push(iso(ms) ?? '');
        }
        expect(
          dueTimes(`${some.join(',')} * * * *`, timeZone, new Date(from - 1).toISOString(), expected.length),
        ).toEqual(expected);
        expect(rule.next(from + DAY / 4 - MINUTE)).toBeGreaterThanOrEqual(from + DAY / 4);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on through a change', () => {
    const hours = ['2026-10-24T23:00', '2026-10-25T00:00', '2026-10-25T01:00', '2026-10-25T02:00'];
    expect(dueTimes('0 * * * *', 'Europe/Berlin', '2026-10-24T22:30Z', 4)).toEqual(hours);
    expect(dueTimes('@hourly', 'Europe/Berlin', '2026-10-24T22:30Z', 4)).toEqual(hours);
  });

  it('is found backwards in few steps, however long ago the last look was', () => {
    const everyMinute = cronRule('schedules.x', '* * * * *');
    expect(iso(everyMinute.last(0, at('2026-05-05T05:05:30Z')))).toBe('2026-05-05T05:05');
    const leapDays = cronRule('schedules.x', '0 0 29 2 *');
    expect(iso(leapDays.last(0, at('2026-05-05T05:05Z')))).toBe('2024-02-29T00:00');
    expect(leapDays.last(at('2024-03-01T00:00Z'), at('2026-05-05T05:05Z'))).toBeUndefined();
  });
});

describe('what cannot be used', () => {
  it.each([
    ['an expression with seconds', '0 0 7 * * *', 'UTC', 'schedules.x.cron "0 0 7 * * *"'],
    ['a minute that does not exist', '61 * * * *', 'UTC', 'minute'],
    ['words', 'every morning', 'UTC', '"0 7 * * 1-5"'],
    ['a start of the system', '@reboot', 'UTC', '@reboot'],
    ['a date that never comes', '0 0 30 2 *', 'UTC', 'never comes'],
    ['a zone that does not exist', '0 7 * * *', 'Europe/Atlantis', 'schedules.x.timeZone "Europe/Atlantis"'],
    ['a zone that does not exist, for a rhythm', '0 * * * *', 'Europe/Atlantis', 'Europe/Atlantis'],
  ])('%s is refused, with the field and what to write', (_, cron, zone, words) => {
    const refused = (): unknown => cronRule('schedules.x', cron, zone);
    expect(refused).toThrow(PolyphonyError);
    expect(refused).toThrow(words);
  });
});
