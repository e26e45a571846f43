/** What others do with the file while totals are read, and what is left in it of whoever was removed. */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, it } from 'vitest';
import type { LedgerRow, Stores } from '../../../../src/core/stores.ts';
import { connect } from '../../../../src/stores/sqlite/connection.ts';
import { type Sql, sqlOf } from '../../../../src/stores/sqlite/database.ts';
import { sqliteLedger } from '../../../../src/stores/sqlite/ledger.ts';
import { checkFile } from '../../../../src/stores/sqlite/repair/check.ts';
import { sumRows } from '../../../../src/stores/sqlite/totals/hour-sums.ts';
import { sqliteStores } from '../../../../src/stores/sqlite.ts';
import { systemClock } from '../../../../src/system/clock.ts';
import { ledgerRow } from '../../../../src/testing/index.ts';
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
  ['sums', `UPDATE ledger_hours SET entries = x'ff0102'`],
  ['a row', `UPDATE ledger SET row = '{' WHERE id = 300; UPDATE ledger_hours_summed SET up_to = 0`],
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

it('sums an hour anew for who asks for totals, and never for who writes rows', async () => {
  await withStores('busy', async ({ ledger }, path) => {
    await ledger.append(rowsOf('ada', 600));
    await ledger.totals('model');
    changeFile(path, `UPDATE ledger SET cost_nano_usd = 3000 WHERE id = 5`);
    await ledger.append(rowsOf('bob', 600));
    await ledger.flush();
    const database = new Database(path);
    const hours = () => database.prepare('SELECT count(*) FROM ledger_changed_hours').raw().get();
    expect(hours()).toEqual([1]);
    expect(await ledger.totals('scope:user')).toMatchObject([
      { attempts: 600, costNanoUsd: 602_000 },
      { attempts: 600, costNanoUsd: 600_000 },
    ]);
    expect(hours()).toEqual([0]);
    database.close();
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
    changeFile(path, 'DELETE FROM ledger_hours_summed');
    await expect(ledger.totals('model')).rejects.toMatchObject({ code: 'store-corrupt' });
  });
});
