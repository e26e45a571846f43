/** The SQL of the ledger: one row per key, an index from scopes to rows, and totals computed by the database. */

import type { LedgerFilter, LedgerRow } from '../../core/stores.ts';
import type { Sql, SqlRow, SqlValue } from './database.ts';
import { type Inserted, insertAll, insertOf } from './many-rows.ts';
import { conditionsOf, where } from './totals/conditions.ts';
import { mayHaveEnough, sumNewRowsIfSound } from './totals/parts.ts';
import { keepScopeId, learnScopes, type ScopeIds, scopeIdIn } from './totals/scope-ids.ts';

/** A row that waits for its transaction, with the JSON that was made at append. */
export interface LedgerEntry {
  readonly row: LedgerRow;
  readonly text: string;
}

const INSERT_ROWS = insertOf(
  `INSERT INTO ledger (key, started_at, provider, model, purpose, outcome, input_tokens, output_tokens, cost_nano_usd, row,
  uncertain) VALUES`,
  11,
  'ON CONFLICT (key) DO NOTHING',
);
const FIND_NEWEST = 'SELECT key, id FROM ledger WHERE id > ?';
const REPLACE_ROW = `UPDATE ledger SET outcome = ?, input_tokens = ?, output_tokens = ?, cost_nano_usd = ?, row = ?,
  uncertain = NULL WHERE key = ?`;
const INSERT_SCOPE = 'INSERT INTO scopes (kind, name) VALUES (?, ?)';
const INSERT_ROW_SCOPES = insertOf(
  'INSERT INTO ledger_scopes (scope_id, started_at, ledger_id) VALUES',
  3,
  'ON CONFLICT (scope_id, started_at, ledger_id) DO NOTHING',
);

function scopeId(sql: Sql, known: ScopeIds, kind: string, name: string): number {
  const cached = known.get(kind)?.get(name);
  if (cached !== undefined) return cached;
  const id = scopeIdIn(sql, kind, name) ?? sql.run(INSERT_SCOPE, [kind, name]).id;
  keepScopeId(known, kind, name, id);
  return id;
}

/**
 * Call it in a transaction. `known` holds the ids of scopes and is used in one transaction only, because a rollback revokes them.
 *
 * @returns the entries whose key exists already: nothing is changed for them
 */
export function insertRows(
  sql: Sql,
  entries: readonly LedgerEntry[],
  known: ScopeIds = new Map(),
): readonly LedgerEntry[] {
  const refused: LedgerEntry[] = [];
  const scopes: (readonly SqlValue[])[] = [];
  learnScopes(
    sql,
    known,
    entries.flatMap(({ row }) => row.scopes),
  );
  let [before, last] = [Number.POSITIVE_INFINITY, 0];
  insertAll(sql, INSERT_ROWS, entries.map(valuesOf), (part) => {
    if (part.changes > 0) [before, last] = [Math.min(before, part.id - part.changes), Math.max(last, part.id)];
    const ids = part.changes === part.count ? undefined : idsOf(sql, part);
    for (let index = 0; index < part.count; index += 1) {
      const entry = entries[part.from + index];
      if (entry === undefined) continue;
      const { key, startedAt } = entry.row;
      const ledgerId = ids === undefined ? part.id - part.count + 1 + index : ids.get(key);
      // Of two with the same key, the first was inserted.
      ids?.delete(key);
      if (ledgerId === undefined) refused.push(entry);
      else
        for (const { kind, id } of entry.row.scopes) scopes.push([scopeId(sql, known, kind, id), startedAt, ledgerId]);
    }
  });
  insertAll(sql, INSERT_ROW_SCOPES, scopes);
  if (mayHaveEnough(before, last)) sumNewRowsIfSound(sql, known);
  return refused;
}

/** By the keys of those that were inserted. */
function idsOf(sql: Sql, { changes, id }: Inserted): Map<unknown, number> {
  const newest = changes === 0 ? [] : sql.all(FIND_NEWEST, [id - changes]);
  return new Map(newest.map(([key, rowId]) => [key, Number(rowId)]));
}

function valuesOf({ row, text }: LedgerEntry): readonly SqlValue[] {
  const { key, startedAt, target, purpose, outcome, usage, costNanoUsd, uncertain } = row;
  const { provider, model } = target;
  const tokens = [usage?.input ?? 0, usage?.output ?? 0];
  const marked = uncertain === true ? 1 : null;
  return [key, startedAt, provider, model, purpose, outcome, ...tokens, costNanoUsd, text, marked];
}

/** Replaces the uncertain row of an attempt whose end is known after all. Its scopes and its time stay. */
export function replaceRow(sql: Sql, { row, text }: LedgerEntry): void {
  const { key, outcome, usage, costNanoUsd } = row;
  sql.run(REPLACE_ROW, [outcome, usage?.input ?? 0, usage?.output ?? 0, costNanoUsd, text, key]);
}

/** Newest first, rows of the same millisecond by descending id, below `after`: the start and id of the last row read. */
export function selectRows(
  sql: Sql,
  filter: LedgerFilter,
  after: readonly [number, number] | undefined,
  limit: number,
): readonly SqlRow[] {
  const { texts, values } = conditionsOf(filter);
  if (after !== undefined) {
    texts.push('(l.started_at, l.id) < (?, ?)');
    values.push(...after);
  }
  const text = `SELECT l.started_at, l.id, l.row FROM ledger l ${where(texts)} ORDER BY l.started_at DESC, l.id DESC LIMIT ?`;
  return sql.all(text, [...values, limit]);
}
