/** How ledger rows are filtered, grouped and added up, for every store alike. */
import { DAY_MS, dayName, dayOf } from '../core/money/calendar.ts';
import type { LedgerFilter, LedgerGroup, LedgerRow, LedgerTotal } from '../core/stores.ts';

export const dayStart = (day: number): number => day * DAY_MS;

export function matches(row: LedgerRow, filter: LedgerFilter): boolean {
  const { from, to, scope, provider, uncertain } = filter;
  if (uncertain === true && row.uncertain !== true) return false;
  if (from !== undefined && row.startedAt < from) return false;
  if (to !== undefined && row.startedAt >= to) return false;
  if (provider !== undefined && row.target.provider !== provider) return false;
  return scope === undefined || row.scopes.some(({ kind, id }) => kind === scope.kind && id === scope.id);
}

/** The groups of a row: one, or one for each of its scopes of the requested kind, which may be none. */
export function groupsOf(row: LedgerRow, by: LedgerGroup): readonly string[] {
  switch (by) {
    case 'provider':
      return [row.target.provider];
    case 'model':
      return [`${row.target.provider}/${row.target.model}`];
    case 'purpose':
      return [row.purpose];
    case 'outcome':
      return [row.outcome];
    case 'day':
      return [dayName(dayOf(row.startedAt))];
    case 'month':
      return [dayName(dayOf(row.startedAt)).slice(0, 7)];
    default: {
      const kind = by.slice('scope:'.length);
      return [...new Set(row.scopes.filter((scope) => scope.kind === kind).map((scope) => scope.id))];
    }
  }
}

/** Scopes with few ids. Those of requests, nodes, runs and sessions would make as many sums as rows. */
export const SUMMED_SCOPES: ReadonlySet<string> = new Set(['user', 'team', 'tenant', 'tag']);

export type Sum = { -readonly [K in keyof Omit<LedgerTotal, 'group' | 'groups'>]: LedgerTotal[K] };

const uncertainOf = (count: number): Pick<Sum, 'uncertain'> => (count === 0 ? {} : { uncertain: count });

export const emptySum = (): Sum => ({
  attempts: 0,
  errors: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNanoUsd: 0,
  unpriced: 0,
});

export const sumOf = (row: LedgerRow): Sum => ({
  attempts: 1,
  errors: row.outcome === 'error' ? 1 : 0,
  inputTokens: row.usage?.input ?? 0,
  outputTokens: row.usage?.output ?? 0,
  costNanoUsd: row.costNanoUsd ?? 0,
  unpriced: row.costNanoUsd === null ? 1 : 0,
  ...uncertainOf(row.uncertain === true ? 1 : 0),
});

export function addSum(sum: Sum, other: Sum): void {
  sum.attempts += other.attempts;
  sum.errors += other.errors;
  sum.inputTokens += other.inputTokens;
  sum.outputTokens += other.outputTokens;
  sum.costNanoUsd += other.costNanoUsd;
  sum.unpriced += other.unpriced;
  Object.assign(sum, uncertainOf((sum.uncertain ?? 0) + (other.uncertain ?? 0)));
}

/** Adds up by one or several groups. */
export interface Totals {
  /** The values of each group: the sum counts once for each combination of them. */
  add(groups: readonly (readonly string[])[], sum: Sum): void;
  /** In ascending order. */
  list(): readonly LedgerTotal[];
}

export function createTotals(by: LedgerGroup | readonly LedgerGroup[]): Totals {
  const totals = new Map<string, { readonly groups: readonly string[]; readonly sum: Sum }>();
  const several = typeof by !== 'string';
  return {
    add(groups, sum) {
      for (const combination of combinationsOf(groups)) {
        const key = combination.length === 1 ? (combination[0] ?? '') : JSON.stringify(combination);
        const total = totals.get(key) ?? { groups: combination, sum: emptySum() };
        totals.set(key, total);
        addSum(total.sum, sum);
      }
    },
    list: () =>
      [...totals.values()]
        .sort((a, b) => compared(a.groups, b.groups))
        .map(({ groups, sum }) => ({ group: groups[0] ?? '', ...(several ? { groups } : {}), ...sum })),
  };
}

function combinationsOf(groups: readonly (readonly string[])[]): readonly (readonly string[])[] {
  let all: readonly (readonly string[])[] = [[]];
  for (const values of groups) all = all.flatMap((before) => values.map((value) => [...before, value]));
  return all;
}

function compared(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? '') < (b[at] ?? '') ? -1 : 1;
}

export const listOf = (by: LedgerGroup | readonly LedgerGroup[]): readonly LedgerGroup[] =>
  typeof by === 'string' ? [by] : by;
