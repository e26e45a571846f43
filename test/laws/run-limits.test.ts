/**
 * What an operator allows a run (`limits.run`).
 *
 * 1. It is never exceeded: not by nested runs, items, planned steps, plans that ask for more, nor over several processes.
 * 2. What would exceed it fails the whole run with limit-exceeded, whatever the nodes say in `onError`.
 * 3. A run that was ended by a limit goes on where the operator has raised it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunResult } from '../../src/core/run/engine.ts';
import type { Stores } from '../../src/core/stores.ts';
import { type Config, createPolyphony, llm, type Plan, value, workflow } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeRuntime, fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';
import { through } from './failing-store.ts';

type Limits = NonNullable<NonNullable<Config['limits']>['run']>;

const inner = workflow({ id: 'inner', goal: 'Ask twice', input: z.object({}) })
  .node('one', llm, () => ({ in: { prompt: 'One?' } }))
  .node('two', llm, (c) => ({ in: { prompt: c.one.text } }))
  .output((c) => ({ text: c.two.text }));

const outer = workflow({ id: 'outer', goal: 'Ask deeper', input: z.object({}) })
  .node('own', llm, () => ({ in: { prompt: 'Own?' } }))
  .node('deep', inner, () => ({ in: {} }))
  .node('end', value, (c) => ({ in: { text: c.deep.text, own: c.own.text } }))
  .output((c) => ({ text: c.end }));

const small: Plan = { version: 1, nodes: [{ id: 'said', use: 'llm', in: { prompt: 'Say it.' } }], output: '{{said}}' };

async function open(
  runtime: FakeRuntime,
  stores: Stores,
  limits: Limits | undefined,
  planText = JSON.stringify(small),
) {
  const planner = [...fakeCard({ id: 'one' }).capabilities, 'planning' as const];
  const provider = fakeProvider({
    runtime,
    models: [fakeCard({ id: 'one', capabilities: planner })],
    script: ({ purpose }) => (purpose === 'planner' ? planText : 'An answer.'),
  });
  const polyphony = await createPolyphony({
    providers: [provider],
    defaults: false,
    workflows: [inner, outer],
    runtime,
    stores: { ...stores, close: async () => {} },
    config: limits === undefined ? {} : { limits: { run: limits } },
  });
  await polyphony.validate(small);
  const asked = (purpose: string) => provider.seen.filter((attempt) => attempt.purpose === purpose).length;
  return { polyphony, provider, asked };
}

/** Calls: 3 + 2 + n + 1. */
const planOf = (items: number): Plan => ({
  version: 1,
  input: { list: 'integer[]' },
  nodes: [
    { id: 'outer', use: 'workflow:outer', in: {}, onError: 'skip' },
    { id: 'items', use: 'llm', each: '{{input.list}}', in: { prompt: 'About {{item}}?' }, onError: 'skip' },
    { id: 'inner', use: 'workflow:inner', in: {}, needs: ['items'] },
    { id: 'last', use: 'llm', in: { prompt: 'Last?' }, needs: ['inner', 'outer'] },
  ],
  output: { items },
});

const callsOf = (items: number): number => 3 + items + 2 + 1;

describe('calls of a run', () => {
  it('never exceed the limit, over items, nested runs and processes, and a raised limit lets the run end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 8 }),
        fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 4 }),
        async (items, raises) => {
          const runtime = fakeRuntime();
          const stores = memoryStores({ clock: runtime.clock });
          const input = { list: Array.from({ length: items }, (_, index) => index) };
          let calls = 0;
          let paid = 0;
          let isBegun = false;
          let result: RunResult | undefined;
          for (const raise of [...raises, callsOf(items)]) {
            calls += raise;
            const { polyphony, asked } = await open(runtime, stores, { calls });
            const begin = () =>
              isBegun ? polyphony.resume('run') : polyphony.start(planOf(items), input, { runId: 'run' });
            const ended = await through(
              runtime,
              begin().then((handle) => handle.result()),
            );
            if (ended.status === 'rejected') throw ended.reason;
            result = ended.value;
            isBegun = true;
            paid += asked('answer');
            expect(paid).toBeLessThanOrEqual(calls);
            if (result.status === 'done') break;
            expect(result).toMatchObject({ status: 'failed', error: { code: 'limit-exceeded', retryable: false } });
            expect(result.error?.message).toMatch(
              /^Run run has reached the limit of .*limits\.run\.calls.*raise the limit/,
            );
            await through(runtime, polyphony.close());
          }
          expect(result?.status).toBe('done');
          // A call that was going on when another one exceeded the limit was stopped, and is made again.
          expect(paid).toBeGreaterThanOrEqual(callsOf(items));
        },
      ),
      { numRuns: 25 },
    );
  }, 120_000);

  it('are not limited so far that the longest list does not fit', async () => {
    const { RUN_LIMITS } = await import('../../src/core/run/run-limits.ts');
    const { DEFAULT_BOUNDS } = await import('../../src/core/plan/plan.ts');
    expect(RUN_LIMITS.calls).toBeGreaterThan(DEFAULT_BOUNDS.items);
  });
});

describe('calls of the planner', () => {
  it('are counted for plan nodes and for the request, streamed or not', async () => {
    const runtime = fakeRuntime();
    const nodes = [1, 2, 3].map((n) => ({
      id: `p${n}`,
      use: 'plan',
      in: { goal: `Goal ${n}` },
      onError: 'skip' as const,
    }));
    const planned = JSON.stringify({ version: 1, nodes });
    for (const streaming of [true, false]) {
      for (const plannerCalls of [0, 1, 2, 3]) {
        const stores = memoryStores({ clock: runtime.clock });
        const { polyphony, asked } = await open(runtime, stores, { plannerCalls }, planned);
        const work = async () => (await polyphony.start('Do three things', {}, { streaming, budgetUsd: 1 })).result();
        const ended = await through(runtime, work());
        const error = ended.status === 'rejected' ? ended.reason : ended.value.error;
        expect(error).toMatchObject({ code: 'limit-exceeded', details: { limit: 'limits.run.plannerCalls' } });
        expect(asked('planner')).toBe(plannerCalls);
        await through(runtime, polyphony.close());
      }
    }
  });

  it('are counted from the journal when the run is resumed', async () => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    const first = await open(runtime, stores, { plannerCalls: 1 }, 'no plan');
    const begun = await through(
      runtime,
      first.polyphony.start('Do it', {}, { runId: 'run' }).then((h) => h.result()),
    );
    expect(begun).toMatchObject({ value: { status: 'failed', error: { code: 'limit-exceeded' } } });
    await through(runtime, first.polyphony.close());
    const again = await open(runtime, stores, { plannerCalls: 1 });
    const ended = await through(
      runtime,
      again.polyphony.resume('run').then((handle) => handle.result()),
    );
    expect(ended).toMatchObject({ value: { status: 'failed', error: { code: 'limit-exceeded' } } });
    expect(again.asked('planner')).toBe(0);
    await through(runtime, again.polyphony.close());
  });
});

describe('seconds of a run', () => {
  const slow: Plan = {
    version: 1,
    budget: { seconds: 100_000 },
    nodes: [{ id: 'slow', use: 'workflow:slow', in: {} }],
  };
  const asking = workflow({ id: 'slow', goal: 'Wait', input: z.object({}) })
    .node('wait', llm, () => ({ in: { prompt: 'Wait.' } }))
    .output((c) => ({ text: c.wait.text }));

  it('end it with those nested in it, whatever the plan says, and count over processes', async () => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    const make = async () => {
      const provider = fakeProvider({
        runtime,
        script: () => [{ waitMs: 50_000 }, { type: 'text-delta', text: 'late' }],
      });
      return createPolyphony({
        providers: [provider],
        defaults: false,
        workflows: [asking],
        runtime,
        stores: { ...stores, close: async () => {} },
        config: { limits: { run: { seconds: 20 } } },
      });
    };
    const first = await make();
    await first.validate(slow);
    const handle = await first.start(slow, {}, { runId: 'run' });
    await runtime.clock.advance(15_000);
    handle.cancel();
    await through(runtime, handle.result());
    await through(runtime, first.close());
    const second = await make();
    await second.validate(slow);
    const before = runtime.clock.now();
    const resumed = await through(
      runtime,
      second.resume('run').then((again) => again.result()),
    );
    expect(resumed).toMatchObject({ value: { status: 'failed', error: { code: 'budget-exceeded' } } });
    expect(JSON.stringify(resumed)).toMatch(/Run run took longer than the 20 seconds.*limits\.run\.seconds/);
    expect(runtime.clock.now() - before).toBeLessThan(6000);
    await through(runtime, second.close());
  });
});
