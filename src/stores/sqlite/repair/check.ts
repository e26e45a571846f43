/** Reads a whole file and stops at the first damage. */
import { existsSync } from 'node:fs';
import type { Clock } from '../../../core/clock.ts';
import { type Connection, connect } from '../connection.ts';
import type { SqlRow, SqlValue } from '../database.ts';
import { checkError, corruptError, parseStored } from '../errors.ts';
import { eventOf, ledgerRowOf, RUN_COLUMNS, summaryOf } from '../records.ts';
import { rowsOf, sumsOf } from '../totals/part-bytes.ts';
import { scopesOfRows } from '../totals/scope-ids.ts';

const PAGE = 500;
const CHECK = 'SELECT integrity_check FROM pragma_integrity_check(1)';
/** Events that are not listed, and listed runs without events. */
const HALVES = [
  'SELECT run_id FROM events EXCEPT SELECT run_id FROM runs LIMIT 1',
  'SELECT run_id FROM runs EXCEPT SELECT run_id FROM events LIMIT 1',
];
const RUNS = `SELECT ${RUN_COLUMNS} FROM runs WHERE run_id > ? ORDER BY run_id LIMIT ?`;
const EVENTS = 'SELECT id, run_id, event FROM events WHERE id > ? ORDER BY id LIMIT ?';
const LEDGER = 'SELECT id, row FROM ledger WHERE id > ? ORDER BY id LIMIT ?';
const SUMS =
  'SELECT part, CAST(sums AS BLOB), CAST(each_row AS BLOB) FROM ledger_parts WHERE part > ? ORDER BY part LIMIT ?';
const CELLS = 'SELECT key, value FROM cells WHERE key > ? ORDER BY key LIMIT ?';
const SMALLEST_ID = Number.MIN_SAFE_INTEGER;

/** @throws store-corrupt, and whatever opening the file throws */
export async function checkFile(path: string, clock: Clock): Promise<void> {
  if (!existsSync(path)) return;
  const connection = connect({ path, clock, powerSafe: false, busyMs: 10_000, maximumBytes: undefined });
  try {
    const found = await connection.read((sql) => sql.first(CHECK)?.[0]);
    if (found !== 'ok') throw checkError(path, found);
    for (const query of HALVES) {
      const half = await connection.read((sql) => sql.first(query)?.[0]);
      if (half !== undefined) throw corruptError(path, `a part of run ${String(half)} only`);
    }
    await readAll(connection, RUNS, '', (row) => summaryOf(row, path));
    await readAll(connection, EVENTS, SMALLEST_ID, ([, runId, text]) => eventOf(text, String(runId), path));
    await readLedger(connection, path);
    await readSums(connection);
    await readAll(connection, CELLS, '', ([, text]) => parseStored(text, path));
  } finally {
    await connection.close();
  }
}

async function readAll(
  connection: Connection,
  query: string,
  start: SqlValue,
  check: (row: SqlRow) => unknown,
): Promise<void> {
  for (let after = start; ; ) {
    const rows = await connection.read((sql) => sql.all(query, [after, PAGE]));
    for (const row of rows) check(row);
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.[0] as SqlValue;
  }
}

async function readLedger(connection: Connection, path: string): Promise<void> {
  for (let after = SMALLEST_ID; ; ) {
    const rows = await connection.read((sql) =>
      sql.snapshot(() => {
        const scopeIdOf = scopesOfRows(sql);
        const found = sql.all(LEDGER, [after, PAGE]);
        for (const [, text] of found) for (const { kind, id } of ledgerRowOf(text, path).scopes) scopeIdOf(kind, id);
        return found;
      }),
    );
    if (rows.length < PAGE) return;
    after = Number(rows.at(-1)?.[0]);
  }
}

async function readSums(connection: Connection): Promise<void> {
  for (let after = SMALLEST_ID; ; ) {
    const rows = await connection.read((sql) => {
      const found = sql.bytes(SUMS, [after, PAGE]);
      for (const [, sums, rows] of found) {
        sumsOf(sums);
        rowsOf(rows);
      }
      return found;
    });
    if (rows.length < PAGE) return;
    after = Number(rows.at(-1)?.[0]);
  }
}
