/** Stores in one SQLite file, which survives the process. Several processes may use it at the same time. */

import { resolve } from 'node:path';
import {
  assertKnownFields,
  BOOLEAN,
  CALLBACK,
  CLOCK,
  COUNT,
  type KnownFields,
  OBJECT,
} from '../core/checked-options.ts';
import type { Clock } from '../core/clock.ts';
import { PolyphonyError } from '../core/errors.ts';
import type { Processes } from '../core/processes.ts';
import type { PassageBounds } from '../core/stores/passages.ts';
import type { Stores } from '../core/stores.ts';
import { guardedListener } from '../core/user-code/guarded-listener.ts';
import { nearest } from '../language/suggest.ts';
import { systemClock } from '../system/clock.ts';
import { systemProcesses } from '../system/processes.ts';
import { recoverAtOpening, sqliteAttempts } from './sqlite/attempts/attempts.ts';
import { connect } from './sqlite/connection.ts';
import type { Sql } from './sqlite/database.ts';
import { sqliteJournal } from './sqlite/journal.ts';
import { sqliteKeyValue } from './sqlite/key-value.ts';
import { sqliteLedger } from './sqlite/ledger.ts';
import { sqlitePassages } from './sqlite/passages/passages.ts';
import { checkFile } from './sqlite/repair/check.ts';
import { rebuildFile, type StoreRepair } from './sqlite/repair/repair.ts';
import { sqliteThreads } from './sqlite/threads/threads.ts';

export type { StoreRepair };

export interface SqliteStoresOptions {
  /** The file, created with its folders when it is missing. Use a local disk: network file systems break its locks. */
  readonly path: string;
  /** @default the system clock */
  readonly clock?: Clock;
  /** Tells whether the owners of leases and holds live. @default asks the system */
  readonly processes?: Processes;
  /**
   * Flushes the disk at every commit, so that a power cut loses no commit. Without it, a power cut may lose the last
   * commits, but never the file. A killed process loses no commit either way. @default false
   */
  readonly powerSafe?: boolean;
  /**
   * Opens a file for reading alone where this process may not write it or its folder; every write then fails with invalid-config, and
   * attempts that a killed process left unbooked are not among the rows. @default false: the first operation fails
   */
  readonly mayOnlyRead?: boolean;
  /** How long an operation waits for other processes before it fails with store-busy, in milliseconds. @default 10_000 */
  readonly busyMs?: number;
  /** How long ledger rows wait for others, to share a commit, in milliseconds. @default 50 */
  readonly ledgerDelayMs?: number;
  /** How many ledger rows may wait; above that, `append` waits for the disk. @default 10_000 */
  readonly ledgerBufferRows?: number;
  /** The largest size of the file, in bytes; a write that does not fit fails with store-full. @default no limit */
  readonly maximumBytes?: number;
  /** What the indexes of passages may hold. @default 50,000 passages, 128 MiB of text, 1 GiB of vectors */
  readonly passages?: Partial<PassageBounds>;
  /** Called when a group of ledger rows could not be written; the rows are kept and tried again. @default none */
  readonly onError?: (error: PolyphonyError) => unknown;
}

const OPTIONS: KnownFields<SqliteStoresOptions> = {
  path: true,
  clock: CLOCK,
  processes: OBJECT,
  powerSafe: BOOLEAN,
  mayOnlyRead: BOOLEAN,
  busyMs: COUNT,
  ledgerDelayMs: COUNT,
  ledgerBufferRows: COUNT,
  maximumBytes: true,
  passages: OBJECT,
  onError: CALLBACK,
};

/**
 * Opens the file at the first use, so the first operation fails if the file cannot be opened.
 *
 * @throws invalid-config when the path is not a file path, a bound is not a positive whole number, or an option does not exist; operations throw store-full, -corrupt, -newer or -busy
 */
export function sqliteStores(options: SqliteStoresOptions): Stores & Required<Pick<Stores, 'threads' | 'passages'>> {
  assertKnownFields('sqliteStores', options, OPTIONS, nearest, 'invalid-config');
  const { clock = systemClock, processes = systemProcesses } = options;
  const onError = guardedListener(options.onError ?? (() => {}));
  const { powerSafe = false, mayOnlyRead = false, busyMs = 10_000, maximumBytes } = options;
  const path = filePath(options.path);
  const opened = (sql: Sql): void => recoverAtOpening(sql, { path, clock, processes, self: undefined });
  const connection = connect({ path, clock, powerSafe, mayOnlyRead, busyMs, maximumBytes, opened });
  // The file is closed when the last of the three stores is closed; threads and passages are closed with all of them.
  const open = new Set(['journal', 'ledger', 'keyValue']);
  const closing = (name: string) => async (): Promise<void> => {
    open.delete(name);
    if (open.size === 0) await connection.close();
  };
  const journal = sqliteJournal(connection, { clock, processes, close: closing('journal') });
  const keyValue = sqliteKeyValue(connection, clock, closing('keyValue'));
  const threads = sqliteThreads(connection, clock, async () => {});
  const delayMs = options.ledgerDelayMs ?? 50;
  const attempts = sqliteAttempts(connection, { clock, processes, onError, delayMs });
  const ledger = sqliteLedger(connection, {
    clock,
    attempts,
    delayMs,
    bufferRows: options.ledgerBufferRows ?? 10_000,
    onError,
    close: closing('ledger'),
  });
  const close = async (): Promise<void> => {
    await Promise.all([journal.close(), keyValue.close()]);
    await ledger.close();
  };
  const { open: openAttempt, recover } = attempts;
  return {
    journal,
    ledger,
    keyValue,
    threads,
    passages: sqlitePassages(connection, clock, options.passages),
    attempts: { keyValue, ledger, open: openAttempt, recover },
    compact: () => connection.compact(),
    close,
  };
}

/** Which file to check or to repair. */
export interface SqliteFileOptions {
  readonly path: string;
  /** @default the system clock */
  readonly clock?: Clock;
}

/**
 * Reads the whole file: every page, index, event, ledger row and value. A file that does not exist yet is fine.
 *
 * @throws store-corrupt with the first damage that was found
 */
export async function checkSqliteStore({ path, clock = systemClock }: SqliteFileOptions): Promise<void> {
  await checkFile(filePath(path), clock);
}

/**
 * Saves what can be read of a damaged file into a new one, which takes its place; the damaged one is kept under another name.
 * Undefined: the file is whole, and nothing was changed. Close all stores over the file before.
 *
 * @throws store-full, store-busy when a run in it is being driven, store-newer, store-corrupt when nothing can be read
 */
export async function repairSqliteStore({
  path,
  clock = systemClock,
}: SqliteFileOptions): Promise<StoreRepair | undefined> {
  const file = filePath(path);
  try {
    await checkFile(file, clock);
    return undefined;
  } catch (error) {
    if (!isDamage(error)) throw error;
    return rebuildFile(file, clock.now());
  }
}

/** Damage in the header may also look like a file of another program. */
const isDamage = (error: unknown): boolean =>
  error instanceof PolyphonyError && (error.code === 'store-corrupt' || error.details?.foreign === true);

function filePath(path: string): string {
  if (path !== '' && !path.startsWith(':') && !/^\w{2,}:/.test(path)) return resolve(path);
  const message = `${JSON.stringify(path)} is not a file path: use one such as ".polyphony/polyphony.db", or use memoryStores().`;
  throw new PolyphonyError('invalid-config', message);
}
