import { describe, expect, it } from 'vitest';
import { collected, harness, output, settled } from './harness.ts';
import { validPlan } from './valid-plan.ts';

const plan = validPlan({
  nodes: [
    { id: 'a', use: 'step', in: { from: '{{input.x}}' } },
    { id: 'b', use: 'step', in: { from: '{{a.from}}', style: 'short' } },
    { id: 'c', use: 'step', in: { from: '{{b.from}} {{b.style}}' } },
    { id: 'aside', use: 'step', in: { from: '{{input.y}}' } },
  ],
  output: { c: '{{c.from}}', aside: '{{aside.from}}' },
});

async function original() {
  const h = harness({ step: ({ inputs }) => output({ value: inputs, costNanoUsd: 5 }) });
  const handle = h.engine.start(plan, { input: { x: 1, y: 2 }, tags: { team: 'red' } });
  await settled(h, handle);
  h.calls.length = 0;
  return { h, runId: handle.runId };
}
const ids = (h: Awaited<ReturnType<typeof original>>['h']) => h.calls.map(({ node }) => node.id).sort();

describe('forking a run', () => {
  it('runs the node and what is behind it again, with changed inputs, and pays only for that', async () => {
    const { h, runId } = await original();
    const fork = await h.engine.fork(runId, { from: 'b', with: { style: 'long' } });
    const result = await settled(h, fork);
    expect(result).toMatchObject({ status: 'done', output: { c: '1 long', aside: 2 }, costNanoUsd: 10 });
    expect(ids(h)).toEqual(['b', 'c']);
    const events = await collected(fork.events());
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
    expect(events[0]).toMatchObject({ parent: { runId, nodeId: 'b', kind: 'fork' }, tags: { team: 'red' } });
    expect(await h.engine.inspect(runId)).toMatchObject({ output: { c: '1 short' } });
  });

  it('runs again what reads an input of the run that changed', async () => {
    const { h, runId } = await original();
    const result = await settled(h, await h.engine.fork(runId, { from: 'c', input: { x: 1, y: 9 } }));
    expect(result.output).toEqual({ c: '1 short', aside: 9 });
    expect(ids(h)).toEqual(['aside', 'c']);
  });

  it('refuses a node that the plan does not have', async () => {
    const { h, runId } = await original();
    await expect(h.engine.fork(runId, { from: 'z' })).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(h.engine.fork('run_none', { from: 'a' })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('stored runs', () => {
  it('cancels a run that nobody drives and refuses an id that is taken', async () => {
    const h = harness({ step: () => new Promise(() => {}), leaseMs: 100 });
    const handle = h.engine.start(plan, { runId: 'mine', input: { x: 1, y: 2 } });
    await h.runtime.clock.advance(1);
    expect(() => h.engine.start(plan, { runId: 'mine' })).toThrow(/exists/);
    const stored = await collected(h.engine.replay('mine'));
    const other = harness({ journal: h.journal });
    await h.journal.append(
      'dead',
      stored.map((event) => ({ ...event, runId: 'dead' })),
    );
    expect(await other.engine.cancel('dead', 'left behind')).toBe(true);
    expect(await other.engine.inspect('dead')).toMatchObject({ status: 'cancelled' });
    expect(await other.engine.cancel('dead')).toBe(false);
    const taken = other.engine.start(plan, { runId: 'dead' });
    expect((await settled(other, taken)).error?.message).toContain('already exists');
    handle.cancel();
    await h.runtime.clock.advance(2000);
    await handle.result();
  });
});
