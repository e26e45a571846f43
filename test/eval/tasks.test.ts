import { describe, expect, test } from 'vitest';
import { goldsOf, openFor } from './evaluate.ts';
import { parallelismOf } from './metric.ts';
import { scriptedPlanner } from './scripted-planner.ts';
import { TASKS } from './tasks/index.ts';
import { ALL_TRADES, toolsOf } from './tools.ts';

const graphs = await Promise.all(
  TASKS.map(async (task) => {
    const polyphony = await openFor(task, { providers: [scriptedPlanner([])] });
    const golds = await goldsOf(polyphony, task).finally(() => polyphony.close());
    return { task, golds };
  }),
);

describe('the requests of the evaluation', () => {
  test('are as many and as varied as promised', () => {
    expect(TASKS.length).toBeGreaterThanOrEqual(60);
    expect(new Set(TASKS.map(({ id }) => id)).size).toBe(TASKS.length);
    expect(new Set(TASKS.map(({ request }) => request)).size).toBe(TASKS.length);
    expect(toolsOf(ALL_TRADES).length).toBe(60);
    const impossible = TASKS.filter(({ golds }) => golds.length === 0);
    expect(impossible.length).toBeGreaterThanOrEqual(5);
    expect(TASKS.filter(({ trades }) => trades.length === 0).length).toBeGreaterThanOrEqual(5);
    expect(TASKS.filter(({ trades }) => trades.length === ALL_TRADES.length).length).toBeGreaterThanOrEqual(5);
    expect(TASKS.filter(({ asks }) => asks).length).toBeGreaterThanOrEqual(8);
  });

  test('have gold plans of every form', () => {
    const nodes = graphs.flatMap(({ golds }) => golds.flatMap((gold) => gold.nodes));
    for (const field of ['each', 'when', 'repeat'] as const) {
      expect(nodes.filter(({ control }) => control.includes(field)).length, field).toBeGreaterThanOrEqual(4);
    }
    const sizes = graphs.flatMap(({ golds }) => golds.slice(0, 1).map((gold) => gold.nodes.length));
    expect(Math.max(...sizes)).toBeGreaterThanOrEqual(10);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(3);
    const parallel = graphs.filter(({ golds }) => golds.some((gold) => parallelismOf(gold) < 0.8));
    expect(parallel.length).toBeGreaterThanOrEqual(20);
  });
});
