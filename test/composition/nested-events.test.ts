/** What the reader of a run sees of the runs nested in it, and what its journal and the list of runs do not hold. */
import { describe, expect, it } from 'vitest';
import { newProgress, takeEvent } from '../../src/cli/screen/progress.ts';
import { TRANSIENT_EVENTS } from '../../src/core/run/engine.ts';
import type { Plan, Plugin, Polyphony, RunEvent } from '../../src/index.ts';
import { createPolyphony, human, value, workflow } from '../../src/index.ts';
import { fakeProvider } from '../../src/testing/index.ts';

const low = workflow({ id: 'low', input: { n: 'integer' } })
  .node('own', value, (c) => ({ in: { n: c.input.n } }))
  .output((c) => ({ n: c.own }));
const middle = workflow({ id: 'middle', input: { n: 'integer' } })
  .node('own', low, (c) => ({ in: { n: c.input.n } }))
  .output((c) => ({ low: c.own }));
const asking = workflow({ id: 'asking' })
  .node('before', value, () => ({ in: { x: 1 } }))
  .node('ask', human, () => ({ in: { question: 'Go on?' }, needs: ['before'] }))
  .output((c) => ({ said: c.ask.answer }));

const PLAN: Plan = {
  version: 1,
  input: { list: 'integer[]' },
  nodes: [{ id: 'own', use: 'workflow:middle', each: '{{input.list}}', in: { n: '{{item}}' } }],
  output: '{{own}}',
};

async function open(plugins: readonly Plugin[] = []): Promise<Polyphony> {
  const providers = [fakeProvider({ script: () => 'x' })];
  return createPolyphony({ providers, plugins, defaults: false, workflows: [middle, asking] });
}

async function gather(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const all: RunEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

const numbers = (events: readonly RunEvent[]): number[] => events.map(({ seq }) => seq);
const counted = (events: readonly unknown[]): number[] => events.map((_, index) => index);

describe('the stream of a run', () => {
  it('holds the events of nested runs of every level, as their own journals have them', async () => {
    const polyphony = await open();
    const handle = await polyphony.start(PLAN, { list: [7, 8] });
    const events = await gather(handle.events());
    const ids = new Set(events.map(({ runId }) => runId));
    expect(ids.size).toBe(5);
    for (const runId of ids) {
      const own = events.filter((event) => event.runId === runId);
      expect(numbers(own)).toEqual(counted(own));
      const kept = own.filter(({ type }) => !TRANSIENT_EVENTS.has(type));
      const recorded = await gather(polyphony.runs.replay(runId));
      expect(kept.map(withoutParent)).toEqual(recorded.map(withoutParent));
    }
    await polyphony.close();
  });

  it('says which node and item each of them belongs to, and marks none of its own', async () => {
    const polyphony = await open();
    const handle = await polyphony.start(PLAN, { list: [7, 8] });
    const events = await gather(handle.events());
    const { runId } = handle;
    expect(events.filter((event) => event.runId === runId && event.parent !== undefined)).toEqual([]);
    const outputs = events.flatMap((event) =>
      event.type === 'node-finished' && event.parent !== undefined ? [{ of: event.runId, ...event.parent }] : [],
    );
    expect(outputs.sort((a, b) => a.of.localeCompare(b.of))).toEqual([
      { of: `${runId}.own.0`, runId, nodeId: 'own', item: 0 },
      { of: `${runId}.own.0.own`, runId: `${runId}.own.0`, nodeId: 'own' },
      { of: `${runId}.own.1`, runId, nodeId: 'own', item: 1 },
      { of: `${runId}.own.1.own`, runId: `${runId}.own.1`, nodeId: 'own' },
    ]);
    await polyphony.close();
  });

  it('shows a nested run that goes on after an answer, as it showed its beginning', async () => {
    const polyphony = await open();
    const plan: Plan = { version: 1, nodes: [{ id: 'sub', use: 'workflow:asking' }], output: '{{sub.said}}' };
    const handle = await polyphony.start(plan);
    const before = await gather(handle.events());
    const { runId } = handle;
    const nested = `${runId}.sub`;
    const parent = { runId, nodeId: 'sub' };
    expect(before.filter((event) => event.runId === nested).map(({ type }) => type)).toContain('node-suspended');
    const after = await gather((await polyphony.runs.answer(runId, 'sub', 'yes')).events());
    const shown = after.filter((event) => event.runId === nested);
    expect(shown.map(({ type }) => type)).toContain('run-finished');
    for (const event of shown) expect(event.parent).toEqual(parent);
    expect(after[0]).toMatchObject({ runId, type: 'run-resumed' });
    await polyphony.close();
  });

  it('is the only place where they are shown again: plugins get each event once', async () => {
    const seen: RunEvent[] = [];
    const polyphony = await open([{ name: 'listener', onEvent: (event) => void seen.push(event) }]);
    const handle = await polyphony.start(PLAN, { list: [1, 2, 3] });
    const events = await gather(handle.events());
    expect(seen.map(({ runId, seq }) => `${runId} ${seq}`).sort()).toEqual(
      events.map(({ runId, seq }) => `${runId} ${seq}`).sort(),
    );
    expect(new Set(seen.map(({ runId, seq }) => `${runId} ${seq}`)).size).toBe(seen.length);
    await polyphony.close();
  });

  it('leaves the view of the run to its own nodes', async () => {
    const polyphony = await open();
    const handle = await polyphony.start(PLAN, { list: [7, 8] });
    const progress = newProgress();
    for await (const event of handle.events()) takeEvent(progress, event);
    expect([...progress.rows.values()]).toMatchObject([{ node: { use: 'workflow:middle' }, state: 'done', items: 2 }]);
    await polyphony.close();
  });
});

describe('the list of runs', () => {
  it('holds the runs that somebody started, and nested ones on request', async () => {
    const polyphony = await open();
    const list = Array.from({ length: 30 }, (_, index) => index);
    const { runId } = await polyphony.run(PLAN, { list });
    expect((await polyphony.runs.list({ limit: 5 })).map((run) => run.runId)).toEqual([runId]);
    expect(await polyphony.runs.list({ nested: true })).toHaveLength(61);
    await polyphony.close();
  });
});

const withoutParent = ({ parent: _parent, ...event }: RunEvent): unknown => event;
