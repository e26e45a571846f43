/**
 * Totals of whole days from sums, of which the fewest are read that know what is asked: by day for totals that name no payer, by month for
 * whole months of payers, by day and payers for the rest.
 */
import { DAY_MS, dayName } from '../../../core/money/calendar.ts';
import { periodAt } from '../../../core/money/period.ts';
import type { LedgerFilter, LedgerGroup } from '../../../core/stores.ts';
import type { Totals } from '../../ledger-totals.ts';
import type { Sql, SqlValue } from '../database.ts';
import { where } from './conditions.ts';
import { addGrouped, nameOf, scopeOf, shownAs, sumOfColumns } from './groups.ts';

/** Days since the epoch, the second one exclusive; it may be infinite. */
interface Days {
  readonly first: number;
  readonly end: number;
}

const SUMS = `sum(d.attempts), sum(d.errors), sum(d.input_tokens), sum(d.output_tokens), sum(d.cost_nano_usd), sum(d.unpriced),
  sum(d.uncertain)`;

export function addSums(
  sql: Sql,
  totals: Totals,
  groups: readonly LedgerGroup[],
  filter: LedgerFilter,
  days: Days,
): void {
  if (filter.scope === undefined && groups.every((group) => scopeOf(group) === undefined)) {
    addDayTotals(sql, totals, groups, filter, days);
    return;
  }
  // A group that does not exist is refused, whatever the ledger holds.
  for (const group of groups) if (scopeOf(group) === undefined) nameOf(group, 'd', 'd.day');
  const payers = payersOf(sql, groups, filter);
  if (payers.names.length === 0) return;
  const asked = { sql, totals, groups, filter, payers };
  if (groups.some((group) => group === 'day' || group === 'purpose' || group === 'outcome')) {
    addDays(asked, days);
    return;
  }
  const months = monthsWithin(days);
  if (months === undefined) {
    addDays(asked, days);
    return;
  }
  if (days.first < months.first) addDays(asked, { first: days.first, end: months.first });
  addMonths(asked, months);
  if (months.end < days.end) addDays(asked, { first: months.end, end: days.end });
}

/** The days of whole months; undefined if there is none. */
function monthsWithin({ first, end }: Days): Days | undefined {
  const begun = periodAt('month', first * DAY_MS);
  const from = (begun.from === first * DAY_MS ? begun.from : begun.to) / DAY_MS;
  const to = Number.isFinite(end) ? periodAt('month', end * DAY_MS).from / DAY_MS : end;
  return from < to ? { first: from, end: to } : undefined;
}

function conditionsOfDays({ first, end }: Days, { provider }: LedgerFilter): { texts: string[]; values: SqlValue[] } {
  const isBounded = Number.isFinite(end);
  const texts = ['d.day >= ?', ...(isBounded ? ['d.day < ?'] : [])];
  const values: SqlValue[] = [first, ...(isBounded ? [end] : [])];
  if (provider === undefined) return { texts, values };
  return { texts: [...texts, 'd.provider = ?'], values: [...values, provider] };
}

function addDayTotals(
  sql: Sql,
  totals: Totals,
  groups: readonly LedgerGroup[],
  filter: LedgerFilter,
  days: Days,
): void {
  const { texts, values } = conditionsOfDays(days, filter);
  const list = groups.map((group) => nameOf(group, 'd', 'd.day')).join(', ');
  const query = `SELECT ${list}, ${SUMS} FROM ledger_day_totals d ${where(texts)} GROUP BY ${list}`;
  for (const row of sql.all(query, values)) addGrouped(totals, groups, row);
}

/**
 * The sets of payers that are asked for, which then stand in `asked_payers` with the number of each group to which they belong: names would
 * be compared for each sum.
 */
interface Payers {
  /** The scopes of each group, in the order of the groups by scope. */
  readonly names: readonly (readonly string[])[];
}

function payersOf(sql: Sql, groups: readonly LedgerGroup[], { scope }: LedgerFilter): Payers {
  const kinds = groups.map(scopeOf).filter((kind) => kind !== undefined);
  const joins = kinds.map(
    (_, index) => `JOIN ledger_payer_scopes s${index} ON s${index}.payers_id = p.id AND s${index}.kind = ?`,
  );
  const isOfScope = 'p.id IN (SELECT payers_id FROM ledger_payer_scopes WHERE kind = ? AND name = ?)';
  const list = ['p.id', ...kinds.map((_, index) => `s${index}.name`)].join(', ');
  const query = `SELECT ${list} FROM ledger_payers p ${joins.join(' ')} ${where(scope === undefined ? [] : [isOfScope])}`;
  const numbers = new Map<string, number>();
  const names: (readonly string[])[] = [];
  const pairs = sql
    .all(query, [...kinds, ...(scope === undefined ? [] : [scope.kind, scope.id])])
    .map(([id, ...of]) => {
      const key = JSON.stringify(of);
      let number = numbers.get(key);
      if (number === undefined) {
        number = names.push(of.map(String)) - 1;
        numbers.set(key, number);
      }
      return [Number(id), number];
    });
  sql.script(PAYERS_TABLE);
  sql.run('DELETE FROM asked_payers');
  sql.run(ADD_PAYERS, [JSON.stringify(pairs)]);
  return { names };
}

/** A table, because SQLite makes an index of a list in a query only where it expects many sums. Nobody else sees it. */
const PAYERS_TABLE = `CREATE TEMP TABLE IF NOT EXISTS asked_payers (
  payers_id INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (payers_id, number)) WITHOUT ROWID`;
const ADD_PAYERS = `INSERT INTO asked_payers
  SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)`;
/** CROSS keeps the sums on the outside: the other way round they would be read once for each set of payers. */
const OF_PAYERS = 'CROSS JOIN asked_payers g ON g.payers_id = d.payers_id';

interface Asked {
  readonly sql: Sql;
  readonly totals: Totals;
  readonly groups: readonly LedgerGroup[];
  readonly filter: LedgerFilter;
  readonly payers: Payers;
}

function addDays({ sql, totals, groups, filter, payers }: Asked, days: Days): void {
  const { texts, values } = conditionsOfDays(days, filter);
  const others = groups.filter((group) => scopeOf(group) === undefined);
  const list = ['g.number', ...others.map((group) => nameOf(group, 'd', 'd.day'))].join(', ');
  const query = `SELECT ${list}, ${SUMS} FROM ledger_days d ${OF_PAYERS} ${where(texts)} GROUP BY ${list}`;
  for (const [number, ...row] of sql.all(query, values)) {
    const shown = others.map((group, index) => shownAs(group, row[index]));
    totals.add(namesOf(groups, payers, Number(number), shown), sumOfColumns(row.slice(others.length)));
  }
}

/** The names of all groups, of which those that are no scopes are given in their order. */
function namesOf(
  groups: readonly LedgerGroup[],
  { names }: Payers,
  number: number,
  others: readonly string[],
): readonly (readonly string[])[] {
  const [scopes, rest] = [[...(names[number] ?? [])], [...others]];
  return groups.map((group) => [(scopeOf(group) === undefined ? rest : scopes).shift() ?? '']);
}

function addMonths({ sql, totals, groups, filter, payers }: Asked, days: Days): void {
  const { provider } = filter;
  const isBounded = Number.isFinite(days.end);
  const texts = ['d.month >= ?', ...(isBounded ? ['d.month < ?'] : [])];
  const values: SqlValue[] = [monthOf(days.first), ...(isBounded ? [monthOf(days.end)] : [])];
  if (provider !== undefined) {
    texts.push('d.model_id IN (SELECT id FROM ledger_models WHERE provider = ?)');
    values.push(provider);
  }
  const byModel = groups.includes('model') || groups.includes('provider');
  const columns = ['g.number', ...(byModel ? ['d.model_id'] : []), ...(groups.includes('month') ? ['d.month'] : [])];
  const list = columns.join(', ');
  const query = `SELECT ${list}, ${SUMS} FROM ledger_months d ${OF_PAYERS} ${where(texts)} GROUP BY ${list}`;
  const models = byModel ? modelsOf(sql) : new Map<number, Model>();
  for (const row of sql.all(query, values)) {
    const model = models.get(Number(row[1]));
    const month = row[columns.length - 1];
    const others = groups.filter((group) => scopeOf(group) === undefined);
    const shown = others.map((group) => (group === 'month' ? monthName(month) : ofModel(group, model)));
    totals.add(namesOf(groups, payers, Number(row[0]), shown), sumOfColumns(row.slice(columns.length)));
  }
}

interface Model {
  readonly provider: string;
  readonly model: string;
}

const modelsOf = (sql: Sql): ReadonlyMap<number, Model> =>
  new Map(
    sql
      .all('SELECT id, provider, model FROM ledger_models')
      .map(([id, provider, model]) => [Number(id), { provider: String(provider), model: String(model) }]),
  );

function ofModel(group: LedgerGroup, model: Model | undefined): string {
  if (group === 'provider') return model?.provider ?? '';
  return `${model?.provider}/${model?.model}`;
}

/** 202603 for a day of March 2026. */
const monthOf = (day: number): number => Number(dayName(day).slice(0, 7).replace('-', ''));

function monthName(month: unknown): string {
  const digits = String(month).padStart(6, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}
