/**
 * The SQL of attempts. Call each in a transaction, with the counters of that transaction.
 *
 * An attempt is open until its ending stands in a table of its own. It then waits until many are put into the ledger together: the
 * ledger has several indexes, and to change a page of each for every few rows would cost more than all the rest.
 */
import type { LedgerRow } from '../../../core/stores.ts';
import type { Sql, SqlRow, SqlValue } from '../database.ts';
import { type CellBatch, cellBatch } from '../key-value.ts';
import { insertRow, type LedgerEntry, replaceRow } from '../ledger-queries.ts';

const AT_ONCE = 8;
const OPEN = insertOf('INSERT INTO attempts (owner, number, sent, held_nano_usd, counters, row) VALUES', 6);
const SEND = 'UPDATE attempts SET sent = 1 WHERE owner = ? AND number = ?';
const REMOVE = 'DELETE FROM attempts WHERE owner = ? AND number = ?';
const ATTEMPTS_OF = `SELECT a.number, a.sent, a.held_nano_usd, a.counters, a.row, s.ending FROM attempts a
  LEFT JOIN settled s ON s.owner = a.owner AND s.number = a.number WHERE a.owner = ?`;
const FIND_OPEN = `SELECT number FROM attempts a WHERE owner = ? AND number IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM settled s WHERE s.owner = a.owner AND s.number = a.number)`;
const FIND_RECOVERED = 'SELECT recovered FROM owners WHERE owner = ?';
const MARK_RECOVERED = 'UPDATE owners SET recovered = 1 WHERE owner = ?';
const SETTLE = insertOf('INSERT INTO settled (owner, number, ending) VALUES', 3);
const FIND_SETTLED = 'SELECT number FROM settled WHERE owner = ? AND number IN (SELECT value FROM json_each(?))';
const REMOVE_SETTLED = 'DELETE FROM settled WHERE owner = ? AND number IN (SELECT value FROM json_each(?))';
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
const insertEndings = (sql: Sql, rows: readonly (readonly SqlValue[])[]): void => insertAll(sql, SETTLE, rows);

interface Insert {
  readonly one: string;
  readonly many: string;
}

function insertOf(head: string, columns: number): Insert {
  const one = `(${Array.from({ length: columns }, () => '?')})`;
  return { one: `${head} ${one}`, many: `${head} ${Array.from({ length: AT_ONCE }, () => one)}` };
}

/** Some at a time, because a statement of its own for each costs about as much as the row. */
function insertAll(sql: Sql, { one, many }: Insert, rows: readonly (readonly SqlValue[])[]): void {
  let from = 0;
  for (; rows.length - from >= AT_ONCE; from += AT_ONCE) sql.run(many, rows.slice(from, from + AT_ONCE).flat());
  for (const row of rows.slice(from)) sql.run(one, row);
}

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
  readonly scopes: Map<string, number>;
  /** The endings that are still to be inserted. */
  readonly endings: (readonly SqlValue[])[];
}

export const bookingOf = (sql: Sql, path: string, nowMs: number): Booking => ({
  sql,
  counters: cellBatch(sql, path, nowMs),
  scopes: new Map(),
  endings: [],
});

/** Writes what was put together. */
export function writeBooking({ sql, counters, endings }: Booking): void {
  insertEndings(sql, endings);
  counters.write();
}

/** What a row says of the end of its attempt: the rest stands in the row with which it was opened. */
function endingText(row: LedgerRow): string {
  const { startedAt, queueMs, firstTokenMs, totalMs, outcome, error, usage, costNanoUsd, estimated } = row;
  return JSON.stringify({ startedAt, queueMs, firstTokenMs, totalMs, outcome, error, usage, costNanoUsd, estimated });
}

/** Makes what is held the real cost. Without a row it was not sent, and nothing is left of it. */
export function settleAttempt(at: Booking, attempt: HeldAttempt, costNanoUsd: number, row?: LedgerRow): void {
  const { owner, number } = attempt;
  add(at, attempt, costNanoUsd - attempt.heldNanoUsd);
  if (row === undefined) at.sql.run(REMOVE, [owner, number]);
  else at.endings.push([owner, number, endingText(row)]);
}

export interface SettledRow {
  readonly number: number;
  readonly row: LedgerRow;
}

/** Puts rows of settled attempts into the ledger, except those that another process has put there. */
export function fileRows(at: Booking, owner: string, rows: readonly SettledRow[]): void {
  const { sql } = at;
  const list = JSON.stringify(rows.map(({ number }) => number));
  const settled = wasRecovered(sql, owner)
    ? new Set(sql.all(FIND_SETTLED, [owner, list]).map(([number]) => number))
    : undefined;
  for (const { number, row } of rows) {
    if (settled === undefined || settled.has(number))
      insertUnderOwnKey(at, { owner, number }, { row, text: JSON.stringify(row) });
  }
  sql.run(REMOVE_SETTLED, [owner, list]);
  sql.run(REMOVE_ATTEMPTS, [owner, list]);
}

/** Books an attempt for a process that does not: by its end where that is known, else at its estimate if it was sent. */
export function bookAttempt(at: Booking, attempt: StoredAttempt): void {
  const { owner, number, isSent, isSettled, entry } = attempt;
  if (entry === undefined) return;
  at.sql.run(REMOVE, [owner, number]);
  if (isSettled) at.sql.run(REMOVE_SETTLED, [owner, JSON.stringify([number])]);
  else add(at, attempt, (isSent ? (entry.row.costNanoUsd ?? 0) : 0) - attempt.heldNanoUsd);
  if (isSettled || isSent) insertUnderOwnKey(at, attempt, entry);
}

export function attemptsOf(sql: Sql, owner: string): readonly StoredAttempt[] {
  return sql.all(ATTEMPTS_OF, [owner]).map((row) => storedAttempt(owner, row));
}

function storedAttempt(owner: string, [number, sent, held, counters, text, ending]: SqlRow): StoredAttempt {
  const isSettled = ending !== null;
  const name = { owner, number: Number(number), isSent: sent === 1, isSettled, heldNanoUsd: Number(held) };
  const keys = parsed(counters);
  if (!Array.isArray(keys)) return { ...name, counters: [], entry: undefined };
  return { ...name, counters: keys.map(String), entry: isSettled ? settledEntry(text, ending) : entryOf(text) };
}

function entryOf(text: unknown): LedgerEntry | undefined {
  const row = parsed(text);
  return isObject(row) ? { row: row as LedgerRow, text: String(text) } : undefined;
}

function settledEntry(text: unknown, ending: unknown): LedgerEntry | undefined {
  const [opened, end] = [parsed(text), parsed(ending)];
  if (!isObject(opened) || !isObject(end)) return undefined;
  const { uncertain: _uncertain, estimated: _estimated, ...known } = opened as LedgerRow;
  const row: LedgerRow = { ...known, ...(end as Partial<LedgerRow>) };
  return { row, text: JSON.stringify(row) };
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Undefined where the text is no JSON: what cannot be read must not keep the rest from being recovered. */
function parsed(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

function add({ counters }: Booking, attempt: HeldAttempt, nanoUsd: number): void {
  if (nanoUsd !== 0) for (const key of attempt.counters) counters.add(key, nanoUsd);
}

/** The key where another attempt has the ordinary one: a call that is made again after a crash keeps its id. */
const ownKey = (key: string, { owner, number }: AttemptName): string => `${key}~${owner}.${number}`;

function insertUnderOwnKey({ sql, scopes }: Booking, attempt: AttemptName, entry: LedgerEntry): void {
  if (!insertRow(sql, entry, scopes)) insertRow(sql, withKey(entry, ownKey(entry.row.key, attempt)), scopes);
}

function withKey(entry: LedgerEntry, key: string): LedgerEntry {
  const row = { ...entry.row, key };
  return { row, text: JSON.stringify(row) };
}

/** For an attempt that another process has booked: what that one booked becomes the real cost. */
export function correctAttempt(at: Booking, attempt: HeldAttempt, costNanoUsd: number, row?: LedgerRow): void {
  const { owner, number } = attempt;
  const isSettled = at.sql.all(FIND_SETTLED, [owner, JSON.stringify([number])]).length > 0;
  if (row === undefined || isSettled) return;
  const entry = { row, text: JSON.stringify(row) };
  const own = ownKey(row.key, attempt);
  const found = at.sql.all(FIND_ROWS, [own, row.key]);
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
