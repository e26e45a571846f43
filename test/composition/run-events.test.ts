/** Events reach everything that waits for them, once, in every store, and nothing else. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunHandle } from '../../src/core/run/engine.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { createPolyphony, type Plan, type PolyphonyOptions, type Stores } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import { fakeProvider, fakeRuntime } from '../../src/testing/index.ts';
import { wait, workflow } from '../../src/workflow/index.ts';
import { temporaryFolder } from '../stores/folder.ts';

const folder = temporaryFolder();
let files = 0;

const paid = (more: object = {}, node: object = {}): Plan => ({
  version: 1,
  input: { order: 'string' },
  nodes: [
    {
      id: 'paid',
      use: 'wait',
      in: {
        event: 'paid',
        match: { order: '{{input.order}}' },
        schema: { order: 'string', cents: 'integer' },
        ...more,
      },
      ...node,
    },
    { id: 'thanks', use: 'value', in: { text: 'Thanks for {{paid.payload.cents}} cents.' } },
  ],
  output: '{{thanks.text}}',
});

async function open(stores: Stores, more: Partial<PolyphonyOptions> = {}) {
  return createPolyphony({ plugins: [], stores: { ...stores, close: async () => undefined }, ...more });
}

const each: [string, () => Stores][] = [
  ['memory', () => memoryStores()],
  ['a file', () => sqliteStores({ path: join(folder, `${++files}.db`) })],
];

describe.each(each)('an event, with stores in %s', (_name, makeStores) => {
  it('continues the runs that wait for it and that it matches, in another process, once', async () => {
    const stores = makeStores();
    const first = await open(stores);
    const runs = await Promise.all(['a', 'b', 'b'].map((order) => first.run(paid(), { order })));
    expect(runs.map(({ status }) => status)).toEqual(['suspended', 'suspended', 'suspended']);
    expect((await first.runs.show(runs[0]?.runId ?? '')).waiting).toMatchObject([
      { id: 'paid', wait: { event: 'paid' } },
    ]);
    await first.close();
    const { runs: other, close } = await open(stores);
    expect(await other.event('paid', { order: 'c', cents: 1 })).toMatchObject({ delivered: [], refused: [], runs: [] });
    expect(await other.event('shipped', { order: 'b', cents: 1 })).toMatchObject({ delivered: [] });
    const sent = await other.event('paid', { order: 'b', cents: 250, by: 'card' });
    const both = [runs[1]?.runId, runs[2]?.runId].sort();
    expect(sent.delivered.map(({ runId }) => runId).sort()).toEqual(both);
    expect(sent.delivered.map(({ id }) => id)).toEqual(['paid', 'paid']);
    for (const handle of sent.runs)
      expect(await handle.result()).toMatchObject({ status: 'done', output: 'Thanks for 250 cents.' });
    expect(await other.event('paid', { order: 'b', cents: 9 })).toMatchObject({ delivered: [], refused: [] });
    expect((await other.show(runs[0]?.runId ?? '')).status).toBe('suspended');
    await close();
  });

  it('that does not fit the schema is refused, and the wait stays', async () => {
    const { run, runs, close } = await open(makeStores());
    const { runId } = await run(paid(), { order: 'a' });
    const refused = await runs.event('paid', { order: 'a', cents: 'many' });
    expect(refused).toMatchObject({
      delivered: [],
      refused: [{ runId, id: 'paid', error: { code: 'invalid-request' } }],
    });
    expect(refused.refused[0]?.error.message).toContain('/cents must be integer');
    const taken = await runs.event('paid', { order: 'a', cents: 3 });
    expect(await taken.runs[0]?.result()).toMatchObject({ status: 'done' });
    await close();
  });

  it('reaches items, and only the run that it is for', async () => {
    const { run, runs, close } = await open(makeStores());
    const plan: Plan = {
      version: 1,
      nodes: [
        { id: 'people', use: 'value', in: { names: ['x', 'y', 'z'] } },
        { id: 'go', use: 'wait', each: '{{people.names}}', in: { event: 'go', match: { to: '{{item}}' } } },
      ],
      output: '{{go}}',
    };
    const one = await run(plan);
    const two = await run(plan);
    const send = (to: string) => runs.event('go', { to }, { runId: one.runId });
    expect((await send('y')).delivered).toEqual([{ runId: one.runId, id: 'go[1]' }]);
    expect((await send('y')).delivered).toEqual([]);
    await send('x');
    const last = await send('z');
    const { output } = (await last.runs[0]?.result()) ?? {};
    expect(output).toMatchObject(['x', 'y', 'z'].map((to) => ({ payload: { to } })));
    expect((await runs.show(two.runId)).waiting?.length).toBe(3);
    await close();
  });

  it('reaches hundreds of items at once, and reads their run as often as for one', async () => {
    const stores = makeStores();
    let reads = 0;
    const { journal } = stores;
    const counted: Stores = {
      ...stores,
      journal: {
        ...journal,
        read: (runId) => {
          reads += 1;
          return journal.read(runId);
        },
      },
    };
    const { run, runs, close } = await open(counted);
    const readsFor = async (count: number): Promise<number> => {
      const of = Array.from({ length: count }, (_, index) => index);
      const { runId } = await run({
        version: 1,
        nodes: [
          { id: 'list', use: 'value', in: { of } },
          { id: 'each', use: 'wait', each: '{{list.of}}', in: { event: `e${count}` } },
        ],
      });
      reads = 0;
      const sent = await runs.event(`e${count}`, count);
      expect([sent.delivered.length, sent.refused]).toEqual([count, []]);
      const ended = sent.runs.find((handle) => handle.runId === runId);
      expect(await ended?.result()).toMatchObject({ status: 'done' });
      expect(await runs.event(`e${count}`, count)).toMatchObject({ delivered: [] });
      return reads;
    };
    const forTwo = await readsFor(2);
    expect(await readsFor(300)).toBeLessThanOrEqual(forTwo + 2);
    await close();
  });

  it('is taken once where two come at the same time', async () => {
    const stores = makeStores();
    const { run, runs, close } = await open(stores);
    const { runId } = await run(paid(), { order: 'a' });
    const sent = await Promise.all([1, 2, 3].map((cents) => runs.event('paid', { order: 'a', cents })));
    expect(sent.flatMap(({ delivered }) => delivered)).toEqual([{ runId, id: 'paid' }]);
    await Promise.all(sent.flatMap((one) => one.runs.map((handle) => handle.result())));
    const answers: unknown[] = [];
    for await (const event of runs.replay(runId)) if (event.type === 'answer') answers.push(event);
    expect(answers.length).toBe(1);
    await close();
  });
});

describe('an event', () => {
  it('waits its turn at a run that another process drives, for as long as it is told', async () => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    const { run, runs, close } = await open(stores, { runtime });
    const { runId } = await run(paid(), { order: 'a' });
    const send = async (waitMs: number) => {
      const sent = runs.event('paid', { order: 'a', cents: 7 }, { waitMs });
      await runtime.clock.advance(5000);
      return sent;
    };
    await stores.journal.claim(runId, 'another', 9000);
    expect(await runs.event('paid', { order: 'a', cents: 7 })).toMatchObject({
      refused: [{ error: { code: 'store-busy' } }],
    });
    const refused = await send(2000);
    expect(refused).toMatchObject({ delivered: [], refused: [{ runId, id: 'paid', error: { code: 'store-busy' } }] });
    const sent = await send(5000);
    expect(sent).toMatchObject({ delivered: [{ runId, id: 'paid' }], refused: [] });
    expect(await sent.runs[0]?.result()).toMatchObject({ status: 'done', output: 'Thanks for 7 cents.' });
    for (const wrong of [-1, 60_001, Number.NaN, '5'])
      await expect(runs.event('paid', 1, { waitMs: wrong as number })).rejects.toMatchObject({
        code: 'invalid-request',
      });
    await close();
  });

  it('leaves a run to the process that resumes it first, which is no failure', async () => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    const other = await open(stores, { runtime });
    const plan = paid();
    const later = { id: 'later', use: 'wait', in: { seconds: 50 }, needs: ['paid'] };
    const { runId } = await other.run({ ...plan, nodes: [...plan.nodes, later] }, { order: 'a' });
    let resumed: Promise<RunHandle> | undefined;
    const journal: RunJournal = {
      ...stores.journal,
      // The lease under which the event was recorded ends, and the other process is the first to take the next one.
      async release(run, owner) {
        await stores.journal.release(run, owner);
        if (run !== runId || resumed !== undefined) return;
        resumed = other.resume(runId);
        await resumed;
      },
    };
    const { runs, close } = await open({ ...stores, journal }, { runtime });
    const sent = await runs.event('paid', { order: 'a', cents: 7 });
    expect(sent).toEqual({ delivered: [{ runId, id: 'paid' }], refused: [], runs: [], left: [] });
    await runtime.clock.advance(60_000);
    expect(await (await resumed)?.result()).toMatchObject({ status: 'done', output: 'Thanks for 7 cents.' });
    await close();
    await other.close();
  });

  it('is left where the run is busy and nobody has it', async () => {
    const stores = memoryStores();
    const first = await open(stores);
    const { runId } = await first.run(paid(), { order: 'a' });
    let isGiven = false;
    const journal: RunJournal = {
      ...stores.journal,
      claim: async (run, owner, leaseMs) => !isGiven && stores.journal.claim(run, owner, leaseMs),
      async release(run, owner) {
        isGiven = true;
        await stores.journal.release(run, owner);
      },
    };
    const { runs, close } = await open({ ...stores, journal });
    const sent = await runs.event('paid', { order: 'a', cents: 7 });
    expect(sent).toMatchObject({ runs: [], left: [{ runId, error: { code: 'store-busy' } }] });
    await close();
    await first.close();
  });

  it('reaches a wait in a nested run, which goes on with the run around it', async () => {
    const inner = workflow({ id: 'inner' })
      .node('sign', wait, () => ({ in: { event: 'signed' } }))
      .output((c) => ({ by: c.sign.payload }));
    const outer = workflow({ id: 'outer' })
      .node('contract', inner, () => ({ in: {} }))
      .output((c) => ({ by: c.contract.by }));
    const stores = memoryStores();
    const parts = { plugins: [{ name: 'models', providers: [fakeProvider({ runtime: fakeRuntime() })] }] };
    const first = await open(stores, parts);
    const { runId } = await first.run(outer, {});
    await first.close();
    const { runs, close } = await open(stores, { ...parts, workflows: [inner, outer] });
    const sent = await runs.event('signed', 'Ada');
    expect(sent.delivered).toEqual([{ runId, id: 'contract/sign' }]);
    expect(await sent.runs[0]?.result()).toMatchObject({ runId, status: 'done', output: { by: 'Ada' } });
    await close();
  });

  it('reaches no wait of a run that was cancelled, or whose time was up', async () => {
    const runtime = fakeRuntime();
    const { run, runs, close } = await open(memoryStores(), { runtime });
    const cancelled = await run(paid(), { order: 'a' });
    await runs.cancel(cancelled.runId);
    const limited = await run(
      paid({}, { limits: { seconds: 60 }, onError: { value: { at: '', payload: { cents: 0 } } } }),
      { order: 'a' },
    );
    await runtime.clock.advance(60_000);
    expect(await runs.show(limited.runId)).toMatchObject({ status: 'done', output: 'Thanks for 0 cents.' });
    expect(await runs.event('paid', { order: 'a', cents: 5 })).toMatchObject({ delivered: [], refused: [] });
    await close();
  });

  it('continues a node at once where the rest of the run goes on', async () => {
    const runtime = fakeRuntime();
    const { start, runs, close } = await open(memoryStores(), { runtime });
    const plan = paid();
    const handle = await start(
      { ...plan, nodes: [...plan.nodes, { id: 'side', use: 'wait', in: { seconds: 50 } }] },
      { order: 'a' },
    );
    await runtime.clock.advance(10);
    const sent = await runs.event('paid', { order: 'a', cents: 5 });
    expect(sent.runs.map(({ runId }) => runId)).toEqual([handle.runId]);
    await runtime.clock.advance(10);
    expect((await runs.show(handle.runId)).nodes.map(({ state }) => state)).toEqual(['done', 'done', 'suspended']);
    await runtime.clock.advance(50_000);
    expect(await handle.result()).toMatchObject({ status: 'done', output: 'Thanks for 5 cents.' });
    await close();
  });

  it('has a name and a payload of JSON', async () => {
    const { runs, close } = await open(memoryStores());
    await expect(runs.event('')).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(runs.event('a', { f: () => 1 })).rejects.toMatchObject({ code: 'invalid-request' });
    await expect(runs.event('a', 1, { run: 'x' } as never)).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await runs.event('a')).toEqual({ delivered: [], refused: [], runs: [], left: [] });
    await close();
  });
});
