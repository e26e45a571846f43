/**
 * The SQL of open attempts. Call each in a transaction.
 *
 * A counter that does not exist is not made again: its run has ended, and nothing is charged to it any more.
 */
import type { LedgerRow } from '../../core/stores.ts';
import type { Sql, SqlRow } from './database.ts';
import { insertRow, type LedgerEntry, replaceRow } from './ledger-queries.ts';

const OPEN = `INSERT INTO attempts (owner, number, sent, held_nano_usd, counters, row) VALUES (?, ?, ?, ?, ?, ?)`;
const SEND = 'UPDATE attempts SET sent = 1 WHERE owner = ? AND number = ?';
const REMOVE = 'DELETE FROM attempts WHERE owner = ? AND number = ?';
const ATTEMPTS_OF = 'SELECT number, sent, held_nano_usd, counters, row FROM attempts WHERE owner = ?';
/** Counters of money are whole numbers. */
const ADD = 'UPDATE cells SET value = CAST(value AS INTEGER) + ? WHERE key = ?';
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

/** Makes what is held the real cost. Of an attempt that another process has recovered, corrects what that one booked. */
export function settleAttempt(
  sql: Sql,
  attempt: HeldAttempt,
  costNanoUsd: number,
  entry: LedgerEntry | undefined,
): void {
  if (!remove(sql, attempt)) correct(sql, attempt, costNanoUsd, entry);
  else {
    add(sql, attempt, costNanoUsd - attempt.heldNanoUsd);
    if (entry !== undefined) insertUnderOwnKey(sql, attempt, entry);
  }
}

/** Books an attempt of which nobody knows the end: at its estimate if it was sent. */
export function bookUncertain(sql: Sql, attempt: StoredAttempt): void {
  const { isSent, entry, heldNanoUsd } = attempt;
  if (entry === undefined || !remove(sql, attempt)) return;
  if (!isSent) add(sql, attempt, -heldNanoUsd);
  else {
    add(sql, attempt, (entry.row.costNanoUsd ?? 0) - heldNanoUsd);
    insertUnderOwnKey(sql, attempt, entry);
  }
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

const remove = (sql: Sql, { owner, number }: AttemptName): boolean => sql.run(REMOVE, [owner, number]).changes === 1;

function add(sql: Sql, { counters }: HeldAttempt, nanoUsd: number): void {
  if (nanoUsd !== 0) for (const key of counters) sql.run(ADD, [nanoUsd, key]);
}

/** The key where another attempt has the ordinary one: a call that is made again after a crash keeps its id. */
const ownKey = (key: string, { owner, number }: AttemptName): string => `${key}~${owner.split('#').at(-1)}.${number}`;

function insertUnderOwnKey(sql: Sql, attempt: AttemptName, entry: LedgerEntry): void {
  if (!insertRow(sql, entry)) insertRow(sql, withKey(entry, ownKey(entry.row.key, attempt)));
}

function withKey(entry: LedgerEntry, key: string): LedgerEntry {
  const row = { ...entry.row, key };
  return { row, text: JSON.stringify(row) };
}

function correct(sql: Sql, attempt: HeldAttempt, costNanoUsd: number, entry: LedgerEntry | undefined): void {
  if (entry === undefined) return;
  const { key } = entry.row;
  const own = ownKey(key, attempt);
  const found = sql.all(FIND_ROWS, [own, key]);
  const booked = found.find(([name]) => name === own) ?? found[0];
  if (booked === undefined) {
    // It was given back because it did not seem to be sent.
    add(sql, attempt, costNanoUsd);
    insertRow(sql, entry);
  } else if (booked[2] === 1) {
    add(sql, attempt, costNanoUsd - Number(booked[1]));
    replaceRow(sql, withKey(entry, String(booked[0])));
  }
}
