/** Folders on disk. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Makes a folder and its parents; does nothing if it exists. One folder at a time, because Node's recursive `mkdir` never
 * ends in places such as /proc, which report a missing parent although it exists.
 *
 * @throws the error of the file system: EACCES, ENOENT, ENOTDIR, EROFS, ENOSPC …
 */
export async function makeFolder(path: string): Promise<void> {
  const missing = await tryMakeFolder(path);
  if (missing === undefined) return;
  const parent = dirname(path);
  if (parent === path) throw missing;
  await makeFolder(parent);
  const failure = await tryMakeFolder(path);
  if (failure !== undefined) throw failure;
}

/** The folder of stores, where nobody chooses another. */
const STORE_FOLDER = '.polyphony';

/**
 * Makes the folder of a store as `makeFolder` does. A new `.polyphony` tells git to ignore what is in it: a database in a
 * commit would show everything that was ever asked.
 *
 * @throws the error of the file system, but not for the note to git
 */
export async function makeStoreFolder(path: string): Promise<void> {
  const isNew = basename(path) === STORE_FOLDER && !(await isFolder(path));
  await makeFolder(path);
  if (isNew) await writeFile(join(path, '.gitignore'), '*\n', { flag: 'wx' }).catch(() => undefined);
}

/** Returns the error if the parent is missing. */
async function tryMakeFolder(path: string): Promise<Error | undefined> {
  try {
    await mkdir(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return error;
    // An existing folder gives EEXIST, but a root may give EISDIR or EPERM.
    if (!(await isFolder(path))) throw error;
  }
  return undefined;
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
