/** The groups of totals in SQL, and their names in the answer. */
import { PolyphonyError } from '../../../core/errors.ts';
import { dayName } from '../../../core/money/calendar.ts';
import type { LedgerGroup } from '../../../core/stores.ts';
import type { Sum, Totals } from '../../ledger-totals.ts';
import type { SqlRow } from '../database.ts';

/** The kind of a group by scope. */
export const scopeOf = (group: LedgerGroup): string | undefined =>
  group.startsWith('scope:') ? group.slice('scope:'.length) : undefined;

/** The column of a group that is no scope. */
export function nameOf(group: LedgerGroup, table: string, day: string): string {
  if (group === 'model') return `${table}.provider || '/' || ${table}.model`;
  if (group === 'day' || group === 'month') return day;
  if (group === 'provider' || group === 'purpose' || group === 'outcome') return `${table}.${group}`;
  throw new PolyphonyError('invalid-request', `A ledger has no totals by ${JSON.stringify(group)}: see LedgerGroup.`);
}

/** What a column of a group is called. */
export function shownAs(group: LedgerGroup, value: unknown): string {
  if (group === 'day') return dayName(Number(value));
  return group === 'month' ? dayName(Number(value)).slice(0, 7) : String(value);
}

/** A row with a column for each group, then the seven sums. */
export function addGrouped(totals: Totals, groups: readonly LedgerGroup[], row: SqlRow): void {
  const names = groups.map((group, index) => [shownAs(group, row[index])]);
  totals.add(names, sumOfColumns(row.slice(groups.length)));
}

export function sumOfColumns(columns: SqlRow): Sum {
  const [attempts, errors, inputTokens, outputTokens, costNanoUsd, unpriced, uncertain] = columns.map(Number);
  return {
    attempts: attempts ?? 0,
    errors: errors ?? 0,
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
    costNanoUsd: costNanoUsd ?? 0,
    unpriced: unpriced ?? 0,
    ...(uncertain ? { uncertain } : {}),
  };
}
