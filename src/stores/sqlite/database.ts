/** The statements of one open database, each prepared once. */
import { withRowsAsBytes, withTextAsBytes } from './text-as-bytes.ts';

/** Bytes can be written and compared; a query hands none over, because it takes them for a text. */
export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = readonly unknown[];

export interface Sql {
  run(text: string, values?: readonly SqlValue[]): { readonly changes: number; readonly id: number };
  /** Text comes only from a SELECT: any other statement must return numbers. As for `all`. */
  first(text: string, values?: readonly SqlValue[]): SqlRow | undefined;
  all(text: string, values?: readonly SqlValue[]): readonly SqlRow[];
  /**
   * As `all`, in a third of the time where rows have several short texts: the driver hands all of them over as one. For some
   * thousands of rows at most, because SQLite and V8 bound the length of a text.
   */
  table(text: string, values?: readonly SqlValue[]): readonly SqlRow[];
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
  const plain = prepared(database, (text) => text);
  const readings = prepared(database, withTextAsBytes);
  const tables = prepared(database, withRowsAsBytes);
  return {
    run(text, values = []) {
      const { changes, lastInsertRowid } = plain.of(text).run(values);
      return { changes, id: Number(lastInsertRowid) };
    },
    // Raw rows, because `get` adds a column of its own to objects.
    first(text, values = []) {
      const row = readings.of(text).raw().get(values) as unknown[] | undefined;
      return row && decoded(row);
    },
    all(text, values = []) {
      const rows = readings.of(text).raw().all(values) as readonly unknown[][];
      for (const row of rows) decoded(row);
      return rows;
    },
    table(text, values = []) {
      const [rows] = tables.of(text).raw().get(values) as readonly [Uint8Array];
      return JSON.parse(textOf(rows)) as readonly SqlRow[];
    },
    bytes: (text, values = []) => plain.of(text).raw().all(values) as readonly unknown[][],
    script: (text) => void database.exec(text),
    transaction: (work) => inTransaction(database, 'BEGIN IMMEDIATE', work),
    snapshot: (work) => inTransaction(database, 'BEGIN', work),
    close() {
      // libsql releases the file only when the statements are garbage-collected, so the checkpoint is made here.
      for (const statements of [plain, readings, tables]) statements.clear();
      try {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch {
        // Another process reads the file: the log stays, and the last process to close makes the checkpoint.
      }
      database.close();
    },
  };
}

interface Prepared {
  of(text: string): Statement;
  clear(): void;
}

/** Statements in the form that they are run in, each prepared once. */
function prepared(database: SqliteDatabase, formOf: (text: string) => string): Prepared {
  const statements = new Map<string, Statement>();
  return {
    of(text) {
      const known = statements.get(text);
      if (known !== undefined) return known;
      const statement = database.prepare(formOf(text)) as Statement;
      statements.set(text, statement);
      return statement;
    },
    clear: () => statements.clear(),
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
