/**
 * The rules of a run are the same whoever drives them. The law: on the same plan, an engine that rebuilds the state from the
 * journal before every step, and the in-process engine, come to the same outputs, endings and totals, and run nothing twice.
 */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Planner } from '../../src/core/plan/planner.ts';
import type { ExecutionEngine, NodeCall, NodeRunner, RunOptions, RunResult } from '../../src/core/run/engine.ts';
import { createEngine } from '../../src/executor/engine.ts';
import { withCharge } from '../../src/runs/state/charge.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { type TestEngineParts, testEngine } from '../../src/testing/index.ts';
import { settled } from '../executor/harness.ts';
import { planned, scriptedPlanner } from '../executor/scripted-planner.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { RANDOM_INPUT, type RandomPlan, randomPlans } from '../laws/random-plans.ts';
import { otherEngine } from './other-engine.ts';
import type { OtherEngineParts } from './other-engine-step.ts';

const COST = 7;

type Make = (parts: OtherEngineParts & { readonly runtime: FakeRuntime }) => ExecutionEngine;

interface Ran {
  readonly result: RunResult;
  readonly inspected: RunResult;
  readonly keys: readonly string[];
}

/** Steps take their time and cost something, also when they fail. */
async function runOn(make: Make, random: RandomPlan, options: RunOptions): Promise<Ran> {
  const runtime = fakeRuntime();
  const keys: string[] = [];
  const step: NodeRunner = async (call: NodeCall) => {
    keys.push(call.idempotencyKey);
    const { ms, fails } = random.behaviours.get(call.node.id) ?? { ms: 1, fails: false };
    await sleep(runtime.clock, ms, call.signal);
    if (fails) throw withCharge(new Error(`${call.node.id} fails`), { costNanoUsd: COST });
    const value = { ...call.inputs, ok: ms % 2 === 0, round: call.round ?? 0, item: call.item ?? null };
    return { value, costNanoUsd: COST, usage: { input: 2, output: 1 } };
  };
  const { journal } = memoryStores({ clock: runtime.clock });
  const engine = make({ runtime, journal, runners: new Map([['step', step]]), validPlan: () => random.plan });
  const handle = engine.start(random.plan, { runId: 'run', input: RANDOM_INPUT, ...options });
  const result = await settled({ runtime }, handle);
  return { result, inspected: await engine.inspect('run'), keys };
}

/** What both engines have to agree on: everything but how long it took, and whether a node was ready that never started. */
function essence({ status, output, error, usage, costNanoUsd, nodes }: RunResult): unknown {
  const reports = nodes.map(({ id, state, output: value, error: why }) => {
    return { id, state: state === 'ready' ? 'waiting' : state, value, why: why?.message };
  });
  return { status, output, error: error?.message, usage, costNanoUsd, nodes: reports };
}

/** One node after the other, so that both engines have no choice of what to start. */
function inSequence({ plan, ...random }: RandomPlan): RandomPlan {
  const nodes = plan.plan.nodes.map(({ wait: _wait, ...node }, index): PlanNode => {
    return index === 0 ? node : { ...node, needs: [...(node.needs ?? []), `n${index - 1}`] };
  });
  return { ...random, plan: validPlan({ ...plan.plan, nodes }) };
}

/**
 * With what each step costs as the expected cost, so that a budget is met by starting less. Without items: a node that goes on
 * in another process is asked for its money again, and between two items that is so before each step of the other engine.
 */
function priced({ plan, ...random }: RandomPlan): RandomPlan {
  const nodes = plan.plan.nodes.map(({ each: _each, ...node }) => node);
  const expected = nodes.map(({ id }) => [id, { expectedUsd: COST / 1e9 }]);
  return { ...random, plan: validPlan({ ...plan.plan, nodes }, { expected: Object.fromEntries(expected) }) };
}

async function expectTheSame(random: RandomPlan, options: RunOptions): Promise<string> {
  const [one, other] = [await runOn(createEngine, random, options), await runOn(otherEngine, random, options)];
  expect(essence(other.result)).toEqual(essence(one.result));
  expect(essence(other.inspected)).toEqual(essence(one.inspected));
  expect(other.keys).toEqual(one.keys);
  expect(new Set(other.keys).size).toBe(other.keys.length);
  return one.result.error?.code ?? one.result.status;
}

describe('the rules of a run, driven in another way', () => {
  const sequences = randomPlans({ quorums: false, failures: true }).map(inSequence);

  it('come to the same, node by node: outputs, endings, totals and keys', async () => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(sequences, async (random) => void ends.add(await expectTheSame(random, { concurrency: 1 }))),
      { numRuns: 100 },
    );
    for (const end of ['done', 'plugin-failed']) expect(ends).toContain(end);
  });

  it('come to the same where the budget does not reach', async () => {
    const ends = new Set<string>();
    await fc.assert(
      fc.asyncProperty(sequences.map(priced), fc.integer({ min: 1, max: 80 }), async (random, nano) => {
        ends.add(await expectTheSame(random, { concurrency: 1, budgetUsd: nano / 1e9 }));
      }),
      { numRuns: 100 },
    );
    for (const end of ['done', 'budget-exceeded']) expect(ends).toContain(end);
  });

  it('come to the same where one of them runs many at once; a run that fails pays for what it called', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: false, failures: true }), async (random) => {
        const one = await runOn(createEngine, random, { concurrency: random.concurrency });
        const other = await runOn(otherEngine, random, {});
        expect(essence(one.inspected)).toEqual(essence(one.result));
        expect(essence(other.inspected)).toEqual(essence(other.result));
        expect(other.result.status).toBe(one.result.status);
        expect(new Set(other.keys).size).toBe(other.keys.length);
        expect(other.result.costNanoUsd).toBe(COST * other.keys.length);
        if (one.result.status !== 'done') return;
        expect(essence(other.result)).toEqual(essence(one.result));
        expect(other.keys.toSorted()).toEqual(one.keys.toSorted());
      }),
      { numRuns: 100 },
    );
  });

  it('start what any or enough of its dependencies let start, and end every node', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: true, failures: false }), async (random) => {
        const { result, inspected, keys } = await runOn(otherEngine, random, {});
        expect(essence(inspected)).toEqual(essence(result));
        expect(new Set(keys).size).toBe(keys.length);
        const open = result.nodes.filter(({ state }) => !['done', 'skipped', 'cancelled'].includes(state));
        expect(result.status === 'done' ? open : []).toEqual([]);
      }),
      { numRuns: 75 },
    );
  });

  it('revise a plan, keep what is finished, give a new key to what failed, and count the planner', async () => {
    const step = (id: string, from: string): PlanNode => ({ id, use: 'step', in: { from } });
    const nodes: PlanNode[] = [step('a', 'x'), { ...step('bad', '{{a.from}}'), onError: 'replan' }];
    const optional: PlanNode = { ...step('bad', '{{a.from}}'), onError: 'skip' };
    const revised = validPlan({ nodes: [step('a', 'x'), optional, step('c', '{{a.from}}')], output: '{{c.from}}' });
    const planner: Planner = scriptedPlanner({
      async revise(_failure, { onAnswer } = {}) {
        onAnswer?.({ round: 1, costNanoUsd: 100 });
        return planned(revised);
      },
    });
    const random = { plan: validPlan({ nodes }), behaviours: new Map([['bad', { ms: 1, fails: true }]]) };
    const withPlanner =
      (make: Make): Make =>
      (parts) =>
        make({ ...parts, planner, validPlan: (plan) => validPlan(plan) });
    const one = await runOn(withPlanner(createEngine), { ...random, concurrency: 1 }, { concurrency: 1 });
    const other = await runOn(withPlanner(otherEngine), { ...random, concurrency: 1 }, {});
    expect(one.result).toMatchObject({ status: 'done', output: 'x', costNanoUsd: 4 * COST + 100 });
    expect(essence(other.result)).toEqual(essence(one.result));
    expect([one.keys, other.keys]).toEqual(Array(2).fill(['run/a', 'run/bad', 'run/bad~1', 'run/c']));
  });
});

/** One unit at a time: two nodes that wait for each other never end. */
const needsTwoAtOnce = 'runs both arms of a diamond at the same time and its join after both';

describe('the test engine', () => {
  testEngine({
    test: (name, run) => {
      if (name !== needsTwoAtOnce) test(name, run);
    },
    make: (parts: TestEngineParts) => otherEngine({ ...parts, validPlan: (plan) => validPlan(plan) }),
    journal: () => memoryStores().journal,
    valid: (plan) => validPlan(plan),
  });
});
