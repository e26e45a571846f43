/** Keeps the passages within their bounds: removes sources, indexes that were not used for longest, and vectors without a use. */
import type { PassageBounds, PassageStore } from '../../../core/stores/passages.ts';
import type { Pruned, PruneOptions } from '../../../core/stores.ts';
import { mostVectors, tooLarge, USED_MS, vectorBytes } from '../../passages.ts';
import type { Sql, SqlRow } from '../database.ts';
import { floatsOf } from './find-passages.ts';

interface Size {
  readonly passages: number;
  readonly bytes: number;
}

/** Indexes of one transaction of `prune`, and vectors. */
const INDEXES = 5;
const VECTORS = 500;

const INDEX_SIZE = 'SELECT passages, bytes FROM passage_indexes WHERE name = ?';
const SOURCE_SIZE = 'SELECT passages, bytes FROM passage_sources WHERE name = ? AND source = ?';
const OTHERS = 'SELECT name, passages, bytes FROM passage_indexes WHERE name <> ? ORDER BY used_at DESC, name';
const OWN = 'SELECT id FROM passages WHERE name = ?';
const OF_SOURCE = `${OWN} AND source = ?`;
const VECTOR_SIZE = 'SELECT count(*), ifnull(sum(length), 0) FROM passage_vectors';
/** Those of this index are not among them, unless of another model. */
const OTHER_VECTORS = `SELECT key, model, length FROM passage_vectors v WHERE NOT (model = ? AND
  EXISTS (SELECT 1 FROM passages p WHERE p.key = v.key AND p.name = ?)) ORDER BY made_at, key, model`;
const KNOWN_VECTOR = 'SELECT length FROM passage_vectors WHERE key = ? AND model = ?';
const DELETE_VECTOR = 'DELETE FROM passage_vectors WHERE key = ? AND model = ?';
const KEEP = `INSERT INTO passage_vectors (key, model, length, made_at, vector) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (key, model) DO UPDATE SET length = excluded.length, made_at = excluded.made_at, vector = excluded.vector`;
const OLD = `SELECT name FROM passage_indexes WHERE used_at < ? ORDER BY used_at, name LIMIT ${INDEXES}`;
const COUNT_OLD = 'SELECT count(*) FROM passage_indexes WHERE used_at < ?';
const DELETE_UNUSED = `DELETE FROM passage_vectors WHERE (key, model) IN (SELECT key, model FROM passage_vectors v
  WHERE made_at < ? AND NOT EXISTS (SELECT 1 FROM passages p WHERE p.key = v.key) LIMIT ${VECTORS})`;

const size = (row: SqlRow | undefined): Size => ({ passages: Number(row?.[0] ?? 0), bytes: Number(row?.[1] ?? 0) });

/** Of an index, or of one of its sources. */
export const sizeOf = (sql: Sql, index: string, source?: string): Size =>
  size(source === undefined ? sql.first(INDEX_SIZE, [index]) : sql.first(SOURCE_SIZE, [index, source]));

function removePassages(sql: Sql, ids: readonly SqlRow[]): void {
  for (const [id] of ids) {
    sql.run('DELETE FROM passage_words WHERE rowid = ?', [Number(id)]);
    sql.run('DELETE FROM passages WHERE id = ?', [Number(id)]);
  }
}

export function removeSource(sql: Sql, index: string, source: string): void {
  removePassages(sql, sql.all(OF_SOURCE, [index, source]));
  sql.run('DELETE FROM passage_sources WHERE name = ? AND source = ?', [index, source]);
}

export function deleteIndex(sql: Sql, index: string): boolean {
  removePassages(sql, sql.all(OWN, [index]));
  sql.run('DELETE FROM passage_sources WHERE name = ?', [index]);
  return sql.run('DELETE FROM passage_indexes WHERE name = ?', [index]).changes > 0;
}

/** Deletes other indexes, the least used first, until this one fits. @throws limit-exceeded before it changes anything */
export function makeRoom(sql: Sql, index: string, wanted: Size, bounds: PassageBounds): void {
  if (wanted.passages > bounds.passages)
    throw tooLarge(index, `${wanted.passages} passages`, bounds.passages, 'passages');
  if (wanted.bytes > bounds.textBytes)
    throw tooLarge(index, `${wanted.bytes} bytes of text`, bounds.textBytes, 'textBytes');
  let { passages, bytes } = wanted;
  let isFull = false;
  for (const [name, ...other] of sql.all(OTHERS, [index])) {
    passages += size(other).passages;
    bytes += size(other).bytes;
    isFull ||= passages > bounds.passages || bytes > bounds.textBytes;
    if (isFull) deleteIndex(sql, String(name));
  }
}

/** Call it in a transaction. @throws limit-exceeded before it changes anything */
export function keepVectors(
  sql: Sql,
  { index, model, vectors }: Parameters<PassageStore['keep']>[0],
  bounds: PassageBounds,
  now: number,
): void {
  const total = sql.first(VECTOR_SIZE);
  let count = Number(total?.[0]);
  let bytes = vectorBytes(Number(total?.[1]));
  for (const { key, vector } of vectors) {
    const known = sql.first(KNOWN_VECTOR, [key, model])?.[0];
    count += known === undefined ? 1 : 0;
    bytes += vectorBytes(vector.length - Number(known ?? 0));
  }
  const most = mostVectors(bounds);
  if (count > most || bytes > bounds.vectorBytes) {
    const kept = new Set(vectors.map(({ key }) => key));
    const unneeded: [string, string][] = [];
    for (const [key, other, length] of sql.all(OTHER_VECTORS, [model, index])) {
      if (count <= most && bytes <= bounds.vectorBytes) break;
      if (other === model && kept.has(String(key))) continue;
      count -= 1;
      bytes -= vectorBytes(Number(length));
      unneeded.push([String(key), String(other)]);
    }
    if (bytes > bounds.vectorBytes)
      throw tooLarge(index, `${bytes} bytes of vectors`, bounds.vectorBytes, 'vectorBytes');
    if (count > most) throw tooLarge(index, `${count} vectors`, most, 'passages');
    for (const vector of unneeded) sql.run(DELETE_VECTOR, vector);
  }
  for (const { key, vector } of vectors) sql.run(KEEP, [key, model, vector.length, now, floatsOf(vector)]);
}

/** Call it in a transaction. */
export function prunePassages(sql: Sql, { before, dryRun = false }: PruneOptions): Pruned {
  // A use is written to the hour.
  const used = before - USED_MS;
  if (dryRun) return { removed: Number(sql.first(COUNT_OLD, [used])?.[0]) };
  const old = sql.all(OLD, [used]);
  for (const [name] of old) deleteIndex(sql, String(name));
  const vectors = sql.run(DELETE_UNUSED, [before]).changes;
  const isLast = old.length < INDEXES && vectors < VECTORS;
  return isLast ? { removed: old.length } : { removed: old.length, next: 'more' };
}
