/** Removes old rows of the ledger and expired values, a bounded part per transaction. */
import type { Pruned, PruneOptions } from '../../core/stores.ts';
import { SUMMED_SCOPES } from '../ledger-totals.ts';
import type { Sql } from './database.ts';
import { ledgerRowOf } from './records.ts';

/** The most rows of one transaction: some 10 ms. */
const ROWS = 250;
const CELLS = 1000;

const OLD_ROWS = 'SELECT id, started_at, row FROM ledger WHERE started_at < ? ORDER BY started_at, id LIMIT ?';
const COUNT_ROWS = 'SELECT count(*) FROM ledger WHERE started_at < ?';
const DELETE_ROW = 'DELETE FROM ledger WHERE id = ?';
const FIND_SCOPE = 'SELECT id FROM scopes WHERE kind = ? AND name = ?';
const DELETE_ROW_SCOPE = 'DELETE FROM ledger_scopes WHERE scope_id = ? AND started_at = ? AND ledger_id = ?';
/** A scope without rows: its name may be that of a person. */
const DELETE_SCOPE =
  'DELETE FROM scopes WHERE id = ? AND NOT EXISTS (SELECT 1 FROM ledger_scopes WHERE scope_id = scopes.id)';
/** The sets of payers that it was in: all parts in which they paid lost a row, so they are made anew without them. */
const DELETE_PAYERS = `DELETE FROM ledger_payers WHERE id IN (SELECT payers_id FROM ledger_payer_scopes WHERE kind = ? AND name = ?)`;
const DELETE_PAYER_SCOPES =
  'DELETE FROM ledger_payer_scopes WHERE payers_id IN (SELECT payers_id FROM ledger_payer_scopes WHERE kind = ? AND name = ?)';
const DELETE_CELLS = `DELETE FROM cells WHERE rowid IN (SELECT rowid FROM cells WHERE until < ? LIMIT ${CELLS})`;
const COUNT_CELLS = 'SELECT count(*) FROM cells WHERE until < ?';

/** Call it in a transaction. */
export function pruneRows(sql: Sql, { before, dryRun = false }: PruneOptions, path: string): Pruned {
  if (dryRun) return { removed: Number(sql.first(COUNT_ROWS, [before])?.[0]) };
  const rows = sql.all(OLD_ROWS, [before, ROWS]);
  const scopes = new Map<number, readonly [kind: string, name: string]>();
  for (const [id, startedAt, text] of rows) {
    for (const { kind, id: name } of ledgerRowOf(text, path).scopes) {
      const scope = sql.first(FIND_SCOPE, [kind, name])?.[0];
      if (scope === undefined) continue;
      sql.run(DELETE_ROW_SCOPE, [Number(scope), Number(startedAt), Number(id)]);
      scopes.set(Number(scope), [kind, name]);
    }
    sql.run(DELETE_ROW, [Number(id)]);
  }
  for (const [scope, payer] of scopes) {
    if (sql.run(DELETE_SCOPE, [scope]).changes === 0 || !SUMMED_SCOPES.has(payer[0])) continue;
    sql.run(DELETE_PAYERS, payer);
    sql.run(DELETE_PAYER_SCOPES, payer);
  }
  return part(rows.length, ROWS);
}

/** Call it in a transaction. */
export function pruneCells(sql: Sql, { before, dryRun = false }: PruneOptions): Pruned {
  if (dryRun) return { removed: Number(sql.first(COUNT_CELLS, [before])?.[0]) };
  return part(sql.run(DELETE_CELLS, [before]).changes, CELLS);
}

const part = (removed: number, most: number): Pruned => (removed < most ? { removed } : { removed, next: 'more' });
