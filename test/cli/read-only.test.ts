/** Commands that only read, over a store that their user may not write. */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { folderWith, start } from './call.ts';

/** Root may write everything, so that it becomes somebody who may not. */
const NOBODY = process.getuid?.() === 0 ? 65_534 : undefined;
const locked: string[] = [];
afterEach(() => {
  for (const folder of locked.splice(0)) setRights(folder, 0o755, 0o644);
});

function setRights(folder: string, ofFolders: number, ofFiles: number): void {
  const store = join(folder, '.polyphony');
  for (const file of readdirSync(store)) chmodSync(join(store, file), ofFiles);
  for (const path of [store, folder]) chmodSync(path, ofFolders);
}

const fileIn = (folder: string): string => join(folder, '.polyphony/polyphony.db');

/** A folder with the store of one run. */
async function folderWithRun(): Promise<{ readonly folder: string; readonly runId: string }> {
  const plan = {
    version: 1,
    nodes: [
      {
        id: 'a',
        use: 'llm',
        in: { prompt: 'Summarise the following text in one sentence.\n\nThe sun is a star. It is hot.' },
      },
    ],
  };
  const folder = folderWith({ 'hello.plan.json': plan });
  // Processes of their own: the driver leaves the log beside a file until its statements are collected.
  expect((await asOwner(folder, 'run', 'hello.plan.json')).code).toBe(0);
  const [run] = JSON.parse((await asOwner(folder, 'runs', 'list', '--json')).out);
  return { folder, runId: run.runId };
}

function lock(folder: string): void {
  locked.push(folder);
  setRights(folder, 0o555, 0o444);
}

const asOwner = (folder: string, ...given: readonly string[]) => start(given, { folder }).ended;
const asNobody = (folder: string, ...given: readonly string[]) => start(given, { folder, user: NOBODY }).ended;

describe('a store that may only be read', () => {
  it('is read by the commands that only read, which say what is not in it, and is left as it is', async () => {
    const { folder, runId } = await folderWithRun();
    const spent = (await asOwner(folder, 'spend', '--json')).out;
    const before = readFileSync(fileIn(folder));
    lock(folder);
    for (const given of [
      ['runs', 'list'],
      ['runs', 'show', runId],
      ['spend'],
      ['spend', '--by', 'run'],
      ['threads', 'list'],
    ]) {
      const { code, out, err } = await asNobody(folder, ...given);
      expect([given, code, err]).toEqual([given, 0, expect.stringMatching(/^note: .*only read: calls that a killed/)]);
      if (given[0] !== 'threads')
        expect(out).toMatch(given[1] === 'show' ? /done/ : given[0] === 'runs' ? runId.slice(0, 8) : /embedded|run_/);
    }
    expect((await asNobody(folder, 'spend', '--json')).out).toBe(spent);
    expect(readdirSync(join(folder, '.polyphony')).filter((file) => /-(wal|shm)$/.test(file))).toEqual([]);
    expect(readFileSync(fileIn(folder)).equals(before)).toBe(true);
  });

  it('is told of as before by the commands that write', async () => {
    const { folder } = await folderWithRun();
    lock(folder);
    const { code, err } = await asNobody(folder, 'run', 'hello.plan.json');
    expect([code, err]).toEqual([2, expect.stringMatching(/cannot be opened for writing/)]);
  });

  it('adds up its rows where their sums cannot be kept', async () => {
    const { folder } = await folderWithRun();
    const spent = JSON.parse((await asOwner(folder, 'spend', '--by', 'run', '--json')).out);
    const database = new Database(fileIn(folder));
    // As after a change of a row by hand: its part would be made anew.
    database.exec('INSERT INTO ledger_changed_parts (part) VALUES (0); PRAGMA wal_checkpoint(TRUNCATE)');
    database.close();
    for (const end of ['-wal', '-shm']) rmSync(`${fileIn(folder)}${end}`, { force: true });
    lock(folder);
    const found = await asNobody(folder, 'spend', '--by', 'run', '--json');
    expect([found.code, JSON.parse(found.out)]).toEqual([0, spent]);
  });

  it('is not read as if it were whole where a log has to be recovered', async () => {
    const { folder } = await folderWithRun();
    writeFileSync(`${fileIn(folder)}-wal`, Buffer.alloc(4152));
    lock(folder);
    const { code, err } = await asNobody(folder, 'spend');
    expect([code, err]).toEqual([2, expect.stringContaining('4152 bytes of changes')]);
    expect(err).toContain('the latest changes cannot be seen: run any command over it once as a user who may write');
  });

  it('is read with the log of a program that has it open', async () => {
    const { folder } = await folderWithRun();
    const writer = new Database(fileIn(folder));
    writer.exec("UPDATE runs SET goal = 'written meanwhile'");
    expect(existsSync(`${fileIn(folder)}-shm`)).toBe(true);
    lock(folder);
    const { code, out } = await asNobody(folder, 'runs', 'list', '--json');
    writer.close();
    expect([code, JSON.parse(out)[0].goal]).toEqual([0, 'written meanwhile']);
  });
});
