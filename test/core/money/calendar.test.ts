import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DAY_MS, dayName, dayOf } from '../../../src/core/money/calendar.ts';

it('names every day of ten thousand years as the standard library does', () => {
  const days = fc.integer({ min: dayOf(Date.parse('1000-01-01')), max: dayOf(Date.parse('9999-12-31')) });
  fc.assert(
    fc.property(days, fc.integer({ min: 0, max: DAY_MS - 1 }), (day, ms) => {
      const moment = day * DAY_MS + ms;
      expect(dayName(dayOf(moment))).toBe(new Date(moment).toISOString().slice(0, 10));
    }),
    { numRuns: 2000 },
  );
  expect(
    ['2024-02-29', '2100-02-28', '2000-02-29', '1970-01-01'].map((day) => dayName(dayOf(Date.parse(day)))),
  ).toEqual(['2024-02-29', '2100-02-28', '2000-02-29', '1970-01-01']);
});
