/** Two callers change one run at the same time: it is driven once, and every place in its journal is written once. */
import { describe, expect, it } from 'vitest';
import type { RunHandle } from '../../src/core/run/engine.ts';
import { collected, type Harness, harness, settled } from './harness.ts';
import { validPlan } from './valid-plan.ts';

const plan = validPlan({
  nodes: [
    { id: 'ask', use: 'human', in: { question: 'Go?' } },
    { id: 'other', use: 'human', in: { question: 'How?' } },
    { id: 'pay', use: 'step', needs: ['ask'] },
  ],
});

async function suspended() {
  const h = harness();
  const { runId } = await settled(h, h.engine.start(plan));
  return { h, runId };
}

async function writtenOnce({ journal }: Harness, runId: string): Promise<void> {
  const seqs = (await collected(journal.read(runId))).map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
}

const codesOf = (settled: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  settled.map((one) => (one.status === 'fulfilled' ? 'ok' : one.reason.code));

describe('one run and two callers at once', () => {
  it('is resumed by one of them', async () => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', true);
    const both = await Promise.allSettled([h.engine.resume(runId), h.engine.resume(runId)]);
    expect(codesOf(both)).toEqual(['ok', 'store-busy']);
    for (const one of both) if (one.status === 'fulfilled') await settled(h, one.value as RunHandle);
    expect(h.calls.map(({ node }) => node.id)).toEqual(['pay']);
    await writtenOnce(h, runId);
  });

  it('takes one answer per question', async () => {
    const { h, runId } = await suspended();
    const answers = [h.engine.answer(runId, 'ask', 1), h.engine.answer(runId, 'ask', 2)];
    expect(codesOf(await Promise.allSettled(answers))).toEqual(['ok', 'not-found']);
    await writtenOnce(h, runId);
  });

  it('is answered while it is resumed', async () => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', 1);
    const coming = h.engine.resume(runId);
    await h.engine.answer(runId, 'other', 2);
    expect((await settled(h, await coming)).status).toBe('done');
    await writtenOnce(h, runId);
  });

  it('is cancelled between two answers', async () => {
    const { h, runId } = await suspended();
    const all = [h.engine.answer(runId, 'ask', 1), h.engine.cancel(runId), h.engine.cancel(runId)];
    expect(await Promise.all(all)).toEqual([undefined, true, false]);
    await writtenOnce(h, runId);
  });

  it('is not begun by an engine that was closed meanwhile', async () => {
    const { h, runId } = await suspended();
    await h.engine.answer(runId, 'ask', 1);
    const coming = h.engine.resume(runId);
    await h.engine.close();
    await expect(coming).rejects.toMatchObject({ code: 'invalid-request' });
    expect(() => h.engine.start(plan)).toThrow('closed');
    expect(h.calls).toEqual([]);
  });
});
