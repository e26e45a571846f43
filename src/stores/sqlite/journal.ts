/** The journal in SQLite: one row per event, and one row per run, updated at each append so that `list` reads no event. */
import type { Clock } from '../../core/clock.ts';
import { asPolyphonyError } from '../../core/errors.ts';
import type { Processes } from '../../core/processes.ts';
import type { RunEvent, RunFilter } from '../../core/run/engine.ts';
import type { RunJournal } from '../../core/stores.ts';
import { isHeld, type Lease, newLease } from '../leases.ts';
import { progressed, progressOf, type RunProgress } from '../run-progress.ts';
import { takenNumber } from '../taken-number.ts';
import type { Connection } from './connection.ts';
import type { Sql, SqlValue } from './database.ts';
import { leaseOf, termText } from './lease-term.ts';
import { pruneRuns } from './prune-runs.ts';
import { eventOf, RUN_COLUMNS, summaryOf } from './records.ts';

const INSERT_EVENT = 'INSERT INTO events (run_id, event) VALUES (?, ?)';
const FIND_RUN = `SELECT ${RUN_COLUMNS}, last_seq FROM runs WHERE run_id = ?`;
const SAVE_RUN = `INSERT INTO runs (${RUN_COLUMNS}, last_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (run_id) DO UPDATE SET status = excluded.status, goal = excluded.goal, updated_at = excluded.updated_at,
    cost_nano_usd = excluded.cost_nano_usd, total = excluded.total, finished = excluded.finished, last_seq = excluded.last_seq`;
/** What most appends change, without reading the row first; none of these columns is indexed. An unknown cost stays unknown. */
const ADVANCE_RUN = `UPDATE runs SET updated_at = ?, cost_nano_usd = cost_nano_usd + ?, finished = finished + ?, last_seq = ?
  WHERE run_id = ? AND last_seq < ?`;
/** The highest number, because two writers of an earlier release may have written in turns. */
const LAST_SEQ = "SELECT max(json_extract(event, '$.seq')) FROM events WHERE run_id = ?";
const PAGE = 500;
const MEASURE_PAGE = `SELECT count(*), max(id), sum(octet_length(event))
  FROM (SELECT id, event FROM events WHERE run_id = ? AND id > ? ORDER BY id LIMIT ${PAGE})`;
const READ_EACH = 'SELECT event FROM events WHERE run_id = ? AND id > ? AND id <= ? ORDER BY id';
const READ_TOGETHER = `SELECT group_concat(event, char(10)) FROM (${READ_EACH})`;
/** Of a page that is read as one text. */
const MOST_BYTES = 16 * 1024 * 1024;
const FIND_LEASE = 'SELECT owner, until, term FROM leases WHERE run_id = ?';
const SAVE_LEASE = `INSERT INTO leases (run_id, owner, until, term) VALUES (?, ?, ?, ?)
  ON CONFLICT (run_id) DO UPDATE SET owner = excluded.owner, until = excluded.until, term = excluded.term`;
const RELEASE = 'DELETE FROM leases WHERE run_id = ? AND owner = ?';

interface Appended {
  readonly runId: string;
  readonly events: readonly RunEvent[];
  readonly progress: RunProgress;
  /** The number of the last event. */
  readonly last: number;
}

/** @throws store-busy when the run has one of the numbers already; nothing is written then */
function save(sql: Sql, path: string, texts: readonly string[], appended: Appended): void {
  const { runId, events, progress, last } = appended;
  if (!advance(sql, appended)) {
    const row = sql.first(FIND_RUN, [runId]);
    const refusal = takenNumber(runId, row === undefined ? -1 : lastSeqOf(sql, runId, row.at(-1)), events);
    if (refusal !== undefined) throw refusal;
    const after = progressed(runId, row && summaryOf(row, path), progress);
    const { status, goal, startedAt, updatedAt, costNanoUsd, nodes } = after;
    sql.run(SAVE_RUN, [runId, status, goal, startedAt, updatedAt, costNanoUsd, nodes.total, nodes.finished, last]);
  }
  for (const text of texts) sql.run(INSERT_EVENT, [runId, text]);
}

interface Page {
  readonly texts: readonly unknown[];
  readonly lastId: number;
}

/** Reads the events behind an id as one text, line by line: the driver takes half as long again for as many texts. */
function readPage(sql: Sql, runId: string, after: number): Page {
  const [count, last, bytes] = sql.first(MEASURE_PAGE, [runId, after]) ?? [];
  const lastId = Number(last ?? after);
  // Up to that id, because another process may write events between two statements.
  const page = [runId, after, lastId];
  const joined = Number(bytes) > MOST_BYTES ? undefined : sql.first(READ_TOGETHER, page)?.[0];
  const texts = typeof joined === 'string' ? joined.split('\n') : [];
  // Events are written without line breaks. One that has some is damaged, or was changed by hand.
  const isWhole = texts.length === count;
  return { texts: isWhole ? texts : sql.all(READ_EACH, page).flat(), lastId };
}

const lastSeqOf = (sql: Sql, runId: string, known: unknown): number =>
  Number(known ?? sql.first(LAST_SEQ, [runId])?.[0] ?? -1);

/**
 * False when the run is new to the journal, the change is more than its cost and the nodes that ended, or the numbers have to be
 * looked at.
 */
function advance(sql: Sql, { runId, events, progress, last }: Appended): boolean {
  const { status, total, added, settled, updatedAt, costNanoUsd, finished } = progress;
  if (status !== undefined || total !== undefined || added > 0 || settled !== undefined) return false;
  const first = events[0]?.seq ?? last;
  if (takenNumber(runId, first - 1, events) !== undefined) return false;
  return sql.run(ADVANCE_RUN, [updatedAt, costNanoUsd, finished, last, runId, first]).changes === 1;
}

/**
 * Finds runs that a node of another run started, by their first event. There is no column for it, so that files of every
 * release give the same list. The text is searched first, because most plans are long and few contain the word.
 */
const IS_NESTED = `EXISTS (SELECT 1 FROM events
  WHERE id = (SELECT min(id) FROM events WHERE run_id = runs.run_id)
    AND instr(event, '"kind":"nested"') > 0 AND json_extract(event, '$.parent.kind') = 'nested')`;

/** So many summaries fit into one text, whatever their goals are. */
const SHORT_LIST = 100;

function listQuery({ status, limit, nested = false }: RunFilter): readonly [string, readonly SqlValue[]] {
  const conditions = [...(status === undefined ? [] : ['status = ?']), ...(nested ? [] : [`NOT ${IS_NESTED}`])];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const bound = limit === undefined ? '' : 'LIMIT ?';
  const values = [...(status === undefined ? [] : [status]), ...(limit === undefined ? [] : [limit])];
  return [`SELECT ${RUN_COLUMNS} FROM runs ${where} ORDER BY started_at DESC, run_id DESC ${bound}`, values];
}

function claim(sql: Sql, parts: SqliteJournalParts, runId: string, wanted: Lease): boolean {
  const row = sql.first(FIND_LEASE, [runId]);
  const held = row && leaseOf(row, wanted.leaseMs);
  if (held !== undefined && held.owner !== wanted.owner && isHeld(held, parts.clock, parts.processes)) return false;
  sql.run(SAVE_LEASE, [runId, wanted.owner, wanted.until, termText(wanted)]);
  return true;
}

function renew(sql: Sql, runId: string, wanted: Lease): boolean {
  // Whoever had the run since has put its name there, or has removed the row.
  if (sql.first(FIND_LEASE, [runId])?.[0] !== wanted.owner) return false;
  sql.run(SAVE_LEASE, [runId, wanted.owner, wanted.until, termText(wanted)]);
  return true;
}

/** Of leases that do not say it, in milliseconds. */
const LEASE_MS = 10_000;

function isHeldNow(sql: Sql, { clock, processes }: SqliteJournalParts, runId: string): boolean {
  const row = sql.first(FIND_LEASE, [runId]);
  return row !== undefined && isHeld(leaseOf(row, LEASE_MS), clock, processes);
}

export interface SqliteJournalParts {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly close: () => Promise<void>;
}

export function sqliteJournal(connection: Connection, parts: SqliteJournalParts): RunJournal {
  const { clock, close } = parts;
  return {
    async append(runId, events) {
      const progress = progressOf(events);
      if (progress === undefined) return;
      const texts = events.map(eventText);
      const appended = { runId, events, progress, last: events.at(-1)?.seq ?? 0 };
      await connection.write((sql) => save(sql, connection.path, texts, appended));
    },
    async *read(runId) {
      for (let after = 0; ; ) {
        const { texts, lastId } = await connection.read((sql) => readPage(sql, runId, after));
        for (const text of texts) yield eventOf(text, runId, connection.path);
        if (texts.length < PAGE) return;
        after = lastId;
      }
    },
    async list(filter = {}) {
      const [text, values] = listQuery(filter);
      const isShort = filter.limit !== undefined && filter.limit <= SHORT_LIST;
      const rows = await connection.read((sql) => (isShort ? sql.table(text, values) : sql.all(text, values)));
      return rows.map((row) => summaryOf(row, connection.path));
    },
    claim: (runId, owner, leaseMs) =>
      connection.write((sql) => claim(sql, parts, runId, newLease(owner, leaseMs, clock))),
    renew: (runId, owner, leaseMs) => connection.write((sql) => renew(sql, runId, newLease(owner, leaseMs, clock))),
    async release(runId, owner) {
      await connection.write((sql) => sql.run(RELEASE, [runId, owner]));
    },
    held: (runIds) => connection.read((sql) => new Set(runIds.filter((runId) => isHeldNow(sql, parts, runId)))),
    prune: (options) => connection.write((sql) => pruneRuns(sql, options, clock, parts.processes)),
    close,
  };
}

function eventText(event: RunEvent): string {
  try {
    return JSON.stringify(event);
  } catch (error) {
    throw asPolyphonyError(error, 'invalid-output');
  }
}
