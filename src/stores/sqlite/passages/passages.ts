/** Passages in SQLite: their texts, an index of their words, and vectors as bytes. */
import type { Clock } from '../../../core/clock.ts';
import { type PassageBounds, type PassageStore, searchableText } from '../../../core/stores/passages.ts';
import { assertName, boundsOf, noIndex, USED_MS } from '../../passages.ts';
import type { Connection } from '../connection.ts';
import type { Sql } from '../database.ts';
import { findPassages } from './find-passages.ts';
import { putSource } from './put-source.ts';
import { deleteIndex, keepVectors, prunePassages, removeSource, sizeOf } from './room.ts';

const BOUNDS: PassageBounds = { passages: 50_000, textBytes: 128 * 1024 * 1024, vectorBytes: 1024 * 1024 * 1024 };

const USED = 'SELECT used_at FROM passage_indexes WHERE name = ?';
const USE = 'UPDATE passage_indexes SET used_at = ? WHERE name = ?';
const ADD_INDEX = `INSERT INTO passage_indexes (name, used_at, passages, bytes) VALUES (?, ?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET used_at = excluded.used_at, passages = excluded.passages, bytes = excluded.bytes`;
const SOURCES = 'SELECT source, digest FROM passage_sources WHERE name = ? ORDER BY source';
const MISSING = `SELECT p.key, p.text, p.heading FROM passages p WHERE p.name = ? AND p.key > ?
  AND NOT EXISTS (SELECT 1 FROM passage_vectors v WHERE v.key = p.key AND v.model = ?)
  GROUP BY p.key ORDER BY p.key LIMIT ?`;
const LIST = `SELECT i.name, (SELECT count(*) FROM passage_sources s WHERE s.name = i.name), i.passages, i.bytes, i.used_at
  FROM passage_indexes i ORDER BY i.used_at DESC, i.name LIMIT ?`;

function removeSources(sql: Sql, index: string, sources: readonly string[]): void {
  const size = { ...sizeOf(sql, index) };
  const usedAt = sql.first(USED, [index])?.[0];
  if (usedAt === undefined) return;
  for (const source of sources) {
    const own = sizeOf(sql, index, source);
    size.passages -= own.passages;
    size.bytes -= own.bytes;
    removeSource(sql, index, source);
  }
  sql.run(ADD_INDEX, [index, Number(usedAt), size.passages, size.bytes]);
}

export function sqlitePassages(connection: Connection, clock: Clock, given?: Partial<PassageBounds>): PassageStore {
  const bounds = boundsOf(BOUNDS, given);
  /** Undefined where there is no such index. */
  const used = async (index: string): Promise<number | undefined> => {
    const usedAt = await connection.read((sql) => sql.first(USED, [index])?.[0]);
    if (usedAt === undefined) return undefined;
    const now = clock.now();
    if (now - Number(usedAt) >= USED_MS) await connection.write((sql) => sql.run(USE, [now, index]));
    return now;
  };
  return {
    async put(source) {
      assertName(source.index, 'name of the index');
      assertName(source.source, 'name of the source');
      await putSource(connection, source, bounds, clock);
    },
    async sources(index) {
      assertName(index, 'name of the index');
      if ((await used(index)) === undefined) return undefined;
      const rows = await connection.read((sql) => sql.all(SOURCES, [index]));
      return new Map(rows.map(([source, digest]) => [String(source), String(digest)]));
    },
    remove: (index, sources) => connection.write((sql) => removeSources(sql, index, sources)),
    async missing({ index, model, most, after = '' }) {
      const rows = await connection.read((sql) => sql.all(MISSING, [index, after, model, most]));
      return rows.map(([key, text, heading]) => ({
        key: String(key),
        text: searchableText({ text: String(text), ...(heading === null ? {} : { heading: String(heading) }) }),
      }));
    },
    async keep(options) {
      assertName(options.model, 'name of the model');
      await connection.write((sql) => keepVectors(sql, options, bounds, clock.now()));
    },
    async find(options) {
      assertName(options.index, 'name of the index');
      if ((await used(options.index)) === undefined) throw noIndex(options.index);
      return connection.read((sql) => sql.snapshot(() => findPassages(sql, options)));
    },
    async list(limit = 100) {
      const rows = await connection.read((sql) => sql.all(LIST, [limit]));
      return rows.map(([index, sources, passages, bytes, usedAt]) => ({
        index: String(index),
        sources: Number(sources),
        passages: Number(passages),
        bytes: Number(bytes),
        usedAt: Number(usedAt),
      }));
    },
    delete: (index) => connection.write((sql) => deleteIndex(sql, index)),
    prune: (options) => connection.write((sql) => prunePassages(sql, options)),
    close: async () => {},
  };
}
