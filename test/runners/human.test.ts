import { describe, expect, it } from 'vitest';
import type { RunHandle } from '../../src/core/run/engine.ts';
import { collected, type Harness, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';

const plan = validPlan({
  nodes: [
    { id: 'draft', use: 'step', in: { text: 'a draft' } },
    { id: 'ok', use: 'human', in: { question: 'Send {{draft.text}}?', choices: ['yes', 'no'] } },
    { id: 'send', use: 'step', when: 'ok.approved', in: { answer: '{{ok.answer}}' } },
    { id: 'aside', use: 'step', in: { text: 'meanwhile' } },
  ],
  output: { sent: '{{send.answer}}', aside: '{{aside.text}}' },
});

async function suspended(): Promise<{ h: Harness; handle: RunHandle }> {
  const h = harness();
  const handle = h.engine.start(plan);
  expect(await settled(h, handle)).toMatchObject({
    status: 'suspended',
    waiting: [{ nodeId: 'ok', question: 'Send a draft?', choices: ['yes', 'no'] }],
  });
  return { h, handle };
}

describe('a human node', () => {
  it('suspends the run when nothing else is left, and another process goes on with the answer', async () => {
    const { h, handle } = await suspended();
    expect((await collected(handle.events())).at(-1)).toMatchObject({ type: 'run-suspended', waiting: ['ok'] });
    expect(await h.engine.list({ status: 'suspended' })).toMatchObject([{ runId: handle.runId }]);
    const other = harness({ journal: h.journal });
    await other.engine.answer(handle.runId, 'ok', 'yes');
    const result = await settled(other, await other.engine.resume(handle.runId));
    expect(result).toMatchObject({ status: 'done', output: { sent: 'yes', aside: 'meanwhile' } });
    expect(other.calls.map(({ node }) => node.id)).toEqual(['send']);
    const stored = await collected(h.journal.read(handle.runId));
    expect(new Set(stored.map(({ seq }) => seq)).size).toBe(stored.length);
  });

  it('takes a refusal as not approved', async () => {
    const { h, handle } = await suspended();
    await h.engine.answer(handle.runId, 'ok', 'no');
    expect((await settled(h, await h.engine.resume(handle.runId))).output).toMatchObject({ sent: null });
  });

  it('refuses what is none of the choices, and answers that nobody asked for', async () => {
    const { h, handle } = await suspended();
    await expect(h.engine.answer(handle.runId, 'ok', 'maybe')).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(h.engine.answer(handle.runId, 'draft', 'yes')).rejects.toMatchObject({ code: 'not-found' });
    await expect(h.engine.answer('run_none', 'ok', 'yes')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('may take hours: the wait is none of the time of the run, nor of its seconds', async () => {
    const h = harness();
    const handle = h.engine.start(validPlan({ ...plan.plan, budget: { seconds: 60 } }));
    await settled(h, handle);
    await h.runtime.clock.advance(3 * 3_600_000);
    await h.engine.answer(handle.runId, 'ok', 'yes');
    await h.runtime.clock.advance(3_600_000);
    expect(await h.engine.inspect(handle.runId)).toMatchObject({ ms: 0 });
    const result = await settled(h, await h.engine.resume(handle.runId));
    expect(result).toMatchObject({ status: 'done', ms: 0 });
  });

  it('may be given up hours later, which takes none of the time of the run', async () => {
    const { h, handle } = await suspended();
    await h.runtime.clock.advance(3 * 3_600_000);
    await h.engine.cancel(handle.runId);
    expect(await h.engine.inspect(handle.runId)).toMatchObject({ status: 'cancelled', ms: 0 });
  });

  it('stays suspended when it is resumed without an answer', async () => {
    const { h, handle } = await suspended();
    const again = await settled(h, await h.engine.resume(handle.runId));
    expect(again).toMatchObject({ status: 'suspended', waiting: [{ nodeId: 'ok' }] });
  });

  it('takes an answer while the run goes on', async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const h = harness({ step: ({ node, inputs }) => (node.id === 'aside' ? gate : inputs) });
    const handle = h.engine.start(plan);
    await h.runtime.clock.advance(1);
    await h.engine.answer(handle.runId, 'ok', true);
    await h.runtime.clock.advance(1);
    expect(h.calls.map(({ node }) => node.id)).toContain('send');
    release();
    expect(await settled(h, handle)).toMatchObject({ status: 'done', output: { sent: 'yes' } });
  });

  it('asks once an item', async () => {
    const each = validPlan({
      nodes: [{ id: 'ask', use: 'human', each: '{{input.list}}', in: { question: '{{item}}?' } }],
    });
    const h = harness();
    const handle = h.engine.start(each, { input: { list: ['a', 'b'] } });
    expect((await settled(h, handle)).waiting?.map(({ question }) => question)).toEqual(['a?', 'b?']);
    await h.engine.answer(handle.runId, 'ask', 'first', { item: 0 });
    const half = await settled(h, await h.engine.resume(handle.runId));
    expect(half.waiting?.map(({ question }) => question)).toEqual(['b?']);
    await h.engine.answer(handle.runId, 'ask', 'second');
    const result = await settled(h, await h.engine.resume(handle.runId));
    expect(result.output).toMatchObject({ ask: [{ answer: 'first' }, { answer: 'second' }] });
  });
});
