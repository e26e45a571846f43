/** The bill of materials names what an installation brings, and nothing of what we develop with. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { CHECKSUMS, writeBill, writeChecksums } from '../../scripts/package/release-files.ts';

const root = resolve(import.meta.dirname, '../..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'polyphony-release-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Component {
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly unknown[];
}

test('the bill has every dependency with version, licence and checksum, and none for development', () => {
  const path = writeBill(folder);
  const bill = JSON.parse(readFileSync(path, 'utf8'));
  expect(basename(path)).toBe(`polyphony-${manifest.version}.cdx.json`);
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: 'polyphony', version: manifest.version } },
  });
  const components: readonly Component[] = bill.components;
  const names = components.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
  const development = Object.keys(manifest.devDependencies).filter((name) => name !== 'zod3');
  expect(names.filter((name) => development.includes(name))).toEqual([]);
  for (const { name, version, hashes = [], licenses = [] } of components) {
    expect({ name, version }).toEqual({ name, version: packages[`node_modules/${name}`]?.version });
    expect(`${name}: ${hashes.map(({ alg }) => alg)}`).toContain('SHA-512');
    expect(`${name}: ${licenses.length}`).toBe(`${name}: 1`);
  }
});

test('the checksums are those of the files, as sha256sum reads them', () => {
  const files = ['a', 'b'].map((name) => join(folder, name));
  for (const file of files) writeFileSync(file, `text of ${file}`);
  const path = writeChecksums(folder, files);
  expect(basename(path)).toBe(CHECKSUMS);
  const lines = files.map(
    (file) => `${createHash('sha256').update(`text of ${file}`).digest('hex')}  ${basename(file)}\n`,
  );
  expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
});
