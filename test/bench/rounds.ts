/** The same benchmarks of two checkouts in turns, so that what a machine does at a time hits both, and the figures of each round. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Measurement } from './measurement.ts';

const run = promisify(execFile);
const PROGRAM = 'dist/test/bench/run.js';

interface Rounds {
  /** The other checkout, with its benchmarks built. */
  readonly against: string;
  readonly rounds: number;
  readonly names: readonly string[];
}

type Figures = Readonly<Record<string, readonly Measurement[]>>;
type Values = Map<string, number[]>;

/** Prints a row for each figure that both have: its values before and now, one a round. */
export async function inTurns({ against, rounds, names }: Rounds): Promise<void> {
  const before: Values = new Map();
  const now: Values = new Map();
  for (let round = 1; round <= rounds; round += 1) {
    take(before, await figuresOf(resolve(against), names));
    take(now, await figuresOf(process.cwd(), names));
    console.error(`round ${round} of ${rounds}`);
  }
  console.log('| measured | before | now |\n|---|---|---|');
  for (const [name, values] of now) console.log(`| ${name} | ${row(before.get(name))} | ${row(values)} |`);
}

async function figuresOf(root: string, names: readonly string[]): Promise<Figures> {
  const program = join(root, PROGRAM);
  if (!existsSync(program)) throw new Error(`There is no ${program}: build it with its benchmarks first.`);
  const { stdout } = await run(process.execPath, [program, '--json', ...names], { cwd: root, maxBuffer: 16_777_216 });
  return JSON.parse(stdout) as Figures;
}

function take(values: Values, figures: Figures): void {
  for (const { name, unit, value } of Object.values(figures).flat()) {
    const key = `${name}, ${unit}`;
    values.set(key, [...(values.get(key) ?? []), value]);
  }
}

const row = (values: readonly number[] = []): string =>
  values.length === 0 ? '–' : values.map((value) => value.toPrecision(3)).join(', ');
