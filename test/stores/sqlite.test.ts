import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { testJournal, testKeyValueStore, testLedger, testThreadStore } from '../../src/testing/index.ts';

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
});
