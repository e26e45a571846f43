/**
 * Runs every example as a user would, without any key in the environment, and fails when one of them does: the programs, the
 * proofs, and the plans, with what stands beside them.
 */

import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { compiled } from '../test/compiled.ts';
import { type Called, type Command, planExamples, runPlanExample } from './examples/plan-examples.ts';
import { scriptWords } from './script-words.ts';
import { sideBySide } from './side-by-side.ts';

const root = resolve(import.meta.dirname, '..');
const timeoutMs = 120_000;

interface Outcome {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
}

/** The environment without keys: an example must not need one, nor spend from one by accident. */
function keylessEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_(?:KEY|TOKEN|SECRET)$/.test(name)));
}

const SOURCE = ['--conditions=polyphony-source', '--import', join(root, 'node_modules/tsx/dist/loader.mjs')];

/** A process that takes too long is killed. */
function run(command: readonly string[], options: Parameters<Command>[1]): Promise<Called> {
  return new Promise((done) => {
    const child = spawn(process.execPath, command, {
      cwd: options.folder,
      env: { ...keylessEnvironment(), ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', (error) => done({ code: 1, out, err: error.message }));
    child.on('close', (code, signal) => {
      const cause = signal === null ? `exit code ${code}` : `${signal} (the limit is ${timeoutMs} ms)`;
      done({ code: code ?? 1, out, err: `${err}${cause}` });
    });
  });
}

async function runProgram(name: string): Promise<Outcome> {
  const { code, out, err } = await run([...SOURCE, join('examples', name)], { folder: root, environment: {} });
  return { name, passed: code === 0, output: `${out}${err}` };
}

async function runPlan(plan: string): Promise<Outcome> {
  const name = `plans/${plan}.plan.json`;
  const command: Command = (given, options) => run([compiled('src/cli/main.ts'), ...given], options);
  try {
    const ended = await runPlanExample(plan, command, undefined, compiled('scripts/examples/scripted-models.ts'));
    return { name, passed: ended.status === 'done', output: JSON.stringify(ended, null, 2) };
  } catch (error) {
    return { name, passed: false, output: String(error) };
  }
}

const folder = join(root, 'examples');
/** `npm run examples -- 06` runs that one and shows what it prints; so do `-- proofs/cap` and `-- plans/compare`. */
const { positionals: wanted } = scriptWords(import.meta.filename, { allowPositionals: true });
const files = (name: string): string[] => (existsSync(join(folder, name)) ? readdirSync(join(folder, name)) : []);
const programs = [
  ...files('.').filter((name) => /^\d.*\.ts$/.test(name)),
  ...files('proofs').flatMap((name) => (name.endsWith('.ts') ? [`proofs/${name}`] : [])),
];
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.some((start) => name.startsWith(start));
const works = [
  ...programs.sort().map((name) => [name, () => runProgram(name)] as const),
  ...planExamples().map((plan) => [`plans/${plan}.plan.json`, () => runPlan(plan)] as const),
];
const shown = async (name: string, work: () => Promise<Outcome>): Promise<Outcome> => {
  const outcome = await work();
  if (wanted.length > 0 && outcome.passed) console.log(outcome.output);
  console.log(`${outcome.passed ? 'ran' : 'FAILED'} examples/${name}${outcome.passed ? '' : `\n${outcome.output}`}`);
  return outcome;
};
const outcomes = await sideBySide(
  works
    .filter(([name]) => isWanted(name))
    .map(
      ([name, work]) =>
        () =>
          shown(name, work),
    ),
);
const failed = outcomes.filter(({ passed }) => !passed).length;
console.log(`${outcomes.length - failed} ran, ${failed} failed`);
if (outcomes.length === 0)
  console.error('no program was found in examples/ (name starts with a digit) or examples/proofs/');
process.exitCode = failed === 0 && outcomes.length > 0 ? 0 : 1;
