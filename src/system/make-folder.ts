/** Folders on disk. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a folder with those above it; nothing when it is there. Folder by folder, because the recursive `mkdir` of Node
 * never ends in places like /proc, which answer that a folder within an existing one is missing.
 *
 * @throws what the file system says: EACCES, ENOENT, ENOTDIR, EROFS, ENOSPC …
 */
export async function makeFolder(path: string): Promise<void> {
  const missing = await makeOrTell(path);
  if (missing === undefined) return;
  const parent = dirname(path);
  if (parent === path) throw missing;
  await makeFolder(parent);
  const failure = await makeOrTell(path);
  if (failure !== undefined) throw failure;
}

/** The error when the folder above is missing. */
async function makeOrTell(path: string): Promise<Error | undefined> {
  try {
    await mkdir(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return error;
    // What is there already answers EEXIST, but a root may answer EISDIR or EPERM.
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
