/**
 * Parts of the ledger as bytes of numbers, so that totals over months read those instead of millions of rows. A part holds the rows of 256
 * ids.
 *
 * D1. The parts hold the rows of the ledger up to an id (`up_to`), each once. What came later is added up from the rows themselves.
 * D2. A change or removal of a row that is in a part marks it (triggers of schema.ts), and the part is made anew before it is read: that
 *     costs some milliseconds, however many rows its hour or day has.
 * D3. Who writes rows makes a bounded number of parts: some milliseconds, within its transaction. Who asks for totals makes the rest.
 */
import { DAY_MS } from '../../../core/money/calendar.ts';
import type { Sql, SqlRow } from '../database.ts';
import { corruptError } from '../errors.ts';
import { type KnownNames, knownNames } from './known-names.ts';
import { bytesOf, SUM, SUM_WIDTH } from './part-bytes.ts';
import type { ScopeIds } from './scope-ids.ts';

const PART_ROWS = 256;
/** Of one transaction: its rows are some milliseconds, and parts without rows take little. */
const MOST_ROWS = 4 * PART_ROWS;
const MOST_PARTS = 64;

const UP_TO = 'SELECT up_to FROM ledger_parts_summed';
const SET_UP_TO = 'UPDATE ledger_parts_summed SET up_to = ?';
const NEWEST = 'SELECT max(id) FROM ledger';
const NEXT_ID = 'SELECT min(id) FROM ledger WHERE id > ?';
const CHANGED_PARTS = `SELECT part FROM ledger_changed_parts ORDER BY part LIMIT ${MOST_PARTS}`;
const ROWS_OF_PART = `SELECT started_at, provider, model, purpose, outcome, input_tokens, output_tokens, cost_nano_usd, uncertain,
  json_extract(row, '$.scopes') FROM ledger WHERE id > ? AND id <= ? ORDER BY id`;
const DELETE_PART = 'DELETE FROM ledger_parts WHERE part = ?';
const SAVE_PART = `INSERT INTO ledger_parts (part, first_at, last_at, sums, each_row) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (part) DO UPDATE SET first_at = excluded.first_at, last_at = excluded.last_at, sums = excluded.sums,
  each_row = excluded.each_row`;

/** Whether a part may be complete, by the ids before and at the end of what was inserted; costs no look at the file. */
export const mayHaveEnough = (before: number, last: number): boolean =>
  Math.floor(before / PART_ROWS) < Math.floor(last / PART_ROWS);

export const summedUpTo = (sql: Sql): number => Number(sql.first(UP_TO)?.[0] ?? 0);

const newestId = (sql: Sql): number => Number(sql.first(NEWEST)?.[0] ?? 0);

/** Few rows are waiting, and no part was changed. */
export function isSummed(sql: Sql): boolean {
  if (sql.first(CHANGED_PARTS) !== undefined) return false;
  const [newest, upTo] = [newestId(sql), summedUpTo(sql)];
  // Where the rows before the last part were removed, their ids are many, and the rows that wait are few.
  return newest - upTo < MOST_ROWS || nextPart(sql, upTo, newest) === undefined;
}

/** The first whole part behind an id that has rows; undefined where none is whole. */
function nextPart(sql: Sql, upTo: number, newest: number): number | undefined {
  const next = Number(sql.first(NEXT_ID, [upTo])?.[0] ?? Number.POSITIVE_INFINITY);
  const part = Math.floor((next - 1) / PART_ROWS);
  return (part + 1) * PART_ROWS <= newest ? part : undefined;
}

/**
 * Makes changed parts anew, or the next ones. Call it in a transaction.
 *
 * @throws store-corrupt where neither is possible: whoever waits for the sums would wait for ever
 */
export function sumRows(sql: Sql, path: string): void {
  const changed = sql.all(CHANGED_PARTS).map(([part]) => Number(part));
  const goesOn = changed.length === 0 ? sumNewRows(sql) : sumChanged(sql, changed);
  if (!goesOn && !isSummed(sql)) throw corruptError(path, 'the sums of its ledger cannot be made');
}

/** False where a part stays changed. */
function sumChanged(sql: Sql, parts: readonly number[]): boolean {
  const upTo = summedUpTo(sql);
  const names = knownNames(sql);
  let rows = 0;
  for (const part of parts) {
    // What is no whole part any more, because the newest rows were removed, is among the new rows.
    rows += (part + 1) * PART_ROWS <= upTo ? makePart(sql, names, part) : 0;
    if (sql.run('DELETE FROM ledger_changed_parts WHERE part = ?', [part]).changes === 0) return false;
    if (rows >= MOST_ROWS) break;
  }
  return true;
}

/** False where no part is complete, or where it cannot be noted that one was made. */
function sumNewRows(sql: Sql, known?: ScopeIds): boolean {
  const newest = newestId(sql);
  const names = knownNames(sql, known);
  let upTo = summedUpTo(sql);
  const before = upTo;
  for (let rows = 0; rows < MOST_ROWS; ) {
    // Whole parts may have been removed.
    const part = nextPart(sql, upTo, newest);
    if (part === undefined) break;
    rows += makePart(sql, names, part);
    upTo = (part + 1) * PART_ROWS;
  }
  return upTo > before && sql.run(SET_UP_TO, [upTo]).changes > 0;
}

/**
 * For those who write rows. A damaged row is told to those who ask for totals, and keeps no row from being written. Changed parts are made
 * for those only, too. Call it in a transaction.
 */
export function sumNewRowsIfSound(sql: Sql, known: ScopeIds): void {
  sql.script('SAVEPOINT sums');
  try {
    sumNewRows(sql, known);
  } catch (error) {
    try {
      sql.script('ROLLBACK TO sums');
    } catch {
      // SQLite has rolled the whole transaction back, as it may on a full disk.
      throw error;
    }
  }
  sql.script('RELEASE sums');
}

/** @returns its rows */
function makePart(sql: Sql, names: KnownNames, part: number): number {
  const rows = sql.table(ROWS_OF_PART, [part * PART_ROWS, (part + 1) * PART_ROWS]);
  if (rows.length === 0) {
    sql.run(DELETE_PART, [part]);
    return 0;
  }
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [startedAt] of rows) {
    first = Math.min(first, Math.floor(Number(startedAt)));
    last = Math.max(last, Math.floor(Number(startedAt)));
  }
  const made = { numbers: [], sums: new Map(), first, firstDay: Math.floor(first / DAY_MS) };
  names.learn(rows.map((row) => row.at(-1)));
  for (const row of rows) addRow(made, names, row);
  sql.run(SAVE_PART, [part, first, last, bytesOf([...made.sums.values()].flat()), bytesOf(made.numbers)]);
  return rows.length;
}

interface MadePart {
  readonly numbers: number[];
  readonly sums: Map<string, number[]>;
  readonly first: number;
  readonly firstDay: number;
}

/** In the orders of part-bytes.ts. */
function addRow({ numbers, sums, first, firstDay }: MadePart, names: KnownNames, row: SqlRow): void {
  const [startedAt, provider, model, purpose, outcome, input, output, cost, uncertain, scopes] = row;
  const label = names.label([String(provider), String(model), String(purpose), String(outcome)]);
  const { payers, own } = names.scopes(scopes);
  const at = Math.floor(Number(startedAt));
  const [isUnpriced, isUncertain] = [cost === null ? 1 : 0, uncertain === 1 ? 1 : 0];
  const [inputs, outputs, paid] = [counted(input), counted(output), counted(cost)];
  numbers.push(at - first, payers, label, inputs, outputs, isUnpriced === 1 ? 0 : paid + 1);
  numbers.push(own.length * 2 + isUncertain, ...own);
  const day = Math.floor(at / DAY_MS) - firstDay;
  const key = `${day} ${payers} ${label}`;
  let sum = sums.get(key);
  if (sum === undefined) {
    sum = [day, payers, label, ...new Array<number>(SUM_WIDTH - SUM.attempts).fill(0)];
    sums.set(key, sum);
  }
  let index = SUM.attempts;
  for (const more of [1, inputs, outputs, paid, isUnpriced, isUncertain]) {
    sum[index] = (sum[index] ?? 0) + more;
    index += 1;
  }
}

/** Money and tokens are counted from 0 on; what a ledger was given beside that cannot be summed. */
function counted(value: unknown): number {
  const number = Number(value ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
