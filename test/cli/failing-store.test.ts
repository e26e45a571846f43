/** The command over a store that does not take what a run records: a sentence, and an exit code that a script can read. */
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { folderWith, start } from './call.ts';

const plan = {
  version: 1,
  nodes: [
    { id: 'a', use: 'value', in: { x: 1 } },
    { id: 'b', use: 'value', in: { x: '{{a.x}}' } },
  ],
  output: '{{b.x}}',
};

/** A store that fails at the first record that the condition describes. */
async function storeWith(condition: string): Promise<string> {
  const folder = folderWith({ 'two.plan.json': plan });
  const path = join(folder, 'runs.db');
  const stores = sqliteStores({ path });
  await stores.journal.list();
  await stores.keyValue.set('made', true);
  await stores.close();
  const database = new Database(path);
  database.exec(
    `CREATE TRIGGER refuse BEFORE INSERT ON events WHEN ${condition} BEGIN SELECT RAISE(ABORT, 'no record'); END`,
  );
  database.close();
  return folder;
}

describe('polyphony run over a store that fails', () => {
  it.each([
    ['at the first record', 'true', /Nothing of run run_\w+ was recorded: start it again/],
    [
      'at the end of a node',
      `new.event LIKE '%"node-finished"%'`,
      /The journal holds run run_\w+ with 0 of its 2 nodes finished: resume it from there/,
    ],
    ['at the end of the run', `new.event LIKE '%"run-finished"%'`, /holds run run_\w+ with 2 of its 2 nodes finished/],
  ])('%s says so and exits with 1', { timeout: 60_000 }, async (_, condition, sentence) => {
    const folder = await storeWith(condition);
    const { code, out, err } = await start(['run', 'two.plan.json', '--store', 'runs.db'], { folder }).ended;
    expect(code).toBe(1);
    expect(out).toBe('');
    expect(err).toMatch(/store-corrupt: The store \S+runs\.db is damaged .*no record/);
    expect(err).toMatch(sentence);
  });
});
