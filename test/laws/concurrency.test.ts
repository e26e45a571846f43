/**
 * Laws of concurrency: never more calls at once than the run allows, never more items of one node than it allows, and
 * no slot idle while something is ready.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validPlan } from '../executor/valid-plan.ts';
import { observe, runThrough } from './observed-run.ts';
import { randomPlans } from './random-plans.ts';

const RUNS = { numRuns: 150 };
const small = fc.integer({ min: 1, max: 9 });

describe('concurrency', () => {
  it('keeps to the limits of the run and of each node', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: true, failures: true }), async (random) => {
        const observed = observe(random);
        await runThrough(observed, random);
        for (const { active, activeOfNode, call } of observed.steps) {
          expect(active).toBeLessThanOrEqual(random.concurrency);
          expect(activeOfNode).toBeLessThanOrEqual(call.node.limits?.concurrency ?? random.concurrency);
        }
      }),
      RUNS,
    );
  });

  it('uses every slot while items are left', async () => {
    await fc.assert(
      fc.asyncProperty(small, small, small, async (items, concurrency, limit) => {
        const plan = planOf(items, limit);
        const random = { plan, behaviours: new Map(), concurrency };
        const observed = observe(random);
        const handle = observed.h.engine.start(plan, { concurrency });
        await observed.h.runtime.clock.advance(0);
        expect(observed.steps.length).toBe(Math.min(items, concurrency, limit));
        handle.cancel();
        await handle.result();
      }),
      { numRuns: 40 },
    );
  });
});

function planOf(items: number, limit: number) {
  const literal = Array.from({ length: items }, (_, index) => index);
  return validPlan({
    nodes: [
      { id: 'list', use: 'human', in: {}, onError: { value: literal } },
      { id: 'work', use: 'step', each: '{{list}}', limits: { concurrency: limit } },
    ],
  });
}
