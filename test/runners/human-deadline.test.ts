/** The time of a `human` node runs while it waits, whoever drives the run. */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeClock, fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { deferred } from '../kit/loopback.ts';
import { setUp } from './run-node.ts';

const START = 1_700_000_000_000;
const ASK: PlanNode = {
  id: 'ask',
  use: 'human',
  in: { question: 'Well?' },
  limits: { seconds: 60 },
  onError: { value: { answer: 'nobody', approved: false } },
};
const NOBODY = { answer: 'nobody', approved: false };
const AFTER: PlanNode = { id: 'after', use: 'step', in: { said: '{{ask.answer}}' } };

/** An engine at a time of its own over the journal: another process, later. */
const at = (ms: number, journal = memoryStores().journal) =>
  harness({ journal, runtime: { ...fakeRuntime(), clock: fakeClock(START + ms) } });

async function asked(nodes: readonly PlanNode[], input: Readonly<Record<string, unknown>> = {}) {
  const h = at(0);
  const plan = validPlan({ nodes: [...nodes], output: '{{ask}}' });
  const result = await settled(h, h.engine.start(plan, { input }));
  expect(result.status).toBe('suspended');
  return { h, journal: h.journal, runId: result.runId, result };
}

const typesOf = async (events: AsyncIterable<RunEvent>): Promise<readonly string[]> =>
  (await collected(events)).map(({ type }) => type);

describe('the time of a question', () => {
  it('is told with it', async () => {
    const { result, h, runId } = await asked([ASK]);
    expect(result.waiting).toMatchObject([{ id: 'ask', deadline: START + 60_000 }]);
    expect((await h.engine.inspect(runId)).waiting).toMatchObject([{ id: 'ask', deadline: START + 60_000 }]);
  });

  it('does not begin anew with a resume, is not up before it is, and then has the effect of onError', async () => {
    const { journal, runId } = await asked([ASK, AFTER]);
    for (const ms of [1, 30_000, 59_999]) {
      const h = at(ms, journal);
      const result = await settled(h, await h.engine.resume(runId));
      expect(result).toMatchObject({ status: 'suspended', waiting: [{ deadline: START + 60_000 }] });
    }
    const late = at(60_000, journal);
    expect(await settled(late, await late.engine.resume(runId))).toMatchObject({ status: 'done', output: NOBODY });
    expect(late.calls.map(({ inputs }) => inputs)).toEqual([{ said: 'nobody' }]);
    const types = await typesOf(journal.read(runId));
    expect(types.filter((type) => type === 'node-failed').length).toBe(1);
  });

  it('is not up where somebody answered in time, though nobody drove the run then', async () => {
    const { h, journal, runId } = await asked([ASK]);
    await h.engine.answer(runId, 'ask', 'me');
    const late = at(90_000, journal);
    expect(await settled(late, await late.engine.resume(runId))).toMatchObject({ output: { answer: 'me' } });
  });

  it('does not run where the node does not say what happens without an answer', async () => {
    const { onError: _onError, ...node } = ASK;
    const { journal, runId, result } = await asked([node]);
    expect(result.waiting?.[0]).not.toHaveProperty('deadline');
    const late = at(10 * 60_000, journal);
    await late.engine.answer(runId, 'ask', 'yes');
    expect(await settled(late, await late.engine.resume(runId))).toMatchObject({ output: { approved: true } });
  });

  it('fails the run where onError says so, and a resume asks anew', async () => {
    const { journal, runId } = await asked([{ ...ASK, onError: 'fail' }]);
    const late = at(61_000, journal);
    const failed = await settled(late, await late.engine.resume(runId));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
    expect(failed.error?.message).toContain('limit of 60 seconds (limits.seconds)');
    const again = at(100_000, journal);
    const open = await settled(again, await again.engine.resume(runId));
    expect(open).toMatchObject({ status: 'suspended', waiting: [{ deadline: START + 160_000 }] });
    await again.engine.answer(runId, 'ask', 'yes');
    expect(await settled(again, await again.engine.resume(runId))).toMatchObject({ output: { approved: true } });
  });

  it.each(['skip', 'value'] as const)('is that of all items, and finished items stay: %s', async (kind) => {
    const onError = kind === 'skip' ? 'skip' : { value: NOBODY };
    const each: PlanNode = { ...ASK, each: '{{input.list}}', in: { question: '{{item}}?' }, onError };
    const { h, journal, runId } = await asked([each], { list: ['a', 'b', 'c'] });
    await h.engine.answer(runId, 'ask[1]', 'yes');
    const late = at(60_000, journal);
    const { output } = await settled(late, await late.engine.resume(runId));
    const standIn = kind === 'skip' ? null : NOBODY;
    expect(output).toEqual([standIn, { answer: 'yes', approved: true }, standIn]);
  });

  it('is up while something else of the run goes on', async () => {
    const gate = deferred();
    const h = harness({ step: ({ node, inputs }) => (node.id === 'side' ? gate.promise : inputs) });
    const side: PlanNode = { id: 'side', use: 'step' };
    const handle = h.engine.start(validPlan({ nodes: [ASK, AFTER, side], output: '{{after.said}}' }));
    await h.runtime.clock.advance(59_999);
    expect(h.calls.map(({ node }) => node.id)).toEqual(['side']);
    await h.runtime.clock.advance(1);
    expect(h.calls.map(({ node }) => node.id)).toEqual(['side', 'after']);
    await expect(h.engine.answer(handle.runId, 'ask', 'late')).rejects.toMatchObject({ code: 'not-found' });
    gate.resolve();
    expect(await settled(h, handle)).toMatchObject({ status: 'done', output: 'nobody' });
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('is up in a nested run too', async () => {
    const inner = validPlan({ nodes: [ASK], output: '{{ask.answer}}' });
    const parts = { workflows: () => inner };
    const first = setUp([], parts);
    const outer = validPlan({ nodes: [{ id: 'sub', use: 'workflow:inner' }], output: '{{sub}}' });
    const { runId, waiting } = await settled(first, first.engine.start(outer));
    const [question] = waiting ?? [];
    expect(question).toMatchObject({ id: 'sub/ask', deadline: expect.any(Number) });
    await first.runtime.clock.advance(60_000);
    const result = await settled(first, await first.engine.resume(runId));
    expect(result).toMatchObject({ status: 'done', output: 'nobody' });
  });

  it('is up in a nested run while the run around it goes on', async () => {
    const gate = deferred();
    const inner = validPlan({ nodes: [ASK], output: '{{ask.answer}}' });
    const slow = { name: 'slow', description: 'Waits.', input: {}, run: () => gate.promise.then(() => 'over') };
    const parts = { workflows: () => inner, tools: new Map([['slow', slow]]) };
    const { engine, runtime } = setUp([], parts);
    const nodes: PlanNode[] = [
      { id: 'sub', use: 'workflow:inner' },
      { id: 'side', use: 'tool:slow' },
    ];
    const handle = engine.start(validPlan({ nodes, output: '{{sub}}' }));
    await runtime.clock.advance(59_999);
    expect((await engine.inspect(handle.runId)).nodes[0]?.state).toBe('suspended');
    await runtime.clock.advance(2);
    expect((await engine.inspect(handle.runId)).nodes[0]).toMatchObject({ state: 'done', output: 'nobody' });
    gate.resolve();
    expect(await settled({ runtime }, handle)).toMatchObject({ status: 'done', output: 'nobody' });
  });

  it('is not that of a node of another kind: its time stands still while a question of it is open', async () => {
    const inner = validPlan({ nodes: [{ id: 'ask', use: 'human', in: { question: 'Well?' } }], output: '{{ask}}' });
    const { engine, ...rest } = setUp([], { workflows: () => inner });
    const node: PlanNode = { id: 'sub', use: 'workflow:inner', limits: { seconds: 5 } };
    const { runId } = await settled(rest, engine.start(validPlan({ nodes: [node], output: '{{sub}}' })));
    await rest.runtime.clock.advance(100_000);
    await engine.answer(runId, 'sub/ask', 'yes');
    expect(await settled(rest, await engine.resume(runId))).toMatchObject({ status: 'done' });
  });

  it('counts from every prefix of a journal as it did when it was asked', async () => {
    const { journal, runId } = await asked([{ id: 'first', use: 'step', in: { x: 1 } }, ASK, AFTER]);
    const late = at(60_000, journal);
    await settled(late, await late.engine.resume(runId));
    const events = await collected(journal.read(runId));
    const failedAt = events.findIndex(({ type }) => type === 'node-failed');
    const askedAt = events.findIndex(({ type }) => type === 'node-suspended');
    for (let cut = 1; cut < events.length; cut += 1) {
      const copy = memoryStores().journal;
      await copy.append(runId, events.slice(0, cut));
      const h = at(70_000, copy);
      const result = await settled(h, await h.engine.resume(runId));
      const types = await typesOf(copy.read(runId));
      if (cut <= askedAt) expect(result).toMatchObject({ waiting: [{ deadline: START + 130_000 }] });
      else expect(result).toMatchObject({ status: 'done', output: NOBODY });
      expect(types.filter((type) => type === 'node-suspended').length).toBe(1);
      expect(types.filter((type) => type === 'node-failed').length).toBe(cut <= askedAt ? 0 : 1);
      if (cut > failedAt) expect(h.calls.map(({ node }) => node.id).includes('first')).toBe(false);
    }
  });
});
