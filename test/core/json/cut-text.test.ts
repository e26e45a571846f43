import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstOf, lastOf } from '../../../src/core/json/cut-text.ts';

test('a text is cut at both ends without half of a pair, and at most one unit shorter than asked', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, most) => {
      const [first, last] = [firstOf(text, most), lastOf(text, most)];
      expect(text.startsWith(first) && text.endsWith(last)).toBe(true);
      for (const cut of [first, last]) {
        expect(cut.isWellFormed()).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(most);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(text.length, most - 1));
      }
    }),
  );
});
