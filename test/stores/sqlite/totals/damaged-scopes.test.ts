/**
 * The law of damaged scopes: a row of the ledger whose scope is not the one that was written is in no total without an error, whether
 * totals read the row itself or a part that is made of it.
 */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, it } from 'vitest';
import type { LedgerGroup, LedgerRow, UsageLedger } from '../../../../src/core/stores.ts';
import { checkSqliteStore, repairSqliteStore, sqliteStores } from '../../../../src/stores/sqlite.ts';
import { ledgerRow } from '../../../../src/testing/index.ts';
import { temporaryFolder } from '../../folder.ts';

const folder = temporaryFolder();
const GROUPS: readonly (readonly LedgerGroup[])[] = [
  ['model'],
  ['scope:user'],
  ['scope:run'],
  ['scope:user', 'scope:run', 'model'],
];

const rowsOf = (count: number): readonly LedgerRow[] =>
  Array.from({ length: count }, (_, index) =>
    ledgerRow({
      key: `call_${index}`,
      startedAt: Date.UTC(2026, 0, 1) + index,
      scopes: [
        { kind: 'user', id: `ada ${index % 5}` },
        { kind: 'run', id: `run_${index % 7}` },
      ],
    }),
  );

/** A file whose row 10 names another scope than the one that it was written with. */
async function damaged(name: string, count: number, from: string, to: string): Promise<string> {
  const path = join(folder, `${name}.db`);
  const stores = sqliteStores({ path });
  await stores.ledger.append(rowsOf(count));
  await stores.ledger.flush();
  await stores.ledger.totals('model');
  await stores.ledger.close();
  const database = new Database(path);
  database.prepare('UPDATE ledger SET row = replace(row, ?, ?) WHERE id = 10').run(from, to);
  database.close();
  return path;
}

async function withLedger<T>(path: string, work: (ledger: UsageLedger) => Promise<T>): Promise<T> {
  const { ledger } = sqliteStores({ path });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}

const SCOPES = [
  ['a kind', '"kind":"user"', '"kind":"qser"'],
  ['a kind with many ids', '"kind":"run"', '"kind":"ruo"'],
  ['a name', '"id":"ada 4"', '"id":"ada 7"'],
  ['a name of many', '"id":"run_2"', '"id":"run_r"'],
] as const;

const cases = SCOPES.flatMap(([what, from, to]) => [
  { what, where: 'a row that is read by itself', count: 20, from, to },
  { what, where: 'a row of a part', count: 600, from, to },
]);

it.each(cases)('tells of $what that is damaged in $where, and a repair keeps all rows', async (one) => {
  const path = await damaged(`${one.what} ${one.count}`, one.count, one.from, one.to);
  const attempts = (groups: readonly LedgerGroup[]): Promise<number> =>
    withLedger(path, async (ledger) =>
      (await ledger.totals(groups)).reduce((sum, { attempts: found }) => sum + found, 0),
    );
  for (const groups of GROUPS) {
    await expect(attempts(groups), groups.join()).rejects.toMatchObject({ code: 'store-corrupt' });
  }
  await expect(checkSqliteStore({ path })).rejects.toMatchObject({ code: 'store-corrupt' });
  const repaired = await repairSqliteStore({ path });
  expect(repaired?.ledgerRows).toEqual({ saved: one.count, lost: 0 });
  await checkSqliteStore({ path });
  expect(await attempts(['model'])).toBe(one.count);
});

it.each([
  ['true for a name', '"id":"ada 4"', '"id":true'],
  ['an object for a name', '"id":"ada 4"', '"id":{"a":1}'],
  ['a number for a kind', '"kind":"user"', '"kind":5'],
  ['nothing for a scope', '"scopes":[', '"scopes":[null,'],
  ['a text for its list', '"scopes":[', '"scopes":"a","was":['],
  ['a number for its list', '"scopes":[', '"scopes":5,"was":['],
  ['an object for its list', '"scopes":[', '"scopes":{},"was":['],
  ['no list', '"scopes":[', '"was":['],
])('tells of %s in a row of a part, and still takes rows', async (what, from, to) => {
  const path = await damaged(what, 200, from, to);
  await withLedger(path, async (ledger) => {
    await ledger.append(Array.from({ length: 400 }, (_, index) => ledgerRow({ key: `later_${index}` })));
    await ledger.flush();
    for (const groups of GROUPS)
      await expect(ledger.totals(groups), groups.join()).rejects.toMatchObject({ code: 'store-corrupt' });
  });
});
