/** Totals of the ledger: whole hours from their sums, the rest from the rows. */
import type { LedgerFilter, LedgerGroup, LedgerRow, LedgerTotal } from '../../../core/stores.ts';
import { createTotals, groupsOf, listOf, matches, SUMMED_SCOPES, sumOf, type Totals } from '../../ledger-totals.ts';
import type { Sql, SqlValue } from '../database.ts';
import { ledgerRowOf } from '../records.ts';
import { conditionsOf, where } from './conditions.ts';
import { addGrouped, nameOf, scopeOf } from './groups.ts';
import { HOUR_MS, summedUpTo } from './hour-sums.ts';
import { addSums } from './sums.ts';

/** All sums must be complete: see `isSummed`. Call both in one snapshot, or another process sums rows between two queries. */
export function selectTotals(
  sql: Sql,
  by: LedgerGroup | readonly LedgerGroup[],
  filter: LedgerFilter,
  path: string,
): readonly LedgerTotal[] {
  const groups = listOf(by);
  const totals = createTotals(by);
  const { from = 0, to = Number.POSITIVE_INFINITY } = filter;
  const [first, end] = [Math.ceil(from / HOUR_MS), Math.floor(to / HOUR_MS)];
  const rows = (some: LedgerFilter): void => addRows(sql, totals, groups, { ...filter, ...some }, path);
  if (end <= first || !canBeSummed(groups, filter)) {
    rows({});
    return totals.list();
  }
  addSums(sql, totals, groups, filter, { first, end });
  const [start, stop] = [first * HOUR_MS, end * HOUR_MS];
  if (from < start) rows({ to: start });
  if (to > stop) rows({ from: stop });
  const within: LedgerFilter = { ...filter, from: start, ...(Number.isFinite(stop) ? { to: stop } : {}) };
  addEach(totals, groups, newRows(sql, within, path));
  return totals.list();
}

function canBeSummed(groups: readonly LedgerGroup[], { scope, uncertain }: LedgerFilter): boolean {
  if (uncertain === true || (scope !== undefined && !SUMMED_SCOPES.has(scope.kind))) return false;
  return groups.every((group) => SUMMED_SCOPES.has(scopeOf(group) ?? 'user'));
}

const ROW_SUMS = `count(*), sum(CASE WHEN l.outcome = 'error' THEN 1 ELSE 0 END), sum(l.input_tokens), sum(l.output_tokens),
  coalesce(sum(l.cost_nano_usd), 0), sum(CASE WHEN l.cost_nano_usd IS NULL THEN 1 ELSE 0 END), coalesce(sum(l.uncertain), 0)`;

/** Rows one by one: few, or of several scopes each. */
function addEach(totals: Totals, groups: readonly LedgerGroup[], rows: readonly LedgerRow[]): void {
  for (const row of rows)
    totals.add(
      groups.map((group) => groupsOf(row, group)),
      sumOf(row),
    );
}

/** Those that are in no sum yet: read by their ids alone, because any other index would lead through all rows of that time. */
function newRows(sql: Sql, filter: LedgerFilter, path: string): readonly LedgerRow[] {
  const rows = sql
    .all('SELECT row FROM ledger WHERE id > ?', [summedUpTo(sql)])
    .map(([text]) => ledgerRowOf(text, path));
  return rows.filter((row) => matches(row, filter));
}

/** From the rows themselves. */
function addRows(sql: Sql, totals: Totals, groups: readonly LedgerGroup[], filter: LedgerFilter, path: string): void {
  const { texts, values } = conditionsOf(filter);
  const scopes = groups.filter((group) => scopeOf(group) !== undefined);
  if (scopes.length > 1) {
    const rows = sql.all(`SELECT l.row FROM ledger l ${where(texts)}`, values);
    addEach(
      totals,
      groups,
      rows.map(([text]) => ledgerRowOf(text, path)),
    );
    return;
  }
  const [kind] = scopes.map(scopeOf);
  const list = groups
    .map((group) => (scopeOf(group) === undefined ? nameOf(group, 'l', DAY_OF_ROW) : 'k.name'))
    .join(', ');
  const { text: tables, values: range } = tablesOf(kind, filter);
  const query = `SELECT ${list}, ${ROW_SUMS} FROM ${tables} ${where(texts)} GROUP BY ${list}`;
  for (const row of sql.all(query, [...range, ...values])) addGrouped(totals, groups, row);
}

const DAY_OF_ROW = 'CAST(l.started_at / 86400000 AS INTEGER)';

/** The index of scopes has the times too, so only rows of that time are read. */
function tablesOf(kind: string | undefined, { from, to }: LedgerFilter): { text: string; values: SqlValue[] } {
  if (kind === undefined) return { text: 'ledger l', values: [] };
  const range = `${from === undefined ? '' : ' AND y.started_at >= ?'}${to === undefined ? '' : ' AND y.started_at < ?'}`;
  const text = `scopes k JOIN ledger_scopes y ON k.kind = ? AND y.scope_id = k.id${range} JOIN ledger l ON l.id = y.ledger_id`;
  return { text, values: [kind, ...[from, to].filter((time) => time !== undefined)] };
}
