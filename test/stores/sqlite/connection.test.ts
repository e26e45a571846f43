import { join } from 'node:path';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import { connect } from '../../../src/stores/sqlite/connection.ts';
import type { Sql } from '../../../src/stores/sqlite/database.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { fakeClock } from '../../../src/testing/index.ts';
import { failure, temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();
let files = 0;

async function opened(maximumBytes?: number) {
  const path = join(folder, `${++files}.db`);
  const connection = connect({ path, clock: fakeClock(), powerSafe: false, busyMs: 1000, maximumBytes });
  await connection.read(() => undefined);
  const other = new Database(path);
  const seenByOthers = (): unknown =>
    (other.prepare('SELECT count(*) FROM cells').raw().get() as unknown as unknown[])[0];
  return { path, connection, seenByOthers };
}

const insert =
  (key: string, value = '1') =>
  (sql: Sql) =>
    sql.run('INSERT INTO cells (key, value) VALUES (?, ?)', [key, value]);

test('writes of one turn share a transaction, which others see whole or not at all', async () => {
  const { connection, seenByOthers } = await opened();
  const between: unknown[] = [];
  const look = () => between.push(seenByOthers());
  const writes = [insert('a'), look, insert('b'), look].map((work) => connection.write<unknown>(work));
  await Promise.all(writes);
  expect(between).toEqual([0, 0]);
  expect(seenByOthers()).toBe(2);
  await connection.close();
});

test('a write is acknowledged after its commit, and refused alone when it refuses itself', async () => {
  const { connection, seenByOthers } = await opened();
  const refuse = () => {
    throw new PolyphonyError('invalid-request', 'no');
  };
  const first = connection.write(insert('a')).then(seenByOthers);
  const second = failure(connection.write(refuse));
  const third = connection.write(insert('b'));
  expect(await first).toBe(2);
  expect(await second).toMatchObject({ code: 'invalid-request' });
  await third;
  await connection.close();
});

test('a write that breaks halfway leaves nothing behind', async () => {
  const { connection, seenByOthers } = await opened(290_000);
  const half = (sql: Sql) => {
    insert('small')(sql);
    insert('large', 'x'.repeat(300_000))(sql);
  };
  expect(await failure(connection.write(half))).toMatchObject({ code: 'store-full' });
  expect(seenByOthers()).toBe(0);
  await connection.close();
});

test('an append that does not fit adds neither events nor progress', async () => {
  const { journal, close } = sqliteStores({ path: join(folder, 'append.db'), maximumBytes: 290_000 });
  const event = (seq: number, output: string) => {
    const result = { output, meta: { costUsd: 0, ms: 1, warnings: [] }, costNanoUsd: 1 };
    return { type: 'node-finished', seq, at: seq, runId: 'run', nodeId: 'a', result } as const;
  };
  await journal.append('run', [event(0, 'fits')]);
  const broken = journal.append('run', [event(1, 'fits'), event(2, 'x'.repeat(300_000))]);
  expect(await failure(broken)).toMatchObject({ code: 'store-full' });
  const seen: number[] = [];
  for await (const { seq } of journal.read('run')) seen.push(seq);
  expect(seen).toEqual([0]);
  expect(await journal.list()).toMatchObject([{ updatedAt: 0, costNanoUsd: 1, nodes: { finished: 1 } }]);
  await close();
});

test.each([
  ['NORMAL, which a killed process survives', false, 1],
  ['FULL, which a power cut survives', true, 2],
])('commits with synchronous = %s', async (_, powerSafe, expected) => {
  const path = join(folder, `${++files}.db`);
  const connection = connect({ path, clock: fakeClock(), powerSafe, busyMs: 1000, maximumBytes: undefined });
  const pragma = (name: string) => connection.read((sql) => sql.first(`PRAGMA ${name}`)?.[0]);
  expect(await pragma('synchronous')).toBe(expected);
  expect(await pragma('journal_mode')).toBe('wal');
  await connection.close();
});
