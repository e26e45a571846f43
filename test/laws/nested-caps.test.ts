/**
 * The law of nested caps: calls of random cost, latency, failure, cancel and truncation, all at once, in two processes on one file.
 *
 * 1. At no moment does a counter exceed its cap.
 * 2. In the end no attempt is open, and each counter is the sum of the ledger's rows of its scope.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';
import { dayOf } from '../../src/core/money/calendar.ts';
import { usdToNano } from '../../src/core/money/money.ts';
import { periodAt } from '../../src/core/money/period.ts';
import type { LedgerRow } from '../../src/core/stores.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { killable } from './killable.ts';
import { CALLS, NESTED_BUDGETS, RUN_CAP } from './nested-caps-budgets.ts';

const folder = temporaryFolder();
const child = killable('nested-caps-child');
afterAll(() => {
  child.clean();
});

/** By the name of the counter; those of runs have a cap of their own. */
function capOf(key: string): number {
  const [, period, kind = '', id = ''] = /^budget(?:@([^:]*))?:([^:]*):(.*)$/.exec(key) ?? [];
  if (kind === 'run') return RUN_CAP;
  const caps = NESTED_BUDGETS.filter(
    (budget) =>
      budget.dryRun !== true &&
      budget.scope === kind &&
      (budget.id ?? id) === id &&
      (budget.period === undefined
        ? period === undefined
        : periodAt(budget.period, Date.now(), budget.startsOn).name === period),
  ).map(({ usd }) => usdToNano(usd));
  return Math.min(Number.POSITIVE_INFINITY, ...caps);
}

const rowsOf = (row: LedgerRow, kind: string, id: string): boolean =>
  kind === 'provider' ? row.target.provider === id : row.scopes.some((scope) => scope.kind === kind && scope.id === id);

describe('law: nested caps', () => {
  it(`holds for ${CALLS} calls at once in two processes`, { timeout: 600_000 }, async () => {
    const database = join(folder, 'nested.db');
    // A file is made when it is first used.
    const maker = sqliteStores({ path: database });
    await maker.keyValue.set('made', true);
    await maker.close();
    const began = dayOf(Date.now());
    const reader = new Database(database);
    const counters = () =>
      reader.prepare("SELECT key, value FROM cells WHERE key LIKE 'budget%'").raw().all() as unknown as [
        string,
        string,
      ][];
    const exceeded: string[] = [];
    let isOver = false;
    let looks = 0;
    const watch = async (): Promise<void> => {
      while (!isOver) {
        for (const [key, value] of counters()) if (Number(value) > capOf(key)) exceeded.push(`${key} = ${value}`);
        looks += 1;
        await pause(10);
      }
    };
    const watching = watch();
    const ended = await Promise.all(['a', 'b'].map((name) => child.live([database, name, String(CALLS / 2)])));
    isOver = true;
    await watching;
    expect(exceeded).toEqual([]);
    expect(looks).toBeGreaterThan(5);
    const sums = ended.map((text) => JSON.parse(text) as Record<'answered' | 'refused' | 'failed', number>);
    for (const what of ['answered', 'refused', 'failed'] as const)
      expect(sums.reduce((sum, one) => sum + one[what], 0)).toBeGreaterThan(CALLS / 50);
    expect(reader.prepare('SELECT count(*) FROM attempts').raw().get([])).toEqual([0]);
    const stores = sqliteStores({ path: database });
    const rows: LedgerRow[] = [];
    for await (const row of stores.ledger.rows()) rows.push(row);
    await stores.close();
    // Over midnight there are counters of two days.
    const found = dayOf(Date.now()) === began ? counters() : [];
    if (dayOf(Date.now()) === began) expect(found.length).toBeGreaterThan(30);
    for (const [key, value] of found) {
      const [, kind = '', id = ''] = /^budget(?:@[^:]*)?:([^:]*):(.*)$/.exec(key) ?? [];
      const spent = rows.filter((row) => rowsOf(row, kind, id)).reduce((sum, row) => sum + (row.costNanoUsd ?? 0), 0);
      expect([key, Number(value)]).toEqual([key, spent]);
    }
    reader.close();
  });
});
