/** Every proof has its program and its page, and every public path its place on the page about versions. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const stems = (folder: string, extension: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(extension) && name !== 'README.md')
    .map((name) => name.slice(0, -extension.length))
    .sort();

test('each proof is a program and a page of one name, which says how to run it', () => {
  const programs = stems('examples/proofs', '.ts');
  expect(programs.length).toBeGreaterThanOrEqual(4);
  expect(stems('docs/proofs', '.md')).toEqual(programs);
  for (const name of programs) {
    const command = `npm run examples -- proofs/${name}`;
    expect(read(`docs/proofs/${name}.md`)).toContain(command);
    expect(read(`docs/proofs/${name}.md`)).toContain(`](../../examples/proofs/${name}.ts)`);
    expect(read('docs/proofs/README.md')).toContain(command);
  }
});

test('the page about versions and the page about installing name every public path', () => {
  const { exports: paths }: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(read('package.json'));
  const firstSegments = Object.keys(paths)
    .filter((path) => path !== './package.json')
    .map((path) => path.split('/')[1]?.replace(/\*.*$/, '') ?? '');
  const names = [
    ...new Set(firstSegments.map((segment) => (segment === '' ? '`polyphony`' : `\`polyphony/${segment}`))),
  ];
  expect(names.length).toBeGreaterThan(4);
  for (const page of ['docs/reference/versioning.md', 'docs/how-to/install.md']) {
    expect(
      names.filter((name) => !read(page).includes(name)),
      page,
    ).toEqual([]);
  }
});
