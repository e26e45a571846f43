/** The numbers of events in one file: several processes, and files of earlier releases that hold a number twice. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { compiled } from '../../compiled.ts';
import { toVersion } from '../fixtures/older-schema.ts';
import { temporaryFolder } from '../folder.ts';

const folder = temporaryFolder();
let files = 0;
const newPath = (): string => join(folder, `${++files}.db`);

const LONG = 'word '.repeat(400);
const plan = {
  version: 1 as const,
  nodes: [
    { id: 'a', use: 'value', in: { text: LONG } },
    { id: 'b', use: 'value', in: { text: '{{a.text}}' } },
    { id: 'go', use: 'human', needs: ['b'], in: { question: 'Go on?' } },
    { id: 'c', use: 'value', needs: ['go'], in: { text: '{{b.text}}' } },
  ],
  output: '{{c.text}}',
};

const open = (path: string) => createPolyphony({ plugins: [], stores: sqliteStores({ path }) });

/** A file of schema version 2 with a run that waits, to which two processes wrote in turns. */
async function doubled(pattern: (event: RunEvent) => boolean): Promise<string> {
  const path = newPath();
  const first = await open(path);
  await (await first.start(plan, {}, { runId: 'twice' })).result();
  await first.close();
  const database = new Database(path);
  const rows = database.prepare('SELECT event FROM events ORDER BY id').raw().all() as unknown as [string][];
  database.exec('DELETE FROM events');
  const insert = database.prepare('INSERT INTO events (run_id, event) VALUES (?, ?)');
  for (const [text] of rows) {
    insert.run(['twice', text]);
    if (pattern(JSON.parse(text) as RunEvent)) insert.run(['twice', text]);
  }
  toVersion(database, 2);
  database.close();
  return path;
}

describe('a file in which numbers occur twice', () => {
  const patterns: Readonly<Record<string, (event: RunEvent) => boolean>> = {
    none: () => false,
    'all but the first': ({ seq }) => seq > 0,
    results: ({ type }) => type === 'node-finished',
    'starts and ends': ({ type }) => type === 'node-started' || type === 'run-suspended',
  };
  it.each(Object.entries(patterns))('is migrated, read and gone on with (%s)', async (_, pattern) => {
    const polyphony = await open(await doubled(pattern));
    expect((await polyphony.runs.list()).map(({ status }) => status)).toEqual(['suspended']);
    expect(await polyphony.runs.show('twice')).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'go' }] });
    const result = await (await polyphony.runs.answer('twice', 'go', 'yes')).result();
    expect(result).toMatchObject({ status: 'done', output: LONG });
    expect(await polyphony.runs.show('twice')).toMatchObject({ status: 'done', output: LONG });
    const types: string[] = [];
    for await (const { type } of polyphony.runs.replay('twice')) types.push(type);
    expect(types.at(-1)).toBe('run-finished');
    await polyphony.close();
  });

  it('follows the highest number, where the last record has a lower one', async () => {
    const path = newPath();
    const stores = sqliteStores({ path });
    const event = (seq: number): RunEvent => ({ type: 'run-resumed', seq, at: 1, runId: 'run' });
    await stores.journal.append('run', [event(0), event(1), event(7)]);
    await stores.close();
    const database = new Database(path);
    database.exec(`INSERT INTO events (run_id, event) VALUES ('run', '${JSON.stringify(event(3))}')`);
    database.exec('UPDATE runs SET last_seq = NULL');
    database.close();
    const again = sqliteStores({ path });
    await expect(again.journal.append('run', [event(4)])).rejects.toMatchObject({ code: 'store-busy' });
    await again.journal.append('run', [event(8)]);
    await expect(again.journal.append('run', [event(8)])).rejects.toMatchObject({ code: 'store-busy' });
    await again.close();
  });
});

describe('processes that write to one run', () => {
  it('give each number once', async () => {
    const path = newPath();
    const child = compiled('test/stores/fixtures/append-child.ts');
    const run = promisify(execFile);
    const told = await Promise.all(['a', 'b', 'c'].map((name) => run(process.execPath, [child, path, name])));
    const won = told.map(({ stdout }) => Number(stdout));
    const stores = sqliteStores({ path });
    const seqs: number[] = [];
    for await (const { seq } of stores.journal.read('run')) seqs.push(seq);
    await stores.close();
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
    expect(won.reduce((sum, count) => sum + count, 0)).toBe(seqs.length);
  });
});
