/** How ledger rows are filtered, grouped and added up, for every store alike. */
import { shown } from '../core/checked-options.ts';
import { PolyphonyError } from '../core/errors.ts';
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

/**
 * Each store would make something else of another one.
 *
 * @throws invalid-request for a limit of rows or totals that is no count
 */
export function assertLimit({ limit }: LedgerFilter): void {
  if (limit === undefined || limit === Number.POSITIVE_INFINITY || (Number.isSafeInteger(limit) && limit >= 0)) return;
  const message = `The limit of what is read of a ledger is ${shown(limit)}: give a whole number from 0 on, or leave it out for all.`;
  throw new PolyphonyError('invalid-request', message);
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
      const ids = new Set<string>();
      for (const scope of row.scopes) if (scope.kind === kind) ids.add(scope.id);
      return [...ids];
    }
  }
}

/** Scopes with few ids. Those of requests, nodes, runs and sessions would make as many sums as rows. */
export const SUMMED_SCOPES: ReadonlySet<string> = new Set(['user', 'team', 'tenant', 'tag']);

export type Sum = { -readonly [K in keyof Omit<LedgerTotal, 'group' | 'groups'>]: LedgerTotal[K] };

export const sumOf = (row: LedgerRow): Sum => ({
  attempts: 1,
  errors: row.outcome === 'error' ? 1 : 0,
  inputTokens: row.usage?.input ?? 0,
  outputTokens: row.usage?.output ?? 0,
  costNanoUsd: row.costNanoUsd ?? 0,
  unpriced: row.costNanoUsd === null ? 1 : 0,
  ...(row.uncertain === true ? { uncertain: 1 } : {}),
});

export function addSum(sum: Sum, other: Sum): void {
  sum.attempts += other.attempts;
  sum.errors += other.errors;
  sum.inputTokens += other.inputTokens;
  sum.outputTokens += other.outputTokens;
  sum.costNanoUsd += other.costNanoUsd;
  sum.unpriced += other.unpriced;
  if (other.uncertain) sum.uncertain = (sum.uncertain ?? 0) + other.uncertain;
}

/** Adds up by one or several groups. */
export interface Totals {
  /** The values of each group: the sum counts once for each combination of them. */
  add(groups: readonly (readonly string[])[], sum: Sum): void;
  /** In ascending order, or with a limit those that cost most, most first. */
  list(limit?: number): readonly LedgerTotal[];
}

/** What has the same first groups: below each value of the next group, or the sum of all that have these groups. */
interface Branch {
  below: Map<string, Branch> | undefined;
  sum: Sum | undefined;
}

/** A tree, because the values of each group are few: tens of thousands of combinations are never compared with one another. */
export function createTotals(by: LedgerGroup | readonly LedgerGroup[]): Totals {
  const root: Branch = { below: undefined, sum: undefined };
  const several = typeof by !== 'string';
  return {
    add: (groups, sum) => addBelow(root, groups, 0, sum),
    list(limit) {
      const totals: LedgerTotal[] = [];
      listBelow(root, [], (groups, sum) => {
        const total = { group: groups[0] ?? '', groups, ...sum };
        totals.push(several ? total : withoutGroups(total));
      });
      // A sort keeps the order of those that cost the same.
      return limit === undefined ? totals : totals.sort((a, b) => b.costNanoUsd - a.costNanoUsd).slice(0, limit);
    },
  };
}

function branchOf(branch: Branch, value: string): Branch {
  branch.below ??= new Map();
  let next = branch.below.get(value);
  if (next === undefined) {
    next = { below: undefined, sum: undefined };
    branch.below.set(value, next);
  }
  return next;
}

function withoutGroups({ groups: _, ...total }: LedgerTotal): LedgerTotal {
  return total;
}

/** Adds to each combination of a value of each group. */
function addBelow(branch: Branch, groups: readonly (readonly string[])[], from: number, sum: Sum): void {
  const values = groups[from];
  if (values !== undefined) for (const value of values) addBelow(branchOf(branch, value), groups, from + 1, sum);
  else if (branch.sum === undefined) branch.sum = { ...sum };
  else addSum(branch.sum, sum);
}

function listBelow(
  { below, sum }: Branch,
  groups: readonly string[],
  take: (groups: readonly string[], sum: Sum) => void,
): void {
  if (sum !== undefined) take(groups, sum);
  if (below === undefined) return;
  const sorted = [...below].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [value, branch] of sorted) listBelow(branch, [...groups, value], take);
}

export const listOf = (by: LedgerGroup | readonly LedgerGroup[]): readonly LedgerGroup[] =>
  typeof by === 'string' ? [by] : by;
