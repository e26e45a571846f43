/** Threads in SQLite: their entries, summaries, and what each reader has seen. */
import type { Clock } from '../../../core/clock.ts';
import {
  THREAD_READ_BYTES,
  type ThreadEntry,
  type ThreadStore,
  type ThreadView,
} from '../../../core/stores/threads.ts';
import { assertKey } from '../../counters.ts';
import type { Connection } from '../connection.ts';
import type { Sql, SqlRow } from '../database.ts';
import { pruneThreads } from './prune-threads.ts';

const ENTRY = 'seq, writer, at, question, answer';
const SEEN = 'SELECT seen, folded FROM thread_readers WHERE thread = ? AND reader = ?';
const SEE = 'INSERT INTO thread_readers (thread, reader, seen, folded, at) VALUES (?, ?, ?, ?, ?)';
const FOLD = 'UPDATE thread_readers SET folded = ? WHERE thread = ? AND reader = ?';
const NEWEST = 'SELECT max(seq) FROM thread_entries WHERE thread = ?';
const LAST_SUMMARY = 'SELECT max(up_to) FROM thread_summaries WHERE thread = ?';
const SUMMARY = 'SELECT summary FROM thread_summaries WHERE thread = ? AND up_to = ?';
const KEEP_SUMMARY = `INSERT INTO thread_summaries (thread, up_to, summary, at) VALUES (?, ?, ?, ?)
  ON CONFLICT (thread, up_to) DO NOTHING`;
const ENTRIES = `SELECT ${ENTRY} FROM thread_entries WHERE thread = ? AND seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?`;
const SIZES = `SELECT seq, length(CAST(question AS BLOB)) + length(CAST(answer AS BLOB)) FROM thread_entries
  WHERE thread = ? AND seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?`;
const APPEND = `INSERT INTO thread_entries (thread, seq, writer, at, question, answer) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (thread, writer) DO UPDATE SET at = excluded.at, question = excluded.question, answer = excluded.answer`;
const LIST = `SELECT thread, count(*), max(at) FROM thread_entries GROUP BY thread
  ORDER BY max(at) DESC, thread LIMIT ?`;
const TABLES = ['thread_entries', 'thread_summaries', 'thread_readers'] as const;

interface Mark {
  /** The last entry that is seen. */
  readonly seen: number;
  /** The last one that the summary tells. 0: there is no summary. */
  readonly folded: number;
}

function markOf(sql: Sql, key: string, reader: string | undefined): Mark | undefined {
  const row = reader === undefined ? undefined : sql.first(SEEN, [key, reader]);
  return row && { seen: Number(row[0]), folded: Number(row[1]) };
}

function viewOf(sql: Sql, key: string, mark: Mark, most: number, mostBytes?: number): ThreadView {
  const { seen, folded } = mark;
  const after = mostBytes === undefined ? folded : leftOut(sql, key, mark, most, mostBytes);
  const rows = sql.all(ENTRIES, [key, after, seen, most]);
  const entries = rows.map(entryOf).reverse();
  const summary = folded === 0 ? undefined : sql.first(SUMMARY, [key, folded])?.[0];
  return summary === undefined ? { entries } : { entries, summary: String(summary) };
}

/** The last entry that is not shown: it has no room any more, or the summary tells it. */
function leftOut(sql: Sql, key: string, { seen, folded }: Mark, most: number, mostBytes: number): number {
  let left = mostBytes;
  for (const [seq, bytes] of sql.all(SIZES, [key, folded, seen, most])) {
    left -= Number(bytes);
    if (left < 0) return Number(seq);
  }
  return folded;
}

const entryOf = ([seq, writer, at, question, answer]: SqlRow): ThreadEntry => ({
  seq: Number(seq),
  writer: String(writer),
  at: Number(at),
  question: String(question),
  answer: String(answer),
});

const newest = (sql: Sql, key: string): Mark => ({
  seen: Number(sql.first(NEWEST, [key])?.[0] ?? 0),
  folded: Number(sql.first(LAST_SUMMARY, [key])?.[0] ?? 0),
});

function deleteThread(sql: Sql, key: string): boolean {
  let changes = 0;
  for (const table of TABLES) changes += sql.run(`DELETE FROM ${table} WHERE thread = ?`, [key]).changes;
  return changes > 0;
}

export function sqliteThreads(connection: Connection, clock: Clock, close: () => Promise<void>): ThreadStore {
  return {
    async open({ key, reader, like, most, mostBytes }) {
      assertKey(key);
      return connection.write((sql) => {
        const known = markOf(sql, key, reader);
        const mark = known ?? markOf(sql, key, like) ?? newest(sql, key);
        if (known === undefined) sql.run(SEE, [key, reader, mark.seen, mark.folded, clock.now()]);
        return viewOf(sql, key, mark, most, mostBytes);
      });
    },
    async append({ key, writer, question, answer }) {
      assertKey(key);
      const texts = [question.toWellFormed(), answer.toWellFormed()];
      await connection.write((sql) => {
        const seq = Number(sql.first(NEWEST, [key])?.[0] ?? 0) + 1;
        sql.run(APPEND, [key, seq, writer, clock.now(), ...texts]);
      });
    },
    async summarise({ key, reader, upTo, summary }) {
      assertKey(key);
      return connection.write((sql) => {
        sql.run(KEEP_SUMMARY, [key, upTo, summary.toWellFormed(), clock.now()]);
        sql.run(FOLD, [upTo, key, reader]);
        return String(sql.first(SUMMARY, [key, upTo])?.[0]);
      });
    },
    async list(limit = 100) {
      const rows = await connection.read((sql) => sql.all(LIST, [limit]));
      return rows.map(([key, entries, at]) => ({ key: String(key), entries: Number(entries), updatedAt: Number(at) }));
    },
    async read(key, limit = 1000, mostBytes = THREAD_READ_BYTES) {
      assertKey(key);
      return connection.read((sql) =>
        sql.snapshot(() => {
          const { seen, folded } = newest(sql, key);
          if (seen === 0) return undefined;
          const { entries } = viewOf(sql, key, { seen, folded: 0 }, limit, mostBytes);
          const { summary } = viewOf(sql, key, { seen, folded }, 0);
          return summary === undefined ? { entries } : { entries, summary };
        }),
      );
    },
    async delete(key) {
      assertKey(key);
      return connection.write((sql) => deleteThread(sql, key));
    },
    prune: (options) => connection.write((sql) => pruneThreads(sql, options, deleteThread)),
    close,
  };
}
