/** Totals of the ledger: whole days from their sums, the rest from the rows. */
import { DAY_MS, dayName } from '../../../core/money/calendar.ts';
import type { LedgerFilter, LedgerGroup, LedgerTotal } from '../../../core/stores.ts';
import { createTotals, groupsOf, listOf, SUMMED_SCOPES, type Sum, sumOf, type Totals } from '../../ledger-totals.ts';
import type { Sql, SqlRow, SqlValue } from '../database.ts';
import { conditionsOf, where } from '../ledger-queries.ts';
import { ledgerRowOf } from '../records.ts';
import { summedUpTo } from './day-sums.ts';

/** All sums must be complete: see `isSummed`. */
export function selectTotals(
  sql: Sql,
  by: LedgerGroup | readonly LedgerGroup[],
  filter: LedgerFilter,
  path: string,
): readonly LedgerTotal[] {
  const groups = listOf(by);
  const totals = createTotals(by);
  const { from = 0, to = Number.POSITIVE_INFINITY } = filter;
  const [first, end] = [Math.ceil(from / DAY_MS), Math.floor(to / DAY_MS)];
  const rows = (some: LedgerFilter, above?: number): void =>
    addRows(sql, totals, groups, { ...filter, ...some }, above, path);
  if (end <= first || !canBeSummed(groups, filter)) {
    rows({});
    return totals.list();
  }
  addDays(sql, totals, groups, filter, first, end);
  const [start, stop] = [first * DAY_MS, end * DAY_MS];
  if (from < start) rows({ to: start });
  if (to > stop) rows({ from: stop });
  rows({ from: start, ...(Number.isFinite(stop) ? { to: stop } : {}) }, summedUpTo(sql));
  return totals.list();
}

const scopeOf = (group: LedgerGroup): string | undefined =>
  group.startsWith('scope:') ? group.slice('scope:'.length) : undefined;

function canBeSummed(groups: readonly LedgerGroup[], { scope, uncertain }: LedgerFilter): boolean {
  if (uncertain === true || (scope !== undefined && !SUMMED_SCOPES.has(scope.kind))) return false;
  return groups.every((group) => SUMMED_SCOPES.has(scopeOf(group) ?? 'user'));
}

function addDays(
  sql: Sql,
  totals: Totals,
  groups: readonly LedgerGroup[],
  { scope, provider }: LedgerFilter,
  first: number,
  end: number,
): void {
  const joins: string[] = [];
  const kinds: string[] = [];
  const names = groups.map((group, index) => {
    const kind = scopeOf(group);
    if (kind === undefined) return nameOf(group, 'd', 'd.day');
    kinds.push(kind);
    joins.push(`JOIN ledger_payer_scopes s${index} ON s${index}.payers_id = d.payers_id AND s${index}.kind = ?`);
    return `s${index}.name`;
  });
  const texts = ['d.day >= ?', ...(Number.isFinite(end) ? ['d.day < ?'] : [])];
  const values: SqlValue[] = [...kinds, first, ...(Number.isFinite(end) ? [end] : [])];
  if (provider !== undefined) {
    texts.push('d.provider = ?');
    values.push(provider);
  }
  if (scope !== undefined) {
    texts.push('d.payers_id IN (SELECT payers_id FROM ledger_payer_scopes WHERE kind = ? AND name = ?)');
    values.push(scope.kind, scope.id);
  }
  const sums = `sum(d.attempts), sum(d.errors), sum(d.input_tokens), sum(d.output_tokens), sum(d.cost_nano_usd),
    sum(d.unpriced), sum(d.uncertain)`;
  const list = names.join(', ');
  const query = `SELECT ${list}, ${sums} FROM ledger_days d ${joins.join(' ')} ${where(texts)} GROUP BY ${list}`;
  for (const row of sql.all(query, values)) addGrouped(totals, groups, row);
}

const ROW_SUMS = `count(*), sum(CASE WHEN l.outcome = 'error' THEN 1 ELSE 0 END), sum(l.input_tokens), sum(l.output_tokens),
  coalesce(sum(l.cost_nano_usd), 0), sum(CASE WHEN l.cost_nano_usd IS NULL THEN 1 ELSE 0 END), coalesce(sum(l.uncertain), 0)`;

/** From the rows themselves; `above`: only those with a greater id. */
function addRows(
  sql: Sql,
  totals: Totals,
  groups: readonly LedgerGroup[],
  filter: LedgerFilter,
  above: number | undefined,
  path: string,
): void {
  const { texts, values } = conditionsOf(filter);
  if (above !== undefined) {
    // The sign keeps the planner from the index of times: few rows have a greater id.
    texts.push('l.id > ?');
    values.push(above);
  }
  const scopes = groups.filter((group) => scopeOf(group) !== undefined);
  if (scopes.length > 1) {
    for (const [text] of sql.all(`SELECT l.row FROM ledger l ${where(texts)}`, values)) {
      const row = ledgerRowOf(text, path);
      totals.add(
        groups.map((group) => groupsOf(row, group)),
        sumOf(row),
      );
    }
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

/** The column of a group that is no scope. */
function nameOf(group: LedgerGroup, table: string, day: string): string {
  if (group === 'model') return `${table}.provider || '/' || ${table}.model`;
  return group === 'day' || group === 'month' ? day : `${table}.${group}`;
}

function addGrouped(totals: Totals, groups: readonly LedgerGroup[], row: SqlRow): void {
  const names = groups.map((group, index) => {
    const value = row[index];
    if (group === 'day') return [dayName(Number(value))];
    return [group === 'month' ? dayName(Number(value)).slice(0, 7) : String(value)];
  });
  const [attempts, errors, inputTokens, outputTokens, costNanoUsd, unpriced, uncertain] = row
    .slice(groups.length)
    .map(Number);
  const sum: Sum = {
    attempts: attempts ?? 0,
    errors: errors ?? 0,
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    costNanoUsd: costNanoUsd ?? 0,
    unpriced: unpriced ?? 0,
    ...(uncertain ? { uncertain } : {}),
  };
  totals.add(names, sum);
}
