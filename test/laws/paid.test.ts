/**
 * Laws of what a run was charged. Every call here costs a nano-dollar a token, so that money and tokens check each other.
 *
 * 1. From EVERY prefix of a journal the tokens are those that the money was paid for, failed calls included.
 * 2. A record never makes less of what was paid, that of a failed call makes more, and the whole journal tells what the
 *    run told.
 * 3. A run that goes on adds what its own calls come to.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { NodeCall, RunEvent, RunResult } from '../../src/core/run/engine.ts';
import { withCharge } from '../../src/runs/state/charge.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { collected, type Harness, harness, output, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { RANDOM_INPUT, type RandomPlan, randomPlans } from './random-plans.ts';

interface Paying {
  readonly h: Harness;
  /** Of every call that ended, however it did. */
  paid: number;
}

function paying({ behaviours }: RandomPlan, journal = memoryStores().journal): Paying {
  const tries = new Map<string, number>();
  const paying: Paying = { paid: 0, h: harness({ journal, step: (call) => step(call) }) };
  const step = async (call: NodeCall): Promise<unknown> => {
    const { ms, fails } = behaviours.get(call.node.id) ?? { ms: 1, fails: false };
    const tried = (tries.get(call.idempotencyKey) ?? 0) + 1;
    tries.set(call.idempotencyKey, tried);
    const tokens = 1 + ms;
    const charge = { costNanoUsd: tokens, usage: { input: tokens, output: 0 } };
    try {
      await sleep(paying.h.runtime.clock, ms + (call.item ?? 0), call.signal);
    } catch (error) {
      paying.paid += tokens;
      throw withCharge(error, charge);
    }
    paying.paid += tokens;
    if (fails || tried < 2) throw withCharge(new Error(`${call.node.id} fails`), charge);
    return output({ value: { id: call.node.id, ok: true, round: call.round ?? 0 }, ...charge });
  };
  return paying;
}

/** Steps that fail are tried once more. */
function withRetries({ plan, ...random }: RandomPlan): RandomPlan {
  const nodes = plan.plan.nodes.map((node): PlanNode => {
    return { ...node, use: 'tool:step', limits: { ...node.limits, retries: 1 } };
  });
  return { ...random, plan: validPlan({ ...plan.plan, nodes }) };
}

const paidOf = ({ costNanoUsd, usage }: Pick<RunResult, 'costNanoUsd' | 'usage'>) => {
  expect(usage.input).toBe(costNanoUsd);
  return usage.input;
};

async function expectGoesOn(random: RandomPlan, prefix: readonly RunEvent[], atLeast: number): Promise<number> {
  const { journal } = memoryStores();
  const runId = prefix[0]?.runId ?? '';
  await journal.append(runId, prefix);
  const again = paying(random, journal);
  const before = paidOf(await again.h.engine.inspect(runId));
  const more = prefix.at(-1)?.type === 'node-retried' ? 1 : 0;
  expect(before).toBeGreaterThanOrEqual(atLeast + more);
  const result = await settled(again.h, await again.h.engine.resume(runId, { concurrency: random.concurrency }));
  expect(paidOf(result)).toBe(before + again.paid);
  expect(paidOf(await again.h.engine.inspect(runId))).toBe(before + again.paid);
  return before;
}

it('is counted whole, in money and in tokens, wherever a run was cut off', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(randomPlans({ quorums: true, failures: true }), async (drawn) => {
      const random = withRetries(drawn);
      const first = paying(random);
      const handle = first.h.engine.start(random.plan, { input: RANDOM_INPUT, concurrency: random.concurrency });
      expect(paidOf(await settled(first.h, handle))).toBe(first.paid);
      const events = await collected(first.h.journal.read(handle.runId));
      let atLeast = 0;
      for (let length = 1; length < events.length; length += 1) {
        atLeast = await expectGoesOn(random, events.slice(0, length), atLeast);
      }
      expect(paidOf(await first.h.engine.inspect(handle.runId))).toBe(first.paid);
    }),
    { numRuns: 60 },
  );
});
