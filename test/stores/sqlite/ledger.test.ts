import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import type { PolyphonyError } from '../../../src/core/errors.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { fakeClock, ledgerRow } from '../../../src/testing/index.ts';
import { failure, temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();
let files = 0;
const fresh = (): string => join(folder, `${++files}.db`);
const row = (index: number) => ledgerRow({ key: `k${index}/1` });

/** Rows in the file, seen by somebody else. */
function rowsIn(path: string): number {
  const database = new Database(path);
  try {
    return Number((database.prepare('SELECT count(*) FROM ledger').raw().get() as unknown as unknown[])[0]);
  } finally {
    database.close();
  }
}

test('commits the rows of some milliseconds together, without anybody waiting', async () => {
  const path = fresh();
  const clock = fakeClock();
  const { ledger, keyValue, close } = sqliteStores({ path, clock, ledgerDelayMs: 50 });
  await keyValue.get('opens the file');
  expect(ledger.append([row(1), row(2)])).toBeUndefined();
  expect(ledger.append([row(3)])).toBeUndefined();
  await clock.advance(49);
  expect(rowsIn(path)).toBe(0);
  await clock.advance(1);
  expect(rowsIn(path)).toBe(3);
  expect(clock.pending()).toBe(0);
  await close();
});

test('closing writes what waits and leaves no timer', async () => {
  const path = fresh();
  const clock = fakeClock();
  const { ledger, close } = sqliteStores({ path, clock });
  ledger.append([row(1)]);
  await close();
  expect(rowsIn(path)).toBe(1);
  expect(clock.pending()).toBe(0);
});

test('keeps rows that could not be written, tells onError, and writes them later', async () => {
  const path = fresh();
  const clock = fakeClock();
  const errors: PolyphonyError[] = [];
  const stores = sqliteStores({ path, clock, busyMs: 100, onError: (error) => errors.push(error) });
  const { ledger, keyValue, close } = stores;
  await keyValue.get('opens the file');
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  ledger.append([row(1)]);
  await clock.advance(300);
  expect(errors[0]).toMatchObject({ code: 'store-busy' });
  ledger.append([row(2)]);
  const flushed = failure(ledger.flush());
  await clock.advance(300);
  expect(await flushed).toMatchObject({ code: 'store-busy' });
  other.exec('ROLLBACK');
  other.close();
  await clock.advance(300);
  expect(rowsIn(path)).toBe(2);
  await close();
});

test('says at closing how many rows were lost', async () => {
  const path = fresh();
  const { ledger, keyValue, close } = sqliteStores({ path, maximumBytes: 385_000, clock: fakeClock() });
  await keyValue.set('fills the file', 'x'.repeat(100_000));
  const error = { code: 'network', message: 'x'.repeat(300_000) } as const;
  ledger.append([{ ...row(1), error }]);
  const lost = await failure(close());
  expect(lost).toMatchObject({ code: 'store-full', details: { rows: 1 } });
  expect(lost.message).toContain('1 rows');
});

test('a full buffer makes append wait for the disk, and loses nothing', async () => {
  const path = fresh();
  const { ledger, close } = sqliteStores({ path, clock: fakeClock(), ledgerBufferRows: 100 });
  const waits = Array.from({ length: 150 }, (_, index) => ledger.append([row(index)]));
  expect(waits.filter((wait) => wait === undefined)).toHaveLength(100);
  await Promise.all(waits);
  await close();
  expect(rowsIn(path)).toBe(150);
});
