/**
 * The tables, one migration per version. They use only features that PostgreSQL has too: TEXT ids, integers for epoch
 * milliseconds and nano-dollars, JSON as text, ON CONFLICT. The words of passages are the exception: each engine has a search of
 * its own.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type { Sql } from './database.ts';

/** "poly" in ASCII, which distinguishes these files from those of other programs. */
const APPLICATION_ID = 0x706f6c79;

const SUMS = ['attempts', 'errors', 'input_tokens', 'output_tokens', 'cost_nano_usd', 'unpriced', 'uncertain'];

/** What a change of `ledger_days` adds to the sums over it. The month is a number such as 202603. */
function sumTriggers(): string {
  const more = SUMS.map((name) => `${name} = ${name} + excluded.${name}`).join(', ');
  const month = (row: string): string => `CAST(strftime('%Y%m', ${row}.day * 86400, 'unixepoch') AS INTEGER)`;
  const model = (row: string): string =>
    `(SELECT id FROM ledger_models WHERE provider = ${row}.provider AND model = ${row}.model)`;
  const add = (row: string, change: (name: string) => string): string => `
    INSERT INTO ledger_day_totals VALUES (
      ${row}.day, ${row}.provider, ${row}.model, ${row}.purpose, ${row}.outcome, ${SUMS.map(change).join(', ')})
      ON CONFLICT (day, provider, model, purpose, outcome) DO UPDATE SET ${more};
    INSERT INTO ledger_months VALUES (${month(row)}, ${row}.payers_id, ${model(row)}, ${SUMS.map(change).join(', ')})
      ON CONFLICT (month, payers_id, model_id) DO UPDATE SET ${more};`;
  return `
  CREATE TRIGGER ledger_sum_new AFTER INSERT ON ledger_days BEGIN
    INSERT INTO ledger_models (provider, model) VALUES (NEW.provider, NEW.model) ON CONFLICT DO NOTHING;
    ${add('NEW', (name) => `NEW.${name}`)}
  END;
  CREATE TRIGGER ledger_sum_changed AFTER UPDATE ON ledger_days BEGIN
    ${add('NEW', (name) => `NEW.${name} - OLD.${name}`)}
  END;
  CREATE TRIGGER ledger_sum_removed AFTER DELETE ON ledger_days BEGIN
    ${add('OLD', (name) => `-OLD.${name}`)}
    DELETE FROM ledger_day_totals WHERE day = OLD.day AND provider = OLD.provider AND model = OLD.model
      AND purpose = OLD.purpose AND outcome = OLD.outcome AND attempts = 0;
    DELETE FROM ledger_months WHERE month = ${month('OLD')} AND payers_id = OLD.payers_id AND model_id = ${model('OLD')}
      AND attempts = 0;
  END;`;
}

/** Marks the hour of a row that is in its sums: it is summed anew before it is read. */
const changedHour = (change: string): string => `
  CREATE TRIGGER ledger_hour_${change.toLowerCase()} AFTER ${change} ON ledger
    WHEN OLD.id <= (SELECT up_to FROM ledger_hours_summed) BEGIN
    INSERT OR IGNORE INTO ledger_changed_hours (hour) VALUES (CAST(OLD.started_at / 3600000 AS INTEGER));
  END;`;

/** Marks the part of a row that is in one: it is made anew before it is read. */
const changedPart = (change: string): string => `
  CREATE TRIGGER ledger_part_${change.toLowerCase()} AFTER ${change} ON ledger
    WHEN OLD.id <= (SELECT up_to FROM ledger_parts_summed) BEGIN
    INSERT OR IGNORE INTO ledger_changed_parts (part) VALUES ((OLD.id - 1) / 256);
  END;`;

const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, status TEXT NOT NULL, goal TEXT NOT NULL, started_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, cost_nano_usd INTEGER, total INTEGER NOT NULL, finished INTEGER NOT NULL);
  CREATE INDEX runs_by_start ON runs (started_at, run_id);
  CREATE INDEX runs_by_status ON runs (status, started_at, run_id);
  CREATE TABLE events (id INTEGER PRIMARY KEY, run_id TEXT NOT NULL, event TEXT NOT NULL);
  CREATE INDEX events_by_run ON events (run_id, id);
  CREATE TABLE leases (run_id TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL);
  CREATE TABLE ledger (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, started_at INTEGER NOT NULL, provider TEXT NOT NULL,
    model TEXT NOT NULL, purpose TEXT NOT NULL, outcome TEXT NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, cost_nano_usd INTEGER, row TEXT NOT NULL);
  CREATE INDEX ledger_by_start ON ledger (started_at, id);
  CREATE INDEX ledger_by_provider ON ledger (provider, started_at, id);
  CREATE TABLE scopes (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (kind, name));
  CREATE TABLE ledger_scopes (
    scope_id INTEGER NOT NULL, started_at INTEGER NOT NULL, ledger_id INTEGER NOT NULL,
    PRIMARY KEY (scope_id, started_at, ledger_id)) WITHOUT ROWID;
  CREATE TABLE cells (key TEXT PRIMARY KEY, value TEXT NOT NULL, until INTEGER);
  CREATE INDEX cells_by_expiry ON cells (until) WHERE until IS NOT NULL;
  `,
  // Columns and tables are only added, so that a program of an earlier release that has the file open can go on.
  `
  ALTER TABLE leases ADD COLUMN term TEXT;
  ALTER TABLE ledger ADD COLUMN uncertain INTEGER;
  CREATE INDEX ledger_uncertain ON ledger (started_at, id) WHERE uncertain = 1;
  CREATE TABLE owners (
    owner TEXT PRIMARY KEY, process TEXT NOT NULL, until INTEGER NOT NULL, term TEXT NOT NULL, recovered INTEGER NOT NULL);
  CREATE TABLE attempts (
    owner TEXT NOT NULL, number INTEGER NOT NULL, sent INTEGER NOT NULL, held_nano_usd INTEGER NOT NULL,
    counters TEXT NOT NULL, row TEXT NOT NULL, PRIMARY KEY (owner, number)) WITHOUT ROWID;
  CREATE TABLE settled (owner TEXT NOT NULL, number INTEGER NOT NULL, ending TEXT NOT NULL, PRIMARY KEY (owner, number))
    WITHOUT ROWID;
  `,
  // The number of the last event, null where an earlier release wrote the run: it is then read from the events. No index makes
  // numbers unique, because a file of an earlier release may hold one twice.
  `
  ALTER TABLE runs ADD COLUMN last_seq INTEGER;
  `,
  // A thread is deleted with what its readers have seen, so that a number that is given again is later than all that is left of it.
  `
  CREATE TABLE thread_entries (
    thread TEXT NOT NULL, seq INTEGER NOT NULL, writer TEXT NOT NULL, at INTEGER NOT NULL, question TEXT NOT NULL,
    answer TEXT NOT NULL, PRIMARY KEY (thread, seq), UNIQUE (thread, writer)) WITHOUT ROWID;
  CREATE TABLE thread_summaries (
    thread TEXT NOT NULL, up_to INTEGER NOT NULL, summary TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (thread, up_to))
    WITHOUT ROWID;
  CREATE TABLE thread_readers (
    thread TEXT NOT NULL, reader TEXT NOT NULL, seen INTEGER NOT NULL, folded INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (thread, reader)) WITHOUT ROWID;
  `,
  // Passages are made of files, so a repair makes them anew. A vector belongs to a text, wherever that stands.
  `
  CREATE TABLE passage_indexes (
    name TEXT PRIMARY KEY, used_at INTEGER NOT NULL, passages INTEGER NOT NULL, bytes INTEGER NOT NULL);
  CREATE TABLE passage_sources (
    name TEXT NOT NULL, source TEXT NOT NULL, digest TEXT NOT NULL, passages INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (name, source)) WITHOUT ROWID;
  CREATE TABLE passages (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, source TEXT NOT NULL, number INTEGER NOT NULL, key TEXT NOT NULL,
    text TEXT NOT NULL, start_at INTEGER NOT NULL, end_at INTEGER NOT NULL, line INTEGER NOT NULL, end_line INTEGER NOT NULL,
    heading TEXT);
  CREATE INDEX passages_by_source ON passages (name, source, number);
  CREATE INDEX passages_by_key ON passages (key, name);
  CREATE VIRTUAL TABLE passage_words USING fts5 (words, content='', contentless_delete=1, tokenize="ascii tokenchars '_'");
  CREATE TABLE passage_vectors (
    key TEXT NOT NULL, model TEXT NOT NULL, length INTEGER NOT NULL, made_at INTEGER NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (key, model));
  CREATE INDEX passage_vectors_by_age ON passage_vectors (made_at, key, model, length);
  `,
  // Sums of the ledger by day, for its rows up to an id. The triggers also hold for a program of an earlier
  // release that has the file open. An id is given again once the rows with the highest ids are removed.
  `
  CREATE TABLE ledger_payers (id INTEGER PRIMARY KEY, scopes TEXT NOT NULL UNIQUE);
  CREATE TABLE ledger_payer_scopes (
    payers_id INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (payers_id, kind, name)) WITHOUT ROWID;
  CREATE INDEX ledger_payers_by_scope ON ledger_payer_scopes (kind, name, payers_id);
  CREATE TABLE ledger_days (
    day INTEGER NOT NULL, payers_id INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, purpose TEXT NOT NULL,
    outcome TEXT NOT NULL, attempts INTEGER NOT NULL, errors INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, cost_nano_usd INTEGER NOT NULL, unpriced INTEGER NOT NULL, uncertain INTEGER NOT NULL,
    PRIMARY KEY (day, payers_id, provider, model, purpose, outcome)) WITHOUT ROWID;
  CREATE TABLE ledger_summed (one INTEGER PRIMARY KEY, up_to INTEGER NOT NULL);
  INSERT INTO ledger_summed (one, up_to) VALUES (1, 0);
  CREATE TABLE ledger_changed_days (day INTEGER PRIMARY KEY);
  CREATE TRIGGER ledger_row_changed AFTER UPDATE ON ledger WHEN OLD.id <= (SELECT up_to FROM ledger_summed) BEGIN
    INSERT OR IGNORE INTO ledger_changed_days (day) VALUES (CAST(OLD.started_at / 86400000 AS INTEGER));
  END;
  CREATE TRIGGER ledger_row_removed AFTER DELETE ON ledger WHEN OLD.id <= (SELECT up_to FROM ledger_summed) BEGIN
    INSERT OR IGNORE INTO ledger_changed_days (day) VALUES (CAST(OLD.started_at / 86400000 AS INTEGER));
  END;
  CREATE TRIGGER ledger_id_free AFTER DELETE ON ledger BEGIN
    UPDATE ledger_summed SET up_to = coalesce((SELECT max(id) FROM ledger), 0)
      WHERE up_to > coalesce((SELECT max(id) FROM ledger), 0);
  END;
  `,
  // Sums of these sums: by day whoever paid, and by month whatever for. They follow `ledger_days` by triggers, so that a program that
  // knows nothing of them keeps them right too. What was summed before is summed again, part by part, when it is asked for.
  `
  DELETE FROM ledger_days;
  DELETE FROM ledger_changed_days;
  UPDATE ledger_summed SET up_to = 0;
  CREATE TABLE ledger_day_totals (
    day INTEGER NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, purpose TEXT NOT NULL, outcome TEXT NOT NULL,
    attempts INTEGER NOT NULL, errors INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL, unpriced INTEGER NOT NULL, uncertain INTEGER NOT NULL,
    PRIMARY KEY (day, provider, model, purpose, outcome)) WITHOUT ROWID;
  CREATE TABLE ledger_models (id INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, UNIQUE (provider, model));
  CREATE TABLE ledger_months (
    month INTEGER NOT NULL, payers_id INTEGER NOT NULL, model_id INTEGER NOT NULL, attempts INTEGER NOT NULL,
    errors INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano_usd INTEGER NOT NULL,
    unpriced INTEGER NOT NULL, uncertain INTEGER NOT NULL, PRIMARY KEY (month, payers_id, model_id)) WITHOUT ROWID;
  ${sumTriggers()}
  `,
  // Sums of the ledger by hour, as bytes: see totals/hour-sums.ts. Those by day are emptied, without their triggers, because nothing reads
  // them but a program of an earlier release that has the file open: it sums again what it is asked for. So are the sets of payers, in which
  // those releases left the names of whoever was removed.
  `
  ${['new', 'changed', 'removed'].map((event) => `DROP TRIGGER ledger_sum_${event};`).join(' ')}
  ${['days', 'day_totals', 'months', 'changed_days', 'payers', 'payer_scopes'].map((table) => `DELETE FROM ledger_${table};`).join(' ')}
  UPDATE ledger_summed SET up_to = 0;
  ${sumTriggers()}
  CREATE TABLE ledger_labels (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, purpose TEXT NOT NULL, outcome TEXT NOT NULL,
    UNIQUE (provider, model, purpose, outcome));
  CREATE TABLE ledger_hours (place INTEGER PRIMARY KEY, entries BLOB NOT NULL);
  CREATE TABLE ledger_hours_summed (one INTEGER PRIMARY KEY, up_to INTEGER NOT NULL);
  INSERT INTO ledger_hours_summed (one, up_to) VALUES (1, 0);
  CREATE TABLE ledger_changed_hours (hour INTEGER PRIMARY KEY);
  ${['UPDATE', 'DELETE'].map(changedHour).join('')}
  CREATE TRIGGER ledger_hours_id_free AFTER DELETE ON ledger BEGIN
    UPDATE ledger_hours_summed SET up_to = coalesce((SELECT max(id) FROM ledger), 0)
      WHERE up_to > coalesce((SELECT max(id) FROM ledger), 0);
  END;
  `,
  // Parts of the ledger as bytes, of 256 ids each: see totals/parts.ts. The sums by hour are emptied, because nothing reads them but a
  // program of an earlier release that has the file open: it sums again what it is asked for.
  `
  DELETE FROM ledger_hours;
  DELETE FROM ledger_changed_hours;
  UPDATE ledger_hours_summed SET up_to = 0;
  CREATE TABLE ledger_parts (
    part INTEGER PRIMARY KEY, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, sums BLOB NOT NULL, each_row BLOB NOT NULL);
  CREATE INDEX ledger_parts_by_time ON ledger_parts (last_at, first_at);
  CREATE TABLE ledger_parts_summed (one INTEGER PRIMARY KEY, up_to INTEGER NOT NULL);
  INSERT INTO ledger_parts_summed (one, up_to) VALUES (1, 0);
  CREATE TABLE ledger_changed_parts (part INTEGER PRIMARY KEY);
  ${['UPDATE', 'DELETE'].map(changedPart).join('')}
  CREATE TRIGGER ledger_parts_id_free AFTER DELETE ON ledger WHEN OLD.id > coalesce((SELECT max(id) FROM ledger), 0) BEGIN
    UPDATE ledger_parts_summed SET up_to = coalesce((SELECT max(id) FROM ledger), 0) / 256 * 256
      WHERE up_to > coalesce((SELECT max(id) FROM ledger), 0);
    DELETE FROM ledger_parts WHERE part >= coalesce((SELECT max(id) FROM ledger), 0) / 256;
  END;
  `,
];

/** The version of the schema that this release writes. */
const SCHEMA_VERSION = MIGRATIONS.length;

function integer(sql: Sql, pragma: string): number {
  return Number(sql.first(`PRAGMA ${pragma}`)?.[0] ?? 0);
}

/**
 * Migrates the file to this release's schema. A second process that does so at the same time waits and finds it done.
 *
 * @throws store-newer when a later release wrote the file, invalid-config when another program did
 */
export function migrate(sql: Sql, path: string): void {
  if (integer(sql, 'user_version') === SCHEMA_VERSION && integer(sql, 'application_id') === APPLICATION_ID) return;
  sql.transaction(() => {
    const version = integer(sql, 'user_version');
    refuseForeign(sql, path, version);
    if (version > SCHEMA_VERSION) throw newerError(path, version);
    for (const migration of MIGRATIONS.slice(version)) sql.script(migration);
    sql.script(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
  });
}

/** For a file that may only be read. @throws store-newer, and invalid-config where it would have to be migrated or is no store */
export function assertCurrent(sql: Sql, path: string): void {
  const version = integer(sql, 'user_version');
  refuseForeign(sql, path, version);
  if (version > SCHEMA_VERSION) throw newerError(path, version);
  if (version === SCHEMA_VERSION) return;
  const message = `The store ${path} has schema version ${version}, which this release has to bring to version ${SCHEMA_VERSION} before it can read it: run any command over it once as a user who may write it.`;
  throw new PolyphonyError('invalid-config', message, { details: { version, known: SCHEMA_VERSION } });
}

function refuseForeign(sql: Sql, path: string, version: number): void {
  if (integer(sql, 'application_id') === APPLICATION_ID) return;
  const tables = Number(sql.first('SELECT count(*) FROM sqlite_master')?.[0]);
  if (version === 0 && tables === 0) return;
  const message = `The file ${path} is an SQLite database of another program: choose another path for the store.`;
  throw new PolyphonyError('invalid-config', message, { details: { foreign: true } });
}

function newerError(path: string, version: number): PolyphonyError {
  const message = `The store ${path} has schema version ${version}, but this release supports at most version ${SCHEMA_VERSION}: use the newer release that wrote it, or another path. Nothing was changed.`;
  return new PolyphonyError('store-newer', message, { details: { version, known: SCHEMA_VERSION } });
}
