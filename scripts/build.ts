/**
 * Writes dist: a file for each module, or the program in few files as it is published. The types are one file per module in both.
 *
 *   npm run build                each module
 *   npm run build -- --package   as the package has it (docs/decisions/few-files.md)
 *   npm run build -- --bench     and the benchmarks with it
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from './package/run-command.ts';
import { publicSources, sourcesIn, writeProgram } from './package/write-program.ts';
import { scriptWords } from './script-words.ts';

const { values } = scriptWords(import.meta.filename, {
  options: { package: { type: 'boolean' }, bench: { type: 'boolean' } },
});
const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const isJoined = values.package === true || values.bench === true;

rmSync(dist, { recursive: true, force: true });
const onlyTypes = isJoined ? ['--emitDeclarationOnly', '--sourceMap', 'false'] : [];
runCommand([join(root, 'node_modules/.bin/tsc'), '-p', 'tsconfig.build.json', ...onlyTypes], { cwd: root });
if (isJoined) await writeProgram(dist, publicSources());
if (values.bench === true) await writeProgram(dist, sourcesIn('test/bench'));
