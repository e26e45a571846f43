/** The five kinds of hostile cases, each with its cases by name and the way to play one. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { ESCAPES } from './escapes/index.ts';
import type { Program, Verdict } from './harness/program.ts';
import { PLANS } from './plans/index.ts';
import { PROVIDERS } from './providers/index.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Settings {
  readonly program: Program;
  /** Processor time that a plan or a provider may use. */
  readonly seconds: number;
  readonly seed: number;
}

export interface Suite {
  readonly kind: string;
  readonly cases: readonly string[];
  /** What is tried in all cases together: plans, providers, kills, damaged files. */
  readonly count: number;
  /** The tests behind the cases, from the root of the repository. @default none, they are programs of the suite */
  readonly files?: readonly string[];
  /** The most that run at the same time. */
  readonly atOnce: number;
  readonly play: (name: string, settings: Settings) => Promise<Verdict>;
}

const ofCases = (kind: string, cases: ReadonlyMap<string, unknown>): Suite => ({
  kind,
  cases: [...cases.keys()],
  count: cases.size,
  atOnce: Number.POSITIVE_INFINITY,
  play: (name, { program, seconds }) => program.play(kind, name, seconds),
});

/** Properties of the default tests, with more chances to fail: a test that reads such a variable is a case. */
function ofProperties(kind: string, variable: RegExp, count: number): Suite {
  const read = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).flatMap((path) => {
    if (!path.endsWith('.test.ts')) return [];
    const name = variable.exec(readFileSync(join(ROOT, 'test', path), 'utf8'))?.[1];
    return name === undefined ? [] : [[basename(path, '.test.ts'), { file: join('test', path), name }] as const];
  });
  const tests = new Map(read);
  return {
    kind,
    cases: [...tests.keys()],
    count: count * tests.size,
    files: [...tests.values()].map(({ file }) => file),
    atOnce: 1,
    play(one, { seed }) {
      const { file = '', name = '' } = tests.get(one) ?? {};
      return tested(file, { [name]: String(count), POLYPHONY_SEED: String(seed) }, `${count} ${kind}`);
    },
  };
}

/** One file of tests in a process of its own. */
function tested(file: string, variables: Readonly<Record<string, string>>, outcome: string): Promise<Verdict> {
  const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
  const start = performance.now();
  return new Promise((settle) => {
    const env = { ...process.env, ...variables, NO_COLOR: '1' };
    const child = spawn(process.execPath, [vitest, 'run', file], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    const keep = (chunk: Buffer): void => {
      printed = `${printed}${chunk}`.slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('close', (code) =>
      settle({ outcome, problems: code === 0 ? [] : [printed.trim()], ms: performance.now() - start }),
    );
  });
}

export const SUITES: readonly Suite[] = [
  ofCases('plans', PLANS),
  ofCases('providers', PROVIDERS),
  ofCases('escapes', ESCAPES),
  ofProperties('kills', /process\.env\.(POLYPHONY_\w*KILLS)\b/, 500),
  ofProperties('corruptions', /process\.env\.(POLYPHONY_(?:DAMAGED_FILES|CORRUPTIONS))\b/, 1000),
];
