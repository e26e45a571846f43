/**
 * Writes below one folder, and nowhere else.
 *
 * W1. Every folder on the way is a real one inside the opened folder; a link on the way is refused, one at the end never followed.
 * W2. A file appears whole or not at all: it is written beside its place and then moved there.
 * W3. What exists stays, unless the call says that it may be replaced.
 * W4. The same key writes once: what was intended is recorded before, what was written after.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, lstat, mkdir, open, readFile, realpath, rename, unlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { KeyValueStore } from 'polyphony/kit';
import { failed, inner, isSecret, namesOf, rootOf } from './folder.ts';

export interface WriteLimits {
  readonly folder: string;
  readonly maxBytes: number;
}

export interface Writing {
  readonly path: string;
  readonly bytes: Buffer;
  /** Whether a file that exists may be replaced. */
  readonly overwrite: boolean;
  readonly idempotencyKey: string;
}

export interface Written {
  readonly path: string;
  readonly bytes: number;
}

interface Record {
  readonly path: string;
  readonly hash: string;
  readonly isDone: boolean;
}

const MAX_DEPTH = 32;
const MAX_NAME_BYTES = 200;
/** Longer than any run is likely to be resumed. */
const RECORD_TTL_MS = 90 * 24 * 60 * 60 * 1000;

const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** @throws tool-failed; what is at the path is then what was there before */
export async function writeIn(limits: WriteLimits, store: KeyValueStore, writing: Writing): Promise<Written> {
  const { bytes, idempotencyKey } = writing;
  if (bytes.length > limits.maxBytes) {
    throw failed(
      `"${writing.path}" would have ${bytes.length} bytes, but at most ${limits.maxBytes} are written: write less.`,
    );
  }
  // The operator named it, so it may be made.
  await mkdir(limits.folder, { recursive: true }).catch((error: unknown) => {
    throw explained(error, writing.path);
  });
  const root = await rootOf(limits);
  const inside = insideOf(root, writing.path);
  const hash = hashOf(bytes);
  const key = `written/${hashOf(idempotencyKey)}`;
  const before = recordOf(await store.get(key));
  const written: Written = { path: inside.split(sep).join('/'), bytes: bytes.length };
  if (before !== undefined && before.path === written.path && before.hash === hash) {
    if (before.isDone || (await holds(join(root, inside), hash))) {
      if (!before.isDone) await record(store, key, written.path, hash, true);
      return written;
    }
  }
  await record(store, key, written.path, hash, false);
  await place(root, inside, writing);
  await record(store, key, written.path, hash, true);
  return written;
}

const record = (store: KeyValueStore, key: string, path: string, hash: string, isDone: boolean): Promise<void> =>
  store.set(key, { path, hash, isDone }, { ttlMs: RECORD_TTL_MS });

function recordOf(value: unknown): Record | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { path, hash, isDone } = value as Partial<Record>;
  return typeof path === 'string' && typeof hash === 'string' ? { path, hash, isDone: isDone === true } : undefined;
}

/** Below the root, by names alone; nothing is touched yet. */
function insideOf(root: string, path: string): string {
  if (path === '' || path.includes('\0')) {
    throw failed('The path is empty or contains a NUL character: give a path inside the folder.');
  }
  const inside = inner(root, resolve(root, path), path);
  const names = namesOf(inside);
  if (names.length === 0 || /[/\\]$/.test(path)) throw failed(`"${path}" names a folder: give the path of a file.`);
  if (names.length > MAX_DEPTH || names.some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)) {
    throw failed(
      `"${path.slice(0, 100)}" has more than ${MAX_DEPTH} folders, or a name of more than ${MAX_NAME_BYTES} bytes: shorten it.`,
    );
  }
  if (isSecret(names)) {
    throw failed(
      `"${path}" is hidden or looks like a secret (such as a key or an environment file), so it is not written.`,
    );
  }
  return inside;
}

async function holds(file: string, hash: string): Promise<boolean> {
  try {
    return (await lstat(file)).isFile() && hashOf(await readFile(file)) === hash;
  } catch {
    return false;
  }
}

async function place(root: string, inside: string, { path, bytes, overwrite, idempotencyKey }: Writing): Promise<void> {
  const target = join(root, inside);
  const folder = await madeFolder(root, dirname(inside), path);
  if (!overwrite) await assertFree(target, path);
  // A name of this call alone, so that what a killed process left is written anew.
  const draft = join(folder, `.${hashOf(`${idempotencyKey}\0${inside}`).slice(0, 24)}.part`);
  try {
    await writeDraft(draft, bytes, path);
    if ((await realpath(folder)) !== folder) throw replaced(path);
    if (overwrite) await rename(draft, target);
    else await moveToFree(draft, target, path);
  } catch (error) {
    throw explained(error, path);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

/** The folder of the file, made where it is missing. A link on the way is refused. */
async function madeFolder(root: string, below: string, path: string): Promise<string> {
  let folder = root;
  for (const name of namesOf(below)) {
    folder = join(folder, name);
    try {
      await mkdir(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explained(error, path);
    }
    if (!(await lstat(folder)).isDirectory()) {
      throw failed(`"${path}" leads through "${name}", which is a link or a file: give a path through folders.`);
    }
  }
  return folder;
}

async function assertFree(target: string, path: string): Promise<void> {
  const found = await lstat(target).catch(() => undefined);
  if (found !== undefined) throw exists(path);
}

const exists = (path: string) =>
  failed(
    `"${path}" exists, and files are not replaced unless the call says "overwrite": choose another path, or say so.`,
  );
const replaced = (path: string) => failed(`A folder of "${path}" was replaced while it was written. Try again.`);

async function writeDraft(draft: string, bytes: Buffer, path: string): Promise<void> {
  await unlink(draft).catch(() => undefined);
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const handle = await open(draft, O_WRONLY | O_CREAT | O_EXCL | (O_NOFOLLOW ?? 0), 0o644);
  try {
    const [opened, named, real] = await Promise.all([handle.stat(), lstat(draft), realpath(draft)]);
    if (real !== draft || opened.ino !== named.ino || opened.dev !== named.dev) throw replaced(path);
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A second name for the draft fails where the place was taken meanwhile; a move would replace what is there. */
async function moveToFree(draft: string, target: string, path: string): Promise<void> {
  try {
    await link(draft, target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw exists(path);
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    // A file system without second names.
    await assertFree(target, path);
    await rename(draft, target);
  }
}

function explained(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EISDIR' || code === 'ENOTEMPTY')
    return failed(`"${path}" is a folder: give the path of a file.`, error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return failed(`There is no room for "${path}": free some.`, error);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return failed(`"${path}" may not be written by this process: open another folder.`, error);
  }
  return error;
}
