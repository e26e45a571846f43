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
import type { AttemptBook, AttemptResult, CounterChange, NewAttempt, OpenAttempt } from '../../../core/stores.ts';
import { systemIds } from '../../../system/clock.ts';
import type { Connection } from '../connection.ts';
import type { Sql } from '../database.ts';
import { closedError, storeError } from '../errors.ts';
import { type AttemptBatches, attemptBatches, type Settlement, settleAll } from './attempt-batch.ts';
import { bookingOf, fileRows, type HeldAttempt, markSent, type SettledRow, writeBooking } from './attempt-queries.ts';
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
  /** How long settled rows wait for others, in milliseconds. */
  readonly delayMs: number;
}

export interface SqliteAttempts extends Pick<AttemptBook, 'open' | 'recover'> {
  /** Writes every settlement that is waiting now. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Book extends SqliteAttemptsOptions {
  readonly connection: Connection;
  readonly batches: AttemptBatches;
  /** Names this book once it is used. */
  self: string | undefined;
  /** How many attempts were begun, and how many of them are open. */
  begun: number;
  open: number;
  /** When the claim is to be renewed, in monotonic milliseconds. */
  renewAt: number;
  cancelTimer: (() => void) | undefined;
  /** Settlements that could not be written. */
  kept: Settlement[];
  /** Rows of settled attempts that wait to be put into the ledger. */
  waiting: SettledRow[];
  cancelFiling: (() => void) | undefined;
  /** The latest write of a settlement: writes are committed in their order. */
  latest: Promise<unknown>;
  closed: boolean;
  closing: Promise<void> | undefined;
}

/** Before it is written for the first time. */
const NEVER = Number.NEGATIVE_INFINITY;
/** The most rows of one write: they block the event loop for a few milliseconds. */
const MOST_ROWS = 256;
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
    renewAt: NEVER,
    cancelTimer: undefined,
    kept: [],
    waiting: [],
    cancelFiling: undefined,
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
  book.self ??= systemIds('owner');
  return book.self;
}

async function open(book: Book, { row, holds, heldNanoUsd, isSent }: NewAttempt): Promise<AttemptResult> {
  if (book.closed) throw closedError(book.connection.path);
  book.begun += 1;
  const attempt = { owner: selfOf(book), number: book.begun, heldNanoUsd, counters: holds.map(({ key }) => key) };
  const changes = holds.map((hold): CounterChange => ({ ...hold, by: heldNanoUsd }));
  const result = await book.batches.open({ attempt, isSent, changes, text: JSON.stringify(row) }).catch((error) => {
    // The renewal that was written with it is undone, too.
    book.renewAt = Math.min(book.renewAt, book.clock.monotonic());
    throw error;
  });
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
      return settle(book, { attempt, costNanoUsd, row });
    },
  };
}

async function settle(book: Book, settlement: Settlement): Promise<void> {
  const written = book.batches.settle(settlement);
  book.latest = written;
  try {
    await written;
    takeWaiting(book, [settlement]);
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
    const at = bookingOf(sql, connection.path, clock.now());
    settleAll(at, selfOf(book), kept, false);
    writeBooking(at);
  });
  book.kept = book.kept.filter((settlement) => !kept.includes(settlement));
  takeWaiting(book, kept);
}

// ---------------------------------------------------------------------------------------------------- rows

function takeWaiting(book: Book, settlements: readonly Settlement[]): void {
  for (const { attempt, row } of settlements) if (row !== undefined) book.waiting.push({ number: attempt.number, row });
  if (book.waiting.length === 0 || book.closed) return;
  if (book.waiting.length >= MOST_ROWS) fileInBackground(book);
  else book.cancelFiling ??= book.clock.schedule(book.delayMs, () => fileInBackground(book), { background: true });
}

function fileInBackground(book: Book): void {
  fileWaiting(book).catch((error: unknown) => book.onError(storeError(error, book.connection.path)));
}

/** Rows that cannot be written stay in their table, from which the next one puts them into the ledger. */
async function fileWaiting(book: Book): Promise<void> {
  book.cancelFiling?.();
  book.cancelFiling = undefined;
  const { clock, connection } = book;
  while (book.waiting.length > 0) {
    const rows = book.waiting.splice(0, MOST_ROWS);
    const filed = connection.write((sql) => fileRows(bookingOf(sql, connection.path, clock.now()), selfOf(book), rows));
    book.latest = filed;
    try {
      await filed;
    } catch (error) {
      book.waiting.unshift(...rows);
      throw error;
    }
  }
}

async function flush(book: Book): Promise<void> {
  await book.latest.catch(() => undefined);
  await writeKept(book);
  await fileWaiting(book);
  await book.latest.catch(() => undefined);
}

// ---------------------------------------------------------------------------------------------------- renewal

/** Renews with what is written anyway. A renewal that is rolled back is made again by the timer. */
function renewIfDue(book: Book, sql: Sql): void {
  const { clock } = book;
  if (clock.monotonic() >= book.renewAt) renewNow(book, sql);
}

function renewNow(book: Book, sql: Sql): void {
  renewOwner(sql, selfOf(book), recoveryOf(book), book.renewAt === NEVER);
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
  book.cancelFiling?.();
  const { self } = book;
  if (self === undefined) return;
  await flush(book);
  await book.connection.write((sql) => recoverOwner(sql, self, recoveryOf(book)));
}
