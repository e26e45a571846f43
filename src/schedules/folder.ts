/**
 * The files of a watched folder.
 *
 * D1. Nothing outside the folder is looked at: linked folders are not entered, and a linked file counts only when its end
 *     lies in the folder.
 * D2. Hidden files and folders are left out, because a file that is being copied often has a hidden name first.
 */
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, sep } from 'node:path';
import { globMatches } from '../system/glob.ts';

export interface FoundFile {
  /** Below the folder, with forward slashes. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly modifiedMs: number;
}

export interface FolderLook {
  readonly files: readonly FoundFile[];
  /** There is more than is looked at. */
  readonly truncated: boolean;
}

const MOST_FILES = 10_000;
const MOST_ENTRIES = 50_000;
const DEEPEST = 16;

/** @throws the error of the system when the folder itself cannot be read */
export async function lookInto(folder: string, pattern: readonly string[]): Promise<FolderLook> {
  const root = await realpath(folder);
  const files: FoundFile[] = [];
  const folders: string[][] = [[]];
  let entries = 0;
  for (let names = folders.shift(); names !== undefined; names = folders.shift()) {
    for (const entry of await entriesOf(join(root, ...names), names.length === 0)) {
      entries += 1;
      if (entries > MOST_ENTRIES || files.length >= MOST_FILES) return { files, truncated: true };
      if (entry.name.startsWith('.')) continue;
      const path = [...names, entry.name];
      if (entry.isDirectory() && path.length < DEEPEST && path.length < depthOf(pattern)) folders.push(path);
      if (!(entry.isFile() || entry.isSymbolicLink()) || !globMatches(pattern, path)) continue;
      const found = await fileAt(root, path);
      if (found !== undefined) files.push(found);
    }
  }
  return { files, truncated: false };
}

/** A pattern without `**` needs no folder that is deeper than itself. */
const depthOf = (pattern: readonly string[]): number => (pattern.includes('**') ? DEEPEST : pattern.length);

async function entriesOf(folder: string, isRoot: boolean) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (isRoot) throw error;
    // A folder that was removed meanwhile counts as empty.
    return [];
  }
}

async function fileAt(root: string, path: readonly string[]): Promise<FoundFile | undefined> {
  const full = join(root, ...path);
  try {
    if ((await lstat(full)).isSymbolicLink() && !isInside(root, await realpath(full))) return undefined;
    const { size, mtimeMs, isFile } = await facts(full);
    return isFile ? { name: path.join('/'), size, modifiedMs: mtimeMs } : undefined;
  } catch {
    // It was moved away between two looks, or is a link that leads nowhere.
    return undefined;
  }
}

async function facts(path: string) {
  const found = await stat(path);
  return { size: found.size, mtimeMs: found.mtimeMs, isFile: found.isFile() };
}

function isInside(root: string, path: string): boolean {
  const below = relative(root, path);
  return below !== '' && below !== '..' && !below.startsWith(`..${sep}`) && !isAbsolute(below);
}
