/**
 * Writes dist: the types by the compiler, the program by a bundler.
 *
 *   npm run build              the package
 *   npm run build -- --bench   and the benchmarks
 */
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runCommand } from './package/run-command.ts';
import { publicSources, sourcesIn, writeProgram } from './package/write-program.ts';
import { scriptWords } from './script-words.ts';

const { values } = scriptWords(import.meta.filename, { options: { bench: { type: 'boolean' } } });
const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
runCommand([join(root, 'node_modules/.bin/tsc'), '-p', 'tsconfig.build.json'], { cwd: root });
await writeProgram(dist, publicSources());
if (values.bench === true) await writeProgram(dist, sourcesIn('test/bench'));
