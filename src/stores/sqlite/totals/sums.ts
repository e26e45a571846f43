/**
 * Totals of whole hours from their sums. What is asked for becomes numbers first: the groups of each set of payers and of each label. The
 * entries are then read in one pass that compares no text.
 */
import { dayName, dayOf } from '../../../core/money/calendar.ts';
import type { LedgerFilter, LedgerGroup } from '../../../core/stores.ts';
import { emptySum, type Sum, type Totals } from '../../ledger-totals.ts';
import type { Sql, SqlValue } from '../database.ts';
import { where } from './conditions.ts';
import {
  ATTEMPTS,
  COST,
  entriesOf,
  INPUT,
  LABEL,
  MOST_ENTRIES,
  OUTPUT,
  PAYERS,
  UNCERTAIN,
  UNPRICED,
  WIDTH,
} from './entries.ts';
import { nameOf, scopeOf } from './groups.ts';
import { HOUR_MS, PARTS_OF_HOUR } from './hour-sums.ts';

/** Hours since the epoch, the second one exclusive; it may be infinite. */
interface Hours {
  readonly first: number;
  readonly end: number;
}

/** Parts that are in memory at the same time: some megabytes where each of them is full. */
const PARTS = 64;
const READ_PARTS = `SELECT place, CAST(entries AS BLOB) FROM ledger_hours WHERE place >= ? AND place < ? ORDER BY place
  LIMIT ${PARTS}`;

/** The combinations of names that some groups have, and which of them an id belongs to. */
interface Numbered {
  readonly names: readonly (readonly string[])[];
  /** By the id; absent: it is not asked for. */
  readonly of: readonly (readonly number[] | undefined)[];
}

/** Sums by the number of their payers and the number of their label. */
type Sums = Map<number, Sum>;

export function addSums(
  sql: Sql,
  totals: Totals,
  groups: readonly LedgerGroup[],
  filter: LedgerFilter,
  hours: Hours,
): void {
  // A group that does not exist is refused, whatever the ledger holds.
  for (const group of groups) if (scopeOf(group) === undefined) nameOf(group, 'l', 'l.day');
  const payers = payersOf(sql, groups, filter);
  const labels = labelsOf(sql, groups, filter);
  if (payers?.names.length === 0 || labels.names.length === 0) return;
  const periodOf = periodsOf(groups);
  let period: string | undefined;
  let sums: Sums = new Map();
  const end = (): void => addNamed(totals, groups, { payers, labels, period: period ?? '' }, sums);
  for (const { hour, entries } of partsOf(sql, hours)) {
    const next = periodOf(hour);
    if (next !== period) {
      end();
      [period, sums] = [next, new Map()];
    }
    addEntries(sums, entries, payers, labels);
  }
  end();
}

/** The entries hold until the next part is read. */
function* partsOf(sql: Sql, { first, end }: Hours): Generator<{ hour: number; entries: Float64Array }> {
  const to = Math.min(end * PARTS_OF_HOUR, Number.MAX_SAFE_INTEGER);
  let from = first * PARTS_OF_HOUR;
  let memory: Float64Array = new Float64Array(MOST_ENTRIES * WIDTH);
  for (;;) {
    const rows = sql.bytes(READ_PARTS, [from, to]);
    for (const [place, bytes] of rows) {
      const entries = entriesOf(bytes, memory);
      if (entries.buffer !== memory.buffer) memory = new Float64Array(entries.buffer);
      yield { hour: Math.floor(Number(place) / PARTS_OF_HOUR), entries };
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < PARTS) return;
    from = Number(last[0]) + 1;
  }
}

const EVERYBODY: readonly number[] = [0];

function addEntries(sums: Sums, entries: Float64Array, payers: Numbered | undefined, labels: Labels): void {
  for (let at = 0; at < entries.length; at += WIDTH) {
    const label = entries[at + LABEL] ?? 0;
    const [number] = labels.of[label] ?? [];
    const numbers = payers === undefined ? EVERYBODY : payers.of[entries[at + PAYERS] ?? 0];
    if (number === undefined || numbers === undefined) continue;
    for (const payer of numbers) {
      const key = payer * labels.names.length + number;
      let sum = sums.get(key);
      if (sum === undefined) {
        sum = emptySum();
        sums.set(key, sum);
      }
      addEntry(sum, entries, at, labels.errors.has(label));
    }
  }
}

function addEntry(sum: Sum, entries: Float64Array, at: number, isError: boolean): void {
  const attempts = entries[at + ATTEMPTS] ?? 0;
  sum.attempts += attempts;
  if (isError) sum.errors += attempts;
  sum.inputTokens += entries[at + INPUT] ?? 0;
  sum.outputTokens += entries[at + OUTPUT] ?? 0;
  sum.costNanoUsd += entries[at + COST] ?? 0;
  sum.unpriced += entries[at + UNPRICED] ?? 0;
  const uncertain = entries[at + UNCERTAIN] ?? 0;
  if (uncertain > 0) sum.uncertain = (sum.uncertain ?? 0) + uncertain;
}

interface Named {
  readonly payers: Numbered | undefined;
  readonly labels: Numbered;
  readonly period: string;
}

/** Each sum under the names of its groups, in the order in which they were asked for. */
function addNamed(totals: Totals, groups: readonly LedgerGroup[], { payers, labels, period }: Named, sums: Sums): void {
  const nameOfSum = groups.map((group) => {
    if (group === 'day') return () => period;
    if (group === 'month') return () => period.slice(0, 7);
    const isScope = scopeOf(group) !== undefined;
    const place = groups.filter(isScope ? scopeOf : isOfLabel).indexOf(group);
    const names = (isScope ? payers : labels)?.names ?? [];
    return (payer: number, label: number) => names[isScope ? payer : label]?.[place] ?? '';
  });
  for (const [key, sum] of sums) {
    const label = key % labels.names.length;
    const payer = (key - label) / labels.names.length;
    totals.addOne(
      nameOfSum.map((name) => name(payer, label)),
      sum,
    );
  }
}

const isPeriod = (group: LedgerGroup): boolean => group === 'day' || group === 'month';
const isOfLabel = (group: LedgerGroup): boolean => scopeOf(group) === undefined && !isPeriod(group);

/** The name of the day or month of an hour; a day where both are asked for, because it says the month too. */
function periodsOf(groups: readonly LedgerGroup[]): (hour: number) => string {
  if (!groups.some(isPeriod)) return () => '';
  const length = groups.includes('day') ? 10 : 7;
  return (hour) => dayName(dayOf(hour * HOUR_MS)).slice(0, length);
}

function numbered(rows: readonly (readonly [id: number, names: readonly string[]])[]): Numbered {
  const numbers = new Map<string, number>();
  const names: (readonly string[])[] = [];
  const of: number[][] = [];
  for (const [id, found] of rows) {
    const key = JSON.stringify(found);
    const number = numbers.get(key) ?? names.push(found) - 1;
    numbers.set(key, number);
    of[id] = [...(of[id] ?? []), number];
  }
  return { names, of };
}

/** Undefined: whoever paid. */
function payersOf(sql: Sql, groups: readonly LedgerGroup[], { scope }: LedgerFilter): Numbered | undefined {
  const kinds = groups.map(scopeOf).filter((kind) => kind !== undefined);
  if (kinds.length === 0 && scope === undefined) return undefined;
  const joins = kinds.map(
    (_, index) => `JOIN ledger_payer_scopes s${index} ON s${index}.payers_id = p.id AND s${index}.kind = ?`,
  );
  const isOfScope = 'p.id IN (SELECT payers_id FROM ledger_payer_scopes WHERE kind = ? AND name = ?)';
  const list = ['p.id', ...kinds.map((_, index) => `s${index}.name`)].join(', ');
  const query = `SELECT ${list} FROM ledger_payers p ${joins.join(' ')} ${where(scope === undefined ? [] : [isOfScope])}`;
  const values: readonly SqlValue[] = [...kinds, ...(scope === undefined ? [] : [scope.kind, scope.id])];
  return numbered(sql.all(query, values).map(([id, ...names]) => [Number(id), names.map(String)]));
}

interface Labels extends Numbered {
  /** The ids of those that are errors. */
  readonly errors: ReadonlySet<number>;
}

function labelsOf(sql: Sql, groups: readonly LedgerGroup[], { provider }: LedgerFilter): Labels {
  const others = groups.filter(isOfLabel);
  const list = ['l.id', 'l.outcome', ...others.map((group) => nameOf(group, 'l', ''))].join(', ');
  const ofProvider = where(provider === undefined ? [] : ['l.provider = ?']);
  const rows = sql.all(`SELECT ${list} FROM ledger_labels l ${ofProvider}`, provider === undefined ? [] : [provider]);
  const all = numbered(rows.map(([id, , ...names]) => [Number(id), names.map(String)]));
  return { ...all, errors: new Set(rows.filter(([, outcome]) => outcome === 'error').map(([id]) => Number(id))) };
}
