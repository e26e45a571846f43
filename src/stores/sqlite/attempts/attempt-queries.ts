/**
 * The SQL of attempts. Call each in a transaction, with the counters of that transaction.
 *
 * The table `settled` is only read: the first files of version 2 kept the endings of attempts there until they were put into the
 * ledger, and a killed process may have left some.
 */
import type { LedgerRow } from '../../../core/stores.ts';
import { isObject, isStoredRow, parsedText } from '../../stored-records.ts';
import type { Sql, SqlRow, SqlValue } from '../database.ts';
import { type CellBatch, cellBatch } from '../key-value.ts';
import { insertRows, type LedgerEntry, replaceRow } from '../ledger-queries.ts';
import { insertAll, insertOf } from '../many-rows.ts';
import type { ScopeIds } from '../totals/scope-ids.ts';

const OPEN = insertOf('INSERT INTO attempts (owner, number, sent, held_nano_usd, counters, row) VALUES', 6);
const SEND = 'UPDATE attempts SET sent = 1 WHERE owner = ? AND number = ?';
const REMOVE = 'DELETE FROM attempts WHERE owner = ? AND number = ?';
const ATTEMPTS_OF = `SELECT a.number, a.sent, a.held_nano_usd, a.counters, a.row, s.ending FROM attempts a
  LEFT JOIN settled s ON s.owner = a.owner AND s.number = a.number WHERE a.owner = ?`;
const FIND_OPEN = `SELECT number FROM attempts a WHERE owner = ? AND number IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.owner = a.owner AND s.number = a.number)`;
const FIND_RECOVERED = 'SELECT recovered FROM owners WHERE owner = ?';
const MARK_RECOVERED = 'UPDATE owners SET recovered = 1 WHERE owner = ?';
const REMOVE_SETTLED = 'DELETE FROM settled WHERE owner = ? AND number = ?';
const REMOVE_ATTEMPTS = 'DELETE FROM attempts WHERE owner = ? AND number IN (SELECT value FROM json_each(?))';
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
  /** Its counters hold the real cost, and `entry` is its row. */
  readonly isSettled: boolean;
  readonly entry: LedgerEntry | undefined;
}

/** What is inserted for one attempt when it is opened; `text` is its row as JSON. */
export function openingValues(attempt: HeldAttempt, isSent: boolean, text: string): readonly SqlValue[] {
  const { owner, number, heldNanoUsd, counters } = attempt;
  return [owner, number, isSent ? 1 : 0, heldNanoUsd, JSON.stringify(counters), text];
}

export const insertAttempts = (sql: Sql, rows: readonly (readonly SqlValue[])[]): void => insertAll(sql, OPEN, rows);

export function markSent(sql: Sql, { owner, number }: AttemptName): void {
  sql.run(SEND, [owner, number]);
}

/** Whether another process may have booked attempts of the owner: until then its own memory is right about them. */
export function wasRecovered(sql: Sql, owner: string): boolean {
  return sql.first(FIND_RECOVERED, [owner])?.[0] !== 0;
}

/** Says so. A process that books all of them removes the owner itself. */
export function markRecovered(sql: Sql, owner: string): void {
  sql.run(MARK_RECOVERED, [owner]);
}

/** The numbers of those that are open. */
export function openAttempts(sql: Sql, owner: string, numbers: readonly number[]): ReadonlySet<unknown> {
  return new Set(sql.all(FIND_OPEN, [owner, JSON.stringify(numbers)]).map(([number]) => number));
}

export interface Booking {
  readonly sql: Sql;
  readonly counters: CellBatch;
  /** The ids of scopes that were found in this transaction. */
  readonly scopes: ScopeIds;
}

export const bookingOf = (sql: Sql, path: string, nowMs: number): Booking => ({
  sql,
  counters: cellBatch(sql, path, nowMs),
  scopes: new Map(),
});

export interface Settlement {
  readonly attempt: HeldAttempt;
  readonly costNanoUsd: number;
  /** Undefined: it was not sent, and nothing is left of it. */
  readonly row: LedgerRow | undefined;
}

/** Of open attempts of one owner: makes what is held the real cost, and puts their rows into the ledger. */
export function settleOpen(at: Booking, owner: string, settlements: readonly Settlement[]): void {
  const attempts = new Map<LedgerEntry, HeldAttempt>();
  for (const { attempt, costNanoUsd, row } of settlements) {
    add(at, attempt, costNanoUsd - attempt.heldNanoUsd);
    if (row !== undefined) attempts.set({ row, text: JSON.stringify(row) }, attempt);
  }
  insertUnderOwnKeys(at, attempts);
  at.sql.run(REMOVE_ATTEMPTS, [owner, JSON.stringify(settlements.map(({ attempt }) => attempt.number))]);
}

/** Books an attempt for a process that does not: by its end where that is known, else at its estimate if it was sent. */
export function bookAttempt(at: Booking, attempt: StoredAttempt): void {
  const { owner, number, isSent, isSettled, entry } = attempt;
  if (entry === undefined) return;
  at.sql.run(REMOVE, [owner, number]);
  if (isSettled) at.sql.run(REMOVE_SETTLED, [owner, number]);
  else add(at, attempt, (isSent ? (entry.row.costNanoUsd ?? 0) : 0) - attempt.heldNanoUsd);
  if (isSettled || isSent) insertUnderOwnKeys(at, new Map([[entry, attempt]]));
}

export function attemptsOf(sql: Sql, owner: string): readonly StoredAttempt[] {
  return sql.all(ATTEMPTS_OF, [owner]).map((row) => storedAttempt(owner, row));
}

function storedAttempt(owner: string, [number, sent, held, counters, text, ending]: SqlRow): StoredAttempt {
  const isSettled = ending !== null;
  const name = { owner, number: Number(number), isSent: sent === 1, isSettled, heldNanoUsd: Number(held) };
  const keys = parsedText(counters);
  if (!Array.isArray(keys) || !Number.isFinite(name.heldNanoUsd)) return { ...name, counters: [], entry: undefined };
  return { ...name, counters: keys.map(String), entry: isSettled ? settledEntry(text, ending) : entryOf(text) };
}

function entryOf(text: unknown): LedgerEntry | undefined {
  const row = parsedText(text);
  return isBookable(row) ? { row, text: String(text) } : undefined;
}

function settledEntry(text: unknown, ending: unknown): LedgerEntry | undefined {
  const [opened, end] = [parsedText(text), parsedText(ending)];
  if (!isObject(opened) || !isObject(end)) return undefined;
  const { uncertain: _uncertain, estimated: _estimated, ...known } = opened;
  const row: unknown = { ...known, ...end };
  return isBookable(row) ? { row, text: JSON.stringify(row) } : undefined;
}

/** Of a damaged row, a number that is none would break its counters, and the driver ends the process for a value that is true or false. */
const isBookable = (row: unknown): row is LedgerRow =>
  isStoredRow(row) && [row.usage?.input ?? 0, row.usage?.output ?? 0].every(Number.isFinite);

function add({ counters }: Booking, attempt: HeldAttempt, nanoUsd: number): void {
  if (nanoUsd !== 0) for (const key of attempt.counters) counters.add(key, nanoUsd);
}

/** The key where another attempt has the ordinary one: a call that is made again after a crash keeps its id. */
const ownKey = (key: string, { owner, number }: AttemptName): string => `${key}~${owner}.${number}`;

function insertUnderOwnKeys({ sql, scopes }: Booking, attempts: ReadonlyMap<LedgerEntry, AttemptName>): void {
  const refused = insertRows(sql, [...attempts.keys()], scopes);
  const renamed = refused.map((entry) => {
    const attempt = attempts.get(entry);
    return attempt === undefined ? entry : withKey(entry, ownKey(entry.row.key, attempt));
  });
  if (renamed.length > 0) insertRows(sql, renamed, scopes);
}

function withKey(entry: LedgerEntry, key: string): LedgerEntry {
  const row = { ...entry.row, key };
  return { row, text: JSON.stringify(row) };
}

/** For an attempt that another process has booked: what that one booked becomes the real cost. */
export function correctAttempt(at: Booking, { attempt, costNanoUsd, row }: Settlement): void {
  if (row === undefined) return;
  const entry = { row, text: JSON.stringify(row) };
  const own = ownKey(row.key, attempt);
  const found = at.sql.all(FIND_ROWS, [own, row.key]);
  const booked = found.find(([name]) => name === own) ?? found[0];
  if (booked === undefined) {
    // It was given back because it did not seem to be sent.
    add(at, attempt, costNanoUsd);
    insertRows(at.sql, [entry], at.scopes);
  } else if (booked[2] === 1) {
    add(at, attempt, costNanoUsd - Number(booked[1]));
    replaceRow(at.sql, withKey(entry, String(booked[0])));
  }
}
