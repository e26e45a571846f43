/**
 * The SQL of open attempts. Call each in a transaction, with the counters of that transaction.
 */
import type { LedgerRow } from '../../../core/stores.ts';
import type { Sql, SqlRow } from '../database.ts';
import type { CellBatch } from '../key-value.ts';
import { insertRow, type LedgerEntry, replaceRow } from '../ledger-queries.ts';

const OPEN = `INSERT INTO attempts (owner, number, sent, held_nano_usd, counters, row) VALUES (?, ?, ?, ?, ?, ?)`;
const SEND = 'UPDATE attempts SET sent = 1 WHERE owner = ? AND number = ?';
const REMOVE = 'DELETE FROM attempts WHERE owner = ? AND number = ?';
const ATTEMPTS_OF = 'SELECT number, sent, held_nano_usd, counters, row FROM attempts WHERE owner = ?';
const FIND_OPEN = 'SELECT number FROM attempts WHERE owner = ? AND number IN (SELECT value FROM json_each(?))';
const REMOVE_ALL = 'DELETE FROM attempts WHERE owner = ? AND number IN (SELECT value FROM json_each(?))';
const FIND_ROWS = 'SELECT key, cost_nano_usd, uncertain FROM ledger WHERE key IN (?, ?)';

export interface AttemptName {
  readonly owner: string;
  readonly number: number;
}

export interface HeldAttempt extends AttemptName {
  readonly heldNanoUsd: number;
  /** The keys of the counters that hold it. */
  readonly counters: readonly string[];
}

/** As the table has it; `entry` is undefined where the text of its row cannot be read. */
export interface StoredAttempt extends HeldAttempt {
  readonly isSent: boolean;
  readonly entry: LedgerEntry | undefined;
}

export function insertAttempt(sql: Sql, attempt: HeldAttempt, isSent: boolean, text: string): void {
  const { owner, number, heldNanoUsd, counters } = attempt;
  sql.run(OPEN, [owner, number, isSent ? 1 : 0, heldNanoUsd, JSON.stringify(counters), text]);
}

export function markSent(sql: Sql, { owner, number }: AttemptName): void {
  sql.run(SEND, [owner, number]);
}

/** Removes those of an owner that are open, and returns their numbers. */
export function removeAttempts(sql: Sql, owner: string, numbers: readonly number[]): ReadonlySet<unknown> {
  const list = JSON.stringify(numbers);
  const found = sql.all(FIND_OPEN, [owner, list]);
  sql.run(REMOVE_ALL, [owner, list]);
  return new Set(found.map(([number]) => number));
}

export interface Booking {
  readonly sql: Sql;
  readonly counters: CellBatch;
  /** The ids of scopes that were found in this transaction. */
  readonly scopes: Map<string, number>;
}

/** Makes what is held the real cost, and writes the row. */
export function settleAttempt(at: Booking, attempt: HeldAttempt, costNanoUsd: number, entry?: LedgerEntry): void {
  add(at, attempt, costNanoUsd - attempt.heldNanoUsd);
  if (entry !== undefined) insertUnderOwnKey(at, attempt, entry);
}

/** Books an attempt of which nobody knows the end: at its estimate if it was sent. */
export function bookUncertain(at: Booking, attempt: StoredAttempt): void {
  const { isSent, entry } = attempt;
  if (entry === undefined) return;
  at.sql.run(REMOVE, [attempt.owner, attempt.number]);
  if (isSent) settleAttempt(at, attempt, entry.row.costNanoUsd ?? 0, entry);
  else settleAttempt(at, attempt, 0);
}

export function attemptsOf(sql: Sql, owner: string): readonly StoredAttempt[] {
  return sql.all(ATTEMPTS_OF, [owner]).map((row) => storedAttempt(owner, row));
}

function storedAttempt(owner: string, [number, sent, held, counters, text]: SqlRow): StoredAttempt {
  const name = { owner, number: Number(number), isSent: sent === 1, heldNanoUsd: Number(held) };
  try {
    const entry = { row: JSON.parse(String(text)) as LedgerRow, text: String(text) };
    return { ...name, counters: JSON.parse(String(counters)) as string[], entry };
  } catch {
    return { ...name, counters: [], entry: undefined };
  }
}

function add({ counters }: Booking, attempt: HeldAttempt, nanoUsd: number): void {
  if (nanoUsd !== 0) for (const key of attempt.counters) counters.add(key, nanoUsd);
}

/** The key where another attempt has the ordinary one: a call that is made again after a crash keeps its id. */
const ownKey = (key: string, { owner, number }: AttemptName): string => `${key}~${owner.split('#').at(-1)}.${number}`;

function insertUnderOwnKey({ sql, scopes }: Booking, attempt: AttemptName, entry: LedgerEntry): void {
  if (!insertRow(sql, entry, scopes)) insertRow(sql, withKey(entry, ownKey(entry.row.key, attempt)), scopes);
}

function withKey(entry: LedgerEntry, key: string): LedgerEntry {
  const row = { ...entry.row, key };
  return { row, text: JSON.stringify(row) };
}

/** For an attempt that another process has recovered: what that one booked becomes the real cost. */
export function correctAttempt(at: Booking, attempt: HeldAttempt, costNanoUsd: number, entry?: LedgerEntry): void {
  if (entry === undefined) return;
  const { key } = entry.row;
  const own = ownKey(key, attempt);
  const found = at.sql.all(FIND_ROWS, [own, key]);
  const booked = found.find(([name]) => name === own) ?? found[0];
  if (booked === undefined) {
    // It was given back because it did not seem to be sent.
    add(at, attempt, costNanoUsd);
    insertRow(at.sql, entry, at.scopes);
  } else if (booked[2] === 1) {
    add(at, attempt, costNanoUsd - Number(booked[1]));
    replaceRow(at.sql, withKey(entry, String(booked[0])));
  }
}
