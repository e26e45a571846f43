/**
 * One connection to one SQLite file, shared by the three stores.
 *
 * 1. Writes of the same turn of the event loop share one IMMEDIATE transaction. A write resolves when it is committed.
 * 2. The database is synchronous, so nothing runs between two statements of a transaction, and no statement stays open
 *    over an await.
 * 3. Another process's lock blocks the event loop for at most 5 ms; the rest of the wait uses the clock.
 * 4. When a write breaks a transaction, each write of its group is tried again separately, so that only that one fails.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ceilingMs } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import { sleep } from '../../system/clock.ts';
import { makeStoreFolder } from '../../system/make-folder.ts';
import { type Sql, sqlOf } from './database.ts';
import { loadDriver } from './driver.ts';
import { busyError, checkError, closedError, corruptError, isBusy, storeError } from './errors.ts';
import { isOnlyReadable, type OpenedFile, openForReading } from './read-only.ts';
import { migrate } from './schema.ts';

export interface Connection {
  readonly path: string;
  /** Joins the next transaction. `work` must check before it writes: a PolyphonyError that it throws rolls nothing back. */
  write<T>(work: (sql: Sql) => T): Promise<T>;
  read<T>(work: (sql: Sql) => T): Promise<T>;
  /** Whether writes can succeed: false for a file that was opened for reading alone. */
  mayWrite(): Promise<boolean>;
  /** Makes the file as small as what is in it. Blocks this process and other writers meanwhile. */
  compact(): Promise<void>;
  /** Commits the waiting writes, then closes. */
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly powerSafe: boolean;
  readonly busyMs: number;
  readonly maximumBytes: number | undefined;
  /** A file that this process may not write is opened for reading alone. @default false */
  readonly mayOnlyRead?: boolean;
  /** Called once with the opened file. What it throws does not keep the file from being used. @default nothing */
  readonly opened?: (sql: Sql) => void;
}

interface Job {
  readonly work: (sql: Sql) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: PolyphonyError) => void;
}
type Outcome = { readonly value: unknown } | { readonly error: PolyphonyError };

/** The most writes per transaction: it blocks the event loop while it runs, for about 5 ms at this size. */
const GROUP = 500;
const PAGE_BYTES = 4096;
/** The log is copied into the file when it has so many pages, 16 MB: a page that many commits have changed is then copied once. */
const LOG_PAGES = 4000;
const SMALLEST_PAGE_BYTES = 512;
/** Files up to this size are checked when they are opened, which takes about 1.5 ms per MiB; `doctor` checks larger ones. */
const CHECKED_BYTES = 16 * 1024 * 1024;

/** Opens the file at the first read or write. */
export function connect(options: ConnectionOptions): Connection {
  const { path } = options;
  const queue: Job[] = [];
  let opening: Promise<OpenedFile> | undefined;
  let committing: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  const opened = (): Promise<OpenedFile> => {
    opening ??= open(options).catch((error: unknown) => {
      opening = undefined;
      throw storeError(error, path);
    });
    return opening;
  };
  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await commit(options, async () => (await opened()).sql, queue.splice(0, GROUP));
    }
    committing = undefined;
  };
  const close = async (): Promise<void> => {
    await committing;
    if (opening !== undefined) (await opening).sql.close();
  };
  return {
    path,
    write<T>(work: (sql: Sql) => T) {
      if (closing !== undefined) return Promise.reject(closedError(path));
      return new Promise<T>((resolve, reject) => {
        queue.push({ work, resolve: (value) => resolve(value as T), reject });
        committing ??= drain();
      });
    },
    async read(work) {
      if (closing !== undefined) throw closedError(path);
      const { sql, assertUnchanged } = await opened();
      const found = await retryWhileBusy(options, () => work(sql));
      await assertUnchanged?.();
      return found;
    },
    mayWrite: async () => !(await opened()).isReadOnly,
    async compact() {
      if (closing !== undefined) throw closedError(path);
      await committing;
      const { sql } = await opened();
      await retryWhileBusy(options, () => sql.script('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'));
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

async function commit(options: ConnectionOptions, opened: () => Promise<Sql>, jobs: readonly Job[]): Promise<void> {
  try {
    await commitTogether(options, await opened(), jobs);
  } catch (error) {
    const ours = storeError(error, options.path);
    for (const job of jobs) job.reject(ours);
  }
}

async function commitTogether(options: ConnectionOptions, sql: Sql, jobs: readonly Job[]): Promise<void> {
  try {
    const outcomes = await retryWhileBusy(options, () => sql.transaction(() => jobs.map((job) => attempt(job, sql))));
    for (const [index, outcome] of outcomes.entries()) {
      if ('error' in outcome) jobs[index]?.reject(outcome.error);
      else jobs[index]?.resolve(outcome.value);
    }
  } catch (error) {
    const ours = storeError(error, options.path);
    if (jobs.length === 1 || ours.code === 'store-busy') for (const job of jobs) job.reject(ours);
    else for (const job of jobs) await commitTogether(options, sql, [job]);
  }
}

function attempt(job: Job, sql: Sql): Outcome {
  try {
    return { value: job.work(sql) };
  } catch (error) {
    if (error instanceof PolyphonyError) return { error };
    throw error;
  }
}

const MAX_DELAY_MS = 50;

/** Tries again while another process holds the lock, for at most `busyMs`. */
async function retryWhileBusy<T>({ path, clock, busyMs }: ConnectionOptions, work: () => T): Promise<T> {
  const start = clock.monotonic();
  for (let failures = 1; ; failures += 1) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw storeError(error, path);
      const waited = clock.monotonic() - start;
      if (waited >= busyMs) throw busyError(path, waited, error);
      await sleep(clock, ceilingMs(failures, 1, MAX_DELAY_MS));
    }
  }
}

async function open(options: ConnectionOptions): Promise<OpenedFile> {
  const { path } = options;
  if (options.mayOnlyRead !== true || !(await isOnlyReadable(path)))
    return { sql: await openForWriting(options), isReadOnly: false };
  const bytes = await refuseOther(path);
  const opened = await openForReading(path);
  try {
    if (bytes <= CHECKED_BYTES) await retryWhileBusy(options, () => refuseDamaged(opened.sql, path));
    await opened.assertUnchanged?.();
    return opened;
  } catch (error) {
    opened.sql.close();
    throw error;
  }
}

async function openForWriting(options: ConnectionOptions): Promise<Sql> {
  const { path, powerSafe, maximumBytes } = options;
  await makeStoreFolder(dirname(path));
  const bytes = await refuseOther(path);
  const Database = await loadDriver();
  const sql = await retryWhileBusy(options, () => sqlOf(new Database(path)));
  try {
    // A killed process loses nothing either way; NORMAL skips the disk flush at every commit.
    sql.script('PRAGMA busy_timeout = 5; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF');
    await retryWhileBusy(options, () => sql.script('PRAGMA journal_mode = WAL'));
    sql.script(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    sql.script(`PRAGMA synchronous = ${powerSafe ? 'FULL' : 'NORMAL'}`);
    if (maximumBytes !== undefined) {
      sql.script(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maximumBytes / PAGE_BYTES))}`);
    }
    await retryWhileBusy(options, () => migrate(sql, path));
    if (bytes <= CHECKED_BYTES) await retryWhileBusy(options, () => refuseDamaged(sql, path));
    await retryWhileBusy(options, () => options.opened?.(sql)).catch(() => undefined);
    return sql;
  } catch (error) {
    sql.close();
    throw error;
  }
}

/** SQLite treats a one-byte file as an empty database and would overwrite it, and it accepts any device. @returns its size */
async function refuseOther(path: string): Promise<number> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) return 0;
  if (!file.isFile()) {
    const message = `The store ${path} is not a file: choose the path of a file, which is created when it is missing.`;
    throw new PolyphonyError('invalid-config', message);
  }
  if (file.size > 0 && file.size < SMALLEST_PAGE_BYTES) throw corruptError(path, `${file.size} bytes`);
  return file.size;
}

/**
 * Follows every page and every index once. Without it, a damaged index leaves rows out in silence, and a page that points to
 * itself can keep a statement busy for hours.
 */
function refuseDamaged(sql: Sql, path: string): void {
  const found = sql.first('SELECT integrity_check FROM pragma_integrity_check(1)')?.[0];
  if (found !== 'ok') throw checkError(path, found);
}
