/** Reads a whole file and stops at the first damage. */
import { existsSync } from 'node:fs';
import type { Clock } from '../../../core/clock.ts';
import type { RunEvent } from '../../../core/run/engine.ts';
import { type Connection, connect } from '../connection.ts';
import type { SqlRow, SqlValue } from '../database.ts';
import { corruptError, parseStored } from '../errors.ts';
import { sqliteJournal } from '../journal.ts';
import { ledgerRowOf } from '../records.ts';

const PAGE = 500;
const CHECK = 'SELECT integrity_check FROM pragma_integrity_check(1)';
const WITHOUT_SUMMARY = 'SELECT run_id FROM events EXCEPT SELECT run_id FROM runs LIMIT 1';
const LEDGER = 'SELECT id, row FROM ledger WHERE id > ? ORDER BY id LIMIT ?';
const CELLS = 'SELECT key, value FROM cells WHERE key > ? ORDER BY key LIMIT ?';

/** @throws store-corrupt, and whatever opening the file throws */
export async function checkFile(path: string, clock: Clock): Promise<void> {
  if (!existsSync(path)) return;
  const connection = connect({ path, clock, powerSafe: false, busyMs: 10_000, maximumBytes: undefined });
  try {
    const found = await connection.read((sql) => sql.first(CHECK)?.[0]);
    if (found !== 'ok') throw corruptError(path, String(found).slice(0, 200));
    await readRuns(connection, clock);
    await readAll(connection, LEDGER, 0, ([, text]) => ledgerRowOf(text, path));
    await readAll(connection, CELLS, '', ([, text]) => parseStored(text, path));
  } finally {
    await connection.close();
  }
}

async function readRuns(connection: Connection, clock: Clock): Promise<void> {
  const { path } = connection;
  const journal = sqliteJournal(connection, clock, async () => {});
  const hidden = await connection.read((sql) => sql.first(WITHOUT_SUMMARY)?.[0]);
  if (hidden !== undefined) throw corruptError(path, `events of run ${String(hidden)}, which is not listed`);
  for (const { runId } of await journal.list({ nested: true })) {
    let first: RunEvent | undefined;
    for await (const event of journal.read(runId)) first ??= event;
    if (first === undefined) throw corruptError(path, `run ${runId}, which has no events`);
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
