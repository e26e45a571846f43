/**
 * Open attempts in SQLite: what an attempt holds, its row and its counters change in one transaction.
 *
 * A1. An attempt is open when it is committed with its holds; until then nothing is sent.
 * A2. A settlement that cannot be written is tried again: with the next renewal, at `flush` and at `close`. If the process dies
 *     before it is written, the attempt is recovered at its estimate.
 * A3. What is open when the store is closed is booked as that of a dead process.
 * A4. A process renews its claim to its attempts while it has some, for those that cannot ask whether it lives.
 * A5. No attempt is refused because of money that settled attempts of this process still hold.
 */
import type { Clock } from '../../../core/clock.ts';
import type { PolyphonyError } from '../../../core/errors.ts';
import type { Processes } from '../../../core/processes.ts';
import type {
  AttemptBook,
  AttemptResult,
  CounterChange,
  CounterResult,
  NewAttempt,
  OpenAttempt,
} from '../../../core/stores.ts';
import { systemIds } from '../../../system/clock.ts';
import type { Connection } from '../connection.ts';
import type { Sql } from '../database.ts';
import { closedError, storeError } from '../errors.ts';
import { type AttemptBatches, attemptBatches, type Opening } from './attempt-batch.ts';
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
import { createSettlements, type Settlements } from './settlements.ts';

export interface SqliteAttemptsOptions {
  readonly clock: Clock;
  readonly processes: Processes;
  readonly onError: (error: PolyphonyError) => void;
  /** How long settlements that nobody waits for wait for others, in milliseconds. */
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
  readonly settlements: Settlements;
  /** Names this book once it is used. */
  self: string | undefined;
  /** How many attempts were begun, and how many of them are open. */
  begun: number;
  open: number;
  /** When the claim is to be renewed, in monotonic milliseconds. */
  renewAt: number;
  cancelTimer: (() => void) | undefined;
  closed: boolean;
  closing: Promise<void> | undefined;
}

/** Before it is written for the first time. */
const NEVER = Number.NEGATIVE_INFINITY;
const RENEW_MS = Math.ceil(OWNER_LEASE_MS / 3);

export function sqliteAttempts(connection: Connection, options: SqliteAttemptsOptions): SqliteAttempts {
  const { clock } = options;
  const before = (sql: Sql): void => renewIfDue(book, sql);
  const batches = attemptBatches(connection, { nowMs: () => clock.now(), before });
  const owner = (): string => selfOf(book);
  const onKept = (): void => keepRenewing(book);
  const settlements = createSettlements({ ...options, connection, owner, onKept });
  const book: Book = {
    ...options,
    connection,
    batches,
    settlements,
    self: undefined,
    begun: 0,
    open: 0,
    renewAt: NEVER,
    cancelTimer: undefined,
    closed: false,
    closing: undefined,
  };
  return {
    open: (attempt) => open(book, attempt),
    recover: (runId) => recover(book, runId),
    flush: () => settlements.flush(),
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

function open(book: Book, { row, holds, heldNanoUsd, isSent }: NewAttempt): Promise<AttemptResult> {
  if (book.closed) return Promise.reject(closedError(book.connection.path));
  book.begun += 1;
  const attempt = { owner: selfOf(book), number: book.begun, heldNanoUsd, counters: holds.map(({ key }) => key) };
  const changes = holds.map(({ key, limit, initial }): CounterChange => ({ key, by: heldNanoUsd, limit, initial }));
  const opening: Opening = { attempt, isSent, changes, text: JSON.stringify(row) };
  const read = (result: CounterResult): AttemptResult | Promise<AttemptResult> => {
    if (result.ok) return { ok: true, attempt: openAttempt(book, attempt) };
    return book.settlements.waiting() ? openAfterSettling(book, opening) : result;
  };
  return book.batches.open(opening).then(read, (error: unknown) => failed(book, error));
}

async function openAfterSettling(book: Book, opening: Opening): Promise<AttemptResult> {
  await book.settlements.flush();
  if (book.closed) throw closedError(book.connection.path);
  const result = await book.batches.open(opening).catch((error: unknown) => failed(book, error));
  return result.ok ? { ok: true, attempt: openAttempt(book, opening.attempt) } : result;
}

/** The renewal that was written with it is undone, too. */
function failed(book: Book, error: unknown): never {
  book.renewAt = Math.min(book.renewAt, book.clock.monotonic());
  throw error;
}

function openAttempt(book: Book, attempt: HeldAttempt): OpenAttempt {
  book.open += 1;
  keepRenewing(book);
  return {
    send: () => book.connection.write((sql) => markSent(sql, attempt)),
    settle(costNanoUsd, row, when = 'now') {
      book.open -= 1;
      // Closing has booked it already.
      if (book.closed) return undefined;
      return book.settlements.add({ attempt, costNanoUsd, row }, when);
    },
  };
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
  if (book.closed || (book.open === 0 && !book.settlements.kept())) return;
  renew(book)
    .catch((error: unknown) => book.onError(storeError(error, book.connection.path)))
    .finally(() => keepRenewing(book));
}

async function renew(book: Book): Promise<void> {
  await book.connection.write((sql) => renewNow(book, sql));
  await book.settlements.writeKept();
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
  await book.settlements.flush();
  await book.connection.write((sql) => recoverOwner(sql, self, recoveryOf(book)));
}
