/**
 * Writes what a release consists of into a folder, and publishes nothing: the tarball, a software bill of materials in
 * CycloneDX, and the checksums of both.
 *
 *   npm run release                 into release/
 *   npm run release -- <folder>
 */
import { rmSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { releaseInto } from './package/release-files.ts';
import { scriptWords } from './script-words.ts';

const [given] = scriptWords(import.meta.filename, { allowPositionals: true }).positionals;
const folder = resolve(given ?? 'release');
// A folder of one's own may hold more; ours holds one release.
if (given === undefined) rmSync(folder, { recursive: true, force: true });
for (const file of releaseInto(folder).files) console.log(relative('.', file));
