/** docs/architecture.md describes the house as it stands: every room, every law, both rings of the picture. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importLawNames } from '../../scripts/laws/imports.ts';
import { textLawNames } from '../../scripts/laws/text.ts';
import { ATTEMPT_LAYERS, REQUEST_LAYERS } from '../../src/core/plugin.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const page = read('docs/architecture.md');

/** What stands as code alone in the first cell of a row, from one heading to the next. */
function firstCells(heading: string): readonly string[] {
  const start = page.indexOf(`\n## ${heading}\n`);
  expect(start, `the page has the heading "${heading}"`).toBeGreaterThan(0);
  const section = page.slice(start + 1).split(/\n## /)[0] ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
}

/** Folders of src that hold a file themselves or below them. */
function foldersOfSrc(): readonly string[] {
  const entries = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory());
  return folders.map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1)).sort();
}

async function cruiserLaws(): Promise<readonly string[]> {
  const rules: { readonly default: { readonly forbidden: readonly { readonly name: string }[] } } = await import(
    join(root, '.dependency-cruiser.mjs')
  );
  return [...new Set(rules.default.forbidden.map(({ name }) => name))];
}

describe('the page of the house', () => {
  test('has a row for every folder of src, and no row for another', () => {
    expect([...firstCells('The rooms')].sort()).toEqual(foldersOfSrc());
  });

  test('has a row for every law, and no row for another', async () => {
    const laws = [...(await cruiserLaws()), ...importLawNames, ...textLawNames];
    expect(laws.length).toBeGreaterThan(30);
    expect([...firstCells('The laws')].sort()).toEqual([...new Set(laws)].sort());
  });

  test('leads to paths that are there', () => {
    const paths = [...page.matchAll(/`((?:src|plugins|scripts|test|workflows|examples)\/[^`<]*)`/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe('the pictures of the house', () => {
  test('show every room of the first floor', () => {
    const picture = read('docs/images/house.svg');
    const rooms = foldersOfSrc().flatMap((folder) => /^src\/([^/]+)$/.exec(folder)?.[1] ?? []);
    expect(rooms.filter((room) => !picture.includes(`>${room}</text>`))).toEqual([]);
  });

  test('show every place of both rings, in order', () => {
    const shown = [...read('docs/images/two-ways.svg').matchAll(/>([a-z-]+)<\/text>/g)].map(([, name = '']) => name);
    const rings: readonly string[] = [...REQUEST_LAYERS, ...ATTEMPT_LAYERS];
    expect(shown.filter((name) => rings.includes(name))).toEqual(rings);
  });
});
