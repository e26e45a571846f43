/** Inserts several rows with one statement, because a statement of its own for each costs about as much as the row. */
import type { Sql, SqlValue } from './database.ts';

const AT_ONCE = 8;

export interface Insert {
  readonly one: string;
  readonly many: string;
}

/** `head` ends with VALUES. */
export function insertOf(head: string, columns: number): Insert {
  const one = `(${Array.from({ length: columns }, () => '?')})`;
  return { one: `${head} ${one}`, many: `${head} ${Array.from({ length: AT_ONCE }, () => one)}` };
}

/**
 * Calls `inserted` with the index of each row and its id: SQLite numbers the rows of one statement one after the other. No row
 * may exist yet.
 */
export function insertAll(
  sql: Sql,
  { one, many }: Insert,
  rows: readonly (readonly SqlValue[])[],
  inserted: (index: number, id: number) => void = () => {},
): void {
  let from = 0;
  for (; rows.length - from >= AT_ONCE; from += AT_ONCE) {
    const { id } = sql.run(many, rows.slice(from, from + AT_ONCE).flat());
    for (let index = 0; index < AT_ONCE; index += 1) inserted(from + index, id - AT_ONCE + 1 + index);
  }
  for (; from < rows.length; from += 1) inserted(from, sql.run(one, rows[from]).id);
}
