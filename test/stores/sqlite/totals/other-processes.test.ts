/** What others do with the file while totals are read, and what is left in it of whoever was removed. */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, it } from 'vitest';
import type { LedgerRow, Stores } from '../../../../src/core/stores.ts';
import { connect } from '../../../../src/stores/sqlite/connection.ts';
import { type Sql, sqlOf } from '../../../../src/stores/sqlite/database.ts';
import { sqliteLedger } from '../../../../src/stores/sqlite/ledger.ts';
import { checkFile } from '../../../../src/stores/sqlite/repair/check.ts';
import { isSummed, sumRows } from '../../../../src/stores/sqlite/totals/parts.ts';
import { sqliteStores } from '../../../../src/stores/sqlite.ts';
import { systemClock } from '../../../../src/system/clock.ts';
import { ledgerRow } from '../../../../src/testing/index.ts';
import { toVersion } from '../../fixtures/older-schema.ts';
import { temporaryFolder } from '../../folder.ts';

const START = Date.UTC(2026, 0, 1);
const folder = temporaryFolder();

const rowsOf = (user: string, count: number, startedAt = START): readonly LedgerRow[] =>
  Array.from({ length: count }, (_, index) =>
    ledgerRow({
      key: `${user}${index}`,
      startedAt: startedAt + index,
      target: { provider: 'p', model: 'm' },
      scopes: [{ kind: 'user', id: user }],
    }),
  );

function changeFile(path: string, script: string): void {
  const database = new Database(path);
  database.exec(script);
  database.close();
}

async function withStores(name: string, work: (stores: Stores, path: string) => Promise<void>): Promise<void> {
  const path = join(folder, `${name}.db`);
  const stores = sqliteStores({ path });
  try {
    await work(stores, path);
  } finally {
    await stores.close();
  }
}

it('counts each row once while another process sums rows between two queries', async () => {
  await withStores('between', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 600));
    await ledger.flush();
    const other = sqlOf(new Database(path));
    const connection = connect({ path, clock: systemClock, powerSafe: false, busyMs: 1000, maximumBytes: undefined });
    const interrupted = (sql: Sql): Sql => ({
      ...sql,
      bytes(text, values) {
        const found = sql.bytes(text, values);
        other.transaction(() => sumRows(other, path));
        return found;
      },
    });
    const reader = sqliteLedger(
      { ...connection, read: (work) => connection.read((sql) => work(interrupted(sql))) },
      {
        ...{ clock: systemClock, delayMs: 5, bufferRows: 100, onError: () => undefined, close: connection.close },
        attempts: { recover: async () => false, flush: async () => undefined, close: async () => undefined },
      },
    );
    expect(await reader.totals('model')).toMatchObject([{ attempts: 600 }]);
    await reader.close();
    other.close();
  });
});

it.each([
  ['sums', `UPDATE ledger_parts SET sums = x'ff0102', each_row = x'ff0102'`],
  ['a row', `UPDATE ledger SET row = '{' WHERE id = 300; UPDATE ledger_parts_summed SET up_to = 0`],
])('writes rows beside %s that is damaged, which who asks for totals is told of', async (what, damage) => {
  await withStores(what, async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 600));
    await ledger.flush();
    changeFile(path, damage);
    await ledger.append(rowsOf('bob', 600));
    await ledger.flush();
    const count = new Database(path);
    expect(count.prepare('SELECT count(*) FROM ledger').raw().get()).toEqual([1200]);
    count.close();
    await expect(ledger.totals('model')).rejects.toMatchObject({ code: 'store-corrupt' });
    await expect(checkFile(path, systemClock)).rejects.toMatchObject({ code: 'store-corrupt' });
  });
});

it('makes a changed part anew for who asks for totals, and never for who writes rows', async () => {
  await withStores('busy', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 600));
    await ledger.totals('model');
    changeFile(path, `UPDATE ledger SET cost_nano_usd = 3000 WHERE id = 5`);
    await ledger.append(rowsOf('bob', 600));
    await ledger.flush();
    const database = new Database(path);
    const parts = () => database.prepare('SELECT count(*) FROM ledger_changed_parts').raw().get();
    expect(parts()).toEqual([1]);
    expect(await ledger.totals('scope:user')).toMatchObject([
      { attempts: 600, costNanoUsd: 602_000 },
      { attempts: 600, costNanoUsd: 600_000 },
    ]);
    expect(parts()).toEqual([0]);
    database.close();
  });
});

it('reads a few hundred rows where one of a busy hour has changed, not all of them', async () => {
  await withStores('one row', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 5000));
    await ledger.totals('model');
    changeFile(path, `UPDATE ledger SET cost_nano_usd = 3000 WHERE id = 2500; DELETE FROM ledger WHERE id = 2501`);
    const sql = sqlOf(new Database(path));
    let read = 0;
    const counting =
      (query: Sql['all']): Sql['all'] =>
      (text, values) => {
        const rows = query(text, values);
        read += rows.length;
        return rows;
      };
    const counted: Sql = { ...sql, all: counting(sql.all), table: counting(sql.table) };
    while (!isSummed(counted)) counted.transaction(() => sumRows(counted, path));
    sql.close();
    expect(read).toBeGreaterThan(250);
    expect(read).toBeLessThan(300);
    expect(await ledger.totals('scope:user')).toMatchObject([{ attempts: 4999, costNanoUsd: 5_001_000 }]);
  });
});

it('keeps the totals when the newest rows are removed and their ids given again', async () => {
  await withStores('ids', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 600));
    await ledger.totals('model');
    for (const [from, left] of [
      [601, 600],
      [550, 549],
      [256, 255],
      [1, 0],
    ] as const) {
      changeFile(path, `DELETE FROM ledger WHERE id >= ${from}`);
      const some = left === 0 ? [] : [{ group: 'ada', attempts: left }];
      expect(await ledger.totals('scope:user')).toMatchObject(some);
      await ledger.append(rowsOf(`bob${from}`, 700));
      expect(await ledger.totals('scope:user')).toMatchObject([...some, { group: `bob${from}`, attempts: 700 }]);
      changeFile(path, `DELETE FROM ledger WHERE key LIKE 'bob%'`);
    }
  });
});

it('keeps no name of a payer whose rows were all removed', async () => {
  await withStores('names', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 600));
    await ledger.append(rowsOf('bob', 600, START + 10 * 3_600_000));
    await ledger.totals('scope:user');
    for (let next: string | undefined = 'more'; next !== undefined; )
      next = (await ledger.prune?.({ before: START + 3_600_000 }))?.next;
    expect(await ledger.totals('scope:user')).toMatchObject([{ group: 'bob', attempts: 600 }]);
    const database = new Database(path);
    const left = ['SELECT scopes FROM ledger_payers', 'SELECT name FROM ledger_payer_scopes'].map((query) =>
      database.prepare(query).raw().all(),
    );
    database.close();
    expect(left).toEqual([[['[["user","bob"]]']], [['bob']]]);
  });
});

it('tells who asks for totals that the sums cannot be made, and does not try for ever', async () => {
  await withStores('stuck', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 3000));
    await ledger.flush();
    changeFile(path, 'DELETE FROM ledger_parts_summed');
    await expect(ledger.totals('model')).rejects.toMatchObject({ code: 'store-corrupt' });
  });
});

it('sums a file of an earlier release of which all but the newest rows were removed before anybody asked', async () => {
  const name = 'removed before';
  const path = join(folder, `${name}.db`);
  const before = sqliteStores({ path });
  await before.ledger.append(rowsOf('ada', 3000));
  await before.close();
  const database = new Database(path);
  toVersion(database, 8);
  database.close();
  await withStores(name, async ({ ledger }) => {
    for (let next: string | undefined = 'more'; next !== undefined; )
      next = (await ledger.prune?.({ before: START + 2900 }))?.next;
    expect(await ledger.totals('scope:user')).toMatchObject([{ group: 'ada', attempts: 100 }]);
    await ledger.append(rowsOf('bob', 700));
    expect(await ledger.totals('scope:user')).toMatchObject([{ attempts: 100 }, { attempts: 700 }]);
  });
});
