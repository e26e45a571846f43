/** A sheet that is kept is the right one for as long as it says. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DAY_MS } from '../../../src/core/money/calendar.ts';
import { compiledPrice, periodAt, sheetAt } from '../../../src/core/money/price-sheet.ts';

const START = Date.UTC(2026, 11, 24);
const HALF_HOUR = DAY_MS / 48;
const time = fc.nat(47).map((half) => `${String(half >> 1).padStart(2, '0')}:${half % 2 === 0 ? '00' : '30'}`);
const change = { times: fc.constantFrom(0.5, 2, 3) };
const price = fc.record({
  input: fc.constant(1),
  output: fc.constant(1),
  windows: fc.array(fc.record({ start: time, end: time, days: fc.subarray([0, 1, 2, 3, 4, 5, 6]), ...change }), {
    maxLength: 3,
  }),
  changes: fc.array(fc.record({ from: fc.constantFrom('2026-12-25', '2026-12-27', '2026-12-29'), ...change }), {
    maxLength: 2,
  }),
  serviceTiers: fc.constant({ flex: { times: 0.1 } }),
});

it('the sheet of a moment is that of every moment of its period, which contains it', () => {
  fc.assert(
    fc.property(
      price,
      fc.nat(6 * 48),
      fc.nat(1000),
      fc.constantFrom(undefined, 'flex', 'other'),
      (made, half, ms, tier) => {
        const compiled = compiledPrice(made);
        const at = START + half * HALF_HOUR + ms;
        const { sheet, from, until } = periodAt(compiled, at, tier);
        expect(from <= at && at < until).toBe(true);
        const last = Math.min(until - 1, at + 8 * DAY_MS);
        for (let moment = Math.max(from, at - 8 * DAY_MS); moment <= last; moment += HALF_HOUR / 2)
          expect(sheetAt(compiled, moment, tier)).toBe(sheet);
        expect(sheetAt(compiled, last, tier)).toBe(sheet);
      },
    ),
  );
});
