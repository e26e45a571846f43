/** Keys, values and counters in SQLite. */
import type { Clock } from '../../core/clock.ts';
import type { CounterChange, CounterResult, KeyValueStore } from '../../core/stores.ts';
import { assertKey, changeCounters, jsonText } from '../counters.ts';
import type { Connection } from './connection.ts';
import type { Sql } from './database.ts';
import { isOfRecord, parseStored } from './errors.ts';
import { pruneCells } from './prune-rows.ts';

const FIND = 'SELECT value FROM cells WHERE key = ? AND (until IS NULL OR until > ?)';
const SAVE = `INSERT INTO cells (key, value, until) VALUES (?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value, until = excluded.until`;
const COUNT = `INSERT INTO cells (key, value, until) VALUES (?, ?, NULL)
  ON CONFLICT (key) DO UPDATE SET value = excluded.value,
    until = CASE WHEN cells.until <= ? THEN NULL ELSE cells.until END`;
const DELETE = 'DELETE FROM cells WHERE key = ?';
const SWEEP = 'DELETE FROM cells WHERE until <= ?';
const KEYS = 'SELECT key FROM cells WHERE key >= ? AND key < ? AND (until IS NULL OR until > ?) ORDER BY key LIMIT ?';

/** The last code point: `prefix + LAST` sorts after every key that starts with the prefix. */
const LAST = '\u{10ffff}';
const SWEEP_EVERY = 1000;

/** Changes of counters in one transaction: each counter is read once and written once. */
export interface CellBatch {
  change(changes: readonly CounterChange[]): CounterResult;
  /** Does nothing where there is no number: the counters of a run that has ended are gone, and nothing is charged to it. */
  add(key: string, by: number): void;
  /** Writes what has changed. */
  write(): void;
}

export function cellBatch(sql: Sql, path: string, now: number): CellBatch {
  const values = new Map<string, unknown>();
  const changed = new Set<string>();
  const read = (key: string): unknown => {
    if (values.has(key)) return values.get(key);
    const row = sql.first(FIND, [key, now]);
    const value = row && parseStored(row[0], path);
    values.set(key, value);
    return value;
  };
  const number = (key: string): number | undefined => {
    try {
      const value = read(key);
      return typeof value === 'number' ? value : undefined;
    } catch (error) {
      if (isOfRecord(error)) return undefined;
      throw error;
    }
  };
  const save = (key: string, value: number): void => {
    values.set(key, value);
    changed.add(key);
  };
  return {
    change(changes) {
      const own = new Map<string, number>();
      const cells = {
        read: (key: string) => own.get(key) ?? read(key),
        write: (key: string, value: number) => void own.set(key, value),
        undo: () => own.clear(),
      };
      const result = changeCounters(cells, changes);
      for (const [key, value] of own) save(key, value);
      return result;
    },
    add(key, by) {
      const value = number(key);
      if (value !== undefined) save(key, value + by);
    },
    write() {
      for (const key of changed) sql.run(COUNT, [key, String(values.get(key)), now]);
    },
  };
}

function change(sql: Sql, path: string, now: number, changes: readonly CounterChange[]): CounterResult {
  const batch = cellBatch(sql, path, now);
  const result = batch.change(changes);
  batch.write();
  return result;
}

export function sqliteKeyValue(connection: Connection, clock: Clock, close: () => Promise<void>): KeyValueStore {
  const { path } = connection;
  let untilSweep = 1;
  return {
    lasting: true,
    async get(key) {
      assertKey(key);
      const row = await connection.read((sql) => sql.first(FIND, [key, clock.now()]));
      return row && parseStored(row[0], path);
    },
    async set(key, value, { ttlMs } = {}) {
      assertKey(key);
      const text = jsonText(key, value);
      await connection.write((sql) => {
        const now = clock.now();
        untilSweep -= 1;
        if (untilSweep === 0) {
          sql.run(SWEEP, [now]);
          untilSweep = SWEEP_EVERY;
        }
        sql.run(SAVE, [key, text, ttlMs === undefined ? null : Math.ceil(now + ttlMs)]);
      });
    },
    async delete(key) {
      assertKey(key);
      await connection.write((sql) => sql.run(DELETE, [key]));
    },
    async keys(prefix, limit = 1000) {
      const rows = await connection.read((sql) => sql.all(KEYS, [prefix, prefix + LAST, clock.now(), limit]));
      return rows.map(([key]) => String(key));
    },
    change: (changes) => connection.write((sql) => change(sql, path, clock.now(), changes)),
    prune: (options) => connection.write((sql) => pruneCells(sql, options)),
    close,
  };
}
