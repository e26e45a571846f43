/**
 * Sums of the ledger by day, so that totals over months read thousands of rows instead of millions.
 *
 * D1. The sums hold the rows of the ledger up to an id (`up_to`), each once. What came later is added up from the rows themselves.
 * D2. A change or removal of a row that is in the sums marks its day (triggers of schema.ts), and the day is summed anew before it is
 *     read.
 * D3. The sums of `ledger_months` and `ledger_day_totals` are those of `ledger_days` at any time (triggers of schema.ts).
 * D4. Each call does a bounded part: some milliseconds, within the transaction of its caller.
 */
import { DAY_MS, dayOf } from '../../../core/money/calendar.ts';
import { SUMMED_SCOPES } from '../../ledger-totals.ts';
import type { Sql, SqlRow, SqlValue } from '../database.ts';
import { insertAll, insertOf } from '../many-rows.ts';

/** Rows that may wait until they are summed. */
const ENOUGH = 256;
const MOST = 1024;

const UP_TO = 'SELECT up_to FROM ledger_summed';
const SET_UP_TO = 'UPDATE ledger_summed SET up_to = ?';
const CHANGED_DAY = 'SELECT day FROM ledger_changed_days ORDER BY day LIMIT 1';
const FIELDS = `id, started_at, provider, model, purpose, outcome, input_tokens, output_tokens, cost_nano_usd, uncertain,
  json_extract(row, '$.scopes')`;
const NEW_ROWS = `SELECT ${FIELDS} FROM ledger WHERE id > ? ORDER BY id LIMIT ${MOST}`;
const ROWS_OF_DAY = `SELECT ${FIELDS} FROM ledger WHERE started_at >= ? AND started_at < ? AND id <= ?`;
const FIND_PAYERS = 'SELECT id FROM ledger_payers WHERE scopes = ?';
const INSERT_PAYERS = 'INSERT INTO ledger_payers (scopes) VALUES (?)';
const INSERT_PAYER = 'INSERT INTO ledger_payer_scopes (payers_id, kind, name) VALUES (?, ?, ?)';
const ADD = insertOf(
  'INSERT INTO ledger_days VALUES',
  13,
  `ON CONFLICT (day, payers_id, provider, model, purpose, outcome) DO UPDATE SET
  attempts = attempts + excluded.attempts, errors = errors + excluded.errors,
  input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
  cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd, unpriced = unpriced + excluded.unpriced,
  uncertain = uncertain + excluded.uncertain`,
);

/** Whether so many rows may be waiting, by the ids before and at the end of what was inserted; costs no look at the file. */
export const mayHaveEnough = (before: number, last: number): boolean =>
  Math.floor(before / ENOUGH) < Math.floor(last / ENOUGH);

export const summedUpTo = (sql: Sql): number => Number(sql.first(UP_TO)?.[0] ?? 0);

/** Few rows are waiting, and no day was changed. */
export function isSummed(sql: Sql): boolean {
  if (sql.first(CHANGED_DAY) !== undefined) return false;
  const newest = Number(sql.first('SELECT max(id) FROM ledger')?.[0] ?? 0);
  return newest - summedUpTo(sql) < 2 * MOST;
}

/** Sums a changed day anew, or the next rows. Call it in a transaction. */
export function sumRows(sql: Sql): void {
  const upTo = summedUpTo(sql);
  const changed = sql.first(CHANGED_DAY)?.[0];
  if (typeof changed === 'number') {
    sql.run('DELETE FROM ledger_days WHERE day = ?', [changed]);
    sql.run('DELETE FROM ledger_changed_days WHERE day = ?', [changed]);
    addRows(sql, sql.all(ROWS_OF_DAY, [changed * DAY_MS, (changed + 1) * DAY_MS, upTo]));
    return;
  }
  const rows = sql.all(NEW_ROWS, [upTo]);
  addRows(sql, rows);
  const last = rows.at(-1);
  if (last !== undefined) sql.run(SET_UP_TO, [Number(last[0])]);
}

type Counts = [
  attempts: number,
  errors: number,
  inputTokens: number,
  outputTokens: number,
  costNanoUsd: number,
  unpriced: number,
  uncertain: number,
];

function addRows(sql: Sql, rows: readonly SqlRow[]): void {
  const sums = new Map<string, { readonly key: readonly SqlValue[]; readonly counts: Counts }>();
  const payers = new Map<string, number>();
  for (const [, startedAt, provider, model, purpose, outcome, input, output, cost, uncertain, scopes] of rows) {
    const payersId = payersOf(sql, payers, scopes);
    const day = dayOf(Number(startedAt));
    const key = [day, payersId, String(provider), String(model), String(purpose), String(outcome)];
    const name = JSON.stringify(key);
    const sum = sums.get(name) ?? { key, counts: [0, 0, 0, 0, 0, 0, 0] };
    sums.set(name, sum);
    sum.counts[0] += 1;
    if (outcome === 'error') sum.counts[1] += 1;
    sum.counts[2] += Number(input);
    sum.counts[3] += Number(output);
    sum.counts[4] += Number(cost ?? 0);
    if (cost === null) sum.counts[5] += 1;
    if (uncertain === 1) sum.counts[6] += 1;
  }
  const added = [...sums.values()].map(({ key, counts }) => [...key, ...counts]);
  insertAll(sql, ADD, added);
}

/** The id of a set of scopes; the empty set is one too. */
function payersOf(sql: Sql, known: Map<string, number>, scopes: unknown): number {
  const all =
    typeof scopes === 'string' ? (JSON.parse(scopes) as { readonly kind: string; readonly id: string }[]) : [];
  const names = new Map<string, readonly [string, string]>();
  for (const { kind, id } of all) if (SUMMED_SCOPES.has(kind)) names.set(`${kind} ${id}`, [kind, id]);
  const text = JSON.stringify([...names.keys()].sort().map((name) => names.get(name)));
  const cached = known.get(text);
  if (cached !== undefined) return cached;
  const found = sql.first(FIND_PAYERS, [text])?.[0];
  const id = found === undefined ? sql.run(INSERT_PAYERS, [text]).id : Number(found);
  if (found === undefined) for (const [kind, name] of names.values()) sql.run(INSERT_PAYER, [id, kind, name]);
  known.set(text, id);
  return id;
}
