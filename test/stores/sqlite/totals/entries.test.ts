/** The sums of an hour as bytes: nothing is lost on the way, and two parts are one sum of each. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOf, entriesOf, LABEL, merged, PAYERS, WIDTH } from '../../../../src/stores/sqlite/totals/entries.ts';

const number = fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER));
const entries = fc
  .array(fc.array(number, { minLength: WIDTH, maxLength: WIDTH }), { maxLength: 20 })
  .map((all) => Float64Array.from(all.flat()));

test('are read as they were written, also into memory that is used again', () => {
  const memory = new Float64Array(20 * WIDTH * 8).fill(7);
  fc.assert(
    fc.property(entries, (written) => {
      expect(entriesOf(bytesOf(written))).toEqual(written);
      expect(entriesOf(bytesOf(written), memory)).toEqual(written);
    }),
  );
});

test('that are cut short, or are no bytes, are damaged', () => {
  const bytes = bytesOf(Float64Array.from({ length: WIDTH }, (_, index) => index));
  for (const damaged of [bytes.subarray(1), 'text', null])
    expect(() => entriesOf(damaged)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
});

test('are added up by payers and label', () => {
  const small = fc
    .array(fc.array(fc.nat(3), { minLength: WIDTH, maxLength: WIDTH }), { maxLength: 20 })
    .map((all) => Float64Array.from(all.flat()));
  fc.assert(
    fc.property(small, small, (first, second) => {
      const expected = new Map<string, number[]>();
      for (const all of [first, second])
        for (let at = 0; at < all.length; at += WIDTH) {
          const key = `${all[at + PAYERS]} ${all[at + LABEL]}`;
          const sums = [...all.subarray(at + 2, at + WIDTH)];
          expected.set(
            key,
            sums.map((sum, index) => sum + (expected.get(key)?.[index] ?? 0)),
          );
        }
      const both = merged(first, second);
      const found = Array.from({ length: both.length / WIDTH }, (_, index) => {
        const [payers, label, ...sums] = both.subarray(index * WIDTH, (index + 1) * WIDTH);
        return [`${payers} ${label}`, sums] as const;
      });
      expect(found).toEqual([...expected]);
    }),
  );
});
