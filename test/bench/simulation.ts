/**
 * What a simulation of a plan costs: 1,000 runs of 50 nodes, with lists, conditions and escalations.
 *
 *   npm run bench -- simulation
 */
import type { Plan } from '../../src/core/plan/plan.ts';
import { readyQueue } from '../../src/runs/state/ready-queue.ts';
import { simulate } from '../../src/simulation/simulate.ts';
import { systemClock } from '../../src/system/clock.ts';
import { fakeCard } from '../../src/testing/fakes.ts';
import { forecast } from '../../src/validator/estimate/forecast.ts';
import { catalogueWith } from '../simulation/catalogue.ts';
import type { Measurement } from './measurement.ts';

const NODES = 50;
const RUNS = 1000;

function plan(): Plan {
  const nodes = Array.from({ length: NODES }, (_, index): Plan['nodes'][number] => ({
    id: `n${index}`,
    use: 'llm',
    in: { prompt: 'Say something.' },
    needs: index < 4 ? [] : [`n${index - 4}`, `n${index - 1 - (index % 3)}`],
    ...(index % 10 === 3 ? { each: '{{input.list}}' } : {}),
    ...(index % 7 === 5 ? { escalate: { evaluator: 'validators', to: ['premium'] } } : {}),
  }));
  return { version: 1, input: { list: 'string[]' }, nodes };
}

export async function run(): Promise<Measurement[]> {
  const catalogue = catalogueWith([
    fakeCard({ id: 'quick', tier: 'fast', expectedMs: 400 }),
    fakeCard({ id: 'slow', tier: 'premium', expectedMs: 3000 }),
  ]);
  const parts = { makeQueue: readyQueue, observedOf: () => undefined, concurrency: 64 };
  const times: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const began = systemClock.monotonic();
    simulate(forecast(plan(), catalogue), parts, { runs: RUNS, seed: round });
    times.push(systemClock.monotonic() - began);
  }
  const ms = Math.min(...times);
  return [
    {
      name: `${RUNS} simulated runs of ${NODES} nodes`,
      value: ms,
      unit: 'ms',
      target: { below: 2000 },
      details: { perNodeUs: (ms * 1000) / (RUNS * NODES) },
    },
  ];
}
