/**
 * The ledger in memory: a ring buffer of the latest rows, and sums of the rows that were dropped from it, so that totals
 * stay right.
 */
import { DAY_MS, dayOf } from '../../core/money/calendar.ts';
import type { LedgerFilter, LedgerRow, UsageLedger } from '../../core/stores.ts';
import {
  addSum,
  assertLimit,
  createTotals,
  dayStart,
  groupsOf,
  listOf,
  matches,
  SUMMED_SCOPES,
  type Sum,
  sumOf,
} from '../ledger-totals.ts';

/** The sum of dropped rows that are equal in every field of filters and groups. */
interface Folded {
  readonly example: LedgerRow;
  readonly sum: Sum;
}

export interface MemoryLedgerOptions {
  /** How many rows are kept: the latest ones. @default 100_000 */
  readonly ledgerRows?: number;
}

function fold(folded: Map<string, Folded>, row: LedgerRow): void {
  const scopes = row.scopes.filter(({ kind }) => SUMMED_SCOPES.has(kind));
  const startedAt = dayStart(dayOf(row.startedAt));
  const { provider, model } = row.target;
  const key = JSON.stringify([startedAt, provider, model, row.purpose, row.outcome, scopes]);
  const known = folded.get(key);
  if (known) addSum(known.sum, sumOf(row));
  else folded.set(key, { example: { ...row, startedAt, scopes }, sum: sumOf(row) });
}

/** Rows share their targets, and the lists of those who pay: what one reader changed would be changed in all of them. */
const copyOf = (row: LedgerRow): LedgerRow => ({
  ...row,
  target: { ...row.target },
  scopes: row.scopes.map((scope) => ({ ...scope })),
});

export function memoryLedger(options: MemoryLedgerOptions = {}): UsageLedger {
  const limit = Math.max(1, options.ledgerRows ?? 100_000);
  let ring: LedgerRow[] = [];
  const keys = new Set<string>();
  const folded = new Map<string, Folded>();
  let next = 0;
  const append = (row: LedgerRow): void => {
    // One search instead of two: whether it was there is told by the size.
    const known = keys.size;
    keys.add(row.key);
    if (keys.size === known) return;
    const oldest = ring[next];
    if (oldest !== undefined) {
      keys.delete(oldest.key);
      fold(folded, oldest);
    }
    ring[next] = row;
    next = next + 1 === limit ? 0 : next + 1;
  };
  const remove = (before: number): void => {
    const latestLast = [...ring.slice(next), ...ring.slice(0, next)];
    ring = latestLast.filter((row) => row.startedAt >= before);
    for (const { startedAt, key } of latestLast) if (startedAt < before) keys.delete(key);
    for (const [key, { example }] of folded) if (example.startedAt + DAY_MS <= before) folded.delete(key);
    next = ring.length === limit ? 0 : ring.length;
  };
  return {
    append(rows) {
      for (const row of rows) append(row);
      return undefined;
    },
    flush: async () => {},
    async prune({ before, dryRun = false }) {
      const removed = ring.filter(({ startedAt }) => startedAt < before).length;
      if (!dryRun) remove(before);
      return { removed };
    },
    async *rows(filter: LedgerFilter = {}) {
      assertLimit(filter);
      const latestFirst = [...ring.slice(next), ...ring.slice(0, next)].reverse();
      const found = latestFirst.filter((row) => matches(row, filter)).sort((a, b) => b.startedAt - a.startedAt);
      for (const row of found.slice(0, filter.limit)) yield copyOf(row);
    },
    async totals(by, filter = {}) {
      assertLimit(filter);
      const totals = createTotals(by);
      const groups = listOf(by);
      const add = (row: LedgerRow, sum: Sum): void => {
        if (matches(row, filter))
          totals.add(
            groups.map((group) => groupsOf(row, group)),
            sum,
          );
      };
      for (const { example, sum } of folded.values()) add(example, sum);
      for (const row of ring) add(row, sumOf(row));
      return totals.list(filter.limit);
    },
    close: async () => {},
  };
}
