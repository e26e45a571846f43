/** Keys, values and counters in SQLite. */
import type { Clock } from '../../core/clock.ts';
import type { CounterChange, CounterResult, KeyValueStore } from '../../core/stores.ts';
import { assertKey, changeCounters, jsonText } from '../counters.ts';
import type { Connection } from './connection.ts';
import type { Sql } from './database.ts';
import { parseStored } from './errors.ts';

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

function change(sql: Sql, path: string, now: number, changes: readonly CounterChange[]): CounterResult {
  const written = new Map<string, number>();
  const result = changeCounters(
    {
      read(key) {
        const own = written.get(key);
        if (own !== undefined) return own;
        const row = sql.first(FIND, [key, now]);
        return row && parseStored(row[0], path);
      },
      write: (key, value) => void written.set(key, value),
      undo: () => written.clear(),
    },
    changes,
  );
  for (const [key, value] of written) sql.run(COUNT, [key, String(value), now]);
  return result;
}

export function sqliteKeyValue(connection: Connection, clock: Clock, close: () => Promise<void>): KeyValueStore {
  const { path } = connection;
  let untilSweep = 1;
  return {
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
    close,
  };
}
