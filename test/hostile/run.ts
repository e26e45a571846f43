/**
 * The hostile suite: plans, providers, escapes, kills and corruptions that want to break polyphony.
 *
 *   npm run hostile                              all of them
 *   npm run hostile -- plans                     one kind
 *   npm run hostile -- plans recursion-any-of …  some cases of a kind; a * at the end stands for any letters
 *
 * `--seed` orders the cases and chooses what is random, `--from` is the first of that order to play, from 1, `--seconds` the
 * processor time of one plan or provider, `--workers` how many run at the same time, `--list` names the cases. Exit codes: 0 all passed, 1 one did not, 2 there is no such case.
 */
import { availableParallelism } from 'node:os';
import { scriptWords } from '../../scripts/script-words.ts';
import { seededRandom } from '../../src/testing/fakes.ts';
import { compileProgram, type Verdict } from './harness/program.ts';
import { type Settings, SUITES, type Suite } from './suites.ts';

interface Played extends Verdict {
  readonly kind: string;
  readonly name: string;
}

const INTERRUPTED = 130;

const { values, positionals } = scriptWords(import.meta.filename, {
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    workers: { type: 'string', default: String(availableParallelism()) },
    list: { type: 'boolean', default: false },
  },
});

const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

function chosen(): readonly { readonly suite: Suite; readonly names: readonly string[] }[] {
  const [kind, ...patterns] = positionals;
  const suites = SUITES.filter((suite) => kind === undefined || suite.kind === kind);
  return suites.map((suite) => ({
    suite,
    names:
      patterns.length === 0 ? suite.cases : suite.cases.filter((name) => patterns.some((one) => matches(name, one))),
  }));
}

/** In an order that the seed chooses, so that no case comes to depend on the one before it. */
function shuffled(names: readonly string[], seed: number): string[] {
  const random = seededRandom(seed);
  return names
    .map((name) => ({ name, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ name }) => name);
}

async function playAll(suite: Suite, names: readonly string[], settings: Settings): Promise<Played[]> {
  const played: Played[] = [];
  const ordered = shuffled(names, settings.seed).slice(Number(values.from) - 1);
  const waiting = ordered.values();
  const worker = async (): Promise<void> => {
    for (const name of waiting) {
      const one = { kind: suite.kind, name, ...(await suite.play(name, settings)) };
      played.push(one);
      print(one, played.length, ordered.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(suite.atOnce, Number(values.workers)) }, worker));
  return played;
}

function print({ kind, name, problems, outcome, ms }: Played, done: number, total: number): void {
  const mark = problems.length === 0 ? 'ok  ' : 'FAIL';
  console.log(`${mark} ${kind} ${name}: ${outcome}, ${(ms / 1000).toFixed(1)} s (${done} of ${total})`);
  for (const problem of problems) console.log(`       ${problem.split('\n').join('\n       ')}`);
}

function printTable(played: readonly Played[]): void {
  console.log(`\n${'kind'.padEnd(14)}${'passed'.padStart(8)}${'failed'.padStart(8)}${'longest'.padStart(10)}`);
  for (const kind of new Set(played.map((one) => one.kind))) {
    const own = played.filter((one) => one.kind === kind);
    const failed = own.filter(({ problems }) => problems.length > 0).length;
    const longest = `${(Math.max(...own.map(({ ms }) => ms)) / 1000).toFixed(1)} s`;
    console.log(
      `${kind.padEnd(14)}${String(own.length - failed).padStart(8)}${String(failed).padStart(8)}${longest.padStart(10)}`,
    );
  }
}

async function main(): Promise<number> {
  const plan = chosen();
  if (plan.every(({ names }) => names.length === 0)) {
    console.error(`There is no hostile case ${positionals.join(' ')}: npm run hostile -- --list names them all.`);
    return 2;
  }
  if (values.list) {
    for (const { suite, names } of plan) for (const name of names) console.log(`${suite.kind} ${name}`);
    return 0;
  }
  const seed = Number(values.seed);
  console.log(`seed ${seed}`);
  const program = compileProgram();
  const played: Played[] = [];
  process.once('SIGINT', () => {
    program.remove();
    process.exit(INTERRUPTED);
  });
  try {
    const settings = { program, seconds: Number(values.seconds), seed };
    for (const { suite, names } of plan) played.push(...(await playAll(suite, names, settings)));
  } finally {
    program.remove();
  }
  printTable(played);
  const failed = played.filter(({ problems }) => problems.length > 0);
  if (failed.length > 0) console.log(`\nfailed: ${failed.map(({ kind, name }) => `${kind} ${name}`).join(', ')}`);
  console.log(`${played.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

process.exitCode = await main();
