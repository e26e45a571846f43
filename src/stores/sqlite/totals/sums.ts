/** Adds up the parts of the ledger in one pass: from their sums where the question needs no more, or else from their rows. */
import { DAY_MS } from '../../../core/money/calendar.ts';
import type { LedgerFilter } from '../../../core/stores.ts';
import type { Sql } from '../database.ts';
import type { Asked } from './asked.ts';
import { createAddend, type GroupSums } from './group-sums.ts';
import { damagedPart, numbersOf, ROW, ROW_WIDTH, SUM, SUM_WIDTH, scopesOfRow, sumsOf } from './part-bytes.ts';

/** Parts that are in memory at the same time: less than a megabyte. */
const PARTS = 64;
/** The index of times has the ids of parts, so no part of another time is read. */
const PARTS_OF_TIME = 'SELECT part FROM ledger_parts WHERE last_at >= ? AND first_at < ?';
const READ_PARTS = `SELECT first_at, ? AND first_at >= ? AND last_at < ?, CAST(CASE WHEN ? AND first_at >= ?
  AND last_at < ? THEN sums ELSE each_row END AS BLOB) FROM ledger_parts WHERE part >= ? AND part <= ? AND +last_at >= ? AND +first_at < ?`;

const EVERYBODY: readonly number[] = [0];

/** All parts must be made: see `isSummed`. */
export function addParts(sql: Sql, groups: GroupSums, question: Asked, filter: LedgerFilter): void {
  const { payers, labels, own } = question;
  if (payers?.names.length === 0 || labels.names.length === 0) return;
  const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER } = filter;
  const parts = Float64Array.from(sql.all(PARTS_OF_TIME, [from, to]), ([part]) => Number(part)).sort();
  const areEnough = [own.length === 0 ? 1 : 0, from, to];
  // What a part was read into is used again for the next one.
  let memory: Float64Array = new Float64Array(0);
  for (let at = 0; at < parts.length; at += PARTS) {
    const range = parts.subarray(at, at + PARTS);
    const values = [...areEnough, ...areEnough, range[0] ?? 0, range.at(-1) ?? 0, from, to];
    for (const [firstAt, isSums, bytes] of sql.bytes(READ_PARTS, values)) {
      const first = Number(firstAt);
      const numbers = isSums === 1 ? sumsOf(bytes, memory) : numbersOf(bytes, memory);
      if (numbers.buffer !== memory.buffer) memory = new Float64Array(numbers.buffer);
      if (isSums === 1) addSums(groups, question, numbers, first);
      else addRows(groups, question, numbers, { first, from, to });
    }
  }
}

function addSums(groups: GroupSums, { payers, labels, periods }: Asked, numbers: Float64Array, first: number): void {
  const addend = createAddend();
  const { sums } = addend;
  const { numbers: labelNumbers, errors } = labels;
  const firstDay = Math.floor(first / DAY_MS);
  for (let at = 0; at < numbers.length; at += SUM_WIDTH) {
    const id = numbers[at + SUM.label] ?? 0;
    const label = labelNumbers[id] ?? -1;
    const paying = payers === undefined ? EVERYBODY : payers.of[numbers[at + SUM.payers] ?? 0];
    if (label < 0 || paying === undefined) continue;
    addend.label = label;
    addend.period = periods.numberOf((firstDay + (numbers[at + SUM.day] ?? 0)) * DAY_MS);
    const attempts = numbers[at + SUM.attempts] ?? 0;
    sums[0] = attempts;
    sums[1] = errors[id] === 1 ? attempts : 0;
    sums[2] = numbers[at + SUM.input] ?? 0;
    sums[3] = numbers[at + SUM.output] ?? 0;
    sums[4] = numbers[at + SUM.cost] ?? 0;
    sums[5] = numbers[at + SUM.unpriced] ?? 0;
    sums[6] = numbers[at + SUM.uncertain] ?? 0;
    for (const payer of paying) {
      addend.payer = payer;
      groups.add(addend, numbers, 0, 0);
    }
  }
}

interface Times {
  /** Of the first row of the part. */
  readonly first: number;
  readonly from: number;
  readonly to: number;
}

function addRows(
  groups: GroupSums,
  { payers, labels, periods }: Asked,
  numbers: Float64Array,
  { first, from, to }: Times,
): void {
  const addend = createAddend();
  const { sums } = addend;
  const { numbers: labelNumbers, errors } = labels;
  let end = 0;
  for (let at = 0; at < numbers.length; at = end) {
    const last = numbers[at + ROW.scopes] ?? 0;
    end = at + ROW_WIDTH + scopesOfRow(last);
    const time = first + (numbers[at + ROW.time] ?? 0);
    const id = numbers[at + ROW.label] ?? 0;
    const label = labelNumbers[id] ?? -1;
    const paying = payers === undefined ? EVERYBODY : payers.of[numbers[at + ROW.payers] ?? 0];
    if (time < from || time >= to || label < 0 || paying === undefined) continue;
    addend.label = label;
    addend.period = periods.numberOf(time);
    const cost = numbers[at + ROW.cost] ?? 0;
    sums[0] = 1;
    sums[1] = errors[id] ?? 0;
    sums[2] = numbers[at + ROW.input] ?? 0;
    sums[3] = numbers[at + ROW.output] ?? 0;
    sums[4] = Math.max(0, cost - 1);
    sums[5] = cost === 0 ? 1 : 0;
    sums[6] = last & 1;
    for (const payer of paying) {
      addend.payer = payer;
      groups.add(addend, numbers, at + ROW_WIDTH, end);
    }
  }
  if (end !== numbers.length) throw damagedPart();
}
