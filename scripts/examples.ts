/** Runs every example program as a user would, without any key in the environment, and fails when one of them does. */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const timeoutMs = 60_000;

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

/** The environment without keys: an example must not need one, nor spend from one by accident. */
function keylessEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_(?:API_KEY|TOKEN|SECRET)$/.test(name)));
}

function runExample(name: string): Promise<Outcome> {
  const command = ['--conditions=polyphony-source', '--import', 'tsx', join('examples', name)];
  return new Promise((done) => {
    const child = spawn(process.execPath, command, {
      cwd: root,
      env: keylessEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => done({ name, passed: false, output: error.message }));
    child.on('close', (code, signal) => {
      const cause = signal === null ? `exit code ${code}` : `${signal} (the limit is ${timeoutMs} ms)`;
      done({ name, passed: code === 0, output: `${output}${cause}` });
    });
  });
}

const folder = join(root, 'examples');
/** `npm run examples -- 06` runs that one and shows what it prints; so does `-- proofs/cap`. */
const wanted = process.argv.slice(2);
const files = (name: string): string[] => (existsSync(join(folder, name)) ? readdirSync(join(folder, name)) : []);
const programs = [
  ...files('.').filter((name) => /^\d.*\.ts$/.test(name)),
  ...files('proofs').flatMap((name) => (name.endsWith('.ts') ? [`proofs/${name}`] : [])),
];
const names = programs.filter((name) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)));
const outcomes: Outcome[] = [];
for (const name of names.sort()) {
  const outcome = await runExample(name);
  outcomes.push(outcome);
  if (wanted.length > 0 && outcome.passed) console.log(outcome.output);
  console.log(`${outcome.passed ? 'ran' : 'FAILED'} examples/${name}${outcome.passed ? '' : `\n${outcome.output}`}`);
}
const failed = outcomes.filter(({ passed }) => !passed).length;
console.log(`${outcomes.length - failed} ran, ${failed} failed`);
if (outcomes.length === 0)
  console.error('no program was found in examples/ (name starts with a digit) or examples/proofs/');
process.exitCode = failed === 0 && outcomes.length > 0 ? 0 : 1;
