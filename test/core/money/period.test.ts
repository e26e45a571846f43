import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/money/calendar.ts';
import { periodAt } from '../../../src/core/money/period.ts';

const at = (time: string): number => Date.parse(time);
const iso = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

describe('periods of budgets', () => {
  it('names days and months as before, and weeks and fiscal months by their first day', () => {
    expect(periodAt('day', at('2026-11-28T23:59:59Z')).name).toBe('2026-11-28');
    expect(periodAt('month', at('2026-11-28T00:00:00Z')).name).toBe('2026-11');
    // A Saturday.
    expect(periodAt('week', at('2026-11-28T00:00:00Z')).name).toBe('week from 2026-11-23');
    expect(periodAt('week', at('2026-11-28T00:00:00Z'), 7).name).toBe('week from 2026-11-22');
    expect(periodAt('month', at('2026-11-28T00:00:00Z'), 15).name).toBe('month from 2026-11-15');
    expect(periodAt('month', at('2026-03-01T00:00:00Z'), 28).name).toBe('month from 2026-02-28');
  });

  it('holds the moment, begins on its day and is followed by the next one without a gap', () => {
    const moment = fc.integer({ min: 0, max: at('2100-01-01') });
    fc.assert(
      fc.property(moment, fc.integer({ min: 1, max: 28 }), (now, startsOn) => {
        const month = periodAt('month', now, startsOn);
        expect(now).toBeGreaterThanOrEqual(month.from);
        expect(now).toBeLessThan(month.to);
        expect(Number(iso(month.from).slice(8))).toBe(startsOn);
        expect(periodAt('month', month.to, startsOn).from).toBe(month.to);
        const first = 1 + (startsOn % 7);
        const week = periodAt('week', now, first);
        expect(week.to - week.from).toBe(7 * DAY_MS);
        expect(new Date(week.from).getUTCDay()).toBe(first % 7);
        expect(now >= week.from && now < week.to).toBe(true);
      }),
    );
  });
});
