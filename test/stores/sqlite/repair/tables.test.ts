import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import Database from 'libsql';
import { expect, test } from 'vitest';
import { recordsOf } from '../../../../src/stores/sqlite/repair/tables.ts';
import { temporaryFolder } from '../../folder.ts';

const folder = temporaryFolder();
let files = 0;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).map((some) => some.replaceAll('\0', ' ')),
  fc.integer({ min: 0, max: 30_000 }).map((length) => 'ä'.repeat(length)),
);
const number = fc.oneof(
  fc.integer({ min: -130, max: 130 }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 1, 2 ** 47, -(2 ** 47), 2 ** 31, -(2 ** 23) - 1),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Object.is(value, -0)),
);
const rows = fc.array(fc.tuple(text, fc.option(number), fc.option(text)), { maxLength: 60 });

/** Everything that the tree walk finds, by table. */
function found(path: string, skipped: readonly string[] = []) {
  const damage = { pages: 0, records: 0 };
  const byTable = new Map<string | undefined, unknown[]>();
  for (const { table, rowId, values } of recordsOf(path, new Set(skipped), damage)) {
    const plain = values[0] === null ? [rowId, ...values.slice(1)] : values;
    byTable.set(table, [...(byTable.get(table) ?? []), plain]);
  }
  return { damage, byTable };
}

test('the pages say what SQLite says, for values of every size, also from the log of an open file', async () => {
  await fc.assert(
    fc.property(rows, rows, (first, second) => {
      const path = join(folder, `${++files}.db`);
      const database = new Database(path);
      database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE a (id INTEGER PRIMARY KEY, x TEXT, y, z TEXT);
        CREATE TABLE b (k TEXT, x TEXT, y, z TEXT, PRIMARY KEY (k)) WITHOUT ROWID; CREATE TABLE c (x)`);
      const [intoA, intoB] = ['INSERT INTO a (x, y, z) VALUES (?, ?, ?)', 'INSERT INTO b VALUES (?, ?, ?, ?)'].map(
        (sql) => database.prepare(sql),
      );
      const insert = (all: typeof first, from: number): void => {
        for (const [index, row] of all.entries()) {
          intoA?.run([...row]);
          intoB?.run([`${'k'.repeat(index * 7)}${from + index}`, ...row]);
        }
      };
      insert(first, 0);
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      insert(second, 1000);
      database.exec('DELETE FROM a WHERE id % 7 = 0');
      const expected = ['a', 'b'].map((table) => database.prepare(`SELECT * FROM ${table}`).raw().all([]));
      for (const suffix of ['', '-wal']) copyFileSync(`${path}${suffix}`, `${path}.copy${suffix}`);
      const { damage, byTable } = found(`${path}.copy`);
      database.close();
      expect(damage).toEqual({ pages: 0, records: 0 });
      expect(byTable.get('a') ?? []).toEqual(expected[0]);
      const byKey = (a: unknown, b: unknown): number =>
        String((a as unknown[])[0]) < String((b as unknown[])[0]) ? -1 : 1;
      expect([...(byTable.get('b') ?? [])].sort(byKey)).toEqual([...(expected[1] ?? [])].sort(byKey));
      expect(byTable.has('c')).toBe(false);
      expect(found(`${path}.copy`, ['a', 'b']).byTable.size).toBe(0);
    }),
    { numRuns: 20 },
  );
});

test('a file of any content is read to its end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
      const path = join(folder, `${++files}.db`);
      writeFileSync(path, bytes);
      expect(() => found(path)).not.toThrow();
    }),
  );
});
