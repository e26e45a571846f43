/**
 * Open attempts in SQLite: what an attempt holds, its row and its counters change in one transaction.
 *
 * A1. An attempt is open when it is committed with its holds; until then nothing is sent.
 * A2. A settlement that cannot be written is kept and tried again: with the next renewal, at `flush` and at `close`. If the process
 *     dies before, the attempt is recovered at its estimate.
 * A3. What is open when the store is closed is booked as that of a dead process.
 * A4. A process renews its claim to its attempts while it has some, for those that cannot ask whether it lives.
 */
import type { Clock } from '../../core/clock.ts';
import type { PolyphonyError } from '../../core/errors.ts';
import type { Processes } from '../../core/processes.ts';
import type {
  AttemptBook,
  AttemptResult,
  CounterChange,
  LedgerRow,
  NewAttempt,
  OpenAttempt,
} from '../../core/stores.ts';
import { systemIds } from '../../system/clock.ts';
import { type HeldAttempt, insertAttempt, markSent, settleAttempt } from './attempt-queries.ts';
import type { Connection } from './connection.ts';
import type { Sql } from './database.ts';
import { closedError, storeError } from './errors.ts';
import { changeCells } from './key-value.ts';
import type { LedgerEntry } from './ledger-queries.ts';
import { deadOwners, OWNER_LEASE_MS, recoverDead, recoverOwner, recoverRun, renewOwner } from './recovery.ts';

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

interface Settlement {
  readonly attempt: HeldAttempt;
  readonly costNanoUsd: number;
  readonly entry: LedgerEntry | undefined;
}

interface Book extends SqliteAttemptsOptions {
  readonly connection: Connection;
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
}

const RENEW_MS = Math.ceil(OWNER_LEASE_MS / 3);

export function sqliteAttempts(connection: Connection, options: SqliteAttemptsOptions): SqliteAttempts {
  const book: Book = {
    ...options,
    connection,
    self: undefined,
    begun: 0,
    open: 0,
    renewAt: Number.NEGATIVE_INFINITY,
    cancelTimer: undefined,
    kept: [],
    latest: Promise.resolve(),
    closed: false,
  };
  return {
    open: (attempt) => open(book, attempt),
    recover: (runId) => recover(book, runId),
    flush: () => flush(book),
    close: () => close(book),
  };
}

/** Recovers in the transaction of a file that was just opened. What fails here is tried again at the next occasion. */
export function recoverAtOpening(sql: Sql, clock: Clock, processes: Processes): void {
  const parts = { clock, processes, self: undefined };
  if (deadOwners(sql, parts).length > 0) sql.transaction(() => recoverDead(sql, parts));
}

function selfOf(book: Book): string {
  book.self ??= `${book.processes.self()}#${systemIds('owner')}`;
  return book.self;
}

async function open(book: Book, { row, holds, heldNanoUsd, isSent }: NewAttempt): Promise<AttemptResult> {
  const { clock, connection } = book;
  if (book.closed) throw closedError(connection.path);
  book.begun += 1;
  const attempt = { owner: selfOf(book), number: book.begun, heldNanoUsd, counters: holds.map(({ key }) => key) };
  const changes = holds.map((hold): CounterChange => ({ ...hold, by: heldNanoUsd }));
  const text = JSON.stringify(row);
  let hasRenewed = false;
  const result = await connection.write((sql) => {
    hasRenewed = clock.monotonic() >= book.renewAt;
    if (hasRenewed) renewOwner(sql, attempt.owner, clock);
    if (changes.length > 0) {
      const changed = changeCells(sql, connection.path, clock.now(), changes);
      if (!changed.ok) return changed;
    }
    insertAttempt(sql, attempt, isSent, text);
    return undefined;
  });
  if (hasRenewed) renewed(book);
  if (result !== undefined) return result;
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
  const written = book.connection.write((sql) => write(sql, settlement));
  book.latest = written;
  try {
    await written;
  } catch (error) {
    book.kept.push(settlement);
    keepRenewing(book);
    throw error;
  }
}

const write = (sql: Sql, { attempt, costNanoUsd, entry }: Settlement): void =>
  settleAttempt(sql, attempt, costNanoUsd, entry);

/** The settlements that were kept, in one transaction. */
async function writeKept(book: Book): Promise<void> {
  const { kept } = book;
  if (kept.length === 0) return;
  await book.connection.write((sql) => {
    for (const settlement of kept) write(sql, settlement);
  });
  book.kept = book.kept.filter((settlement) => !kept.includes(settlement));
}

async function flush(book: Book): Promise<void> {
  await book.latest.catch(() => undefined);
  await writeKept(book);
}

// ---------------------------------------------------------------------------------------------------- renewal

function renewed(book: Book): void {
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
  const { connection, clock } = book;
  await connection.write((sql) => renewOwner(sql, selfOf(book), clock));
  renewed(book);
  await writeKept(book);
}

// ---------------------------------------------------------------------------------------------------- recovery

async function recover(book: Book, runId: string | undefined): Promise<boolean> {
  const { connection, clock, processes, self } = book;
  const parts = { clock, processes, self };
  const hasDead = await connection.read((sql) => deadOwners(sql, parts).length > 0);
  if (!hasDead && runId === undefined) return false;
  await connection.write((sql) => {
    recoverDead(sql, parts);
    if (runId !== undefined) recoverRun(sql, runId, parts);
  });
  return true;
}

async function close(book: Book): Promise<void> {
  book.closed = true;
  book.cancelTimer?.();
  const { self } = book;
  if (self === undefined) return;
  await flush(book);
  await book.connection.write((sql) => recoverOwner(sql, self));
}
