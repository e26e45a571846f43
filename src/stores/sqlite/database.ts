/** Statements of one open database, prepared once each. */

export type SqlValue = string | number | null;
export type SqlRow = readonly unknown[];

export interface Sql {
  run(text: string, values?: readonly SqlValue[]): { readonly changes: number; readonly id: number };
  first(text: string, values?: readonly SqlValue[]): SqlRow | undefined;
  all(text: string, values?: readonly SqlValue[]): readonly SqlRow[];
  /** Statements without values or results. */
  script(text: string): void;
  /** Runs `work` in an IMMEDIATE transaction, rolled back when it throws. */
  transaction<T>(work: () => T): T;
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
  return {
    run(text, values = []) {
      const { changes, lastInsertRowid } = prepare(text).run(values);
      return { changes, id: Number(lastInsertRowid) };
    },
    // Raw rows: as objects, `get` would add a column of its own.
    first: (text, values = []) => prepare(text).raw().get(values) as SqlRow | undefined,
    all: (text, values = []) => prepare(text).raw().all(values) as readonly SqlRow[],
    script: (text) => void database.exec(text),
    transaction: (work) => inTransaction(database, work),
    close() {
      // The file is let go when the statements are collected, so the log is folded in here and not left to that.
      statements.clear();
      try {
        database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      } catch {
        // Another process reads: the log stays beside the file, and whoever closes last folds it in.
      }
      database.close();
    },
  };
}

function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has rolled back already.
    if (database.inTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
