/** Adds up by combinations of numbers, some 90 bytes for each of them, and gives them their names at the end. */
import type { LedgerFilter, LedgerGroup, LedgerTotal } from '../../../core/stores.ts';
import { createTotals, listOf, type Sum } from '../../ledger-totals.ts';
import type { Sql } from '../database.ts';
import type { Asked } from './asked.ts';
import { scopeOf } from './groups.ts';
import { idOfNumber, kindOfNumber, ownKindOf } from './known-names.ts';
import { createSlots, type Slots } from './slots.ts';

/** The numbers of a sum: attempts, errors, tokens in and out, cost, unpriced, uncertain. */
const SUMS = 7;
const COST = 4;
/** Above the ids of scopes. */
const MOST_SCOPES = 2 ** 31;

/** The sums of one row, or of several, and what they belong to. One is used for all rows. */
export interface Addend {
  period: string;
  payer: number;
  label: number;
  readonly sums: Float64Array;
}

export const createAddend = (): Addend => ({ period: '', payer: 0, label: 0, sums: new Float64Array(SUMS) });

export interface GroupSums {
  /** To its combination, or to each that it makes with the scopes of many ids whose numbers stand from `start` to `end`. */
  add(addend: Addend, numbers: Float64Array, start: number, end: number): void;
  /** The costliest, or all. */
  list(limit: LedgerFilter['limit']): readonly LedgerTotal[];
}

/** @param question knows all names that will be added */
export function createGroupSums(sql: Sql, by: LedgerGroup | readonly LedgerGroup[], question: Asked): GroupSums {
  const { payers, labels, own } = question;
  const periods = new Map<string, number>();
  const [most, mostPayers] = [labels.names.length, payers?.names.length ?? 1];
  const first = createSlots();
  const levels: readonly Slots[] = [first, ...own.map(createSlots)];
  const last = levels.at(-1) ?? first;
  const kinds = own.map((group) => ownKindOf(scopeOf(group) ?? '') ?? -1);
  let sums = new Float64Array(SUMS * 64);
  let [latest, number] = ['none', 0];
  const slotOf = ({ period, payer, label }: Addend): number => {
    if (period !== latest) {
      [latest, number] = [period, periods.get(period) ?? periods.size];
      periods.set(period, number);
    }
    return first.slotOf((number * mostPayers + payer) * most + label);
  };
  const addTo = (slot: number, more: Float64Array): void => {
    const at = slot * SUMS;
    if (at >= sums.length) {
      const before = sums;
      sums = new Float64Array(before.length * 2);
      sums.set(before);
    }
    for (let index = 0; index < SUMS; index += 1) sums[at + index] = (sums[at + index] ?? 0) + (more[index] ?? 0);
  };
  const addBelow = (
    level: number,
    slot: number,
    more: Float64Array,
    numbers: Float64Array,
    from: number,
    to: number,
  ) => {
    if (level === kinds.length) {
      addTo(slot, more);
      return;
    }
    const [kind, below] = [kinds[level], levels[level + 1] ?? first];
    for (let at = from; at < to; at += 1) {
      const number = numbers[at] ?? 0;
      if (kindOfNumber(number) !== kind) continue;
      addBelow(level + 1, below.slotOf(slot * MOST_SCOPES + idOfNumber(number)), more, numbers, from, to);
    }
  };
  return {
    add: (addend, numbers, start, end) => addBelow(0, slotOf(addend), addend.sums, numbers, start, end),
    list(limit) {
      const count = last.count();
      const totals = createTotals(by);
      const slots = limit === undefined ? undefined : costliest(sums, count, limit);
      const namesOf = nameReader(
        sql,
        listOf(by),
        question,
        { levels, periods: [...periods.keys()] },
        limit === undefined,
      );
      for (let index = 0; index < (slots?.length ?? count); index += 1) {
        const slot = slots?.[index] ?? index;
        totals.addOne(namesOf(slot), sumAt(sums, slot));
      }
      return totals.list(limit);
    },
  };
}

function sumAt(sums: Float64Array, slot: number): Sum {
  const [attempts = 0, errors = 0, inputTokens = 0, outputTokens = 0, costNanoUsd = 0, unpriced = 0, uncertain = 0] =
    sums.subarray(slot * SUMS, (slot + 1) * SUMS);
  return {
    attempts,
    errors,
    inputTokens,
    outputTokens,
    costNanoUsd,
    unpriced,
    ...(uncertain > 0 ? { uncertain } : {}),
  };
}

/** The slots of the highest costs, in no order. Sorts some more than the limit from time to time, never all. */
function costliest(sums: Float64Array, count: number, limit: number): readonly number[] {
  const costOf = (slot: number): number => sums[slot * SUMS + COST] ?? 0;
  let kept: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  const cut = (): void => {
    kept = kept.sort((a, b) => costOf(b) - costOf(a)).slice(0, limit);
    if (kept.length === limit) least = costOf(kept.at(-1) ?? 0);
  };
  for (let slot = 0; slot < count; slot += 1) {
    if (costOf(slot) <= least) continue;
    kept.push(slot);
    if (kept.length >= limit * 2 + 64) cut();
  }
  cut();
  return kept;
}

interface Places {
  readonly levels: readonly Slots[];
  readonly periods: readonly string[];
}

/** From the place of a combination back to the names of its groups, in the order in which they were asked for. */
function nameReader(
  sql: Sql,
  groups: readonly LedgerGroup[],
  { payers, labels, own }: Asked,
  { levels, periods }: Places,
  all: boolean,
): (slot: number) => readonly string[] {
  const scopeNames = own.map((group) => ownNames(sql, scopeOf(group) ?? '', all));
  const [most, mostPayers] = [labels.names.length, payers?.names.length ?? 1];
  return (slot) => {
    const scopes: string[] = [];
    let at = slot;
    for (let level = own.length; level > 0; level -= 1) {
      const key = levels[level]?.keyOf(at) ?? 0;
      scopes[level - 1] = scopeNames[level - 1]?.(key % MOST_SCOPES) ?? '';
      at = Math.floor(key / MOST_SCOPES);
    }
    const key = levels[0]?.keyOf(at) ?? 0;
    const label = labels.names[key % most];
    const above = Math.floor(key / most);
    const payer = payers?.names[above % mostPayers];
    const period = periods[Math.floor(above / mostPayers)] ?? '';
    return groups.map((group) => {
      if (group === 'day') return period;
      if (group === 'month') return period.slice(0, 7);
      const scope = own.indexOf(group);
      if (scope !== -1) return scopes[scope] ?? '';
      const inPayers = payers?.groups.indexOf(group) ?? -1;
      return (inPayers === -1 ? label?.[labels.groups.indexOf(group)] : payer?.[inPayers]) ?? '';
    });
  };
}

/** All of a kind at once, or each when it is asked for. */
function ownNames(sql: Sql, kind: string, all: boolean): (id: number) => string {
  if (!all) return (id) => String(sql.first('SELECT name FROM scopes WHERE id = ?', [id])?.[0] ?? '');
  const names = new Map<number, string>();
  for (const [id, name] of sql.all('SELECT id, name FROM scopes WHERE kind = ?', [kind]))
    names.set(Number(id), String(name));
  return (id) => names.get(id) ?? '';
}
