/**
 * One folder, and nothing outside it.
 *
 * D1. A path is resolved inside the folder, with links followed to their end; a path that leads out is refused.
 * D2. The opened file is the checked file: it must be the one that the checked path still names.
 * D3. Hidden files, environment files and keys are refused by name, whatever path leads to them.
 */
import { constants, type Dirent } from 'node:fs';
import { type FileHandle, lstat, open, opendir, realpath } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';
import { defined, globMatches, PolyphonyError } from 'polyphony/kit';
import { mediaTypeOf } from './media-type.ts';

export interface FolderOptions {
  readonly folder: string;
  readonly maxBytes: number;
  readonly maxMediaBytes: number;
  readonly maxFiles: number;
  readonly secrets: boolean;
}

const MAX_VISITED = 20_000;
const SECRET =
  /^(?:id_(?:rsa|dsa|ecdsa|ed25519).*|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)|credentials(?:\..*)?|secrets?(?:\..*)?|.*\.env(?:\..*)?|env|service-?account.*\.json|htpasswd)$/i;

export const failed = (message: string, cause?: unknown): PolyphonyError =>
  new PolyphonyError('tool-failed', message, { retryable: false, ...defined({ cause }) });

/** Hidden names begin with a dot. */
export const isSecret = (names: readonly string[]): boolean =>
  names.some((name) => name.startsWith('.') || SECRET.test(name));

export const namesOf = (path: string): string[] => path.split(/[/\\]/).filter((name) => name !== '' && name !== '.');

export interface Media {
  readonly type: 'base64';
  readonly data: string;
  readonly mediaType: string;
}

/** One of `text`, `image`, `audio` and `file`. */
export interface FileContent {
  readonly path: string;
  readonly bytes: number;
  readonly text?: string;
  readonly image?: Media;
  readonly audio?: Media;
  readonly file?: Media;
}

/** @throws tool-failed */
export async function readFileIn(options: FolderOptions, path: string): Promise<FileContent> {
  const { handle, inside } = await openIn(options, path);
  try {
    const { size } = await handle.stat();
    const most = Math.max(options.maxBytes, options.maxMediaBytes);
    if (size > most) throw tooLarge(path, `${size}`, most);
    const bytes = await readAll(handle, most, path);
    return { path: inside, bytes: bytes.length, ...contentOf(options, bytes, path) };
  } finally {
    await handle.close();
  }
}

/** The checked file, open for reading; the caller closes it. @throws tool-failed */
export async function openIn(
  options: Pick<FolderOptions, 'folder' | 'secrets'>,
  path: string,
): Promise<{ readonly handle: FileHandle; readonly inside: string }> {
  const { real, inside } = await locate(options, await rootOf(options), path);
  return { handle: await openChecked(real, path), inside };
}

function contentOf(
  { maxBytes, maxMediaBytes }: FolderOptions,
  bytes: Buffer,
  path: string,
): Pick<FileContent, 'text' | 'image' | 'audio' | 'file'> {
  const mediaType = mediaTypeOf(bytes);
  const most = mediaType === undefined ? maxBytes : maxMediaBytes;
  if (bytes.length > most) throw tooLarge(path, `${bytes.length}`, most);
  if (mediaType === undefined) return { text: decode(bytes, path) };
  const media: Media = { type: 'base64', data: bytes.toString('base64'), mediaType };
  if (mediaType.startsWith('audio/')) return { audio: media };
  return mediaType.startsWith('image/') ? { image: media } : { file: media };
}

const tooLarge = (path: string, size: string, most: number): PolyphonyError =>
  failed(`"${path}" has ${size} bytes, but at most ${most} are read. Choose a smaller file.`);

export async function rootOf({ folder }: Pick<FolderOptions, 'folder'>): Promise<string> {
  try {
    return await realpath(folder);
  } catch (error) {
    throw failed(`The folder "${folder}" cannot be read: give one that exists.`, error);
  }
}

async function locate(
  options: Pick<FolderOptions, 'secrets'>,
  root: string,
  path: string,
): Promise<{ readonly real: string; readonly inside: string }> {
  if (path.includes('\0') || path === '')
    throw failed('The path is empty or contains a NUL character: give a path inside the folder.');
  const asked = inner(root, resolve(root, path), path);
  if (!options.secrets && isSecret(namesOf(asked))) throw secret(path);
  let real: string;
  try {
    real = await realpath(join(root, asked));
  } catch (error) {
    throw failed(`There is no file "${path}" in the folder: use list_files to find the files that exist.`, error);
  }
  const inside = inner(root, real, path);
  if (!options.secrets && isSecret(namesOf(inside))) throw secret(path);
  return { real, inside: inside.split(sep).join('/') };
}

const secret = (path: string): PolyphonyError =>
  failed(`"${path}" is hidden or looks like a secret (such as a key or an environment file), so it is not read.`);

/** The path below the root. @throws tool-failed when it lies elsewhere */
export function inner(root: string, absolute: string, path: string): string {
  const below = relative(root, absolute);
  if (below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below)) {
    throw failed(`"${path}" lies outside the folder that may be read: give a path inside it.`);
  }
  return below;
}

/** Opens without following a link that was created after the check, and without blocking on a pipe. */
async function openChecked(real: string, path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw failed(`"${path}" cannot be opened: choose another file.`, error);
  }
  try {
    const [opened, named, again] = await Promise.all([handle.stat(), lstat(real), realpath(real)]);
    if (!opened.isFile()) throw failed(`"${path}" is not a file: give one that list_files returns.`);
    if (again !== real || opened.ino !== named.ino || opened.dev !== named.dev) {
      throw failed(`"${path}" was replaced while it was opened. Try again.`);
    }
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The limit also holds for a file that grows while it is read. */
async function readAll(handle: FileHandle, maxBytes: number, path: string): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, Math.min(65_536, buffer.length - length), length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  throw tooLarge(path, `more than ${maxBytes}`, maxBytes);
}

function decode(bytes: Buffer, path: string): string {
  if (bytes.includes(0)) throw failed(`"${path}" is a binary file, but only text, pictures, sound and PDF are read.`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw failed(`"${path}" is not UTF-8 text, and no other encoding is read.`, error);
  }
}

/** Matching files, in order; links are not followed. @throws tool-failed */
export async function listFilesIn(
  options: FolderOptions,
  pattern: string,
  signal: AbortSignal,
): Promise<{ readonly files: readonly string[]; readonly truncated: boolean }> {
  const root = await rootOf(options);
  const wanted = namesOf(pattern);
  if (wanted.includes('..') || isAbsolute(pattern) || wanted.length > 64 || pattern.length > 1000) {
    throw failed(
      `The pattern "${pattern.slice(0, 100)}" leaves the folder or is too long: give one like "docs/**/*.md".`,
    );
  }
  const files: string[] = [];
  const folders: string[][] = [[]];
  let visited = 0;
  for (let names = folders.shift(); names !== undefined; names = folders.shift()) {
    signal.throwIfAborted();
    for (const entry of await entriesOf(join(root, ...names), MAX_VISITED - visited + 1)) {
      visited += 1;
      if (visited > MAX_VISITED || files.length >= options.maxFiles) return { files: files.sort(), truncated: true };
      if (!options.secrets && isSecret([entry.name])) continue;
      const path = [...names, entry.name];
      if (entry.isDirectory()) {
        if (leadsInto(wanted, path)) folders.push(path);
      } else if (entry.isFile() && globMatches(wanted, path)) files.push(path.join('/'));
    }
  }
  return { files: files.sort(), truncated: false };
}

/** For those that need every file of a pattern. */
export const tooMany = ({ maxFiles }: FolderOptions, pattern: string): PolyphonyError =>
  failed(
    `The pattern "${pattern}" fits more than ${maxFiles} files, or its folders have more than ${MAX_VISITED} entries: give one that begins with the folder, such as "docs/**/*.md".`,
  );

/** Whether files below the folder can match: a large folder beside the wanted one is not walked. */
function leadsInto(wanted: readonly string[], folder: readonly string[]): boolean {
  for (const [depth, name] of folder.entries()) {
    const part = wanted[depth];
    if (part === '**') return true;
    if (part === undefined || depth === wanted.length - 1 || !globMatches([part], [name])) return false;
  }
  return true;
}

/** By name, and no more than `most`: a folder may have millions. */
async function entriesOf(folder: string, most: number): Promise<readonly Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(folder, { bufferSize: 256 })) {
      entries.push(entry);
      if (entries.length >= most) break;
    }
  } catch {
    // A folder that cannot be read, or was deleted meanwhile, counts as empty.
    return [];
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
