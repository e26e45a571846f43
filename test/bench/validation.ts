/**
 * How long validating a plan of 100 nodes takes: shape, references, types, conditions, models, estimate and hash, from
 * text to ValidPlan. The floor is JSON.parse and the zod schema alone, in the same run.
 *
 *     node --conditions=polyphony-source --import tsx test/bench/validation.ts
 */
import { pathToFileURL } from 'node:url';
import { PlanSchema } from '../../src/core/plan-schema.ts';
import { validate } from '../../src/validator/validate.ts';
import { card, catalogue, longPlan } from '../validator/catalogue.ts';
import type { Measurement } from './measurement.ts';

const NODES = 100;
const WARM_UP = 1500;
const ROUNDS = 15;
const CALLS = 60;

/** Microseconds of one call: the median over the rounds of their means, and the fastest call of all. */
function measure(texts: (round: number) => readonly string[], work: (text: string) => void) {
  const times: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const inputs = texts(round);
    const start = performance.now();
    for (const text of inputs) {
      const before = performance.now();
      work(text);
      best = Math.min(best, performance.now() - before);
    }
    times.push(((performance.now() - start) / inputs.length) * 1000);
  }
  times.sort((a, b) => a - b);
  return { median: Math.round(times[times.length >> 1] ?? 0), best: Math.round(best * 1000) };
}

export async function run(): Promise<readonly Measurement[]> {
  const tiers = ['fast', 'balanced', 'premium'] as const;
  const models = Array.from({ length: 40 }, (_, index) => ({
    provider: `p${index % 5}`,
    card: card(`model-${index}`, tiers[index % 3] ?? 'fast', ((index * 7) % 13) / 3 + 0.1),
  }));
  const all = catalogue({ models });
  const text = JSON.stringify(longPlan(NODES));
  const same = Array.from({ length: CALLS }, () => text);
  const check = (plan: string): void => {
    if (validate(plan, all).plan === undefined) throw new Error('the plan of the benchmark is not valid');
  };
  const shapeOnly = (plan: string): void => void PlanSchema.parse(JSON.parse(plan));
  for (let call = 0; call < WARM_UP; call += 1) check(text);
  for (let call = 0; call < WARM_UP; call += 1) shapeOnly(text);
  let salt = 0;
  const fresh = (): string[] => Array.from({ length: CALLS }, () => JSON.stringify(longPlan(NODES, ++salt)));
  const floor = measure(() => same, shapeOnly);
  const warm = measure(() => same, check);
  const unseen = measure(fresh, check);
  const details = { floor: floor.median, fastest: warm.best, 'fastest floor': floor.best, bytes: text.length };
  return [
    { name: 'validate 100 nodes, warm', value: warm.median, unit: 'µs', target: { below: 1000 }, details },
    {
      name: 'validate 100 nodes, conditions never seen',
      value: unseen.median,
      unit: 'µs',
      details: { floor: floor.median, fastest: unseen.best },
    },
  ];
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  console.log(`${NODES} nodes, Node ${process.version}`);
  for (const { name, value, unit, details } of await run()) console.log(name, value, unit, JSON.stringify(details));
}
