/** The file that a repair writes: what was found in the damaged one, without what cannot be used. */
import type { RunEvent, RunSummary, StoredStatus } from '../../../core/run/engine.ts';
import { progressed, progressOf } from '../../run-progress.ts';
import { isStoredEvent, isStoredRow } from '../../stored-records.ts';
import { type Sql, type SqlValue, sqlOf } from '../database.ts';
import { migrate } from '../schema.ts';
import type { RecordValue } from './record.ts';
import type { FoundRecord } from './tables.ts';

export interface SavedRuns {
  readonly saved: readonly string[];
  /** Some of their events were lost: a resume runs again what those recorded. */
  readonly incomplete: readonly string[];
  readonly lost: readonly string[];
}

export interface NewFile {
  /** Takes the records of one transaction. */
  add(records: readonly FoundRecord[]): void;
  /** Keeps the runs that can be read, and makes their summaries. */
  finishRuns(): SavedRuns;
  count(table: 'ledger' | 'cells'): number;
  readonly lost: { ledgerRows: number; values: number };
  readonly leases: readonly { readonly runId: string; readonly until: number }[];
  close(): void;
}

type Row = readonly SqlValue[];

/** Tables that are made anew from others. */
const DERIVED: ReadonlySet<string> = new Set(['runs', 'leases', 'scopes', 'ledger_scopes']);
const ADD_SCOPE = 'INSERT INTO scopes (kind, name) VALUES (?, ?) ON CONFLICT (kind, name) DO NOTHING';
const ADD_ROW_SCOPE = `INSERT INTO ledger_scopes (scope_id, started_at, ledger_id)
  SELECT id, ?, ? FROM scopes WHERE kind = ? AND name = ? ON CONFLICT (scope_id, started_at, ledger_id) DO NOTHING`;
const RUN_IDS = 'SELECT DISTINCT run_id FROM events WHERE run_id > ? ORDER BY run_id LIMIT 500';
const EVENTS = 'SELECT event FROM events WHERE run_id = ? ORDER BY id';
const SAVE_RUN = `INSERT INTO runs (run_id, status, goal, started_at, updated_at, cost_nano_usd, total, finished)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;

export async function createNewFile(path: string): Promise<NewFile> {
  const { default: Database } = await import('libsql');
  const sql = sqlOf(new Database(path));
  sql.script('PRAGMA synchronous = FULL');
  migrate(sql, path);
  return newFile(sql);
}

function newFile(sql: Sql): NewFile {
  const columns = columnsOf(sql);
  const runs = new Map<string, Partial<RunSummary>>();
  const harmed = new Set<string>();
  const leases: { runId: string; until: number }[] = [];
  const lost = { ledgerRows: 0, values: 0 };
  const insert = (table: string, row: Row): number | undefined => {
    const places = row.map(() => '?').join(', ');
    const { changes, id } = sql.run(`INSERT OR IGNORE INTO ${table} VALUES (${places})`, row);
    return changes === 1 ? id : undefined;
  };
  const take = ({ table, rowId, values }: FoundRecord): void => {
    const name = table ?? guessTable(values);
    const [first, second, third] = values;
    if (name === 'runs' && typeof first === 'string' && STATUSES.has(second)) runs.set(first, summaryOf(values));
    if (name === 'leases' && typeof first === 'string' && typeof third === 'number') {
      leases.push({ runId: first, until: third });
    }
    const width = columns.get(name);
    if (width === undefined || DERIVED.has(name)) return;
    const row = rowOf(values, rowId, width);
    if (name === 'events') {
      if (row !== undefined && isUsableEvent(row)) insert(name, row);
      else if (typeof second === 'string') harmed.add(second);
    } else if (name === 'ledger') addLedgerRow(row);
    else if (row !== undefined && (name !== 'cells' || isUsableCell(row))) insert(name, row);
    else lost.values += 1;
  };
  const addLedgerRow = (row: Row | undefined): void => {
    const ledgerRow = row && parsed(row.findLast((value) => typeof value === 'string'));
    if (row === undefined || !isStoredRow(ledgerRow)) {
      lost.ledgerRows += 1;
      return;
    }
    const id = insert('ledger', row);
    if (id === undefined) return;
    for (const { kind, id: name } of ledgerRow.scopes) {
      sql.run(ADD_SCOPE, [kind, name]);
      sql.run(ADD_ROW_SCOPE, [ledgerRow.startedAt, id, kind, name]);
    }
  };
  return {
    add: (records) => sql.transaction(() => records.forEach(take)),
    finishRuns: () => finishRuns(sql, runs, harmed),
    count: (table) => Number(sql.first(`SELECT count(*) FROM ${table}`)?.[0]),
    lost,
    leases,
    close: () => sql.close(),
  };
}

/** The number of columns of each table of this release. */
function columnsOf(sql: Sql): ReadonlyMap<string, number> {
  const rows = sql.all(
    "SELECT m.name, count(*) FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' GROUP BY m.name",
  );
  return new Map(rows.map(([name, columns]) => [String(name), Number(columns)]));
}

/** The values as they are inserted; undefined when one is damaged. Columns that a later release added are null. */
function rowOf(values: readonly RecordValue[], rowId: number, width: number): Row | undefined {
  const row: SqlValue[] = [];
  for (const value of values.slice(0, width)) {
    if (typeof value === 'object' && value !== null) return undefined;
    row.push(value);
  }
  // SQLite stores null for a column that is the number of the row.
  if (row[0] === null) row[0] = rowId;
  while (row.length < width) row.push(null);
  return row;
}

/** What a record on a page without a table is, by its values. */
function guessTable(values: readonly RecordValue[]): string {
  const [first, second, third] = values;
  const isNumbered = first === null;
  if (values.length === 3 && isNumbered && typeof third === 'string' && third.startsWith('{')) return 'events';
  if (values.length === 3 && typeof first === 'string' && (third === null || typeof third === 'number')) return 'cells';
  if (values.length >= 11 && isNumbered && isStoredRow(parsed(values.findLast(isText)))) return 'ledger';
  if (values.length >= 8 && STATUSES.has(second)) return 'runs';
  return '';
}

const isText = (value: unknown): value is string => typeof value === 'string';
const STATUSES: ReadonlySet<unknown> = new Set<StoredStatus>(['running', 'suspended', 'done', 'failed', 'cancelled']);

function parsed(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isUsableEvent = ([, runId, text]: Row): boolean =>
  typeof runId === 'string' && isStoredEvent(parsed(text), runId);

const isUsableCell = ([key, text, until]: Row): boolean =>
  typeof key === 'string' && parsed(text) !== undefined && (until === null || typeof until === 'number');

function summaryOf([, status, , , updatedAt, , total, finished]: readonly RecordValue[]): Partial<RunSummary> {
  return {
    ...(STATUSES.has(status) ? { status: status as StoredStatus } : {}),
    ...(typeof updatedAt === 'number' ? { updatedAt } : {}),
    ...(typeof total === 'number' && typeof finished === 'number' ? { nodes: { total, finished } } : {}),
  };
}

/** A summary that was saved tells whether events of its run are missing. */
function differs(events: RunSummary, saved: Partial<RunSummary> | undefined): boolean {
  if (saved === undefined) return false;
  const { status = events.status, updatedAt = events.updatedAt, nodes = events.nodes } = saved;
  const { total, finished } = events.nodes;
  return (
    status !== events.status || updatedAt !== events.updatedAt || total !== nodes.total || finished !== nodes.finished
  );
}

function finishRuns(sql: Sql, summaries: ReadonlyMap<string, Partial<RunSummary>>, harmed: Set<string>): SavedRuns {
  const found = { saved: [] as string[], incomplete: [] as string[], lost: [] as string[] };
  const known = new Set<string>();
  const finish = (runId: string): void => {
    known.add(runId);
    const events = sql.all(EVENTS, [runId]).map(([text]) => parsed(text) as RunEvent);
    const progress = progressOf(events);
    if (progress === undefined || events[0]?.type !== 'run-started') {
      sql.run('DELETE FROM events WHERE run_id = ?', [runId]);
      found.lost.push(runId);
      return;
    }
    const summary = progressed(runId, undefined, progress);
    const { status, goal, startedAt, updatedAt, costNanoUsd, nodes } = summary;
    sql.run(SAVE_RUN, [runId, status, goal, startedAt, updatedAt, costNanoUsd, nodes.total, nodes.finished]);
    const isWhole = !harmed.has(runId) && !differs(summary, summaries.get(runId));
    (isWhole ? found.saved : found.incomplete).push(runId);
  };
  for (let last = ''; ; ) {
    const ids = sql.all(RUN_IDS, [last]).map(([runId]) => String(runId));
    sql.transaction(() => ids.forEach(finish));
    if (ids.length < 500) break;
    last = ids.at(-1) ?? last;
  }
  for (const runId of [...summaries.keys(), ...harmed]) if (!known.has(runId)) found.lost.push(runId);
  return { ...found, lost: [...new Set(found.lost)] };
}
