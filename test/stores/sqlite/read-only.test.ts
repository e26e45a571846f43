/** Reading a file without a lock: what is noticed, and what is refused. */
import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { openForReading } from '../../../src/stores/sqlite/read-only.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { failure, temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();

/** A file without a log, which the driver leaves where a connection of this process was open. */
function closedFile(name: string, script = ''): string {
  const path = join(folder, name);
  const database = new Database(path);
  database.exec(
    `PRAGMA application_id = ${APPLICATION}; PRAGMA user_version = ${VERSION}; CREATE TABLE t (x); ${script}`,
  );
  database.close();
  return path;
}

const { application: APPLICATION, version: VERSION } = await numbersOfStore();

async function numbersOfStore(): Promise<{ readonly application: number; readonly version: number }> {
  const path = join(folder, 'numbers.db');
  const stores = sqliteStores({ path });
  await stores.keyValue.get('a');
  const database = new Database(path);
  const numberOf = (pragma: string): number => Number((database.prepare(pragma).raw().get([]) as unknown[])[0]);
  const numbers = { application: numberOf('PRAGMA application_id'), version: numberOf('PRAGMA user_version') };
  database.close();
  await stores.close();
  return numbers;
}

test('a file that is written while it is read is noticed', async () => {
  const path = closedFile('written.db');
  const { sql, assertUnchanged } = await openForReading(path);
  expect(Number(sql.first('SELECT count(*) FROM t')?.[0])).toBe(0);
  await assertUnchanged?.();
  const writer = new Database(path);
  writer.exec('INSERT INTO t VALUES (1)');
  writer.close();
  const error = await failure(assertUnchanged?.() ?? Promise.resolve());
  sql.close();
  expect(error).toMatchObject({ code: 'store-busy', message: expect.stringContaining('written while it was read') });
});

test('a file of an earlier or a later release is refused with what to do', async () => {
  const older = await failure(openForReading(closedFile('older.db', `PRAGMA user_version = ${VERSION - 1}`)));
  expect(older).toMatchObject({
    code: 'invalid-config',
    message: expect.stringContaining('run any command over it once as a user who may write it'),
  });
  const newer = await failure(openForReading(closedFile('newer.db', `PRAGMA user_version = ${VERSION + 1}`)));
  expect(newer).toMatchObject({ code: 'store-newer' });
});

test('a file is written by nobody who only reads it', async () => {
  const { sql } = await openForReading(closedFile('kept.db'));
  expect(() => sql.run('INSERT INTO t VALUES (1)')).toThrow(/readonly/);
  sql.close();
});
