/**
 * The project as JavaScript, for the processes that tests start: one that reads TypeScript takes several times longer to begin.
 * It is written when it is first asked for, and after that only what has changed.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { transformSync, version } from '@swc/core';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'node_modules/.cache/polyphony-tests');
/** What stands beside dist in the published package, for what finds its files by the package's name. */
const BESIDE = ['catalogue', 'docs', 'schemas', 'workflows'];
const SOURCES = ['src', 'plugins', 'workflows', 'scripts', 'test'];
const WAIT_MS = 20;
/** A constant, because the compiler's own types do not name the last field. */
const COMPILER = {
  parser: { syntax: 'typescript' },
  target: 'es2022',
  rewriteRelativeImportExtensions: true,
} as const;

/** Where Node 22 keeps scripts that it has compiled, from one process to the next. */
export const COMPILE_CACHE = join(folder, 'compiled');

let isCurrent = false;

/**
 * Where the compiled form of a file is.
 *
 * @param source a path of a TypeScript file of the project, absolute or from its root
 */
export function compiled(source: string): string {
  if (!isCurrent) alone(update);
  isCurrent = true;
  return output(relative(root, resolve(root, source)));
}

const output = (file: string): string => join(folder, 'dist', file.replace(/\.ts$/, '.js'));

function update(): void {
  const list = join(folder, 'written.json');
  const settings = `${version} ${statSync(import.meta.filename).mtimeMs}`;
  const known = existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Record<string, string>) : {};
  const written = known.settings === settings ? known : {};
  const now: Record<string, string> = { settings };
  for (const file of SOURCES.flatMap(sourcesIn)) {
    const { mtimeMs, size } = statSync(join(root, file));
    now[file] = `${mtimeMs} ${size}`;
    if (written[file] !== now[file]) compile(file);
  }
  for (const file of Object.keys(known)) if (now[file] === undefined) rmSync(output(file), { force: true });
  for (const name of BESIDE) {
    if (!existsSync(join(folder, name))) symlinkSync(join(root, name), join(folder, name), 'junction');
  }
  replace(join(folder, 'package.json'), readFileSync(join(root, 'package.json'), 'utf8'));
  replace(list, JSON.stringify(now));
}

const sourcesIn = (name: string): string[] =>
  readdirSync(join(root, name), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => join(name, file));

/**
 * The compiled form of a program that is no file of the project and imports it by its name.
 *
 * @returns where it is
 */
export function compiledText(name: string, text: string): string {
  const main = compiled(join('programs', name));
  write(main, name, text);
  return main;
}

function compile(file: string): void {
  write(output(file), file, readFileSync(join(root, file), 'utf8'));
}

function write(into: string, file: string, text: string): void {
  const { code } = transformSync(text, {
    filename: file,
    configFile: false,
    swcrc: false,
    isModule: true,
    jsc: COMPILER,
  });
  mkdirSync(dirname(into), { recursive: true });
  // The compiler wraps a computed import() in a function that it does not write; no such import here needs it.
  replace(into, code.replaceAll('import(_ts_rewrite_relative_import_extension(', 'import(('));
}

/** Whole or not at all, for a process that reads it meanwhile. */
function replace(file: string, text: string): void {
  const beside = `${file}.${process.pid}`;
  writeFileSync(beside, text);
  renameSync(beside, file);
}

/** One process at a time; the lock of one that has died is taken from it. */
function alone(work: () => void): void {
  const lock = join(folder, 'lock');
  mkdirSync(folder, { recursive: true });
  while (!locked(lock)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
  try {
    work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function locked(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (isLeft(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isLeft(lock: string): boolean {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
