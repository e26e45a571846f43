/**
 * A node with `urgency: "batch"` waits for its batch across restarts and pays for it once; its items wait together, whatever the run may
 * do at the same time; and near the end of what node, attempt or run may take it is answered at once instead.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Plan, PlanNode } from '../../src/core/plan/plan.ts';
import type { RunResult } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { createPolyphony, llm, type Polyphony, tool, workflow } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { BATCH_COST, batchProvider, fakeServer, LIVE_COST, type Server } from '../gateway/batches/vendor.ts';

const HOUR_MS = 3_600_000;
const opened: Polyphony[] = [];
afterEach(async () => {
  for (const polyphony of opened.splice(0)) await polyphony.close();
});

interface World {
  readonly runtime: FakeRuntime;
  readonly server: Server;
  readonly stores: Stores;
  process(): Promise<Polyphony>;
}

function world(config: object = { batches: { flushMs: 1000, pollMs: 60_000 } }): World {
  const runtime = fakeRuntime();
  const server = fakeServer();
  const kept = memoryStores({ clock: runtime.clock });
  const stores = { ...kept, close: async () => {} };
  return {
    runtime,
    server,
    stores,
    async process() {
      const polyphony = await createPolyphony({
        defaults: false,
        runtime,
        providers: [batchProvider(server, runtime)],
        stores,
        config,
      });
      opened.push(polyphony);
      return polyphony;
    },
  };
}

const waits = (id: string, more: Partial<PlanNode> = {}): PlanNode => ({
  id,
  use: 'llm',
  in: { prompt: `Say ${id}.` },
  urgency: 'batch',
  ...more,
});
const planOf = (node: PlanNode, more: Partial<Plan> = {}): Plan => ({
  version: 1,
  nodes: [node],
  output: `{{${node.id}}}`,
  ...more,
});

async function until({ clock }: FakeRuntime, result: Promise<RunResult>, mostMs = 3 * HOUR_MS): Promise<RunResult> {
  let found: RunResult | undefined;
  void result.then((value) => {
    found = value;
  });
  for (let ms = 0; ms < mostMs && found === undefined; ms += 30_000) await clock.advance(30_000);
  if (found === undefined) throw new Error('the run did not end');
  return found;
}

async function rowsOf(stores: Stores): Promise<readonly (number | null)[]> {
  const costs = [];
  for await (const { costNanoUsd } of stores.ledger.rows()) costs.push(costNanoUsd);
  return costs;
}

describe('a node with urgency', () => {
  it('waits for its batch and is charged at its price', async () => {
    const { process, runtime, server, stores } = world();
    const polyphony = await process();
    const handle = await polyphony.start(planOf(waits('a')));
    const result = await until(runtime, handle.result());
    expect(result).toMatchObject({ status: 'done', costNanoUsd: BATCH_COST });
    expect(server.batches).toHaveLength(1);
    expect(await rowsOf(stores)).toEqual([BATCH_COST]);
  });

  it('takes up after a crash what it waited for: one batch, one row', async () => {
    const { process, runtime, server, stores } = world();
    const first = await process();
    const handle = await first.start(planOf(waits('a')), {}, { runId: 'r1' });
    void handle.result().catch(() => undefined);
    await runtime.clock.advance(10_000);
    expect(server.batches).toHaveLength(1);
    await first.close();
    await runtime.clock.advance(60_000);
    const second = await process();
    const result = await until(runtime, (await second.resume('r1')).result());
    expect(result).toMatchObject({ status: 'done', costNanoUsd: BATCH_COST });
    expect(server.batches).toHaveLength(1);
    expect(await rowsOf(stores)).toEqual([BATCH_COST]);
  });

  it('gives its batch up where the run is cancelled for good', async () => {
    const { process, runtime, server } = world();
    const polyphony = await process();
    const handle = await polyphony.start(planOf(waits('a')), {}, { runId: 'r1' });
    await runtime.clock.advance(10_000);
    const cancelling = polyphony.runs.cancel('r1');
    expect(await until(runtime, handle.result())).toMatchObject({ status: 'cancelled' });
    await cancelling;
    await runtime.clock.advance(60_000);
    expect(server.batches[0]?.cancelled).toBe(true);
  });

  it('lets all items of an each wait together, though the run may do less at the same time', async () => {
    const { process, runtime, server } = world();
    const polyphony = await process();
    const items = Array.from({ length: 40 }, (_, index) => index);
    const node = waits('a', { each: '{{input.items}}', in: { prompt: 'Say {{item}}.' } });
    const plan = planOf(node, { input: { items: 'integer[]' } });
    const handle = await polyphony.start(plan, { items }, { concurrency: 2 });
    const result = await until(runtime, handle.result());
    expect(result.status).toBe('done');
    expect(server.batches.map(({ asked }) => asked.requests.length)).toEqual([40]);
  });

  it.each([
    ['its own seconds', waits('a', { limits: { seconds: 1800 } }), {}],
    ['the seconds of the run', waits('a'), { budget: { seconds: 1800 } }],
    ['the seconds of an attempt', waits('a', { limits: { attemptSeconds: 1800 } }), {}],
  ])('is answered at once shortly before the end of %s', async (_, node, more) => {
    const { process, runtime, server } = world();
    const polyphony = await process();
    const handle = await polyphony.start(planOf(node, more));
    const result = await until(runtime, handle.result());
    expect(result).toMatchObject({ status: 'done', output: { text: 'live' } });
    expect(server.batches).toHaveLength(1);
    expect(server.batches[0]?.cancelled).toBe(true);
  });

  it('counts the time that the node has had already', async () => {
    const { process, runtime, server } = world();
    const polyphony = await process();
    const node = waits('a', { repeat: { until: 'false', max: 2 }, limits: { seconds: 5400 } });
    const result = await until(runtime, (await polyphony.start(planOf(node))).result());
    expect(result).toMatchObject({ status: 'done', output: { text: 'live' } });
    expect(server.batches.map(({ cancelled }) => cancelled)).toEqual([false, true]);
  });

  it('counts the time of the nodes around its run', async () => {
    const { process, runtime, server } = world();
    const polyphony = await process();
    const plan: Plan = {
      version: 1,
      workflows: { inner: { nodes: [waits('a')], output: '{{a}}' } },
      nodes: [{ id: 'sub', use: 'workflow:inner', limits: { seconds: 100 } }],
      output: '{{sub}}',
    };
    const result = await until(runtime, (await polyphony.start(plan)).result());
    expect(result).toMatchObject({ status: 'done', output: { text: 'live' } });
    expect(server.batches).toEqual([]);
  });

  it('is made at once where nothing is collected, holds its slot, and says why', async () => {
    const { process, runtime } = world({});
    const polyphony = await process();
    const plan = planOf(waits('a'), { output: '{{a.meta.warnings}}' });
    const result = await until(runtime, (await polyphony.start(plan)).result());
    expect(result).toMatchObject({ status: 'done', output: [{ code: 'batch-live' }], costNanoUsd: LIVE_COST });
  });
});

describe('urgency in a workflow', () => {
  it('is that of the workflow for steps that ask models, in bodies too, unless a node says otherwise', () => {
    const echo = tool<{ text: string }, { text: string }>('echo');
    const built = workflow({ id: 'w', input: { list: 'integer[]' }, urgency: 'batch' })
      .node('a', llm, () => ({ in: { prompt: 'Say a.' } }))
      .node('b', llm, () => ({ in: { prompt: 'Say b.' }, urgency: 'now' }))
      .node('c', echo, () => ({ in: { text: 'x' } }))
      .each(
        'd',
        (c) => c.input.list,
        (_, b) => b.node('e', llm, () => ({ in: { prompt: 'Say e.' } })).output((c) => c.e.text),
      )
      .output((c) => c.a.text);
    const urgencies = (nodes: readonly PlanNode[]) => nodes.map(({ id, urgency }) => [id, urgency]);
    expect(urgencies(built.plan.nodes)).toEqual([
      ['a', 'batch'],
      ['b', undefined],
      ['c', undefined],
      ['d', undefined],
    ]);
    expect(urgencies(built.plan.workflows?.d?.nodes ?? [])).toEqual([['e', 'batch']]);
    const one = workflow({ id: 'one' })
      .node('a', llm, () => ({ in: { prompt: 'Say a.' }, urgency: 'batch' }))
      .output((c) => c.a.text);
    expect(urgencies(one.plan.nodes)).toEqual([['a', 'batch']]);
  });
});
