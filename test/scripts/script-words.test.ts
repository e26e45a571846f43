/** No script answers a wish for help, or a word that it does not know, with a stack. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { headOf } from '../../scripts/script-words.ts';

const root = resolve(import.meta.dirname, '../..');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};
/** That of `start` is the command itself; the runner of `faults`, which lies elsewhere, reads its own words. */
const OTHERS = new Set(['src/cli/main.ts', 'scripts/faults.ts']);
const files = Object.values(scripts)
  .flatMap((line) => line.match(/(?:scripts|test|src)\/\S+\.(?:ts|js)/g) ?? [])
  .map((file) => file.replace(/\.js$/, '.ts'))
  .filter((file) => !OTHERS.has(file));

test('each script reads its words in one place, and has a head that says what they are', () => {
  expect(files.length).toBeGreaterThan(12);
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    expect(text, file).toContain('scriptWords(import.meta.filename');
    expect(text, file).not.toContain('process.argv');
    expect(headOf(text).length, file).toBeGreaterThan(20);
  }
});

test.each([
  ['--help', 0, 'npm run hostile -- plans'],
  ['--nonsense', 2, "Unknown option '--nonsense'"],
])(
  '%s ends with sentences',
  (word, code, said) => {
    const flags = ['--conditions=polyphony-source', '--import', 'tsx'];
    const ended = spawnSync(process.execPath, [...flags, 'test/hostile/run.ts', word], { cwd: root, encoding: 'utf8' });
    expect(ended.status).toBe(code);
    expect(ended.stdout + ended.stderr).toContain(said);
    expect(ended.stdout + ended.stderr).not.toMatch(/^ +at /m);
  },
  60_000,
);
