/** Turns the errors of SQLite and of the file system into errors that tell an operator what to do. */
import { asPolyphonyError, type ErrorCode, PolyphonyError } from '../../core/errors.ts';

const FULL = /^(?:SQLITE_FULL|SQLITE_IOERR_SHMSIZE|ENOSPC|EDQUOT)/;
/** All statements are constants that fit the schema, so that one that SQLite refuses shows a schema or an index that changed. */
const CORRUPT =
  /^SQLITE_(?:CORRUPT|NOTADB|IOERR_SHORT_READ|IOERR_CORRUPTFS|ERROR|CONSTRAINT|MISMATCH|SCHEMA|FORMAT|INTERNAL|RANGE|EMPTY|NOTFOUND)/;
const BUSY = /^SQLITE_(?:BUSY|LOCKED)/;
const NO_ACCESS = /^(?:SQLITE_(?:READONLY|CANTOPEN|PERM)|E(?:ACCES|PERM|ROFS|NOTDIR|EXIST|ISDIR|NOENT)$)/;

/** Names of the numbers in SQLite's own list of results. The driver has no name for some that a number in the upper bytes makes finer. */
const PRIMARY: ReadonlyMap<number, string> = new Map([
  [1, 'ERROR'],
  [3, 'PERM'],
  [5, 'BUSY'],
  [6, 'LOCKED'],
  [7, 'NOMEM'],
  [8, 'READONLY'],
  [10, 'IOERR'],
  [11, 'CORRUPT'],
  [13, 'FULL'],
  [14, 'CANTOPEN'],
  [19, 'CONSTRAINT'],
  [26, 'NOTADB'],
]);
const UNNAMED = /^UNKNOWN_SQLITE_ERROR_(\d+)$/;

/** `SQLITE_READONLY_1544` for `UNKNOWN_SQLITE_ERROR_1544`: the lowest byte of a finer number is the coarse one. */
function named(code: string): string {
  const number = Number(UNNAMED.exec(code)?.[1]);
  const primary = PRIMARY.get(number & 0xff);
  return primary === undefined ? code : `SQLITE_${primary}_${number}`;
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  if ('code' in error && typeof error.code === 'string' && error.code !== '') return named(error.code);
  // Errors of opening a file carry no code, only this text.
  return error.message.startsWith('ConnectionFailed') ? 'SQLITE_CANTOPEN' : '';
}

/**
 * The error is of a record that holds what cannot be there, so it concerns only those who asked for that record. After any other error of a
 * statement, SQLite may have rolled the transaction back.
 */
export const isOfRecord = (error: unknown): boolean =>
  error instanceof PolyphonyError || codeOf(error) === 'SQLITE_CORRUPT_TEXT';

/** Another process or connection holds the lock: trying again helps. */
export const isBusy = (error: unknown): boolean => BUSY.test(codeOf(error));

const SENTENCES: readonly (readonly [RegExp, ErrorCode, (path: string, code: string) => string])[] = [
  [
    FULL,
    'store-full',
    (path) =>
      `The disk or quota behind the store ${path} is full, so this was not recorded: free some space and try again. What was committed before is safe.`,
  ],
  [
    NO_ACCESS,
    'invalid-config',
    (path, code) =>
      `The store ${path} cannot be opened for writing (${code}): choose a path whose folder and file this process may write.`,
  ],
  [
    /^SQLITE_(?:NOMEM|PROTOCOL|INTERRUPT|ABORT)/,
    'store-busy',
    (path, code) =>
      `The store ${path} could not be read or written now (${code}): look for a process without memory, then try again.`,
  ],
  [
    // Whatever else SQLite says is about its file, too.
    /^(?:SQLITE_|UNKNOWN_SQLITE_|EIO$)/,
    'store-corrupt',
    (path, code) => `The store ${path} could not be read or written (${code}): check its disk, then the file itself.`,
  ],
];

export function corruptError(path: string, found: string, cause?: unknown): PolyphonyError {
  const message = `The store ${path} is damaged or is not an SQLite file (${found}): restore it from a backup, save what can be read with "polyphony doctor --repair --store ${path}", or move it away to start with an empty one.`;
  return new PolyphonyError('store-corrupt', message, { cause });
}

/** What SQLite's own check found first, in one line. */
export const checkError = (path: string, found: unknown): PolyphonyError =>
  corruptError(
    path,
    String(found)
      .replace(/^\*\*\* in database \w+ \*\*\*\s*/, '')
      .replace(/\s+/g, ' ')
      .slice(0, 200),
  );

/** The error as a PolyphonyError with path, rule and remedy; an unknown error keeps its message. */
export function storeError(error: unknown, path: string): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  const code = codeOf(error);
  if (CORRUPT.test(code)) return corruptError(path, foundBy(error, code), error);
  for (const [pattern, ours, sentence] of SENTENCES) {
    if (pattern.test(code)) return new PolyphonyError(ours, sentence(path, code), { cause: error });
  }
  return asPolyphonyError(error);
}

/** What SQLite says, after the code: it names the table, the index or the page. */
function foundBy(error: unknown, code: string): string {
  const said = error instanceof Error ? error.message.slice(0, 200) : '';
  return said === '' ? code : `${code}: ${said}`;
}

export function busyError(path: string, waitedMs: number, cause: unknown): PolyphonyError {
  const message = `The store ${path} was locked by another process for ${Math.round(waitedMs)} ms: look for a program that keeps a transaction open, then try again. Nothing was recorded.`;
  return new PolyphonyError('store-busy', message, { cause });
}

export function closedError(path: string): PolyphonyError {
  return new PolyphonyError('invalid-request', `The store ${path} is closed: open a new one.`);
}

/** Parses the JSON of a record. @throws store-corrupt when the text is not valid JSON */
export function parseStored(text: unknown, path: string): unknown {
  try {
    if (typeof text === 'string') return JSON.parse(text);
  } catch {
    // The same error as for a value that is not text.
  }
  throw corruptError(path, 'a record that is not valid JSON');
}
