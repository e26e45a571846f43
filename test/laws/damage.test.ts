/**
 * The law of damaged files. Whatever happened to the bytes of a store, or stands in its records:
 *
 * 1. Every operation works or fails with an error code of a store. The process never dies and nothing hangs.
 * 2. A record that was committed is not left out in silence.
 * 3. A repair saves every run that could be read, and leaves the damaged file as it was.
 *
 * The environment variable POLYPHONY_DAMAGED_FILES says how many files are damaged, POLYPHONY_SEED which ones: no two seeds share a file.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { compiled } from '../compiled.ts';
import { temporaryFolder } from '../stores/folder.ts';
import { writeStore } from './damage-file.ts';

const FILES = Number(process.env.POLYPHONY_DAMAGED_FILES ?? 56);
const FIRST = Number(process.env.POLYPHONY_SEED ?? 0) * FILES;
/** Files of one process: starting one takes longer than using a file. */
const FILES_A_PROCESS = 250;
const root = resolve(import.meta.dirname, '../..');
const folder = temporaryFolder();

interface Line {
  readonly seed: number;
  readonly name?: string;
  readonly failures?: readonly string[];
}

/** What one process says about the files of its seeds; the last line of one that died has no name. */
function watch(store: string, first: number, seeds: number): Promise<readonly Line[]> {
  return new Promise((settle) => {
    const child = compiled('test/laws/damage-child.ts');
    const process_ = spawn(process.execPath, [child, store, folder, String(first), String(seeds)], {
      cwd: root,
    });
    let out = '';
    let errors = '';
    process_.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    process_.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    process_.on('close', (code, signal) => {
      const lines = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Line);
      const ended = lines.filter(({ failures }) => failures !== undefined);
      const died = {
        seed: lines.at(-1)?.seed ?? first,
        failures: [`ended with ${signal ?? code}: ${errors.slice(0, 400)}`],
      };
      settle(code === 0 ? ended : [...ended, died]);
    });
  });
}

test(`${FILES} damaged files end in an error of the store or work`, { timeout: 60_000 + FILES * 5000 }, async () => {
  const store = join(folder, 'store.db');
  mkdirSync(folder, { recursive: true });
  await writeStore(store);
  const lines: Line[] = [];
  for (let first = 0; first < FILES; first += FILES_A_PROCESS) {
    lines.push(...(await watch(store, FIRST + first, Math.min(FILES_A_PROCESS, FILES - first))));
  }
  expect(lines.filter(({ failures = [] }) => failures.length > 0)).toEqual([]);
  expect(lines.map(({ seed }) => seed)).toEqual(Array.from({ length: FILES }, (_, index) => FIRST + index));
});
