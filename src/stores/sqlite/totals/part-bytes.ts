/**
 * The bytes of a part of the ledger, seven bits of a number in each: a million rows are read in one pass, where a table takes ten times as
 * long. A part has them twice: its rows one by one, and their sums for each day, set of payers and label (provider, model, purpose, outcome).
 */

/** The numbers of a sum, in their order. The day is counted from the first day of the part. */
export const SUM = {
  day: 0,
  payers: 1,
  label: 2,
  attempts: 3,
  input: 4,
  output: 5,
  cost: 6,
  unpriced: 7,
  uncertain: 8,
};
export const SUM_WIDTH = 9;

/**
 * The numbers of a row, in their order, before those of its scopes. The time is counted from the first of the part; the cost is one more than
 * it was, and 0 where it is unknown; the last is twice the number of scopes, and one more where the row is uncertain.
 */
export const ROW = { time: 0, payers: 1, label: 2, input: 3, output: 4, cost: 5, scopes: 6 };
export const ROW_WIDTH = 7;

/** The bytes of a number up to 2^53. */
const MOST_BYTES = 8;

export function bytesOf(numbers: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * MOST_BYTES);
  let at = 0;
  for (const number of numbers) {
    // Money and tokens are counted from 0 on; what a ledger was given beside that cannot be summed.
    let left = Number.isSafeInteger(number) && number > 0 ? number : 0;
    for (; left > 127; left = Math.floor(left / 128)) {
      bytes[at] = (left % 128) + 128;
      at += 1;
    }
    bytes[at] = left;
    at += 1;
  }
  return bytes.subarray(0, at);
}

/**
 * @param into is used if it is long enough, so that a pass over many parts needs memory for one
 * @throws SQLITE_CORRUPT where the value is no bytes
 */
export function numbersOf(bytes: unknown, into: Float64Array = new Float64Array(0)): Float64Array {
  if (!(bytes instanceof Uint8Array)) throw damagedPart();
  const numbers = into.length >= bytes.length ? into : new Float64Array(bytes.length);
  const { length } = bytes;
  let [at, count] = [0, 0];
  while (at < length) {
    // Nearly all numbers are small: those of up to three bytes are written out, which takes half the time of a loop.
    let byte = bytes[at] ?? 0;
    let number = byte & 127;
    at += 1;
    if (byte > 127) {
      byte = bytes[at] ?? 0;
      number |= (byte & 127) << 7;
      at += 1;
      if (byte > 127) {
        byte = bytes[at] ?? 0;
        number |= (byte & 127) << 14;
        at += 1;
        if (byte > 127) {
          byte = bytes[at] ?? 0;
          number |= (byte & 127) << 21;
          at += 1;
          for (let scale = 2 ** 28; byte > 127; scale *= 128) {
            byte = bytes[at] ?? 0;
            number += (byte & 127) * scale;
            at += 1;
          }
        }
      }
    }
    numbers[count] = number;
    count += 1;
  }
  return numbers.subarray(0, count);
}

/** @throws SQLITE_CORRUPT where the bytes are no sums */
export function sumsOf(bytes: unknown, into?: Float64Array): Float64Array {
  const sums = numbersOf(bytes, into);
  if (sums.length % SUM_WIDTH !== 0) throw damagedPart();
  return sums;
}

/** @throws SQLITE_CORRUPT where the bytes are no rows */
export function rowsOf(bytes: unknown, into?: Float64Array): Float64Array {
  const rows = numbersOf(bytes, into);
  let at = 0;
  while (at < rows.length) at = nextRow(rows, at);
  if (at !== rows.length) throw damagedPart();
  return rows;
}

/** Where the next row begins. */
export const nextRow = (rows: Float64Array, at: number): number =>
  at + ROW_WIDTH + scopesOfRow(rows[at + ROW.scopes] ?? Number.POSITIVE_INFINITY);

export const scopesOfRow = (last: number): number => Math.floor(last * 0.5);

export const damagedPart = (): Error =>
  Object.assign(new Error('The sums of a part of the ledger are not what was written.'), { code: 'SQLITE_CORRUPT' });
