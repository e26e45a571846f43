/**
 * Open attempts in SQLite: what an attempt holds, its row and its counters change in one transaction.
 *
 * A1. An attempt is open when it is committed with its holds; until then nothing is sent.
 * A2. A settlement that cannot be written is kept and tried again: with the next renewal, at `flush` and at `close`. If the process
 *     dies before, the attempt is recovered at its estimate.
 * A3. What is open when the store is closed is booked as that of a dead process.
 * A4. A process renews its claim to its attempts while it has some, for those that cannot ask whether it lives.
 */
import type { Clock } from '../../../core/clock.ts';
import type { PolyphonyError } from '../../../core/errors.ts';
import type { Processes } from '../../../core/processes.ts';
import type {
  AttemptBook,
  AttemptResult,
  CounterChange,
  LedgerRow,
  NewAttempt,
  OpenAttempt,
} from '../../../core/stores.ts';
import { systemIds } from '../../../system/clock.ts';
import type { Connection } from '../connection.ts';
import type { Sql } from '../database.ts';
import { closedError, storeError } from '../errors.ts';
import { cellBatch } from '../key-value.ts';
import type { LedgerEntry } from '../ledger-queries.ts';
import { type AttemptBatches, attemptBatches, type Settlement, settleAll } from './attempt-batch.ts';
import { type HeldAttempt, markSent } from './attempt-queries.ts';
import {
  deadOwners,
  OWNER_LEASE_MS,
  type RecoveryParts,
  recoverDead,
  recoverOwner,
  recoverRun,
  renewOwner,
} from './recovery.ts';

export interface SqliteAttemptsOptions {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly onError: (error: PolyphonyError) => void;
}

export interface SqliteAttempts extends Pick<AttemptBook, 'open' | 'recover'> {
  /** Writes every settlement that is waiting now. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Book extends SqliteAttemptsOptions {
  readonly connection: Connection;
  readonly batches: AttemptBatches;
  /** Names this book; made when it is first used, because that asks the system. */
  self: string | undefined;
  /** How many attempts were begun, and how many of them are open. */
  begun: number;
  open: number;
  /** When the claim is to be renewed, in monotonic milliseconds. */
  renewAt: number;
  cancelTimer: (() => void) | undefined;
  /** Settlements that could not be written. */
  kept: Settlement[];
  /** The latest write of a settlement: writes are committed in their order. */
  latest: Promise<unknown>;
  closed: boolean;
  closing: Promise<void> | undefined;
}

const RENEW_MS = Math.ceil(OWNER_LEASE_MS / 3);

export function sqliteAttempts(connection: Connection, options: SqliteAttemptsOptions): SqliteAttempts {
  const { clock } = options;
  const before = (sql: Sql): void => renewIfDue(book, sql);
  const batches = attemptBatches(connection, { owner: () => selfOf(book), nowMs: () => clock.now(), before });
  const book: Book = {
    ...options,
    connection,
    batches,
    self: undefined,
    begun: 0,
    open: 0,
    renewAt: Number.NEGATIVE_INFINITY,
    cancelTimer: undefined,
    kept: [],
    latest: Promise.resolve(),
    closed: false,
    closing: undefined,
  };
  return {
    open: (attempt) => open(book, attempt),
    recover: (runId) => recover(book, runId),
    flush: () => flush(book),
    close() {
      book.closing ??= close(book);
      return book.closing;
    },
  };
}

/** Recovers in the transaction of a file that was just opened. What fails here is tried again at the next occasion. */
export function recoverAtOpening(sql: Sql, parts: RecoveryParts): void {
  if (deadOwners(sql, parts).length > 0) sql.transaction(() => recoverDead(sql, parts));
}

function selfOf(book: Book): string {
  book.self ??= `${book.processes.self()}#${systemIds('owner')}`;
  return book.self;
}

async function open(book: Book, { row, holds, heldNanoUsd, isSent }: NewAttempt): Promise<AttemptResult> {
  if (book.closed) throw closedError(book.connection.path);
  book.begun += 1;
  const attempt = { owner: selfOf(book), number: book.begun, heldNanoUsd, counters: holds.map(({ key }) => key) };
  const changes = holds.map((hold): CounterChange => ({ ...hold, by: heldNanoUsd }));
  const result = await book.batches.open({ attempt, isSent, changes, text: JSON.stringify(row) });
  if (!result.ok) return result;
  book.open += 1;
  keepRenewing(book);
  return { ok: true, attempt: openAttempt(book, attempt) };
}

function openAttempt(book: Book, attempt: HeldAttempt): OpenAttempt {
  return {
    send: () => book.connection.write((sql) => markSent(sql, attempt)),
    settle(costNanoUsd, row) {
      book.open -= 1;
      // Closing has booked it already.
      if (book.closed) return Promise.resolve();
      return settle(book, { attempt, costNanoUsd, entry: row && entryOf(row) });
    },
  };
}

const entryOf = (row: LedgerRow): LedgerEntry => ({ row, text: JSON.stringify(row) });

async function settle(book: Book, settlement: Settlement): Promise<void> {
  const written = book.batches.settle(settlement);
  book.latest = written;
  try {
    await written;
  } catch (error) {
    book.kept.push(settlement);
    keepRenewing(book);
    throw error;
  }
}

/** The settlements that were kept, in one transaction. */
async function writeKept(book: Book): Promise<void> {
  const { kept, clock, connection } = book;
  if (kept.length === 0) return;
  await connection.write((sql) => {
    const counters = cellBatch(sql, connection.path, clock.now());
    settleAll({ sql, counters, scopes: new Map() }, selfOf(book), kept);
    counters.write();
  });
  book.kept = book.kept.filter((settlement) => !kept.includes(settlement));
}

async function flush(book: Book): Promise<void> {
  await book.latest.catch(() => undefined);
  await writeKept(book);
}

// ---------------------------------------------------------------------------------------------------- renewal

/** Renews with what is written anyway. A renewal that is rolled back is made again by the timer. */
function renewIfDue(book: Book, sql: Sql): void {
  const { clock } = book;
  if (clock.monotonic() >= book.renewAt) renewNow(book, sql);
}

function renewNow(book: Book, sql: Sql): void {
  renewOwner(sql, selfOf(book), book.clock);
  book.renewAt = book.clock.monotonic() + RENEW_MS;
}

/** One timer, which ends by itself when nothing is open. */
function keepRenewing(book: Book): void {
  if (book.closed) return;
  book.cancelTimer ??= book.clock.schedule(RENEW_MS, () => renewInBackground(book), { background: true });
}

function renewInBackground(book: Book): void {
  book.cancelTimer = undefined;
  if (book.closed || (book.open === 0 && book.kept.length === 0)) return;
  renew(book)
    .catch((error: unknown) => book.onError(storeError(error, book.connection.path)))
    .finally(() => keepRenewing(book));
}

async function renew(book: Book): Promise<void> {
  await book.connection.write((sql) => renewNow(book, sql));
  await writeKept(book);
}

// ---------------------------------------------------------------------------------------------------- recovery

async function recover(book: Book, runId: string | undefined): Promise<boolean> {
  const { connection } = book;
  const parts = recoveryOf(book);
  const hasDead = await connection.read((sql) => deadOwners(sql, parts).length > 0);
  if (!hasDead && runId === undefined) return false;
  await connection.write((sql) => {
    recoverDead(sql, parts);
    if (runId !== undefined) recoverRun(sql, runId, parts);
  });
  return true;
}

const recoveryOf = ({ connection: { path }, clock, processes, self }: Book): RecoveryParts => ({
  path,
  clock,
  processes,
  self,
});

async function close(book: Book): Promise<void> {
  book.closed = true;
  book.cancelTimer?.();
  const { self } = book;
  if (self === undefined) return;
  await flush(book);
  await book.connection.write((sql) => recoverOwner(sql, self, recoveryOf(book)));
}
