/**
 * The sums of an hour: an entry of eight whole numbers for each set of payers and each label (provider, model, purpose, outcome). In the
 * file they are bytes, seven bits of a number in each: a year of them is read in one pass, where a table takes ten times as long.
 */

/** The numbers of an entry, in their order. */
export const PAYERS = 0;
export const LABEL = 1;
export const ATTEMPTS = 2;
export const INPUT = 3;
export const OUTPUT = 4;
export const COST = 5;
export const UNPRICED = 6;
export const UNCERTAIN = 7;
export const WIDTH = 8;

/** A part of an hour is rewritten with each group of rows, so it stays small; a busy hour has several. */
export const MOST_ENTRIES = 2048;

/** The bytes of a number up to 2^53. */
const MOST_BYTES = 8;

export function bytesOf(entries: Float64Array): Uint8Array {
  const bytes = new Uint8Array(entries.length * MOST_BYTES);
  let at = 0;
  for (const number of entries) {
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
 * @param into is used if it is long enough, so that a pass over many hours needs memory for one
 * @throws SQLITE_CORRUPT where the bytes are no entries
 */
export function entriesOf(bytes: unknown, into: Float64Array = new Float64Array(0)): Float64Array {
  if (!(bytes instanceof Uint8Array)) throw damagedEntries();
  const numbers = into.length >= bytes.length ? into : new Float64Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length; count += 1) {
    let byte = bytes[at] ?? 0;
    let number = byte & 127;
    at += 1;
    for (let scale = 128; byte > 127; scale *= 128) {
      byte = bytes[at] ?? 0;
      number += (byte & 127) * scale;
      at += 1;
    }
    numbers[count] = number;
  }
  if (count % WIDTH !== 0) throw damagedEntries();
  return numbers.subarray(0, count);
}

const damagedEntries = (): Error =>
  Object.assign(new Error('The sums of an hour are not what was written.'), { code: 'SQLITE_CORRUPT' });

/** Both, with one entry for each set of payers and label. */
export function merged(first: Float64Array, second: Float64Array): Float64Array {
  const places = new Map<number, number>();
  const all = new Float64Array(first.length + second.length);
  let length = 0;
  for (const entries of [first, second]) {
    for (let at = 0; at < entries.length; at += WIDTH) {
      const key = keyOf(entries, at);
      let place = places.get(key);
      if (place === undefined) {
        place = length;
        places.set(key, place);
        all.set(entries.subarray(at, at + ATTEMPTS), place);
        length += WIDTH;
      }
      for (let column = ATTEMPTS; column < WIDTH; column += 1)
        all[place + column] = (all[place + column] ?? 0) + (entries[at + column] ?? 0);
    }
  }
  return all.subarray(0, length);
}

/** Labels are few: providers times models times purposes times outcomes. */
const keyOf = (entries: Float64Array, at: number): number =>
  (entries[at + PAYERS] ?? 0) * 2 ** 22 + (entries[at + LABEL] ?? 0);
