/**
 * Stores of the schema versions 4 to 8: each is migrated, says the totals that it said, and its runs, of which one waits and one was killed while
 * a model was asked, go on to their ends without paying again for what the file holds.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import Database from 'libsql';
import { describe, expect, it } from 'vitest';
import { createPolyphony } from '../../src/index.ts';
import { checkSqliteStore, sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { ledgerRow } from '../../src/testing/index.ts';
import { temporaryFolder } from './folder.ts';

const folder = temporaryFolder();
let copies = 0;

/** A copy of the file that `fixtures/write-versions.ts` wrote with a release of that version. */
function oldStore(version: number): string {
  const path = join(folder, `${++copies}.db`);
  writeFileSync(path, gunzipSync(readFileSync(resolve(import.meta.dirname, `fixtures/version-${version}.db.gz`))));
  return path;
}

const versionOf = (path: string): number => readFileSync(path).readUInt32BE(60);

/** What is asked of one file, by a program without the stores. */
function numbersIn(path: string, query: string): unknown[] {
  const database = new Database(path);
  const row = database.prepare(query).raw().get() as unknown as unknown[];
  database.close();
  return row;
}

async function open(path: string) {
  const asked: string[] = [];
  const provider = fakeProvider({
    models: [fakeCard({ id: 'small', maxOutputTokens: 2000 })],
    script({ request }) {
      if (request.operation === 'chat') asked.push(JSON.stringify(request.messages));
      return [{ type: 'text-delta', text: 'said now' }, finish({ usage: { input: 20, output: 30 } })];
    },
  });
  const stores = sqliteStores({ path });
  const config = { budgets: [{ scope: 'tenant', id: 'acme', usd: 20 }] } as const;
  return { polyphony: await createPolyphony({ plugins: [], providers: [provider], stores, config }), stores, asked };
}

describe.each([4, 5, 6, 7, 8])('a store of schema version %i', (version) => {
  const rows = version === 8 ? 260 : 60;

  it('is migrated in one transaction when it is opened, and lists what it listed', async () => {
    const path = oldStore(version);
    expect(versionOf(path)).toBe(version);
    const { polyphony, stores } = await open(path);
    const runs = (await polyphony.runs.list()).map(({ runId, status }) => `${runId} ${status}`);
    expect(runs.toSorted()).toEqual(['cut interrupted', 'waits suspended']);
    expect(await stores.threads.open({ key: 'talk', reader: 'r', most: 5 })).toMatchObject({
      entries: [{ question: 'How deep?', answer: 'Very.' }],
    });
    const found = version === 4 ? undefined : await stores.passages.find({ index: 'docs', query: 'walrus', most: 5 });
    if (found !== undefined) expect(JSON.stringify(found)).toContain('a walrus');
    await polyphony.close();
    expect(versionOf(path)).toBe(9);
    await checkSqliteStore({ path });
  });

  it('keeps its version and all of its tables where the migration fails', async () => {
    const path = oldStore(version);
    const database = new Database(path);
    // The name of a table that the last of the migrations makes.
    database.exec('CREATE TABLE ledger_changed_parts (taken)');
    database.close();
    const names = 'SELECT group_concat(name) FROM (SELECT name FROM sqlite_master ORDER BY name)';
    const before = numbersIn(path, names);
    const stores = sqliteStores({ path });
    await expect(stores.keyValue.get('a')).rejects.toMatchObject({ code: 'store-corrupt' });
    await stores.close().catch(() => undefined);
    expect(versionOf(path)).toBe(version);
    expect(numbersIn(path, names)).toEqual(before);
  });

  it('says the totals of its rows, and keeps saying them as rows are added', async () => {
    const path = oldStore(version);
    const { polyphony, stores } = await open(path);
    const totals = async () =>
      (await stores.ledger.totals('scope:user')).map(({ group, attempts, costNanoUsd }) => [
        group,
        attempts,
        costNanoUsd,
      ]);
    const expected = [0, 1, 2].map((user) => {
      const attempts = Math.floor((rows + 2 - user) / 3);
      return [`user${user}`, attempts, attempts * 1000];
    });
    expect(await totals()).toEqual(expected);
    const more = { startedAt: Date.UTC(2026, 0, 1), scopes: [{ kind: 'user', id: 'user9' } as const] };
    await stores.ledger.append(Array.from({ length: 600 }, (_, index) => ledgerRow({ key: `new${index}/1`, ...more })));
    expect(await totals()).toEqual([...expected, ['user9', 600, 600_000]]);
    const runs = await stores.ledger.totals('scope:run', { limit: 3 });
    expect(runs.map(({ group }) => group)).toEqual(expect.arrayContaining(['cut', 'waits']));
    await polyphony.close();
  });

  it('takes the answer to the run that waits, and asks nothing before it again', async () => {
    const { polyphony, asked } = await open(oldStore(version));
    const ended = await (await polyphony.runs.answer('waits', 'who', 'me')).result();
    expect(ended).toMatchObject({ status: 'done', output: 'said now' });
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain('after me');
    await polyphony.close();
  });

  it('goes on where a model was asked as the process died; what was held is booked, and what ended is not asked again', async () => {
    const path = oldStore(version);
    expect(numbersIn(path, 'SELECT count(*) FROM attempts')).toEqual([1]);
    const { polyphony, stores, asked } = await open(path);
    const ended = await (await polyphony.resume('cut')).result();
    expect(ended).toMatchObject({ status: 'done', output: 'said now' });
    expect(asked.map((messages) => /deadly|after/.exec(messages)?.[0])).toEqual(['deadly', 'after']);
    const scope = { kind: 'tenant', id: 'acme' } as const;
    const [paid] = await stores.ledger.totals('scope:tenant', { scope });
    expect(paid).toMatchObject({ attempts: 5, uncertain: 1 });
    expect(await stores.keyValue.get('budget:tenant:acme')).toBe(paid?.costNanoUsd);
    expect(numbersIn(path, 'SELECT count(*) FROM attempts')).toEqual([0]);
    await polyphony.close();
  });
});
