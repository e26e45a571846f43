/**
 * Every benchmark, one after the other, against its floor in the same run; the figures beside the targets.
 *
 *   npm run bench             all of them
 *   npm run bench -- calls    those whose name begins so
 *   npm run bench -- --json   the figures as JSON
 *   npm run bench -- --against ../before --rounds 5 calls dag   in turns with another checkout whose benchmarks are built
 */
import { availableParallelism } from 'node:os';
import { scriptWords } from '../../scripts/script-words.ts';
import type { Measurement } from './measurement.ts';

const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<readonly Measurement[]> }>>> = {
  'cold-start': () => import('./cold-start.ts'),
  validation: () => import('./validation.ts'),
  schemas: () => import('./schemas.ts'),
  planning: () => import('./planning.ts'),
  dag: () => import('./dag.ts'),
  'model-nodes': () => import('./model-nodes.ts'),
  simulation: () => import('./simulation.ts'),
  stores: () => import('./stores.ts'),
  ledger: () => import('./ledger.ts'),
  decode: () => import('./decode.ts'),
  route: () => import('./route.ts'),
  calls: () => import('./calls.ts'),
  hedge: () => import('./hedge.ts'),
};

const rounded = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3));

function targetText({ target }: Measurement): string {
  if (target === undefined) return '';
  return 'below' in target ? `target < ${target.below}` : `target ≥ ${target.atLeast}`;
}

function met({ target, value }: Measurement): boolean {
  if (target === undefined) return true;
  return 'below' in target ? value < target.below : value >= target.atLeast;
}

function line(measurement: Measurement): string {
  const mark = measurement.target === undefined ? ' ' : met(measurement) ? '✓' : '✗';
  const details = Object.entries(measurement.details ?? {}).map(([name, value]) => `${name} ${rounded(value)}`);
  const figure = `${rounded(measurement.value)} ${measurement.unit}`;
  return `${mark} ${measurement.name.padEnd(52)} ${figure.padEnd(34)} ${targetText(measurement).padEnd(16)} ${details.join(', ')}`.trimEnd();
}

const { values, positionals: wanted } = scriptWords(import.meta.filename, {
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    against: { type: 'string' },
    rounds: { type: 'string', default: '5' },
  },
});
const asJson = values.json;
const chosen = Object.entries(BENCHES).filter(
  ([name]) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)),
);
if (chosen.length === 0) {
  console.error(`There is no benchmark ${wanted.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
async function once(): Promise<void> {
  if (!asJson)
    console.log(
      `Node ${process.version}, ${availableParallelism()} cores; shared machines are noisy: read the ratios\n`,
    );
  const figures: Record<string, readonly Measurement[]> = {};
  for (const [name, load] of chosen) {
    try {
      const { run } = await load();
      const measurements = await run();
      figures[name] = measurements;
      if (!asJson) console.log([name, ...measurements.map(line)].join('\n'), '\n');
    } catch (error) {
      // The others take minutes, and are worth having all the same.
      console.error(`The benchmark ${name} failed:`, error);
      process.exitCode = 1;
    }
  }
  if (asJson) console.log(JSON.stringify(figures, null, 2));
}

if (values.against === undefined) await once();
else {
  if (!(Number.isInteger(Number(values.rounds)) && Number(values.rounds) >= 1)) {
    console.error(`There cannot be ${values.rounds} rounds: give a whole number from 1 on, such as --rounds 5.`);
    process.exit(2);
  }
  const { inTurns } = await import('./rounds.ts');
  await inTurns({ against: values.against, rounds: Number(values.rounds), names: wanted });
}
