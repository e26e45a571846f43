/** The attempts that many calls open at the same time, in one write: each counter is read and written once. */
import type { CounterChange, CounterResult } from '../../../core/stores.ts';
import type { Connection } from '../connection.ts';
import type { Sql, SqlValue } from '../database.ts';
import { isOfRecord, storeError } from '../errors.ts';
import type { CellBatch } from '../key-value.ts';
import { bookingOf, type HeldAttempt, insertAttempts, openingValues } from './attempt-queries.ts';

export interface Opening {
  readonly attempt: HeldAttempt;
  readonly isSent: boolean;
  readonly changes: readonly CounterChange[];
  /** The row as JSON. */
  readonly text: string;
}

export interface AttemptBatches {
  /** Resolves when it is committed. */
  open(opening: Opening): Promise<CounterResult>;
}

interface Batch {
  readonly openings: Opening[];
  /** The results of the openings, in their order. */
  readonly written: Promise<readonly Outcome[]>;
}

export interface BatchParts {
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
    const written = connection.write((sql) => {
      // From here on it is complete, even if it has to be written again.
      if (current?.openings === openings) current = undefined;
      parts.before(sql);
      return writeBatch(sql, connection.path, parts, openings);
    });
    return { openings, written };
  };
  const batch = (): Batch => {
    if (current === undefined || current.openings.length >= MOST) current = begin();
    return current;
  };
  return {
    open(opening) {
      const { openings, written } = batch();
      const index = openings.push(opening) - 1;
      return written.then((outcomes) => {
        const outcome = outcomes[index] ?? HELD;
        if ('error' in outcome) throw outcome.error;
        return outcome;
      });
    },
  };
}

function writeBatch(sql: Sql, path: string, { nowMs }: BatchParts, openings: readonly Opening[]): readonly Outcome[] {
  const at = bookingOf(sql, path, nowMs());
  const rows: (readonly SqlValue[])[] = [];
  const outcomes = openings.map(({ attempt, isSent, changes, text }) => {
    const outcome = changes.length === 0 ? HELD : held(at.counters, changes, path);
    if ('ok' in outcome && outcome.ok) rows.push(openingValues(attempt, isSent, text));
    return outcome;
  });
  insertAttempts(sql, rows);
  at.counters.write();
  return outcomes;
}

function held(counters: CellBatch, changes: readonly CounterChange[], path: string): Outcome {
  try {
    return counters.change(changes);
  } catch (error) {
    if (!isOfRecord(error)) throw error;
    return { error: storeError(error, path) };
  }
}
