/** The sums of combinations of numbers as totals with names, in their order. A million of them are sorted by numbers, no name by another. */
import type { Growing } from '../../../core/defined.ts';
import type { LedgerFilter, LedgerGroup, LedgerTotal } from '../../../core/stores.ts';
import { listOf } from '../../ledger-totals.ts';
import type { Sql } from '../database.ts';
import type { Asked, Numbered } from './asked.ts';
import { COST, type Summed } from './group-sums.ts';
import { scopeOf } from './groups.ts';
import { namesOfScopes, type PlacedNames } from './scope-names.ts';

/** The costliest, most first, or all in ascending order of their groups. */
export function listSums(
  sql: Sql,
  by: LedgerGroup | readonly LedgerGroup[],
  question: Asked,
  sums: Summed,
  limit: LedgerFilter['limit'],
): readonly LedgerTotal[] {
  const slots = limit === undefined ? allOf(sums.count) : costliest(sums, limit);
  const columns = columnsOf(sql, listOf(by), question, sums, slots);
  const several = typeof by !== 'string';
  const order = orderOf(columns, slots.length);
  // Made in the order of slots, because that is how the sums lie in memory.
  const placeOf = new Int32Array(order.length);
  for (let place = 0; place < order.length; place += 1) placeOf[order[place] ?? 0] = place;
  const totals = new Array<LedgerTotal>(slots.length);
  for (let index = 0; index < slots.length; index += 1) {
    const groups = columns.map(({ names, places }) => names[places[index] ?? 0] ?? '');
    totals[placeOf[index] ?? 0] = totalOf(groups, several, sums, slots[index] ?? 0);
  }
  // A sort keeps the order of those that cost the same.
  return limit === undefined ? totals : totals.sort((a, b) => b.costNanoUsd - a.costNanoUsd);
}

function allOf(count: number): Int32Array {
  const all = new Int32Array(count);
  for (let slot = 0; slot < count; slot += 1) all[slot] = slot;
  return all;
}

/** The slots of the highest costs, in no order. Sorts some more than the limit from time to time, never all. */
function costliest({ count, sumOf }: Summed, limit: number): Int32Array {
  if (limit >= count) return allOf(count);
  const costOf = (slot: number): number => sumOf(slot, COST);
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
  return Int32Array.from(kept);
}

/** For each group, its names in ascending order, and by the index of a slot where in them its own stands. */
function columnsOf(
  sql: Sql,
  groups: readonly LedgerGroup[],
  { payers, labels, periods, own }: Asked,
  { headOf, idOf }: Summed,
  slots: Int32Array,
): readonly PlacedNames[] {
  const [most, mostPayers] = [labels.names.length, payers?.names.length ?? 1];
  const heads = Float64Array.from(slots, headOf);
  const numbersOf = (take: (head: number) => number): Int32Array => Int32Array.from(heads, take);
  const indexIn = indexes();
  return groups.map((group) => {
    if (group === 'day' || group === 'month') {
      const names = group === 'day' ? periods.names : periods.names.map((name) => name.slice(0, 7));
      return column(
        names,
        numbersOf((head) => Math.floor(head / most / mostPayers)),
      );
    }
    const inOwn = indexIn(own, group);
    if (inOwn !== -1)
      return namesOfScopes(
        sql,
        scopeOf(group) ?? '',
        slots.map((slot) => idOf(slot, inOwn)),
      );
    const inPayers = indexIn(payers?.groups ?? [], group);
    if (inPayers !== -1)
      return column(
        namesAt(payers, inPayers),
        numbersOf((head) => Math.floor(head / most) % mostPayers),
      );
    return column(
      namesAt(labels, indexIn(labels.groups, group)),
      numbersOf((head) => head % most),
    );
  });
}

/** Of a group that is asked for several times, each time the next index. */
function indexes(): (all: readonly LedgerGroup[], group: LedgerGroup) => number {
  const after = new Map<LedgerGroup, number>();
  return (all, group) => {
    const index = all.indexOf(group, after.get(group) ?? 0);
    if (index !== -1) after.set(group, index + 1);
    return index;
  };
}

const namesAt = (numbered: Numbered | undefined, index: number): readonly string[] =>
  (numbered?.names ?? []).map((names) => names[index] ?? '');

function column(names: readonly string[], numbers: Int32Array): PlacedNames {
  const sorted = [...new Set(names)].sort();
  const placeOf = new Map(sorted.map((name, place) => [name, place]));
  const places = Int32Array.from(names, (name) => placeOf.get(name) ?? 0);
  return { names: sorted, places: numbers.map((number) => places[number] ?? 0) };
}

/** Sorts by the last group first, and keeps that order among those with the same name in the group before. */
function orderOf(columns: readonly PlacedNames[], count: number): Int32Array {
  let order = allOf(count);
  for (const { names, places } of [...columns].reverse()) order = sorted(order, places, names.length);
  return order;
}

/** By counting how many have each place. */
function sorted(order: Int32Array, places: Int32Array, most: number): Int32Array {
  const next = new Int32Array(most + 1);
  for (let index = 0; index < places.length; index += 1) {
    const after = (places[index] ?? 0) + 1;
    next[after] = (next[after] ?? 0) + 1;
  }
  for (let place = 1; place < most; place += 1) next[place] = (next[place] ?? 0) + (next[place - 1] ?? 0);
  const result = new Int32Array(order.length);
  for (let at = 0; at < order.length; at += 1) {
    const index = order[at] ?? 0;
    const place = places[index] ?? 0;
    const to = next[place] ?? 0;
    result[to] = index;
    next[place] = to + 1;
  }
  return result;
}

/** V8 makes an object of each number that comes from an array of doubles, unless it was a whole number of 32 bits on the way. */
const light = (number: number): number => {
  const whole = number | 0;
  return whole === number ? whole : number;
};

function totalOf(groups: readonly string[], several: boolean, { sumOf }: Summed, slot: number): LedgerTotal {
  const group = groups[0] ?? '';
  const attempts = light(sumOf(slot, 0));
  const errors = light(sumOf(slot, 1));
  const inputTokens = light(sumOf(slot, 2));
  const outputTokens = light(sumOf(slot, 3));
  const costNanoUsd = light(sumOf(slot, COST));
  const unpriced = light(sumOf(slot, 5));
  const total: Growing<LedgerTotal> = several
    ? { group, groups, attempts, errors, inputTokens, outputTokens, costNanoUsd, unpriced }
    : { group, attempts, errors, inputTokens, outputTokens, costNanoUsd, unpriced };
  const uncertain = sumOf(slot, 6);
  if (uncertain > 0) total.uncertain = uncertain;
  return total;
}
