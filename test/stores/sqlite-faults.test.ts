import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import { storeError } from '../../src/stores/sqlite/errors.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeClock } from '../../src/testing/index.ts';
import { failure, resumed, temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let files = 0;
const fresh = (): string => join(folder, `${++files}.db`);

/** Fills a store with some hundred kilobytes and closes it. */
async function written(path = fresh()): Promise<string> {
  const { journal, close } = sqliteStores({ path });
  for (let run = 0; run < 40; run++) {
    const output = 'x'.repeat(4000);
    const result = { output, meta: { costUsd: 0, ms: 1, warnings: [] }, costNanoUsd: 0 };
    const base = { at: 1, runId: `run ${run}` };
    await journal.append(`run ${run}`, [{ ...base, seq: 0, type: 'node-finished', nodeId: 'a', result }]);
  }
  await close();
  return path;
}

async function firstError(path: string): Promise<PolyphonyError> {
  const stores = sqliteStores({ path });
  const error = await failure(stores.journal.append('run', [resumed('run')]));
  await stores.close();
  return error;
}

describe('opening', () => {
  test('makes the missing folders', async () => {
    const path = join(folder, 'some', 'new', 'folder', 'a.db');
    await written(path);
    expect(statSync(path).isFile()).toBe(true);
  });

  test('fails at once where no folder can be made', async () => {
    const places = ['/proc/polyphony/a.db', '/dev/null/a.db', `${import.meta.filename}/a.db`];
    for (const path of places) {
      const error = await firstError(path);
      expect(error).toMatchObject({ code: 'invalid-config' });
      expect(error.message).toContain(`${path} cannot be opened for writing`);
    }
    for (const path of ['/dev/null', folder]) {
      expect(await firstError(path)).toMatchObject({
        code: 'invalid-config',
        message: expect.stringContaining('is not a file: choose'),
      });
    }
  });

  test('refuses a file of a newer release and leaves it alone', async () => {
    const path = await written();
    const database = new Database(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    const error = await firstError(path);
    expect(error).toMatchObject({ code: 'store-newer', details: { version: 99 } });
    expect(error.message).toContain(path);
    expect(new Database(path).prepare('PRAGMA user_version').raw().get()).toEqual([99]);
  });

  test('refuses the database of another program', async () => {
    const path = fresh();
    const database = new Database(path);
    database.exec('CREATE TABLE accounts (id TEXT)');
    database.close();
    expect(await firstError(path)).toMatchObject({ code: 'invalid-config' });
  });

  test('opens what it wrote itself, also when it was opened before', async () => {
    const path = await written();
    const { journal, close } = sqliteStores({ path });
    expect(await journal.list()).toHaveLength(40);
    await close();
  });

  test.each(['', ':memory:', 'libsql://example.com', 'file:a.db'])('refuses %j as a path', (path) => {
    expect(() => sqliteStores({ path })).toThrow(PolyphonyError);
  });

  test('says that a folder cannot be written', async () => {
    const locked = join(folder, 'locked');
    mkdirSync(locked);
    chmodSync(locked, 0o555);
    // Nobody writes there, the superuser, who may write to every folder, included.
    const path = process.getuid?.() === 0 ? '/proc/self/polyphony.db' : join(locked, 'a.db');
    const error = await firstError(path);
    expect(error.code).toBe('invalid-config');
    expect(error.message).toContain(path);
  });

  test.each([
    [1544, 'invalid-config', 'cannot be opened for writing (SQLITE_READONLY_1544)'], // a folder that may not be written
    [8458, 'store-corrupt', 'could not be read or written (SQLITE_IOERR_8458)'],
    [779, 'store-corrupt', 'is damaged'],
    [7, 'store-busy', 'could not be read or written now (SQLITE_NOMEM_7)'],
    [2, 'store-corrupt', 'could not be read or written (UNKNOWN_SQLITE_ERROR_2)'], // no result of SQLite that has a rule
  ])('knows %i, which the driver has no name for', (number, code, words) => {
    const found = Object.assign(new Error('it says'), { code: `UNKNOWN_SQLITE_ERROR_${number}` });
    expect(storeError(found, 'a.db')).toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('says that a parent is no folder', async () => {
    const file = fresh();
    writeFileSync(file, 'a file');
    expect(await firstError(join(file, 'a.db'))).toMatchObject({ code: 'invalid-config' });
    expect(await firstError(folder)).toMatchObject({ code: 'invalid-config' });
  });

  test('opens at the second try what it could not open at the first', async () => {
    const parent = fresh();
    writeFileSync(parent, 'in the way');
    const { journal, close } = sqliteStores({ path: join(parent, 'a.db') });
    await failure(journal.append('run', [resumed('run')]));
    rmSync(parent);
    await journal.append('run', [resumed('run')]);
    expect(await journal.list()).toHaveLength(1);
    await close();
  });
});

describe('damage', () => {
  test.each([1, 50, 100, 5000, 50_000])('a file cut to %i bytes is corrupt', async (bytes) => {
    const path = await written();
    truncateSync(path, bytes);
    const error = await firstError(path);
    expect(error.code).toBe('store-corrupt');
    expect(error.message).toContain(path);
  });

  test('a file that is no SQLite file is corrupt, and stays as it is', async () => {
    const path = fresh();
    const text = 'Dear diary, this is no database.\n'.repeat(300);
    writeFileSync(path, text);
    expect(await firstError(path)).toMatchObject({ code: 'store-corrupt', retryable: false });
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('damage in the middle is corrupt when it is read', async () => {
    const path = await written();
    const file = openSync(path, 'r+');
    for (let at = 4096; at < statSync(path).size; at += 4096) writeSync(file, Buffer.alloc(512, 0xff), 0, 512, at);
    closeSync(file);
    expect(await firstError(path)).toMatchObject({ code: 'store-corrupt' });
  });

  test('a record that is no JSON is corrupt', async () => {
    const path = await written();
    const database = new Database(path);
    database.exec(`UPDATE events SET event = '{"type":' WHERE run_id = 'run 1'`);
    database.close();
    const { journal, close } = sqliteStores({ path });
    expect(await failure(journal.read('run 1')[Symbol.asyncIterator]().next())).toMatchObject({
      code: 'store-corrupt',
    });
    await close();
  });
});

/** Writes until it fails; what was acknowledged must be there afterwards. */
async function fillUp(path: string, maximumBytes?: number): Promise<PolyphonyError> {
  const stores = sqliteStores({ path, ...(maximumBytes === undefined ? {} : { maximumBytes }) });
  const base = { at: 1, runId: 'run', nodeId: 'a', type: 'node-finished' as const };
  const result = { output: 'x'.repeat(3000), meta: { costUsd: 0, ms: 1, warnings: [] }, costNanoUsd: 0 };
  let acknowledged = 0;
  const writeOn = async (): Promise<void> => {
    for (; acknowledged < 1000; acknowledged++) {
      await stores.journal.append('run', [{ ...base, seq: acknowledged, result }]);
    }
  };
  const error = await failure(writeOn());
  const seen: number[] = [];
  for await (const event of stores.journal.read('run')) seen.push(event.seq);
  expect(seen).toEqual(Array.from({ length: acknowledged }, (_, index) => index));
  expect(acknowledged).toBeGreaterThan(0);
  await stores.close();
  return error;
}

describe('a full disk', () => {
  test('fails with store-full at the quota, and what was committed stays', async () => {
    const path = fresh();
    const error = await fillUp(path, 300_000);
    expect(error).toMatchObject({ code: 'store-full', retryable: false });
    expect(error.message).toContain(path);
  });

  test('fails with store-full on a file system without room, where this process may mount one', async () => {
    const tiny = join(folder, 'tiny');
    mkdirSync(tiny);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', tiny], { stdio: 'ignore' });
    } catch {
      // The quota above then is the only witness.
      expect(await fillUp(fresh(), 400_000)).toMatchObject({ code: 'store-full' });
      return;
    }
    try {
      expect(await fillUp(join(tiny, 'a.db'))).toMatchObject({ code: 'store-full' });
    } finally {
      execFileSync('umount', ['-l', tiny]);
    }
  });

  test('does not sink the small writes beside a large one', async () => {
    const { keyValue, close } = sqliteStores({ path: fresh(), maximumBytes: 300_000 });
    const results = await Promise.allSettled([
      keyValue.set('before', 1),
      keyValue.set('large', 'x'.repeat(400_000)),
      keyValue.set('after', 1),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await keyValue.keys('')).toEqual(['after', 'before']);
    await close();
  });
});

describe('a locked file', () => {
  test('waits on the clock for the other process, then writes', async () => {
    const path = await written();
    const clock = fakeClock();
    const { journal, close } = sqliteStores({ path, clock });
    await journal.list();
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const claimed = journal.claim('run', 'one', 1000);
    await clock.advance(5000);
    other.exec('ROLLBACK');
    await clock.advance(100);
    expect(await claimed).toBe(true);
    other.close();
    await close();
    expect(clock.pending()).toBe(0);
  });

  test('fails with store-busy when its time is over; reading goes on meanwhile', async () => {
    const path = await written();
    const clock = fakeClock();
    const { journal, keyValue, close } = sqliteStores({ path, clock, busyMs: 2000 });
    await journal.list();
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const refused = failure(Promise.resolve(keyValue.change([{ key: 'a', by: 1 }])));
    await clock.advance(1000);
    expect(await journal.list({ limit: 3 })).toHaveLength(3);
    await clock.advance(1100);
    expect(await refused).toMatchObject({ code: 'store-busy', retryable: true });
    other.exec('ROLLBACK');
    other.close();
    expect(await keyValue.change([{ key: 'a', by: 1 }])).toEqual({ ok: true, values: [1] });
    await close();
  });
});

test('a closed store says so', async () => {
  const { journal, ledger, keyValue, close } = sqliteStores({ path: await written() });
  await journal.list();
  await close();
  await close();
  for (const work of [journal.list(), keyValue.set('a', 1), ledger.append([])]) {
    expect(await failure(work)).toMatchObject({ code: 'invalid-request' });
  }
});
