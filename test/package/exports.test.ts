/** What a user can import is what the pages name, and nothing else: neither files of `src` nor the parts of a plugin. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const sources = ['src', 'plugins', 'workflows'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

const RESOLVE = `
  const names = JSON.parse((await import('node:fs')).readFileSync(0, 'utf8'));
  const found = names.map((name) => {
    try { return import.meta.resolve(name); } catch (error) { return error.code; }
  });
  console.log(JSON.stringify(found));
`;

/** Where Node finds these names, or the code of its error. */
function resolved(names: readonly string[], ...conditions: readonly string[]): readonly string[] {
  const given = [...conditions, '--input-type=module', '--eval', RESOLVE];
  return JSON.parse(
    execFileSync(process.execPath, given, { cwd: root, input: JSON.stringify(names), encoding: 'utf8' }),
  );
}

const isPublic = (file: string): boolean =>
  /^plugins\/[^/]+\/[^/]+\.ts$/.test(file) ||
  /^workflows\/[^/]+\.ts$/.test(file) ||
  /^src\/stores\/(?:memory|sqlite)\.ts$/.test(file);

/** The ways in which somebody might name a file of the package. */
const namesOf = (file: string): readonly string[] => {
  const bare = file.replace(/\.ts$/, '');
  return [bare, bare.replace(/^src\//, ''), file, `dist/${bare}.js`, `${bare}.js`].map((path) => `polyphony/${path}`);
};

describe('the exports of the package', () => {
  const given = sources.filter(isPublic);

  test('every plugin, workflow and store has a name that leads to its file', () => {
    const names = given.map((file) => `polyphony/${file.replace(/^src\//, '').replace(/\.ts$/, '')}`);
    const found = resolved(names, '--conditions=polyphony-source');
    const missing = names.filter((_, index) => !existsSync(fileURLToPath(found[index] ?? '')));
    expect(missing).toEqual([]);
    expect(names.length).toBeGreaterThan(30);
  });

  test.each([[], ['--conditions=polyphony-source']])('no other file has a name, with the flags %j', (...conditions) => {
    const names = sources.filter((file) => !isPublic(file)).flatMap(namesOf);
    const codes = resolved(names, ...conditions);
    // A name of five that leads nowhere is fine: only what leads to a file shows one.
    const shown = names.filter((_, index) => {
      const found = codes[index] ?? '';
      return (
        found.startsWith('file:') && existsSync(fileURLToPath(found).replace('/dist/', '/').replace(/\.js$/, '.ts'))
      );
    });
    expect(shown.filter((name) => !['polyphony/kit', 'polyphony/testing'].includes(name))).toEqual([]);
  });
});
