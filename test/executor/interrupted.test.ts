/** A run whose process is gone is told apart from one that somebody drives. */
import { describe, expect, it } from 'vitest';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { harness, settled } from './harness.ts';
import { validPlan } from './valid-plan.ts';

const plan = validPlan({ nodes: [{ id: 'a', use: 'step' }] });

/** An engine that drives a run and dies in its middle, and another one over its journal. */
async function killed(runtime: FakeRuntime = fakeRuntime()) {
  const { journal } = memoryStores({ clock: runtime.clock });
  let lives = true;
  // A process that is dead renews no lease and writes nothing.
  const mortal = {
    ...journal,
    append: (...given: Parameters<typeof journal.append>) =>
      lives ? journal.append(...given) : new Promise<void>(() => {}),
    claim: (...given: Parameters<typeof journal.claim>) =>
      lives ? journal.claim(...given) : new Promise<boolean>(() => {}),
  };
  const step = (call: { readonly signal: AbortSignal }) => sleep(runtime.clock, 1_000_000, call.signal);
  const dead = harness({ runtime, journal: mortal, step, leaseMs: 900 });
  dead.engine.start(plan, { runId: 'killed' });
  await runtime.clock.advance(100);
  const slow = (call: { readonly signal: AbortSignal }) => sleep(runtime.clock, 50, call.signal);
  const other = harness({ runtime, journal, step: slow, leaseMs: 900 });
  const kill = (): void => {
    lives = false;
  };
  return { runtime, journal, dead, other, kill };
}

describe('a run that was left behind', () => {
  it('is running while its lease holds, then interrupted, and running again when it is resumed', async () => {
    const { runtime, other, dead, kill } = await killed();
    const seen = async () => {
      const [listed] = await other.engine.list();
      return [listed?.status, (await other.engine.inspect('killed')).status];
    };
    expect(await seen()).toEqual(['running', 'running']);
    await runtime.clock.advance(5000);
    expect(await seen()).toEqual(['running', 'running']);
    expect((await dead.engine.list()).map(({ status }) => status)).toEqual(['running']);
    kill();
    await runtime.clock.advance(500);
    expect(await seen()).toEqual(['running', 'running']);
    await runtime.clock.advance(500);
    expect(await seen()).toEqual(['interrupted', 'interrupted']);
    const handle = await other.engine.resume('killed');
    expect(await seen()).toEqual(['running', 'running']);
    expect((await settled(other, handle)).status).toBe('done');
    expect(await seen()).toEqual(['done', 'done']);
  });

  it('is found by its status, beside those that run', async () => {
    const { runtime, journal, other, kill } = await killed();
    kill();
    await runtime.clock.advance(2000);
    const step = (call: { readonly signal: AbortSignal }) => sleep(runtime.clock, 1_000_000, call.signal);
    const living = harness({ runtime, journal, step, leaseMs: 900 });
    for (const runId of ['one', 'two', 'three']) living.engine.start(plan, { runId });
    await runtime.clock.advance(100);
    await journal.append('old', [{ ...started('old'), at: 5 }]);
    const ids = async (filter: Parameters<typeof other.engine.list>[0]) =>
      (await other.engine.list(filter)).map(({ runId }) => runId).sort();
    expect(await ids({ status: 'interrupted' })).toEqual(['killed', 'old']);
    expect(await ids({ status: 'interrupted', limit: 1 })).toHaveLength(1);
    expect(await ids({ status: 'running' })).toEqual(['one', 'three', 'two']);
    expect(await ids({ status: 'running', limit: 2 })).toHaveLength(2);
    expect(await ids({ status: 'done' })).toEqual([]);
    await living.engine.close();
  });

  it('is interrupted with the runs nested in it, and runs with them', async () => {
    const { runtime, journal, other, kill } = await killed();
    const parent = { runId: 'killed', nodeId: 'a', kind: 'nested' as const };
    await journal.append('killed.a', [{ ...started('killed.a'), parent }]);
    const seen = async () => {
      const listed = (await other.engine.list({ nested: true })).map(({ status }) => status);
      return [...listed, (await other.engine.inspect('killed.a')).status];
    };
    expect(await seen()).toEqual(['running', 'running', 'running']);
    kill();
    await runtime.clock.advance(2000);
    expect(await seen()).toEqual(['interrupted', 'interrupted', 'interrupted']);
  });

  it('is not taken for one that ends while it is looked at', async () => {
    const { runtime, journal, kill } = await killed();
    kill();
    await runtime.clock.advance(2000);
    const totals = { usage: { input: 0, output: 0 }, costNanoUsd: 0, ms: 1 };
    let ends = true;
    const late = {
      ...journal,
      held: async (runIds: readonly string[]) => {
        if (ends)
          await journal.append('killed', [
            { type: 'run-cancelled', seq: 9, at: 9, runId: 'killed', reason: 'x', ...totals },
          ]);
        ends = false;
        return (await journal.held?.(runIds)) ?? new Set<string>();
      },
    };
    const watcher = harness({ runtime, journal: late });
    expect((await watcher.engine.list()).map(({ status }) => status)).toEqual(['cancelled']);
  });

  it('stays running where the journal cannot tell who holds it', async () => {
    const { runtime, journal, kill } = await killed();
    kill();
    await runtime.clock.advance(2000);
    const { held: _held, ...silent } = journal;
    const { engine } = harness({ runtime, journal: silent });
    expect((await engine.inspect('killed')).status).toBe('running');
    expect((await engine.list({ status: 'running' })).length).toBe(1);
    expect(await engine.list({ status: 'interrupted' })).toEqual([]);
  });
});

const started = (runId: string) => ({
  type: 'run-started' as const,
  seq: 0,
  at: 1,
  runId,
  plan: plan.plan,
  planHash: plan.hash,
  input: {},
});
