/**
 * The chaos report: what a caller sees while servers fail in every way, over four wires and real sockets.
 *
 *   npm run chaos                     every scenario
 *   npm run chaos -- NAME …           some of them; a * at the end stands for any letters
 *   npm run chaos -- --list           their names, and what each shows
 *   npm run chaos -- soak --minutes 10   mixed traffic and faults on the real clock, and what they leave behind
 *
 * `--workers` and `--every` of the soak: calls at the same time, and seconds between two samples; `--seed` draws its faults.
 * Exit codes: 0 every law holds, 1 one does not, 2 there is no such scenario.
 */
import { scriptWords } from '../../scripts/script-words.ts';
import { watch } from '../hostile/harness/watch.ts';
import { playScenario } from './play.ts';
import type { Played, Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { playSoak } from './soak/soak.ts';

const { values, positionals } = scriptWords(import.meta.filename, {
  allowPositionals: true,
  options: {
    list: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '16' },
    every: { type: 'string', default: '15' },
  },
});

const matches = (name: string, pattern: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

const WIDTHS = [34, 26, 10, 10, 12] as const;
const row = (cells: readonly (string | number)[]): string =>
  cells
    .map((cell, at) => (at < 2 ? String(cell).padEnd(WIDTHS[at] ?? 0) : String(cell).padStart(WIDTHS[at] ?? 0)))
    .join('');

function print({ name, endings, ms, attempts, costNanoUsd, problems }: Played): void {
  const mark = problems.length === 0 ? 'ok   ' : 'FAIL ';
  const saw = endings.length === 0 ? '(a run)' : endings.join(', ');
  console.log(mark + row([name, saw, Math.round(ms), attempts, (costNanoUsd / 1e9).toFixed(6)]));
  for (const problem of problems) console.log(`       ${problem.split('\n').join('\n       ')}`);
}

async function playAll(scenarios: readonly Scenario[]): Promise<number> {
  console.log(`     ${row(['scenario', 'the caller saw', 'ms', 'attempts', 'USD'])}`);
  const watching = watch();
  const failed: string[] = [];
  for (const scenario of scenarios) {
    const played = await playScenario(scenario);
    const problems = [...played.problems, ...watching.problems.splice(0)];
    print({ ...played, problems });
    if (problems.length > 0) failed.push(scenario.name);
  }
  watching.stop();
  if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
  console.log(`${scenarios.length - failed.length} passed, ${failed.length} failed`);
  return failed.length === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  if (positionals[0] === 'soak')
    return playSoak({
      minutes: Number(values.minutes),
      seed: Number(values.seed),
      workers: Number(values.workers),
      everySeconds: Number(values.every),
    });
  const chosen = [...SCENARIOS.values()].filter(
    ({ name }) => positionals.length === 0 || positionals.some((pattern) => matches(name, pattern)),
  );
  if (chosen.length === 0) {
    console.error(`There is no scenario ${positionals.join(' ')}: npm run chaos -- --list names them all.`);
    return 2;
  }
  if (!values.list) return playAll(chosen);
  for (const { name, shows } of chosen) console.log(`${name.padEnd(WIDTHS[0])}${shows}`);
  return 0;
}

process.exitCode = await main();
