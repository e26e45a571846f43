/**
 * What totals are asked for, as numbers: which groups each set of payers and each label belongs to. The parts are then read in one pass that
 * compares no text.
 */
import { DAY_MS, dayName, dayOf } from '../../../core/money/calendar.ts';
import type { LedgerFilter, LedgerGroup, LedgerRow } from '../../../core/stores.ts';
import { groupsOf, SUMMED_SCOPES } from '../../ledger-totals.ts';
import type { Sql, SqlValue } from '../database.ts';
import { where } from './conditions.ts';
import { nameOf, scopeOf } from './groups.ts';

/** The combinations of names that some groups have. */
export interface Numbered {
  readonly groups: readonly LedgerGroup[];
  readonly names: readonly (readonly string[])[];
  /** By the id of a set of payers or of a label, the numbers of its combinations; absent: it is not asked for. */
  readonly of: readonly (readonly number[] | undefined)[];
  /** Those of a row whose names may have no id yet. */
  ofRow(row: LedgerRow): readonly number[];
}

export interface Labels extends Numbered {
  /** By the id, the number of its one combination; -1: it is not asked for. */
  readonly numbers: Int32Array;
  /** By the id, 1 where it is an error. */
  readonly errors: Uint8Array;
}

/** The days or months of the answer, numbered in the order in which they come. */
export interface Periods {
  readonly names: readonly string[];
  numberOf(time: number): number;
}

export interface Asked {
  /** Undefined: whoever paid. */
  readonly payers: Numbered | undefined;
  readonly labels: Labels;
  readonly periods: Periods;
  /** The groups by scopes with many ids. */
  readonly own: readonly LedgerGroup[];
}

const isPeriod = (group: LedgerGroup): boolean => group === 'day' || group === 'month';

/** By a scope of few ids, which the sets of payers have. */
const isOfPayers = (group: LedgerGroup): boolean => SUMMED_SCOPES.has(scopeOf(group) ?? '');

export function asked(sql: Sql, groups: readonly LedgerGroup[], filter: LedgerFilter): Asked {
  return {
    payers: payersOf(sql, groups.filter(isOfPayers), filter),
    labels: labelsOf(
      sql,
      groups.filter((group) => scopeOf(group) === undefined && !isPeriod(group)),
      filter,
    ),
    periods: periodsOf(groups),
    own: groups.filter((group) => scopeOf(group) !== undefined && !isOfPayers(group)),
  };
}

/** Days where both days and months are asked for, because they say the month too. */
function periodsOf(groups: readonly LedgerGroup[]): Periods {
  if (!groups.some(isPeriod)) return { names: [''], numberOf: () => 0 };
  const length = groups.includes('day') ? 10 : 7;
  const numbers = new Map<string, number>();
  const names: string[] = [];
  let [start, end, latest] = [0, 0, 0];
  return {
    names,
    numberOf(time) {
      if (time >= start && time < end) return latest;
      const day = dayOf(time);
      [start, end] = [day * DAY_MS, (day + 1) * DAY_MS];
      const name = dayName(day).slice(0, length);
      latest = numbers.get(name) ?? names.push(name) - 1;
      numbers.set(name, latest);
      return latest;
    },
  };
}

function numbered(
  groups: readonly LedgerGroup[],
  rows: readonly (readonly [id: number, names: readonly string[]])[],
): Numbered {
  const numbers = new Map<string, number>();
  const names: (readonly string[])[] = [];
  const of: number[][] = [];
  const numberOf = (found: readonly string[]): number => {
    const key = JSON.stringify(found);
    const number = numbers.get(key) ?? names.push(found) - 1;
    numbers.set(key, number);
    return number;
  };
  for (const [id, found] of rows) of[id] = [...(of[id] ?? []), numberOf(found)];
  return { groups, names, of, ofRow: (row) => combinationsOf(groups, row).map(numberOf) };
}

function combinationsOf(groups: readonly LedgerGroup[], row: LedgerRow): readonly (readonly string[])[] {
  let all: readonly (readonly string[])[] = [[]];
  for (const group of groups) all = all.flatMap((before) => groupsOf(row, group).map((value) => [...before, value]));
  return all;
}

function payersOf(sql: Sql, groups: readonly LedgerGroup[], { scope }: LedgerFilter): Numbered | undefined {
  const kinds = groups.map((group) => scopeOf(group) ?? '');
  if (kinds.length === 0 && scope === undefined) return undefined;
  const joins = kinds.map(
    (_, index) => `JOIN ledger_payer_scopes s${index} ON s${index}.payers_id = p.id AND s${index}.kind = ?`,
  );
  const isOfScope = 'p.id IN (SELECT payers_id FROM ledger_payer_scopes WHERE kind = ? AND name = ?)';
  const list = ['p.id', ...kinds.map((_, index) => `s${index}.name`)].join(', ');
  const query = `SELECT ${list} FROM ledger_payers p ${joins.join(' ')} ${where(scope === undefined ? [] : [isOfScope])}`;
  const values: readonly SqlValue[] = [...kinds, ...(scope === undefined ? [] : [scope.kind, scope.id])];
  const rows = sql.all(query, values);
  return numbered(
    groups,
    rows.map(([id, ...names]) => [Number(id), names.map(String)]),
  );
}

function labelsOf(sql: Sql, groups: readonly LedgerGroup[], { provider }: LedgerFilter): Labels {
  const list = ['l.id', 'l.outcome', ...groups.map((group) => nameOf(group, 'l', ''))].join(', ');
  const ofProvider = where(provider === undefined ? [] : ['l.provider = ?']);
  const rows = sql.all(`SELECT ${list} FROM ledger_labels l ${ofProvider}`, provider === undefined ? [] : [provider]);
  const all = numbered(
    groups,
    rows.map(([id, , ...names]) => [Number(id), names.map(String)]),
  );
  const most = rows.reduce((found, [id]) => Math.max(found, Number(id)), 0);
  const numbers = new Int32Array(most + 1).fill(-1);
  const errors = new Uint8Array(most + 1);
  for (const [id, outcome] of rows) {
    numbers[Number(id)] = all.of[Number(id)]?.[0] ?? -1;
    errors[Number(id)] = outcome === 'error' ? 1 : 0;
  }
  return { ...all, numbers, errors };
}
