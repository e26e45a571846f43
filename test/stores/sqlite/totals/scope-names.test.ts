/** Names of scopes by their ids: in the order of a program's texts, all of them, and never none. */
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, expect, test } from 'vitest';
import type { LedgerGroup } from '../../../../src/core/stores.ts';
import { sqlOf } from '../../../../src/stores/sqlite/database.ts';
import { namesOfScopes } from '../../../../src/stores/sqlite/totals/scope-names.ts';
import { sqliteStores } from '../../../../src/stores/sqlite.ts';
import { ledgerRow } from '../../../../src/testing/index.ts';
import { temporaryFolder } from '../../folder.ts';

/** More than two pages of names, some of which bytes order otherwise than characters do, or are hard to write down. */
const COUNT = 140_000;
const ODD = ['', '\u0000', '"', '\\', '\u{1F600}', '\uFF5E', 'ä', 'a\nb', '~'];
const names = [...ODD, ...Array.from({ length: COUNT - ODD.length }, (_, index) => `run_${index}`)];

const sql = sqlOf(new Database(':memory:'));
sql.script('CREATE TABLE scopes (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name))');
sql.transaction(() => {
  for (const [index, name] of names.entries()) {
    sql.run('INSERT INTO scopes (id, kind, name) VALUES (?, ?, ?)', [index * 2 + 1, 'run', name]);
    if (index < 100) sql.run('INSERT INTO scopes (id, kind, name) VALUES (?, ?, ?)', [index * 2 + 2, 'node', name]);
  }
});
afterAll(() => sql.close());

test.each([
  ['all', names.length],
  ['a few', 20],
])('of %s are in order, and each id has its own', (_what, count) => {
  const ids = Int32Array.from({ length: count }, (_, index) => index * 2 + 1).reverse();
  const { names: found, places } = namesOfScopes(sql, 'run', ids);
  expect([...found].sort()).toEqual(found);
  expect(new Set(found).size).toBe(found.length);
  expect([...ids].map((_, index) => found[places[index] ?? -1])).toEqual(names.slice(0, count).reverse());
});

test.each([
  ['all', names.length],
  ['a few', 20],
])('of %s are not there for an id without a name', (_what, count) => {
  const ids = Int32Array.from({ length: count }, (_, index) => index * 2 + 1);
  ids[7] = COUNT * 3;
  expect(() => namesOfScopes(sql, 'run', ids)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
});

test.each([undefined, 1000])('tells of a scope that is gone from the file, with the limit %s', async (limit) => {
  const path = join(temporaryFolder(), 'gone.db');
  const stores = sqliteStores({ path });
  try {
    const rows = Array.from({ length: 600 }, (_, index) =>
      ledgerRow({ key: `${index}`, startedAt: index, scopes: [{ kind: 'run', id: `run_${index}` }] }),
    );
    await stores.ledger.append(rows);
    const by: readonly LedgerGroup[] = ['scope:run', 'model'];
    const filter = limit === undefined ? {} : { limit };
    expect(await stores.ledger.totals(by, filter)).toHaveLength(600);
    const database = new Database(path);
    database.exec(`DELETE FROM scopes WHERE name = 'run_7'`);
    database.close();
    await expect(stores.ledger.totals(by, filter)).rejects.toMatchObject({ code: 'store-corrupt' });
  } finally {
    await stores.close();
  }
});
