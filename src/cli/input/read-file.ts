/** Reads and writes the files that the user names, with a clear error when that fails. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../system/make-folder.ts';
import { readText } from '../../system/read-text.ts';
import { UsageError } from './exit-code.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** @throws UsageError naming the file and the reason */
export const readable = (path: string, largest: number, what: string): Promise<string> =>
  readText(path, { largest, what, refuse: (message) => new UsageError(message) });

const WRITING: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user has no permission to write there',
  EPERM: 'this user has no permission to write there',
  EROFS: 'its disk is read-only',
  ENOSPC: 'the disk is full',
  EEXIST: 'it already exists',
};

const writingError = (path: string, error: unknown): UsageError =>
  new UsageError(
    `${path} cannot be written: ${WRITING[String(codeOf(error))] ?? String(codeOf(error))}; name another file`,
  );

/** @throws UsageError naming the file and the reason */
export async function write(
  path: string,
  text: string,
  options: { readonly flag?: 'w' | 'wx' | 'a' } = {},
): Promise<void> {
  try {
    await writeFile(path, text, options);
  } catch (error) {
    throw writingError(path, error);
  }
}

/** Creates the folder of a file when it is missing. @throws UsageError */
export async function folderFor(path: string): Promise<void> {
  try {
    await makeFolder(dirname(path));
  } catch (error) {
    throw writingError(path, error);
  }
}
