/** What becomes of nodes that ran before their plan was whole, one case each; the laws are in test/laws/writing.test.ts. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Plan, PlanNode } from '../../../src/core/plan/plan.ts';
import type { Planner } from '../../../src/core/plan/planner.ts';
import type { NodeCall, RunEvent, RunHandle } from '../../../src/core/run/engine.ts';
import { sleep } from '../../../src/system/clock.ts';
import { type FakeRuntime, fakeRuntime } from '../../../src/testing/fakes.ts';
import { collected, type Harness, harness, output, settled } from '../../executor/harness.ts';
import { planned, scriptedPlanner } from '../../executor/scripted-planner.ts';
import { validPlan } from '../../executor/valid-plan.ts';

const step = (id: string, fields: Partial<PlanNode> = {}): PlanNode => ({ id, use: 'step', in: { id }, ...fields });

interface Case {
  /** Told at once. */
  readonly draft: readonly PlanNode[];
  readonly draftBudget?: Plan['budget'];
  /** After 100 ms. */
  readonly whole: Omit<Plan, 'version'> | Error;
  /** Milliseconds of a node. @default 10 */
  readonly ms?: Readonly<Record<string, number>>;
  readonly fails?: readonly string[];
  readonly replan?: Plan;
}

interface Ran {
  readonly h: Harness;
  readonly handle: RunHandle;
  readonly events: RunEvent[];
  readonly result: Awaited<ReturnType<RunHandle['result']>>;
  /** Keys of the calls, in the order in which they began. */
  readonly keys: readonly string[];
}

function plannerOf({ draft, draftBudget, whole, replan }: Case, runtime: FakeRuntime): Planner {
  return scriptedPlanner({
    async plan(_request, { signal, onDraft, onAnswer } = {}) {
      const { nodes } = validPlan({ nodes: [...draft] });
      onDraft?.(
        nodes.map((valid) => ({ valid, mayStart: true })),
        draftBudget,
      );
      await sleep(runtime.clock, 100, signal);
      onAnswer?.({ round: 1, costNanoUsd: 1000 });
      if (whole instanceof Error) throw whole;
      return planned(validPlan(whole), 1000);
    },
    ...(replan === undefined ? {} : { revise: async () => planned(validPlan(replan)) }),
  });
}

async function run(given: Case, options: { readonly budgetUsd?: number } = {}): Promise<Ran> {
  const runtime = fakeRuntime();
  const work = async ({ node, inputs, signal }: NodeCall): Promise<unknown> => {
    await sleep(runtime.clock, given.ms?.[node.id] ?? 10, signal);
    if (given.fails?.includes(node.id)) throw new PolyphonyError('tool-failed', `${node.id} broke`);
    return output({ value: inputs, costNanoUsd: 10 });
  };
  const h = harness({
    runtime,
    step: work,
    planner: plannerOf(given, runtime),
  });
  const handle = h.engine.startRequest?.('do it', options);
  if (handle === undefined) throw new Error('no startRequest');
  const result = await settled(h, handle);
  const keys = h.calls.map(({ idempotencyKey }) => idempotencyKey.replace(`${handle.runId}/`, ''));
  return { h, handle, events: await collected(handle.events()), result, keys };
}

const typesOf = (events: readonly RunEvent[], id: string): string[] =>
  events.flatMap((event) => ('nodeId' in event && event.nodeId === id ? [event.type] : []));

describe('a node that ran before its plan was whole', () => {
  it('keeps its output where the whole plan defines it alike, however its keys are ordered', async () => {
    const whole = {
      nodes: [{ in: { id: 'a' }, use: 'step', id: 'a' }, step('b', { needs: ['a'] })],
      output: '{{a.id}}',
    };
    const { keys, result, events } = await run({ draft: [step('a')], whole });
    expect(keys).toEqual(['a', 'b']);
    expect(result).toMatchObject({ status: 'done', output: 'a', costNanoUsd: 1020 });
    const seq = (type: RunEvent['type']): number => events.find((event) => event.type === type)?.seq ?? -1;
    expect(seq('node-finished')).toBeLessThan(seq('plan-revised'));
  });

  it('runs again, under another key, when it is changed, and so does what depends on it', async () => {
    const behind = step('b', { in: { from: '{{a.id}}' } });
    const whole = { nodes: [step('a', { in: { id: 'other' } }), behind], output: '{{b.from}}' };
    const { keys, result, events } = await run({ draft: [step('a'), behind], whole });
    expect(keys).toEqual(['a', 'b', 'a~1', 'b~1']);
    expect(result).toMatchObject({ status: 'done', output: 'other', costNanoUsd: 1040 });
    expect(events.find(({ type }) => type === 'plan-revised')).toMatchObject({ again: ['b'] });
  });

  it('is stopped first when it still runs, and what it cost is counted', async () => {
    const whole = { nodes: [step('a', { in: { id: 'other' } })], output: '{{a.id}}' };
    const { keys, events, h } = await run({ draft: [step('a')], whole, ms: { a: 300 } });
    expect(keys).toEqual(['a', 'a~1']);
    expect(h.calls[0]?.signal.aborted).toBe(true);
    const types = ['node-ready', 'node-started', 'node-cancelled', 'node-ready', 'node-started', 'node-finished'];
    expect(typesOf(events, 'a')).toEqual(types);
  });

  it('is left out with the whole plan, and its cost stays', async () => {
    const { result, keys } = await run({ draft: [step('gone')], whole: { nodes: [step('a')] } });
    expect(keys).toEqual(['gone', 'a']);
    expect(result.nodes.map(({ id }) => id)).toEqual(['a']);
    expect(result.costNanoUsd).toBe(1020);
  });
});

describe('half a plan', () => {
  const join = step('join', { needs: ['a', 'b'], wait: 'any' });

  it('does not fail a run that the whole of it saves', async () => {
    const whole = { nodes: [step('a'), step('b'), join], output: '{{join.id}}' };
    const { result, events } = await run({ draft: [step('a')], whole, fails: ['a'] });
    expect(result).toMatchObject({ status: 'done', output: 'join' });
    const failures = events.flatMap((event) => (event.type === 'node-failed' ? [event.handled] : []));
    expect(failures).toEqual(['plan', 'wait']);
  });

  it('does not cancel a node that the whole of it needs', async () => {
    const whole = {
      nodes: [step('a'), step('b'), join, step('c', { in: { from: '{{b.id}}' } })],
      output: '{{c.from}}',
    };
    const { result, keys } = await run({ draft: [step('a'), step('b'), join], whole, ms: { b: 50 } });
    expect(result).toMatchObject({ status: 'done', output: 'b' });
    expect(keys.filter((key) => key.startsWith('b'))).toEqual(['b']);
  });

  it('lets the whole of it cancel the loser of a race', async () => {
    const whole = { nodes: [step('a'), step('b'), join], output: '{{join.id}}' };
    const { events } = await run({ draft: [step('a'), step('b'), join], whole, ms: { b: 5000 } });
    expect(typesOf(events, 'b').at(-1)).toBe('node-cancelled');
  });

  it('fails the run by the node, once the whole of it says so', async () => {
    const whole = { nodes: [step('a'), step('b', { needs: ['a'] })] };
    const { result, keys, events } = await run({ draft: [step('a')], whole, fails: ['a'] });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
    expect(keys).toEqual(['a']);
    expect(typesOf(events, 'a').filter((type) => type === 'node-failed')).toHaveLength(2);
  });

  it('lets a failed node be planned round once the whole of it is there', async () => {
    const broken = step('a', { onError: 'replan' });
    const replan: Plan = { version: 1, nodes: [step('round')], output: '{{round.id}}' };
    const { result } = await run({ draft: [broken], whole: { nodes: [broken] }, fails: ['a'], replan });
    expect(result).toMatchObject({ status: 'done', output: 'round' });
  });
});

describe('the bounds of a run whose plan is being written', () => {
  it('are those of the caller, and lower ones of the plan as soon as they are known', async () => {
    const whole = { nodes: [step('a')], budget: { usd: 1 } };
    const { events } = await run({ draft: [step('a')], draftBudget: { usd: 0.5 }, whole }, { budgetUsd: 2 });
    expect(events[0]).toMatchObject({ type: 'run-started', capNanoUsd: 2_000_000_000 });
    expect(events.find(({ type }) => type === 'plan-revised')).toMatchObject({ capNanoUsd: 1_000_000_000 });
  });

  it('begin to count the seconds of the plan when it is whole', async () => {
    const whole = { nodes: [step('a'), step('b', { needs: ['a'] })], budget: { seconds: 0.05 } };
    expect((await run({ draft: [step('a')], whole })).result.status).toBe('done');
    const late = await run({ draft: [step('a')], whole, ms: { b: 60 } });
    expect(late.result.error).toMatchObject({ code: 'budget-exceeded' });
  });

  it('need a planner', () => {
    expect(() => harness().engine.startRequest?.('do it')).toThrow(/no planner/);
  });
});

describe('a run whose planning failed', () => {
  const whole = new PolyphonyError('invalid-plan', 'no plan');

  it('is kept with what it cost, may not be forked, and can be resumed', async () => {
    const { h, handle, result } = await run({ draft: [step('a')], whole });
    expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-plan' }, costNanoUsd: 1010 });
    expect(await h.engine.inspect(handle.runId)).toMatchObject({ status: 'failed', costNanoUsd: 1010 });
    const forking = h.engine.fork(handle.runId, { from: 'a' });
    await expect(forking).rejects.toMatchObject({
      code: 'invalid-request',
      message: expect.stringMatching(/before its plan was whole/),
    });
    const again = await h.engine.resume(handle.runId);
    expect((await settled(h, again)).error).toMatchObject({ code: 'invalid-plan' });
    expect(h.calls).toHaveLength(1);
  });
});
