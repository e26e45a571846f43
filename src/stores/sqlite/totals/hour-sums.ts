/**
 * Sums of the ledger by hour, so that totals over months read bytes of numbers instead of millions of rows.
 *
 * D1. The sums hold the rows of the ledger up to an id (`up_to`), each once. What came later is added up from the rows themselves.
 * D2. A change or removal of a row that is in the sums marks its hour (triggers of schema.ts), and the hour is summed anew before it is
 *     read.
 * D3. Who writes rows sums a bounded part of them: some milliseconds, within its transaction. Who asks for totals sums the rest.
 */
import { SUMMED_SCOPES } from '../../ledger-totals.ts';
import type { Sql, SqlRow } from '../database.ts';
import { corruptError } from '../errors.ts';
import { bytesOf, entriesOf, MOST_ENTRIES, merged, WIDTH } from './entries.ts';

export const HOUR_MS = 3_600_000;

/** Rows that may wait until they are summed. */
const ENOUGH = 256;
const MOST = 1024;

const UP_TO = 'SELECT up_to FROM ledger_hours_summed';
const SET_UP_TO = 'UPDATE ledger_hours_summed SET up_to = ?';
const CHANGED_HOUR = 'SELECT hour FROM ledger_changed_hours ORDER BY hour LIMIT 1';
const FIELDS = `id, started_at, provider, model, purpose, outcome, input_tokens, output_tokens, cost_nano_usd, uncertain,
  json_extract(row, '$.scopes')`;
const NEW_ROWS = `SELECT ${FIELDS} FROM ledger WHERE id > ? ORDER BY id LIMIT ${MOST}`;
const ROWS_OF_HOUR = `SELECT ${FIELDS} FROM ledger WHERE started_at >= ? AND started_at < ? AND id <= ?`;
const FIND_PAYERS = 'SELECT id FROM ledger_payers WHERE scopes = ?';
const INSERT_PAYERS = 'INSERT INTO ledger_payers (scopes) VALUES (?)';
const INSERT_PAYER = 'INSERT INTO ledger_payer_scopes (payers_id, kind, name) VALUES (?, ?, ?)';
const FIND_LABEL = 'SELECT id FROM ledger_labels WHERE provider = ? AND model = ? AND purpose = ? AND outcome = ?';
const INSERT_LABEL = 'INSERT INTO ledger_labels (provider, model, purpose, outcome) VALUES (?, ?, ?, ?)';
/** The place of a part: hour times this, plus its number. One key of numbers is found fastest. */
export const PARTS_OF_HOUR = 4096;
const NEWEST_PART =
  'SELECT place, CAST(entries AS BLOB) FROM ledger_hours WHERE place >= ? AND place < ? ORDER BY place DESC LIMIT 1';
const DELETE_PARTS = 'DELETE FROM ledger_hours WHERE place >= ? AND place < ?';
const SAVE_PART = `INSERT INTO ledger_hours (place, entries) VALUES (?, ?)
  ON CONFLICT (place) DO UPDATE SET entries = excluded.entries`;

const placesOf = (hour: number): readonly [from: number, to: number] => [
  hour * PARTS_OF_HOUR,
  (hour + 1) * PARTS_OF_HOUR,
];

/** Whether so many rows may be waiting, by the ids before and at the end of what was inserted; costs no look at the file. */
export const mayHaveEnough = (before: number, last: number): boolean =>
  Math.floor(before / ENOUGH) < Math.floor(last / ENOUGH);

export const summedUpTo = (sql: Sql): number => Number(sql.first(UP_TO)?.[0] ?? 0);

/** Few rows are waiting, and no hour was changed. */
export function isSummed(sql: Sql): boolean {
  if (sql.first(CHANGED_HOUR) !== undefined) return false;
  const newest = Number(sql.first('SELECT max(id) FROM ledger')?.[0] ?? 0);
  return newest - summedUpTo(sql) < 2 * MOST;
}

/**
 * Sums a changed hour anew, or the next rows. Call it in a transaction.
 *
 * @throws store-corrupt where neither is possible: whoever waits for the sums would wait for ever
 */
export function sumRows(sql: Sql, path: string): void {
  const changed = sql.first(CHANGED_HOUR)?.[0];
  const goesOn = changed === undefined ? sumNewRows(sql) : sumHour(sql, Number(changed));
  if (!goesOn && !isSummed(sql)) throw corruptError(path, 'the sums of its ledger cannot be made');
}

/** False for an hour that stays changed. */
function sumHour(sql: Sql, hour: number): boolean {
  sql.run(DELETE_PARTS, placesOf(hour));
  const { changes } = sql.run('DELETE FROM ledger_changed_hours WHERE hour = ?', [hour]);
  addRows(sql, sql.all(ROWS_OF_HOUR, [hour * HOUR_MS, (hour + 1) * HOUR_MS, summedUpTo(sql)]));
  return changes > 0;
}

/** False where there are none, or where it cannot be noted that they are summed. */
function sumNewRows(sql: Sql): boolean {
  const rows = sql.all(NEW_ROWS, [summedUpTo(sql)]);
  addRows(sql, rows);
  const last = rows.at(-1);
  return last !== undefined && sql.run(SET_UP_TO, [Number(last[0])]).changes > 0;
}

/**
 * For those who write rows. A damaged sum or row is told to those who ask for totals, and keeps no row from being written. An hour is
 * summed anew for them only, too: a busy one takes seconds. Call it in a transaction.
 */
export function sumNewRowsIfSound(sql: Sql): void {
  sql.script('SAVEPOINT sums');
  try {
    sumNewRows(sql);
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

function addRows(sql: Sql, rows: readonly SqlRow[]): void {
  const hours = new Map<number, number[]>();
  const payers = new Map<string, number>();
  const labels = new Map<string, number>();
  for (const [, startedAt, provider, model, purpose, outcome, input, output, cost, uncertain, scopes] of rows) {
    const hour = Math.floor(Number(startedAt) / HOUR_MS);
    let entries = hours.get(hour);
    if (entries === undefined) {
      entries = [];
      hours.set(hour, entries);
    }
    const label = labelOf(sql, labels, [String(provider), String(model), String(purpose), String(outcome)]);
    const [unpriced, marked] = [cost === null ? 1 : 0, uncertain === 1 ? 1 : 0];
    // In the order of entries.ts.
    entries.push(
      payersOf(sql, payers, scopes),
      label,
      1,
      Number(input),
      Number(output),
      Number(cost ?? 0),
      unpriced,
      marked,
    );
  }
  for (const [hour, entries] of hours) addEntries(sql, hour, Float64Array.from(entries));
}

/** To the newest part of the hour, or as the next part where that one is full. */
function addEntries(sql: Sql, hour: number, entries: Float64Array): void {
  const [first, end] = placesOf(hour);
  const [newest] = sql.bytes(NEWEST_PART, [first, end]);
  const place = Number(newest?.[0] ?? first);
  const before = newest === undefined ? new Float64Array(0) : entriesOf(newest[1]);
  // The last part takes all that the hour has no part for.
  const isFull = before.length >= MOST_ENTRIES * WIDTH && place + 1 < end;
  const all = merged(isFull ? new Float64Array(0) : before, entries);
  sql.run(SAVE_PART, [isFull ? place + 1 : place, bytesOf(all)]);
}

function labelOf(sql: Sql, known: Map<string, number>, label: readonly string[]): number {
  const key = JSON.stringify(label);
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const found = sql.first(FIND_LABEL, label)?.[0];
  const id = found === undefined ? sql.run(INSERT_LABEL, label).id : Number(found);
  known.set(key, id);
  return id;
}

interface Payer {
  readonly kind: string;
  readonly id: string;
}

/** The id of a set of scopes; the empty set is one too. */
function payersOf(sql: Sql, known: Map<string, number>, scopes: unknown): number {
  const all = typeof scopes === 'string' ? (JSON.parse(scopes) as readonly Payer[]) : [];
  const payers = all.filter(({ kind }) => SUMMED_SCOPES.has(kind));
  // Scopes come in the same order again and again: the form in which the file has them is made once for each.
  let key = '';
  for (const { kind, id } of payers) key += `${kind} ${id.length} ${id}`;
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const id = payersIn(sql, payers);
  known.set(key, id);
  return id;
}

function payersIn(sql: Sql, payers: readonly Payer[]): number {
  const names = new Map(payers.map(({ kind, id }) => [`${kind} ${id}`, [kind, id] as const]));
  const text = JSON.stringify([...names.keys()].sort().map((name) => names.get(name)));
  const found = sql.first(FIND_PAYERS, [text])?.[0];
  if (found !== undefined) return Number(found);
  const { id } = sql.run(INSERT_PAYERS, [text]);
  for (const [kind, name] of names.values()) sql.run(INSERT_PAYER, [id, kind, name]);
  return id;
}
