/** Inserts several rows with one statement, because a statement of its own for each costs about as much as the row. */
import type { Sql, SqlValue } from './database.ts';

const AT_ONCE = 8;

export interface Insert {
  readonly one: string;
  readonly many: string;
}

/** `head` ends with VALUES; `onConflict` follows them. */
export function insertOf(head: string, columns: number, onConflict = ''): Insert {
  const row = `(${Array.from({ length: columns }, () => '?')})`;
  const rows = Array.from({ length: AT_ONCE }, () => row);
  return { one: `${head} ${row} ${onConflict}`, many: `${head} ${rows} ${onConflict}` };
}

/** Some of the rows, which one statement has inserted. SQLite gives the ids of one statement one after the other. */
export interface Inserted {
  /** The index of the first, and how many they are. */
  readonly from: number;
  readonly count: number;
  /** How many did not exist, and the id of the last of them. */
  readonly changes: number;
  readonly id: number;
}

export function insertAll(
  sql: Sql,
  { one, many }: Insert,
  rows: readonly (readonly SqlValue[])[],
  inserted: (part: Inserted) => void = () => {},
): void {
  for (let from = 0; from < rows.length; ) {
    const count = rows.length - from >= AT_ONCE ? AT_ONCE : 1;
    const values: SqlValue[] = [];
    for (let index = from; index < from + count; index += 1) values.push(...(rows[index] ?? []));
    inserted({ from, count, ...sql.run(count === 1 ? one : many, values) });
    from += count;
  }
}
