/** Totals of the ledger: from its parts, or from the rows where those are few. */
import type { LedgerFilter, LedgerGroup, LedgerRow, LedgerTotal } from '../../../core/stores.ts';
import { createTotals, groupsOf, listOf, matches, SUMMED_SCOPES, sumOf, type Totals } from '../../ledger-totals.ts';
import type { Sql, SqlValue } from '../database.ts';
import { ledgerRowOf } from '../records.ts';
import { type Asked, asked } from './asked.ts';
import { conditionsOf, where } from './conditions.ts';
import { createAddend, createGroupSums, type GroupSums } from './group-sums.ts';
import { addGrouped, nameOf, scopeOf } from './groups.ts';
import { ownKindOf, ownNumber } from './known-names.ts';
import { listSums } from './list-sums.ts';
import { summedUpTo } from './parts.ts';
import { scopeIdIn, scopesOfRows } from './scope-ids.ts';
import { addParts } from './sums.ts';

/**
 * All parts must be made: see `isSummed`. Call both in one snapshot, or another process makes parts between two queries.
 *
 * @param ofRows reads the rows alone, which takes long where there are many: for a file in which no part can be made
 */
export function selectTotals(
  sql: Sql,
  by: LedgerGroup | readonly LedgerGroup[],
  filter: LedgerFilter,
  path: string,
  ofRows = false,
): readonly LedgerTotal[] {
  const groups = listOf(by);
  // A group that does not exist is refused, whatever the ledger holds.
  for (const group of groups) if (scopeOf(group) === undefined) nameOf(group, 'l', 'l.day');
  if (!areFew(filter) && !ofRows) return totalsOfParts(sql, by, filter, path);
  const totals = createTotals(by);
  addRows(sql, totals, groups, filter, path);
  return totals.list(filter.limit);
}

/** An index leads to the rows of one run, node or session, and to those that are uncertain. */
const areFew = ({ scope, uncertain }: LedgerFilter): boolean =>
  uncertain === true || (scope !== undefined && !SUMMED_SCOPES.has(scope.kind));

function totalsOfParts(
  sql: Sql,
  by: LedgerGroup | readonly LedgerGroup[],
  filter: LedgerFilter,
  path: string,
): readonly LedgerTotal[] {
  const question = asked(sql, listOf(by), filter);
  // Their names are added to the question before the numbers of all names are laid out.
  const rows = newRows(sql, filter, path).map((row) => numberedRow(question, row));
  const sums = createGroupSums(question);
  addParts(sql, sums, question, filter);
  for (const row of rows) addNumbered(sql, sums, question, row);
  return listSums(sql, by, question, sums.finish(), filter.limit);
}

/** Those that are in no part yet: read by their ids alone, because any other index would lead through all rows of that time. */
function newRows(sql: Sql, filter: LedgerFilter, path: string): readonly LedgerRow[] {
  const scopeIdOf = scopesOfRows(sql);
  const rows = sql.all('SELECT row FROM ledger WHERE id > ?', [summedUpTo(sql)]).map(([text]) => {
    const row = ledgerRowOf(text, path);
    for (const { kind, id } of row.scopes) scopeIdOf(kind, id);
    return row;
  });
  return rows.filter((row) => matches(row, filter));
}

interface NumberedRow {
  readonly row: LedgerRow;
  readonly payers: readonly number[];
  readonly labels: readonly number[];
}

const numberedRow = ({ payers, labels }: Asked, row: LedgerRow): NumberedRow => ({
  row,
  payers: payers === undefined ? [0] : payers.ofRow(row),
  labels: labels.ofRow(row),
});

function addNumbered(sql: Sql, groups: GroupSums, { own, periods }: Asked, { row, payers, labels }: NumberedRow): void {
  const scopes = new Set<number>();
  for (const group of own) {
    const kind = scopeOf(group) ?? '';
    for (const name of groupsOf(row, group)) {
      const [number, id] = [ownKindOf(kind), scopeIdIn(sql, kind, name)];
      if (number !== undefined && id !== undefined) scopes.add(ownNumber(number, id));
    }
  }
  const numbers = Float64Array.from(scopes);
  const { attempts, errors, inputTokens, outputTokens, costNanoUsd, unpriced, uncertain = 0 } = sumOf(row);
  const addend = createAddend();
  addend.sums.set([attempts, errors, inputTokens, outputTokens, costNanoUsd, unpriced, uncertain]);
  addend.period = periods.numberOf(row.startedAt);
  for (const payer of payers)
    for (const label of labels) groups.add({ ...addend, payer, label }, numbers, 0, numbers.length);
}

const ROW_SUMS = `count(*), sum(CASE WHEN l.outcome = 'error' THEN 1 ELSE 0 END), sum(l.input_tokens), sum(l.output_tokens),
  coalesce(sum(l.cost_nano_usd), 0), sum(CASE WHEN l.cost_nano_usd IS NULL THEN 1 ELSE 0 END), coalesce(sum(l.uncertain), 0)`;

/** From the rows themselves. */
function addRows(sql: Sql, totals: Totals, groups: readonly LedgerGroup[], filter: LedgerFilter, path: string): void {
  const { texts, values } = conditionsOf(filter);
  const scopes = groups.filter((group) => scopeOf(group) !== undefined);
  if (scopes.length > 1) {
    addEach(sql, totals, groups, filter, path);
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

/** Rows of a page are in memory at the same time. */
const PAGE = 500;

/** Rows of several scopes, one by one. */
function addEach(sql: Sql, totals: Totals, groups: readonly LedgerGroup[], filter: LedgerFilter, path: string): void {
  const { texts, values } = conditionsOf(filter);
  const query = `SELECT l.id, l.row FROM ledger l ${where([...texts, 'l.id > ?'])} ORDER BY l.id LIMIT ${PAGE}`;
  const scopeIdOf = scopesOfRows(sql);
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const page = sql.all(query, [...values, after]);
    for (const [, text] of page) {
      const row = ledgerRowOf(text, path);
      for (const { kind, id } of row.scopes) scopeIdOf(kind, id);
      totals.add(
        groups.map((group) => groupsOf(row, group)),
        sumOf(row),
      );
    }
    if (page.length < PAGE) return;
    after = Number(page.at(-1)?.[0]);
  }
}

const DAY_OF_ROW = 'CAST(l.started_at / 86400000 AS INTEGER)';

/** The index of scopes has the times too, so only rows of that time are read. */
function tablesOf(kind: string | undefined, { from, to }: LedgerFilter): { text: string; values: SqlValue[] } {
  if (kind === undefined) return { text: 'ledger l', values: [] };
  const range = `${from === undefined ? '' : ' AND y.started_at >= ?'}${to === undefined ? '' : ' AND y.started_at < ?'}`;
  const text = `scopes k JOIN ledger_scopes y ON k.kind = ? AND y.scope_id = k.id${range} JOIN ledger l ON l.id = y.ledger_id`;
  return { text, values: [kind, ...[from, to].filter((time) => time !== undefined)] };
}
