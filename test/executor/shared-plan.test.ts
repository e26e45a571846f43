/** One valid plan may serve many runs, also at the same time: what a step does to its inputs stays in its run. */
import { expect, it } from 'vitest';
import { harness, settled } from './harness.ts';
import { validPlan } from './valid-plan.ts';

const plan = validPlan({
  nodes: [
    { id: 'plain', use: 'step', in: { list: [1, { deep: [2] }] } },
    { id: 'mixed', use: 'step', in: { list: [1], text: '{{input.x}}' } },
    { id: 'fails', use: 'step', in: { fail: true }, onError: { value: { list: [1] } } },
    { id: 'after', use: 'step', in: { list: '{{fails.list}}' } },
  ],
  output: { fixed: { list: [1] }, after: '{{after}}' },
});

it('is not changed by the steps of a run, nor by who reads its output', async () => {
  const before = JSON.stringify(plan.plan);
  const seen: unknown[] = [];
  const h = harness({
    async step({ inputs }) {
      if (inputs.fail === true) throw new Error('no');
      await Promise.resolve();
      const list = inputs.list as unknown[];
      list.push(list.length);
      (inputs as Record<string, unknown>).more = 1;
      seen.push(structuredClone(list));
      return list.length;
    },
  });
  const handles = [1, 2, 3].map(() => h.engine.start(plan, { input: { x: 1 } }));
  const results = [];
  for (const handle of handles) results.push(await settled(h, handle));
  for (const { output } of results) (output as { fixed: { list: unknown[] } }).fixed.list.push(9);
  results.push(await settled(h, h.engine.start(plan, { input: { x: 1 } })));
  expect(results.map(({ output }) => output)).toEqual([
    ...[1, 2, 3].map(() => ({ fixed: { list: [1, 9] }, after: 2 })),
    { fixed: { list: [1] }, after: 2 },
  ]);
  expect(Math.max(...seen.map((list) => (list as unknown[]).length))).toBe(3);
  expect(JSON.stringify(plan.plan)).toBe(before);
});
