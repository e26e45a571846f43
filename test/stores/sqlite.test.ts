import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, describe, expect, test } from 'vitest';
import { repairSqliteStore, sqliteStores } from '../../src/stores/sqlite.ts';
import {
  testJournal,
  testKeyValueStore,
  testLedger,
  testPassageStore,
  testThreadStore,
} from '../../src/testing/index.ts';
import { toVersion } from './fixtures/older-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'polyphony-sqlite-'));
let files = 0;
const path = (): string => join(folder, `${++files}.db`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One of them, whose closing closes the file. */
function only<Name extends 'journal' | 'ledger' | 'keyValue' | 'threads'>(name: Name) {
  return ({ clock }: { readonly clock: NonNullable<Parameters<typeof sqliteStores>[0]['clock']> }) => {
    const stores = sqliteStores({ path: path(), clock });
    return { ...stores[name], close: stores.close };
  };
}

describe('conformance', () => {
  testJournal({ test, make: only('journal') });
  testLedger({ test, make: only('ledger') });
  testKeyValueStore({ test, make: only('keyValue') });
  testThreadStore({ test, make: only('threads') });
  testPassageStore({
    test,
    make: (options) => {
      const stores = sqliteStores({ path: path(), ...options });
      return { ...stores.passages, close: stores.close };
    },
  });
});

test('a text keeps a byte order mark at its beginning', async () => {
  const { keyValue, close } = sqliteStores({ path: path() });
  await keyValue.set('\uFEFFkey', '\uFEFFvalue');
  expect(await keyValue.keys('\uFEFF')).toEqual(['\uFEFFkey']);
  await close();
});

describe('threads', () => {
  test('and passages are added to a file of a release before, and a repair saves what cannot be made anew', async () => {
    const file = path();
    const earlier = sqliteStores({ path: file });
    await earlier.keyValue.set('a', 1);
    await earlier.close();
    const database = new Database(file);
    toVersion(database, 3);
    database.close();

    const stores = sqliteStores({ path: file });
    for (let at = 0; at < 50; at += 1)
      await stores.threads.append({ key: 'ann', writer: `run_${at}`, question: `q${at}`, answer: 'a'.repeat(200) });
    await stores.threads.open({ key: 'ann', reader: 'r', most: 1 });
    await stores.threads.summarise({ key: 'ann', reader: 'r', upTo: 3, summary: 'so far' });
    for (let at = 0; at < 50; at += 1) await stores.keyValue.set(`key ${at}`, 'x'.repeat(300));
    const passage = { key: 'k', text: 'a walrus', source: 'a', start: 0, end: 8, line: 1, endLine: 1 };
    await stores.passages.put({ index: 'docs', source: 'a', digest: '', passages: [passage] });
    await stores.close();
    const bytes = readFileSync(file);
    for (let at = bytes.indexOf('"xxx'); at !== -1; at = bytes.indexOf('"xxx', at + 1)) bytes[at] = 0x7a;
    writeFileSync(file, bytes);
    expect(await repairSqliteStore({ path: file })).toBeDefined();
    const saved = sqliteStores({ path: file });
    const thread = await saved.threads.read('ann');
    expect([thread?.entries.length, thread?.summary]).toEqual([50, 'so far']);
    // Made anew from its files.
    expect(await saved.passages.list()).toEqual([]);
    await saved.passages.put({ index: 'docs', source: 'a', digest: '', passages: [passage] });
    expect((await saved.passages.find({ index: 'docs', query: 'walrus', most: 1 })).passages).toHaveLength(1);
    await saved.close();
  });
});
