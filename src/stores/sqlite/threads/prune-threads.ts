/** Removes threads that have not changed for long, a bounded part per transaction. */
import type { Pruned, PruneOptions } from '../../../core/stores.ts';
import type { Sql } from '../database.ts';

/** The most threads of one transaction. */
const THREADS = 100;
const READERS = 1000;

const OLD = `SELECT thread FROM thread_entries GROUP BY thread HAVING max(at) < ? LIMIT ${THREADS}`;
const COUNT = 'SELECT count(*) FROM (SELECT thread FROM thread_entries GROUP BY thread HAVING max(at) < ?)';
const DELETE_READERS = `DELETE FROM thread_readers WHERE (thread, reader) IN
  (SELECT thread, reader FROM thread_readers WHERE at < ? LIMIT ${READERS})`;

/** Call it in a transaction. */
export function pruneThreads(
  sql: Sql,
  { before, dryRun = false }: PruneOptions,
  remove: (sql: Sql, key: string) => boolean,
): Pruned {
  if (dryRun) return { removed: Number(sql.first(COUNT, [before])?.[0]) };
  const old = sql.all(OLD, [before]).map(([key]) => String(key));
  for (const key of old) remove(sql, key);
  const readers = sql.run(DELETE_READERS, [before]).changes;
  const isLast = old.length < THREADS && readers < READERS;
  return isLast ? { removed: old.length } : { removed: old.length, next: 'more' };
}
