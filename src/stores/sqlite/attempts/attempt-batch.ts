/**
 * What many calls ask of the book at the same time, in one write: each counter is read and written once, and what has
 * ended is found by one statement.
 */
import type { CounterChange, CounterResult, LedgerRow } from '../../../core/stores.ts';
import type { Connection } from '../connection.ts';
import type { Sql, SqlValue } from '../database.ts';
import type { CellBatch } from '../key-value.ts';
import {
  type Booking,
  bookingOf,
  correctAttempt,
  type HeldAttempt,
  insertAttempts,
  openAttempts,
  openingValues,
  settleAttempt,
  wasRecovered,
  writeBooking,
} from './attempt-queries.ts';

export interface Opening {
  readonly attempt: HeldAttempt;
  readonly isSent: boolean;
  readonly changes: readonly CounterChange[];
  /** The row as JSON. */
  readonly text: string;
}

export interface Settlement {
  readonly attempt: HeldAttempt;
  readonly costNanoUsd: number;
  readonly row: LedgerRow | undefined;
}

export interface AttemptBatches {
  /** Resolves when it is committed. */
  open(opening: Opening): Promise<CounterResult>;
  settle(settlement: Settlement): Promise<void>;
}

interface Batch {
  readonly openings: Opening[];
  readonly settlements: Settlement[];
  /** The results of the openings, in their order. */
  readonly written: Promise<readonly Outcome[]>;
}

export interface BatchParts {
  readonly owner: () => string;
  readonly nowMs: () => number;
  /** Called first in each transaction. */
  readonly before: (sql: Sql) => void;
}

/** The most of one batch: it blocks the event loop while it is written, for some milliseconds at this size. */
const MOST = 256;
const HELD: CounterResult = { ok: true, values: [] };

/** The error of one opening, such as a counter that holds no number, must not be that of its whole batch. */
type Outcome = CounterResult | { readonly error: unknown };

export function attemptBatches(connection: Connection, parts: BatchParts): AttemptBatches {
  let current: Batch | undefined;
  const begin = (): Batch => {
    const openings: Opening[] = [];
    const settlements: Settlement[] = [];
    const written = connection.write((sql) => {
      // From here on it is complete, even if it has to be written again.
      if (current?.openings === openings) current = undefined;
      parts.before(sql);
      return writeBatch(sql, connection.path, parts, openings, settlements);
    });
    return { openings, settlements, written };
  };
  const batch = (): Batch => {
    if (current === undefined || current.openings.length + current.settlements.length >= MOST) current = begin();
    return current;
  };
  return {
    async open(opening) {
      const { openings, written } = batch();
      const index = openings.push(opening) - 1;
      const outcome = (await written)[index] ?? HELD;
      if ('error' in outcome) throw outcome.error;
      return outcome;
    },
    async settle(settlement) {
      const { settlements, written } = batch();
      settlements.push(settlement);
      await written;
    },
  };
}

function writeBatch(
  sql: Sql,
  path: string,
  { owner, nowMs }: BatchParts,
  openings: readonly Opening[],
  settlements: readonly Settlement[],
): readonly Outcome[] {
  const at = bookingOf(sql, path, nowMs());
  if (settlements.length > 0) settleAll(at, owner(), settlements, true);
  const rows: (readonly SqlValue[])[] = [];
  const outcomes = openings.map(({ attempt, isSent, changes, text }) => {
    const outcome = changes.length === 0 ? HELD : held(at.counters, changes);
    if ('ok' in outcome && outcome.ok) rows.push(openingValues(attempt, isSent, text));
    return outcome;
  });
  insertAttempts(sql, rows);
  writeBooking(at);
  return outcomes;
}

function held(counters: CellBatch, changes: readonly CounterChange[]): Outcome {
  try {
    return counters.change(changes);
  } catch (error) {
    return { error };
  }
}

/** All of one owner. `isFirst`: none of them was written before, with whatever success. */
export function settleAll(at: Booking, owner: string, settlements: readonly Settlement[], isFirst: boolean): void {
  const open =
    isFirst && !wasRecovered(at.sql, owner)
      ? undefined
      : openAttempts(
          at.sql,
          owner,
          settlements.map(({ attempt }) => attempt.number),
        );
  for (const { attempt, costNanoUsd, row } of settlements) {
    const write = open === undefined || open.has(attempt.number) ? settleAttempt : correctAttempt;
    write(at, attempt, costNanoUsd, row);
  }
}
