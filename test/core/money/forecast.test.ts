import { describe, expect, it } from 'vitest';
import { DAY_MS, dayOf } from '../../../src/core/money/calendar.ts';
import { forecast } from '../../../src/core/money/forecast.ts';
import { periodAt, weekday } from '../../../src/core/money/period.ts';
import { seededRandom } from '../../../src/testing/fakes.ts';

const now = Date.parse('2026-11-16T00:00:00Z');
const today = dayOf(now);
const november = periodAt('month', now);
const daysBefore = (count: number, cost: (day: number) => number) =>
  Array.from({ length: count }, (_, index) => today - count + index).map((day) => ({ day, costNanoUsd: cost(day) }));

describe('the forecast of spending', () => {
  it('goes on at the same rate, and is sure of it where no day differs', () => {
    const known = daysBefore(15, () => 1000);
    const sure = { expectedNanoUsd: 30_000, lowNanoUsd: 30_000, highNanoUsd: 30_000 };
    expect(forecast(known, november, now)).toEqual(sure);
  });

  it('knows weekends once it has seen two weeks', () => {
    const onWeekdays = (day: number): number => (weekday(day) > 5 ? 0 : 1000);
    // November 2026 has 21 weekdays.
    expect(forecast(daysBefore(28, onWeekdays), november, now)?.expectedNanoUsd).toBe(21_000);
  });

  it('counts what is left of today as a part of a day, and what today has cost already', () => {
    const noon = now + DAY_MS / 2;
    const known = [...daysBefore(15, () => 1000), { day: today, costNanoUsd: 700 }];
    expect(forecast(known, november, noon)?.expectedNanoUsd).toBe(15_000 + 700 + 14_500);
  });

  it('gives no interval before four whole days, and nothing before one', () => {
    expect(
      forecast(
        daysBefore(3, () => 5),
        november,
        now,
      ),
    ).toMatchObject({ lowNanoUsd: null, highNanoUsd: null });
    expect(forecast([{ day: today, costNanoUsd: 5 }], november, now)).toBeNull();
    expect(forecast([], november, now)).toBeNull();
  });

  it('holds the sum in about nine of ten random months', () => {
    const random = seededRandom(7);
    const cost = (day: number): number => Math.round((weekday(day) > 5 ? 300 : 1000) * (0.5 + random()));
    let inside = 0;
    const MONTHS = 1000;
    for (let month = 0; month < MONTHS; month += 1) {
      const known = daysBefore(28, cost);
      const { lowNanoUsd = null, highNanoUsd = null } = forecast(known, november, now) ?? {};
      const spent = known.reduce(
        (sum, { day, costNanoUsd }) => sum + (day * DAY_MS >= november.from ? costNanoUsd : 0),
        0,
      );
      let rest = 0;
      for (let day = today; day * DAY_MS < november.to; day += 1) rest += cost(day);
      if (lowNanoUsd !== null && highNanoUsd !== null && spent + rest >= lowNanoUsd && spent + rest <= highNanoUsd)
        inside += 1;
    }
    expect(inside / MONTHS).toBeGreaterThan(0.85);
    expect(inside / MONTHS).toBeLessThan(0.97);
  });
});
