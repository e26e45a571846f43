/**
 * Laws of paying once: the total of a run is the sum of what its steps cost, failed tries included, and no interruption
 * makes it more than what was really called.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NodeCall } from '../../src/core/run/engine.ts';
import { withCharge } from '../../src/runs/state/charge.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, harness, output, settled } from '../executor/harness.ts';
import { RANDOM_INPUT, type RandomPlan, randomPlans } from './random-plans.ts';

const COST = 7;

/** Every call costs, also one that fails; `paid` counts those that ended, one entry a key. */
function paying(random: RandomPlan, runtime: FakeRuntime, paid: string[]) {
  return async (call: NodeCall): Promise<unknown> => {
    const { ms, fails } = random.behaviours.get(call.node.id) ?? { ms: 1, fails: false };
    await sleep(runtime.clock, ms, call.signal);
    paid.push(call.idempotencyKey);
    if (fails) throw withCharge(new Error('failed and cost'), { costNanoUsd: COST });
    const value = { ...call.inputs, ok: true, round: call.round ?? 0 };
    return output({ value, costNanoUsd: COST, usage: { input: 2, output: 1 } });
  };
}

describe('paying once', () => {
  it('adds up what was called, however the run ends', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: true, failures: true }), async (random) => {
        const runtime = fakeRuntime();
        const paid: string[] = [];
        const h = harness({ runtime, step: paying(random, runtime, paid) });
        const handle = h.engine.start(random.plan, { input: RANDOM_INPUT, concurrency: random.concurrency });
        const result = await settled(h, handle);
        expect(result.costNanoUsd).toBe(paid.length * COST);
        expect((await h.engine.inspect(handle.runId)).costNanoUsd).toBe(paid.length * COST);
      }),
      { numRuns: 150 },
    );
  });

  it('pays for nothing twice when the run is cut off and resumed, at any record', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: false, failures: false }), async (random) => {
        const runtime = fakeRuntime();
        const paid: string[] = [];
        const h = harness({ runtime, step: paying(random, runtime, paid) });
        const handle = h.engine.start(random.plan, { input: RANDOM_INPUT, concurrency: random.concurrency });
        const whole = await settled(h, handle);
        const events = await collected(h.journal.read(handle.runId));
        for (let length = 1; length < events.length; length += 1) {
          const again = fakeRuntime();
          const { journal } = memoryStores({ clock: again.clock });
          await journal.append(handle.runId, events.slice(0, length));
          const resumed = harness({ runtime: again, journal, step: paying(random, again, []) });
          const result = await settled(resumed, await resumed.engine.resume(handle.runId));
          expect(result.costNanoUsd).toBe(whole.costNanoUsd);
          expect(result.usage).toEqual(whole.usage);
        }
      }),
      { numRuns: 40 },
    );
  });
});
