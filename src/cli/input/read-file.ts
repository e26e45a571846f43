/** Reads and writes the files that the user names, with a clear error when that fails. */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder } from '../../system/make-folder.ts';
import { UsageError } from './exit-code.ts';

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const READING: Readonly<Record<string, (path: string, what: string) => string>> = {
  ENOENT: (path, what) => `There is no file ${path}; name ${what} that exists`,
  ENOTDIR: (path, what) => `A part of the path ${path} is not a folder; name ${what} that exists`,
  EACCES: (path) => `There is no permission to read ${path}; change its permissions`,
  EPERM: (path) => `There is no permission to read ${path}; change its permissions`,
  ELOOP: (path, what) => `${path} is a link that leads back to itself; name ${what}`,
  ENAMETOOLONG: (path, what) => `${path.slice(0, 60)}… is too long for a path; name ${what} that exists`,
};

/** @throws UsageError naming the file and the reason */
export async function readable(path: string, largest: number, what: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`${path} is a folder; name ${what} in it`);
    if (found.size > largest) {
      throw new UsageError(`${path} has ${found.size} bytes, but ${what} may have at most ${largest}`);
    }
    return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const sentence = READING[String(codeOf(error))];
    if (sentence !== undefined) throw new UsageError(sentence(path, what));
    throw new UsageError(`${path} cannot be read (${String(codeOf(error))}); name ${what} that can be read`);
  }
}

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
