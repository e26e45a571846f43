import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { beforeAll, describe, expect, test } from 'vitest';
import { createPolyphony } from '../../../../src/polyphony.ts';
import { checkSqliteStore, repairSqliteStore, sqliteStores } from '../../../../src/stores/sqlite.ts';
import { bytesOf, ROWS, RUNS, runName, VALUES, writeStore } from '../../../laws/damage-file.ts';
import { failure, temporaryFolder } from '../../folder.ts';

const folder = temporaryFolder();
const store = join(folder, 'store.db');
let files = 0;
/** A copy of the store, changed. */
function changed(change: (bytes: Buffer) => void = () => {}, into = join(folder, String(++files))): string {
  mkdirSync(into, { recursive: true });
  const path = join(into, 'a.db');
  const bytes = readFileSync(store);
  change(bytes);
  writeFileSync(path, bytes);
  return path;
}
const withSql = (statement: string): string => {
  const path = changed();
  const database = new Database(path);
  database.exec(statement);
  database.close();
  return path;
};
const cutHeader = (bytes: Buffer): void => void bytes.fill(0, 0, 4096);

beforeAll(() => writeStore(store));

describe('a repair', () => {
  test('changes nothing in a file that is whole, and makes none', async () => {
    const path = changed();
    const before = bytesOf(path);
    expect(await repairSqliteStore({ path })).toBeUndefined();
    expect(bytesOf(path)).toBe(before);
    const missing = join(folder, 'missing.db');
    expect(await repairSqliteStore({ path: missing })).toBeUndefined();
    expect(existsSync(missing)).toBe(false);
  });

  test('saves everything when only the first page is lost, and the runs go on', async () => {
    const path = changed(cutHeader);
    const repair = await repairSqliteStore({ path });
    expect(repair?.runs).toMatchObject({ incomplete: [], lost: [] });
    expect(repair?.runs.saved).toHaveLength(RUNS);
    expect(repair).toMatchObject({ ledgerRows: { saved: ROWS, lost: 0 }, values: { lost: 0 } });
    expect(repair?.values.saved).toBeGreaterThanOrEqual(VALUES);
    await checkSqliteStore({ path });
    const stores = sqliteStores({ path });
    expect((await stores.ledger.totals('scope:user')).reduce((sum, { attempts }) => sum + attempts, 0)).toBe(ROWS);
    expect(await stores.keyValue.get('value 0007')).toEqual({ text: 'v'.repeat(7), index: 7 });
    const polyphony = await createPolyphony({ plugins: [], stores });
    await polyphony.engine.answer(runName(6), 'c', 'yes');
    expect((await (await polyphony.resume(runName(6))).result()).status).toBe('done');
    await polyphony.close();
  });

  test('names the runs of a page that is lost, and keeps the others', async () => {
    const path = changed((bytes) => {
      const at = bytes.indexOf('"type":"run-started"', bytes.indexOf(`"runId":"${runName(11)}"`) - 2000);
      bytes.fill(0, at - (at % 4096), at - (at % 4096) + 4096);
    });
    const repair = await repairSqliteStore({ path });
    const { saved = [], incomplete = [], lost = [] } = repair?.runs ?? {};
    expect(new Set([...saved, ...incomplete, ...lost]).size).toBe(RUNS);
    expect(incomplete.length + lost.length).toBeGreaterThan(0);
    expect(saved.length).toBeGreaterThan(RUNS / 2);
    expect(repair?.unreadable.pages).toBeGreaterThan(0);
    const stores = sqliteStores({ path });
    expect(await stores.journal.list()).toHaveLength(saved.length + incomplete.length);
    await stores.close();
  });

  test('keeps the damaged file under a name that is not in use', async () => {
    const path = changed(cutHeader);
    writeFileSync(`${path}.damaged`, 'mine');
    writeFileSync(`${path}.damaged-2-wal`, 'mine');
    const before = bytesOf(path);
    const repair = await repairSqliteStore({ path });
    expect(repair?.keptAs).toBe(`${path}.damaged-3`);
    expect(bytesOf(`${path}.damaged-3`)).toBe(before);
    expect(readFileSync(`${path}.damaged`, 'utf8')).toBe('mine');
  });

  test('takes the commits that are still in the log', async () => {
    const path = changed();
    copyFileSync(`${store}.open`, path);
    copyFileSync(`${store}.open-wal`, `${path}-wal`);
    const bytes = readFileSync(path);
    cutHeader(bytes);
    writeFileSync(path, bytes);
    const log = readFileSync(`${path}-wal`);
    const { runs, ledgerRows } = (await repairSqliteStore({ path })) ?? {};
    // Opening a file whose log holds its first page makes it whole.
    if (runs !== undefined) expect([runs.saved.length, ledgerRows?.saved]).toEqual([RUNS, ROWS]);
    expect(log.length).toBeGreaterThan(0);
    await checkSqliteStore({ path });
    const stores = sqliteStores({ path });
    expect(await stores.journal.list()).toHaveLength(RUNS);
    await stores.close();
  });

  test('does not bring back what was removed', async () => {
    const path = changed();
    const stores = sqliteStores({ path });
    await stores.journal.prune?.({ before: Number.MAX_SAFE_INTEGER });
    await stores.close();
    const bytes = readFileSync(path);
    const at = bytes.indexOf('"key":"call_50/1"');
    bytes.fill(0, at - (at % 4096), at - (at % 4096) + 4096);
    writeFileSync(path, bytes);
    const repair = await repairSqliteStore({ path });
    const { saved = [], incomplete = [] } = repair?.runs ?? {};
    expect(repair?.unreadable.pages).toBeGreaterThan(0);
    const waiting = Array.from({ length: RUNS }, (_, index) => index).filter((index) => index % 6 === 0);
    expect([...saved, ...incomplete].sort()).toEqual(waiting.map(runName));
  });
});

describe('a repair is refused, and the file stays as it is,', () => {
  const expectRefused = async (path: string, code: string): Promise<string> => {
    const before = [bytesOf(path), readdirSync(join(path, '..')).filter((name) => !/-(?:wal|shm)$/.test(name))];
    const error = await failure(repairSqliteStore({ path }));
    expect(error.code).toBe(code);
    expect([bytesOf(path), readdirSync(join(path, '..')).filter((name) => !/-(?:wal|shm)$/.test(name))]).toEqual(
      before,
    );
    return error.message;
  };

  test('while a run in it is driven', async () => {
    const path = withSql("INSERT INTO leases (run_id, owner, until) VALUES ('run_002', 'somebody', 9000000000000)");
    const bytes = readFileSync(path);
    // Some of them are left over on their page and mean nothing.
    for (let at = bytes.indexOf('CREATE TABLE'); at >= 0; at = bytes.indexOf('CREATE TABLE'))
      bytes.fill(0, at, at + 20);
    writeFileSync(path, bytes);
    expect(await expectRefused(path, 'store-busy')).toContain('run_002');
  });

  test('when a later release wrote it', async () => {
    await expectRefused(withSql('PRAGMA user_version = 99'), 'store-newer');
  });

  test('when it is no store', async () => {
    for (const content of ['some notes that are no database'.repeat(100), 'short', '\0'.repeat(9000)]) {
      const path = changed();
      writeFileSync(path, content);
      expect(await expectRefused(path, 'store-corrupt')).toContain(path);
    }
  });

  test('when the new file does not fit', async ({ skip }) => {
    const tiny = join(folder, 'tiny');
    mkdirSync(tiny);
    const size = Math.ceil(readFileSync(store).length / 1024) + 60;
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}k`, 'none', tiny], { stdio: 'ignore' });
    } catch {
      skip('this process may not mount a file system');
    }
    try {
      await expectRefused(changed(cutHeader, tiny), 'store-full');
    } finally {
      execFileSync('umount', ['--lazy', tiny]);
    }
  });
});
