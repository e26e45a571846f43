/**
 * Opens a file that this process may not write, or whose folder it may not, for reading alone.
 *
 * 1. Where a log stands beside it, and the index of the log that its writer keeps, SQLite reads both as usual.
 * 2. Where none does, the file is all there is. SQLite then locks nothing, so a file that is written meanwhile is noticed by its time and
 *    size, and what was read is thrown away.
 * 3. A log without its index would have to be recovered, which writes: that is refused, because its latest entries cannot be seen.
 */
import { access, constants, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PolyphonyError } from '../../core/errors.ts';
import { type Sql, sqlOf } from './database.ts';
import { loadDriver } from './driver.ts';
import { assertCurrent } from './schema.ts';

export interface OpenedFile {
  readonly sql: Sql;
  readonly isReadOnly: boolean;
  /** Call it after each reading. @throws store-busy where the file was written meanwhile */
  readonly assertUnchanged?: () => Promise<void>;
}

/** Whether the file is there, and it or its folder may not be written by this process. */
export async function isOnlyReadable(path: string): Promise<boolean> {
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile && !((await mayUse(path, constants.W_OK)) && (await mayUse(dirname(path), constants.W_OK)));
}

const mayUse = (path: string, mode: number): Promise<boolean> =>
  access(path, mode).then(
    () => true,
    () => false,
  );

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** @throws invalid-config for what cannot be read without a write, store-newer */
export async function openForReading(path: string): Promise<OpenedFile> {
  if (!(await mayUse(path, constants.R_OK))) {
    const message = `The store ${path} may not be read by this process: run it as a user who may, or change the rights of the file.`;
    throw new PolyphonyError('invalid-config', message);
  }
  const hasIndex = await mayUse(`${path}-shm`, constants.R_OK);
  const logBytes = await sizeOf(`${path}-wal`);
  if (logBytes > 0 && !hasIndex) throw unreadLog(path, logBytes);
  const Database = await loadDriver();
  const before = await stampOf(path);
  const sql = sqlOf(new Database(hasIndex ? path : `${pathToFileURL(path).href}?immutable=1`));
  try {
    sql.script(
      'PRAGMA busy_timeout = 5; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; PRAGMA query_only = ON',
    );
    assertCurrent(sql, path);
  } catch (error) {
    sql.close();
    throw error;
  }
  if (hasIndex) return { sql, isReadOnly: true };
  const assertUnchanged = async (): Promise<void> => {
    if ((await stampOf(path)) !== before) throw writtenMeanwhile(path);
  };
  return { sql, isReadOnly: true, assertUnchanged };
}

async function stampOf(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${size} ${mtimeMs} ${await sizeOf(`${path}-wal`)}`;
}

function unreadLog(path: string, bytes: number): PolyphonyError {
  const message = `The store ${path} has ${bytes} bytes of changes in ${path}-wal that are not copied into it yet, and this process may not do that, so the latest changes cannot be seen: run any command over it once as a user who may write its folder.`;
  return new PolyphonyError('invalid-config', message);
}

function writtenMeanwhile(path: string): PolyphonyError {
  const message = `The store ${path} was written while it was read without a lock, because this process may not write its folder: try again.`;
  return new PolyphonyError('store-busy', message);
}
