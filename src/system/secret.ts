/** Secrets by reference: what a text such as `env:NAME` or `file:/run/secrets/key` stands for, read again when it is used. */
import { readFileSync, statSync } from 'node:fs';
import { PolyphonyError } from '../core/errors.ts';

/**
 * A secret, or where it is: `env:NAME` for a variable of the environment, `file:PATH` for a file, whose white space at both ends is
 * left out. A function is called whenever the secret is needed. So a secret is replaced without a restart.
 */
export type Secret = string | (() => string | undefined);

/** Larger files are no secrets. */
const LARGEST = 65_536;

interface ReadFile {
  readonly stamp: string;
  readonly text: string;
}
/** By path: a file is read again only when it was changed. */
const files = new Map<string, ReadFile>();
const MOST_FILES = 1000;

/**
 * The value; undefined where the variable is not set or the function has none.
 *
 * @throws invalid-credential naming the file that cannot be read, never what it holds
 */
export function secretOf(
  secret: Secret,
  /** Where `env:NAME` is read. */
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string | undefined {
  if (typeof secret === 'function') return secret();
  if (secret.startsWith('env:')) return environment[secret.slice(4)]?.trim();
  return secret.startsWith('file:') ? secretFile(secret.slice(5)) : secret;
}

function secretFile(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    if (size > LARGEST) throw new Error(`it has ${size} bytes, and a secret has at most ${LARGEST}`);
    const stamp = `${mtimeMs} ${size} ${ino}`;
    const known = files.get(path);
    if (known?.stamp === stamp) return known.text;
    const text = readFileSync(path, 'utf8').trim();
    if (files.size >= MOST_FILES) files.clear();
    files.set(path, { stamp, text });
    return text;
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : (error as Error).message;
    const message = `The secret in the file ${path} cannot be read (${reason}): write the path of a file with nothing but the secret.`;
    throw new PolyphonyError('invalid-credential', message);
  }
}
