/** What plan-format.md says about `finish` and `failFast`. */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { collected, finished, settled } from './harness.ts';
import { plan, scripted, started, states } from './scripted-steps.ts';
import { validPlan } from './valid-plan.ts';

const look: PlanNode = { id: 'look', use: 'step', in: { ms: 10, hit: true } };
const early: PlanNode = { id: 'early', use: 'step', when: 'look.hit', in: { from: 'cache' }, finish: true };
const slow: PlanNode = { id: 'slow', use: 'step', in: { ms: 1000 } };
const last: PlanNode = { id: 'last', use: 'step', in: { from: '{{slow.ms}}' } };

describe('finish', () => {
  it('ends the run with the output of its node, cancels what runs and skips the rest', async () => {
    const h = scripted();
    const result = await finished(h, plan([look, slow, early, last], { from: '{{last.from}}' }));
    expect(result).toMatchObject({ status: 'done', output: { from: 'cache' }, ms: 10 });
    expect(states(result)).toEqual({ look: 'done', slow: 'cancelled', early: 'done', last: 'skipped' });
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('ends nothing where its node is skipped, or failed', async () => {
    const missed = { ...look, in: { hit: false } };
    const skipped = await finished(scripted(), plan([missed, slow, early, last], '{{last.from}}'));
    expect(skipped).toMatchObject({ status: 'done', output: 1000 });
    const broken = { ...early, in: { fail: true }, onError: { value: 1 } } as const;
    expect((await finished(scripted(), plan([look, slow, broken, last], '{{last.from}}'))).output).toBe(1000);
  });

  it('cancels a question, and the items of an each that have not begun', async () => {
    const h = scripted();
    const asks: PlanNode = { id: 'asks', use: 'human', in: { question: 'Well?' } };
    const list: PlanNode = { id: 'list', use: 'step', in: { of: [1, 2, 3] } };
    const each: PlanNode = {
      id: 'each',
      use: 'step',
      each: '{{list.of}}',
      in: { ms: 100 },
      limits: { concurrency: 1 },
    };
    const result = await finished(h, plan([asks, list, each, look, early]));
    expect(result).toMatchObject({ status: 'done', output: { from: 'cache' } });
    expect(states(result)).toMatchObject({ asks: 'cancelled', each: 'cancelled' });
  });

  it('goes on from every prefix of its journal, repeats nothing and ends alike', async () => {
    const h = scripted();
    const handle = h.engine.start(plan([look, slow, early, last], '{{last.from}}'));
    await settled(h, handle);
    const events = await collected(h.journal.read(handle.runId));
    for (let length = 1; length <= events.length; length += 1) {
      const prefix = events.slice(0, length);
      const { journal } = memoryStores();
      await journal.append(handle.runId, prefix);
      const again = scripted({ journal });
      const result = await settled(again, await again.engine.resume(handle.runId));
      expect(result).toMatchObject({ status: 'done', output: { from: 'cache' } });
      const done = prefix.flatMap((event) => (event.type === 'node-finished' ? [event.nodeId] : []));
      for (const id of done) expect(started(again)).not.toContain(id);
      if (done.includes('early')) expect(started(again)).toEqual([]);
    }
  });

  it('is taken over by a fork that does not run its node again', async () => {
    const h = scripted();
    const { runId } = await finished(h, plan([look, slow, early, last], '{{last.from}}'));
    h.calls.length = 0;
    const fork = await settled(h, await h.engine.fork(runId, { from: 'slow' }));
    expect([fork.output, started(h)]).toEqual([{ from: 'cache' }, []]);
    const other = await settled(h, await h.engine.fork(runId, { from: 'early', with: { from: 'else' } }));
    expect(other.output).toEqual({ from: 'else' });
  });
});

describe('failFast: false', () => {
  const nodes: PlanNode[] = [
    { id: 'bad', use: 'step', in: { fail: true } },
    { id: 'after', use: 'step', in: { from: '{{bad.x}}' } },
    { id: 'long', use: 'step', in: { ms: 100 } },
    { id: 'next', use: 'step', in: { ms: 50, from: '{{long.ms}}' } },
    { id: 'both', use: 'step', in: { a: '{{long.ms}}', b: '{{bad.x}}' } },
    { id: 'only_both', use: 'step', in: { ms: 200 } },
    { id: 'joins', use: 'step', in: { a: '{{only_both.ms}}', b: '{{after.x}}' } },
  ];

  it('goes on with what does not depend on the failure, then fails with it', async () => {
    const result = await finished(scripted(), validPlan({ failFast: false, nodes }));
    expect(result).toMatchObject({ status: 'failed', error: { message: 'it broke' }, ms: 200 });
    expect(states(result)).toEqual({
      bad: 'failed',
      after: 'cancelled',
      long: 'done',
      next: 'done',
      both: 'cancelled',
      only_both: 'done',
      joins: 'cancelled',
    });
  });

  it('fails at once where it is true or absent', async () => {
    for (const failFast of [{}, { failFast: true }]) {
      const result = await finished(scripted(), validPlan({ ...failFast, nodes }));
      expect([result.status, result.ms]).toEqual(['failed', 0]);
    }
  });

  it('resumes with what failed and what waits for it, and with nothing else', async () => {
    const h = scripted();
    const handle = h.engine.start(validPlan({ failFast: false, nodes }));
    await settled(h, handle);
    const events = await collected(h.journal.read(handle.runId));
    const { journal } = memoryStores();
    await journal.append(handle.runId, events);
    const mended = scripted({ journal, validPlan: (stored) => validPlan(mend(stored)) });
    const result = await settled(mended, await mended.engine.resume(handle.runId));
    expect(result.status).toBe('done');
    expect(started(mended).sort()).toEqual(['after', 'bad', 'both', 'joins']);
  });

  it('does not end early after a failure', async () => {
    const bad: PlanNode = { id: 'bad', use: 'step', in: { fail: true } };
    const result = await finished(scripted(), validPlan({ failFast: false, nodes: [bad, look, slow, early, last] }));
    expect(result).toMatchObject({ status: 'failed', ms: 1000 });
  });
});

function mend(stored: { nodes: readonly PlanNode[]; failFast?: boolean }) {
  return { ...stored, nodes: stored.nodes.map((node) => (node.id === 'bad' ? { ...node, in: { x: 1 } } : node)) };
}
