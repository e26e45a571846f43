/** The two ways to read rows give the same, whatever the file holds. */
import fc from 'fast-check';
import Database from 'libsql';
import { afterAll, expect, it } from 'vitest';
import { type SqlValue, sqlOf } from '../../../src/stores/sqlite/database.ts';

const sql = sqlOf(new Database(':memory:'));
afterAll(() => sql.close());

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('\0', 'a\0b', '"', '\\', '\u2028', '[1]', '1.5', '\ufeffa', '😀', 'true'),
);
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }).map((value) => value + 0),
  fc.constantFrom(0.1 + 0.2, 1_700_000_000_000.123, Number.POSITIVE_INFINITY, 1e300, 5e-324),
);
const value: fc.Arbitrary<SqlValue> = fc.oneof(
  text,
  number,
  fc.constant(null),
  text.map((some) => Buffer.from(some)),
);

const rowsOf = (rows: readonly (readonly SqlValue[])[]): readonly [string, readonly SqlValue[]] => [
  `SELECT column1, column2 FROM (VALUES ${rows.map(() => '(?, ?)')})`,
  rows.flat(),
];

it('reads rows as one text as it reads them one by one', () => {
  const pairs = fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(pairs, (rows) => {
      const query = rowsOf(rows);
      expect(sql.table(...query)).toEqual(sql.all(...query));
    }),
    { numRuns: 1000 },
  );
});

it('reads no rows as none, and in the order of the query', () => {
  expect(sql.table('SELECT 1 WHERE 0')).toEqual([]);
  const descending = 'SELECT value, value * 2 FROM json_each(?) ORDER BY value DESC LIMIT 3';
  expect(sql.table(descending, ['[4, 7, 1, 9]'])).toEqual([
    [9, 18],
    [7, 14],
    [4, 8],
  ]);
});

it.each(['80', 'c0af', '61ff62', 'eda080', '6100ff'])(
  'refuses the bytes %s, which are no text, in both ways',
  (hex) => {
    const query = `SELECT 'sound', CAST(x'${hex}' AS TEXT)`;
    for (const read of [sql.all, sql.table])
      expect(() => read(query)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT_TEXT' }));
  },
);
