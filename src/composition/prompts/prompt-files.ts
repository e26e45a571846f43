/** Reads the prompts of a folder: Markdown files with front matter. Nothing in them is evaluated, and no other file is reached. */
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PolyphonyError } from '../../core/errors.ts';
import type { PromptBook, PromptVersion } from '../../core/plan/prompts.ts';
import { parsePrompt } from './parse-prompt.ts';

export const PROMPT_BOUNDS = {
  /** Prompt files of a folder. */
  files: 500,
  /** Entries of any kind that the folder may have. */
  entries: 10_000,
  /** Bytes of one file. */
  bytes: 131_072,
} as const;

export interface ReadPrompt {
  readonly file: string;
  /** Present where the file can be used. */
  readonly prompt?: PromptVersion & { readonly description?: string };
  readonly problem?: string;
}

/** @throws invalid-config naming each file that cannot be used, and why */
export async function readPrompts(folder: string): Promise<PromptBook> {
  const read = await listPrompts(folder);
  const problems = read.flatMap(({ file, problem }) => (problem === undefined ? [] : [`${file}: ${problem}`]));
  if (problems.length > 0) {
    const more = problems.length > 10 ? `\n… and ${problems.length - 10} more` : '';
    const message = `The prompts of ${folder} cannot be used:\n${problems.slice(0, 10).join('\n')}${more}`;
    throw new PolyphonyError('invalid-config', message);
  }
  return bookOf(read.flatMap(({ prompt }) => prompt ?? []));
}

export function bookOf(prompts: readonly PromptVersion[]): PromptBook {
  const book = new Map<string, PromptVersion[]>();
  for (const prompt of [...prompts].sort((a, b) => b.version - a.version)) {
    const versions = book.get(prompt.name) ?? [];
    book.set(prompt.name, versions);
    versions.push(prompt);
  }
  return book;
}

/**
 * Every prompt file of the folder, usable or not, by name.
 *
 * @throws invalid-config when the folder cannot be read, is a symbolic link or has too many files
 */
export async function listPrompts(folder: string): Promise<readonly ReadPrompt[]> {
  const names = await namesIn(folder);
  const read: ReadPrompt[] = [];
  const known = new Map<string, string>();
  for (const file of names) {
    const one = await readOne(folder, file);
    const { prompt } = one;
    const key = prompt === undefined ? undefined : `${prompt.name}@${prompt.version}`;
    const other = key === undefined ? undefined : known.get(key);
    if (other !== undefined) {
      read.push({
        file,
        problem: `version ${prompt?.version} of "${prompt?.name}" is in ${other} already: give it another version`,
      });
      continue;
    }
    if (key !== undefined) known.set(key, file);
    read.push(one);
  }
  return read;
}

async function namesIn(folder: string): Promise<string[]> {
  let names: string[];
  try {
    // A link could be turned to another place after it was checked.
    if ((await lstat(folder)).isSymbolicLink()) throw refusal(folder, 'it is a symbolic link: name the folder itself');
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof PolyphonyError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw refusal(folder, `it cannot be read (${code}): name a folder that exists`);
  }
  if (names.length > PROMPT_BOUNDS.entries) throw refusal(folder, `it has more than ${PROMPT_BOUNDS.entries} entries`);
  const files = names.filter((name) => name.endsWith('.md') && !name.startsWith('.')).sort();
  if (files.length > PROMPT_BOUNDS.files)
    throw refusal(
      folder,
      `it has ${files.length} prompt files, but at most ${PROMPT_BOUNDS.files} are allowed: remove old ones`,
    );
  return files;
}

const refusal = (folder: string, reason: string): PolyphonyError =>
  new PolyphonyError('invalid-config', `The folder of prompts ${JSON.stringify(folder)} cannot be used: ${reason}.`);

async function readOne(folder: string, file: string): Promise<ReadPrompt> {
  try {
    const text = await textOf(join(folder, file));
    return { file, ...(typeof text === 'string' ? parsePrompt(text) : text) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === 'ELOOP' || code === 'EMLINK')
      return { file, problem: 'it is a symbolic link: put the file itself there' };
    return { file, problem: `it cannot be read (${code ?? 'unknown'})` };
  }
}

/** The handle is of the file itself, so nothing is swapped between the check and the read. */
async function textOf(path: string): Promise<string | { readonly problem: string }> {
  if ((await lstat(path)).isSymbolicLink()) return { problem: 'it is a symbolic link: put the file itself there' };
  const handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    if (!(await handle.stat()).isFile()) return { problem: 'it is no file' };
    const buffer = Buffer.alloc(PROMPT_BOUNDS.bytes + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > PROMPT_BOUNDS.bytes) return { problem: `it is longer than ${PROMPT_BOUNDS.bytes} bytes: shorten it` };
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    } catch {
      return { problem: 'it is no UTF-8 text' };
    }
  } finally {
    await handle.close();
  }
}
