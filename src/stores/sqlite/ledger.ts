/**
 * The ledger in SQLite: rows wait in a buffer and are committed in groups, so that a call does not wait for its row.
 *
 * 1. A row leaves the buffer only when it is committed. Rows that fail are kept, reported to `onError`, and tried again with
 *    the next group, at `flush` and at `close`.
 * 2. A killed process loses at most the rows of the last `delayMs`, and rows that could not be written. Rows of attempts that
 *    were opened are not among them: see attempts.ts.
 * 3. A full buffer accepts no row until it has been written: `append` then returns a promise.
 */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { LedgerFilter, LedgerGroup, LedgerRow, UsageLedger } from '../../core/stores.ts';
import { assertLimit } from '../ledger-totals.ts';
import type { SqliteAttempts } from './attempts/attempts.ts';
import type { Connection } from './connection.ts';
import type { Sql } from './database.ts';
import { closedError, storeError } from './errors.ts';
import { insertRows, type LedgerEntry, selectRows } from './ledger-queries.ts';
import { pruneRows } from './prune-rows.ts';
import { ledgerRowOf } from './records.ts';
import { isSummed, sumRows } from './totals/parts.ts';
import { selectTotals } from './totals/totals.ts';

interface SqliteLedgerOptions {
  readonly clock: Clock;
  readonly delayMs: number;
  readonly bufferRows: number;
  readonly onError: (error: PolyphonyError) => void;
  readonly attempts: Pick<SqliteAttempts, 'recover' | 'flush' | 'close'>;
  readonly close: () => Promise<void>;
}

type TotalsBy = LedgerGroup | readonly LedgerGroup[];

/** The most rows per write: they block the event loop for a few milliseconds. */
const GROUP = 256;

interface Buffer {
  append(rows: readonly LedgerRow[]): Promise<void> | undefined;
  /** Writes every row that is waiting now. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

function rowBuffer(connection: Connection, options: SqliteLedgerOptions): Buffer {
  const { clock, delayMs, bufferRows, onError } = options;
  let waiting: LedgerEntry[] = [];
  let cancelTimer: (() => void) | undefined;
  let writing: Promise<void> | undefined;
  let closed = false;
  const writeAll = async (): Promise<void> => {
    cancelTimer?.();
    cancelTimer = undefined;
    for (let left = waiting.length; left > 0; left -= GROUP) {
      const group = waiting.slice(0, Math.min(GROUP, left));
      await connection.write((sql) => insertRows(sql, group));
      waiting = waiting.slice(group.length);
    }
  };
  const schedule = (): void => {
    if (closed || waiting.length === 0) return;
    cancelTimer ??= clock.schedule(delayMs, flushInBackground, { background: true });
  };
  // One at a time, because a second writer would write the same rows.
  const flush = (): Promise<void> => {
    const mine: Promise<void> = (writing ?? Promise.resolve()).catch(() => {}).then(writeAll);
    writing = mine;
    const settled = (): void => {
      if (writing === mine) writing = undefined;
      schedule();
    };
    mine.then(settled, settled);
    return mine;
  };
  function flushInBackground(): void {
    flush().catch((error: unknown) => onError(storeError(error, connection.path)));
  }
  const take = (entries: readonly LedgerEntry[]): void => {
    for (const entry of entries) waiting.push(entry);
    if (writing !== undefined) return;
    if (waiting.length < GROUP) schedule();
    else flushInBackground();
  };
  return {
    append(rows) {
      if (closed) return Promise.reject(closedError(connection.path));
      const entries = rows.map((row) => ({ row, text: JSON.stringify(row) }));
      if (waiting.length + entries.length <= bufferRows) {
        take(entries);
        return undefined;
      }
      return flush().then(() => take(entries));
    },
    flush,
    async close() {
      closed = true;
      try {
        await flush();
      } catch (error) {
        throw lostRows(storeError(error, connection.path), waiting.length);
      }
    },
  };
}

function lostRows(error: PolyphonyError, rows: number): PolyphonyError {
  const message = `${error.message} The ledger was closed with ${rows} rows that were not written to the file.`;
  return new PolyphonyError(error.code, message, { cause: error, details: { rows } });
}

export function sqliteLedger(connection: Connection, options: SqliteLedgerOptions): UsageLedger {
  const { attempts } = options;
  const buffer = rowBuffer(connection, options);
  const flush = async (): Promise<void> => {
    await attempts.flush();
    await buffer.flush();
  };
  /** A reader sees what dead processes left, too. */
  const catchUp = async (): Promise<void> => {
    await flush();
    if (await connection.mayWrite()) await attempts.recover();
  };
  const totalsNow = (sql: Sql, by: TotalsBy, filter: LedgerFilter, isReadOnly: boolean) => {
    const summed = isSummed(sql);
    return summed || isReadOnly ? selectTotals(sql, by, filter, connection.path, !summed) : undefined;
  };
  return {
    append: buffer.append,
    flush,
    async *rows(filter = {}) {
      assertLimit(filter);
      await catchUp();
      let after: readonly [number, number] | undefined;
      let left = filter.limit ?? Number.POSITIVE_INFINITY;
      while (left > 0) {
        const page = Math.min(500, left);
        const rows = await connection.read((sql) => selectRows(sql, filter, after, page));
        for (const [, , text] of rows) yield ledgerRowOf(text, connection.path);
        const last = rows.at(-1);
        if (last === undefined || rows.length < page) return;
        after = [Number(last[0]), Number(last[1])];
        left -= rows.length;
      }
    },
    async totals(by, filter = {}) {
      assertLimit(filter);
      await catchUp();
      // A file of an earlier release, or one in which rows were changed, is summed part by part, so that nobody waits long.
      const isReadOnly = !(await connection.mayWrite());
      for (;;) {
        const totals = await connection.read((sql) => sql.snapshot(() => totalsNow(sql, by, filter, isReadOnly)));
        if (totals !== undefined) return totals;
        await connection.write((sql) => sumRows(sql, connection.path));
      }
    },
    async prune(options) {
      await buffer.flush();
      return connection.write((sql) => pruneRows(sql, options, connection.path));
    },
    async close() {
      // Both, even if one fails.
      const closed = await Promise.allSettled([buffer.close(), attempts.close()]);
      await options.close();
      for (const result of closed) if (result.status === 'rejected') throw result.reason;
    },
  };
}
