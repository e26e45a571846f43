/** The bytes of a part of the ledger: nothing is lost on the way, and what was cut is noticed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bytesOf,
  numbersOf,
  ROW_WIDTH,
  rowsOf,
  SUM_WIDTH,
  sumsOf,
} from '../../../../src/stores/sqlite/totals/part-bytes.ts';

const number = fc.oneof(
  fc.nat(300),
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31, 2 ** 35, Number.MAX_SAFE_INTEGER),
);
const numbers = fc.array(number, { maxLength: 200 });

test('are read as they were written, also into memory that is used again', () => {
  const memory = new Float64Array(200 * 8).fill(7);
  fc.assert(
    fc.property(numbers, (written) => {
      expect([...numbersOf(bytesOf(written))]).toEqual(written);
      expect([...numbersOf(bytesOf(written), memory)]).toEqual(written);
    }),
  );
});

test('that are no sums or rows, or no bytes, are damaged', () => {
  const sums = bytesOf(Array.from({ length: SUM_WIDTH }, (_, index) => index));
  const row = bytesOf([...Array.from({ length: ROW_WIDTH - 1 }, (_, index) => index), 5, 30, 31]);
  expect([...rowsOf(row)]).toHaveLength(ROW_WIDTH + 2);
  for (const damaged of [sums.subarray(1), 'text', null, undefined])
    expect(() => sumsOf(damaged)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
  for (const damaged of [row.subarray(1), row.subarray(0, -1), row.subarray(0, 3), 'text'])
    expect(() => rowsOf(damaged)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
});
