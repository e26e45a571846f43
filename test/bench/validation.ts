/**
 * How long validating a plan of 100 nodes takes: shape, references, types, conditions, models and estimate, from
 * text to ValidPlan. The floor is JSON.parse and the zod schema alone, in the same run.
 *
 *   npm run bench -- validation
 */
import { PlanSchema } from '../../src/core/plan/plan-schema.ts';
import { validate } from '../../src/validator/validate.ts';
import { card, catalogue, longPlan } from '../validator/catalogue.ts';
import type { Measurement } from './measurement.ts';

const NODES = 100;
const WARM_UP = 1500;
const ROUNDS = 15;
const CALLS = 60;

/** Microseconds: the median call, the mean of all (the collector's pauses included) and the fastest. */
interface Figures {
  readonly median: number;
  readonly mean: number;
  readonly best: number;
}

function measure(texts: () => readonly string[], work: (text: string) => void): Figures {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const text of texts()) {
      const before = performance.now();
      work(text);
      times.push((performance.now() - before) * 1000);
    }
  }
  times.sort((a, b) => a - b);
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  return { median: times[times.length >> 1] ?? Number.NaN, mean, best: times[0] ?? Number.NaN };
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
  const details = { mean: warm.mean, fastest: warm.best, floor: floor.median, floorMean: floor.mean };
  return [
    {
      name: 'validate 100 nodes, warm, the median call',
      value: warm.median,
      unit: 'µs',
      target: { below: 1000 },
      details,
    },
    {
      name: 'the same, over the bare schema',
      value: warm.median / floor.median,
      unit: '×',
      target: { below: 2.5 },
    },
    {
      name: 'validate 100 nodes, conditions never seen',
      value: unseen.median,
      unit: 'µs',
      details: { mean: unseen.mean, fastest: unseen.best },
    },
  ];
}
