/** The statements of one open database, each prepared once. */
import { withTextAsBytes } from './text-as-bytes.ts';

/** Bytes can be written and compared; a query hands none over, because it takes them for a text. */
export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = readonly unknown[];

export interface Sql {
  run(text: string, values?: readonly SqlValue[]): { readonly changes: number; readonly id: number };
  /** Text comes only from a SELECT: any other statement must return numbers. As for `all`. */
  first(text: string, values?: readonly SqlValue[]): SqlRow | undefined;
  all(text: string, values?: readonly SqlValue[]): readonly SqlRow[];
  /** As for `all`, of columns that hold numbers and bytes. A text must be cast: one that is not UTF-8 ends the process. */
  bytes(text: string, values?: readonly SqlValue[]): readonly SqlRow[];
  /** Statements without values or results. */
  script(text: string): void;
  /** Runs `work` in an IMMEDIATE transaction, which is rolled back when `work` throws. */
  transaction<T>(work: () => T): T;
  /** Runs queries that all see the file as it is at the first of them, whatever other processes write meanwhile. */
  snapshot<T>(work: () => T): T;
  close(): void;
}

/** The part of libsql that is used here. */
interface Statement {
  run(values: readonly SqlValue[]): { readonly changes: number; readonly lastInsertRowid: number | bigint };
  raw(): { get(values: readonly SqlValue[]): unknown; all(values: readonly SqlValue[]): readonly unknown[] };
}
interface SqliteDatabase {
  readonly inTransaction: boolean;
  exec(text: string): unknown;
  prepare(text: string): unknown;
  close(): unknown;
}

export function sqlOf(database: SqliteDatabase): Sql {
  const statements = new Map<string, Statement>();
  const prepare = (text: string): Statement => {
    const known = statements.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(text) as Statement;
    statements.set(text, statement);
    return statement;
  };
  const readings = new Map<string, string>();
  const prepareReading = (text: string): Statement => {
    let reading = readings.get(text);
    if (reading === undefined) {
      reading = withTextAsBytes(text);
      readings.set(text, reading);
    }
    return prepare(reading);
  };
  return {
    run(text, values = []) {
      const { changes, lastInsertRowid } = prepare(text).run(values);
      return { changes, id: Number(lastInsertRowid) };
    },
    // Raw rows, because `get` adds a column of its own to objects.
    first(text, values = []) {
      const row = prepareReading(text).raw().get(values) as unknown[] | undefined;
      return row && decoded(row);
    },
    all(text, values = []) {
      const rows = prepareReading(text).raw().all(values) as readonly unknown[][];
      for (const row of rows) decoded(row);
      return rows;
    },
    bytes: (text, values = []) => prepare(text).raw().all(values) as readonly unknown[][],
    script: (text) => void database.exec(text),
    transaction: (work) => inTransaction(database, 'BEGIN IMMEDIATE', work),
    snapshot: (work) => inTransaction(database, 'BEGIN', work),
    close() {
      // libsql releases the file only when the statements are garbage-collected, so the checkpoint is made here.
      statements.clear();
      try {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch {
        // Another process reads the file: the log stays, and the last process to close makes the checkpoint.
      }
      database.close();
    },
  };
}

/** Decodes the texts of a row in place. @throws SQLITE_CORRUPT_TEXT when a text is not UTF-8 */
function decoded(row: unknown[]): SqlRow {
  for (let column = 0; column < row.length; column += 1) {
    const value = row[column];
    if (!(value instanceof Uint8Array)) continue;
    row[column] = textOf(value);
  }
  return row;
}

/** Checks and decodes in one call, which takes half as long as both. A byte order mark is a part of the text. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw damagedText();
  }
}

const damagedText = (): Error => Object.assign(new Error('A text is not UTF-8.'), { code: 'SQLITE_CORRUPT_TEXT' });

function inTransaction<T>(database: SqliteDatabase, begin: string, work: () => T): T {
  database.exec(begin);
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // On a full disk, SQLite has already rolled back.
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
