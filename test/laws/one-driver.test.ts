/**
 * Whatever callers do with one run at the same time, through one engine or through two over one store: one of them drives it.
 *
 * O1. No number of an event is written twice.
 * O2. A run has at most one call of a step under way, and none after that call's result is in the journal.
 * O3. Whoever does not drive it is told so by a stable code.
 * O4. Nobody is in the way of a run afterwards: it can be brought to its end.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorRecord } from '../../src/core/errors.ts';
import type { NodeCall, RunHandle, RunResult } from '../../src/core/run/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, type Harness, harness } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';

const plan = validPlan({
  nodes: [
    { id: 'ask', use: 'human', in: { question: 'Pay?' } },
    { id: 'pay', use: 'step', needs: ['ask'] },
    { id: 'note', use: 'step', needs: ['pay'] },
  ],
});

/** `base` waits for its answer before anything begins; `new` does not exist. */
const RUNS = ['base', 'new'] as const;
const ENTRIES = ['start', 'resume', 'answer', 'cancel', 'fork', 'look'] as const;
const CODES = new Set(['store-busy', 'invalid-request', 'not-found', 'cancelled']);

interface Call {
  readonly entry: (typeof ENTRIES)[number];
  readonly run: (typeof RUNS)[number];
  readonly engine: 0 | 1;
  /** Turns of the microtask queue before it, after the one before. */
  readonly after: number;
}

const calls = fc.array(
  fc.record<Call>({
    entry: fc.constantFrom(...ENTRIES),
    run: fc.constantFrom(...RUNS),
    engine: fc.constantFrom(0, 1),
    after: fc.nat(4),
  }),
  { minLength: 2, maxLength: 12 },
);

async function world() {
  const runtime = fakeRuntime();
  const { journal } = memoryStores({ clock: runtime.clock });
  const active = new Map<string, number>();
  const faults: string[] = [];
  const step = async (call: NodeCall): Promise<unknown> => {
    const now = (active.get(call.runId) ?? 0) + 1;
    active.set(call.runId, now);
    if (now > 1) faults.push(`two calls of ${call.runId} at the same time`);
    for await (const event of journal.read(call.runId))
      if (event.type === 'node-finished' && event.nodeId === call.node.id) faults.push(`${call.node.id} again`);
    try {
      await sleep(runtime.clock, 20, call.signal);
      return { ok: call.runId };
    } finally {
      active.set(call.runId, (active.get(call.runId) ?? 0) - 1);
    }
  };
  const engines = [harness({ runtime, journal, step }), harness({ runtime, journal, step })] as const;
  const first = engines[0].engine.start(plan, { runId: 'base' });
  await over(engines[0], first.result());
  return { runtime, journal, engines, faults };
}

/** Drives the clock until the promise has settled. */
async function over<T>({ runtime }: Pick<Harness, 'runtime'>, promise: Promise<T>): Promise<PromiseSettledResult<T>> {
  let settled: PromiseSettledResult<T> | undefined;
  void Promise.allSettled([promise]).then(([one]) => {
    settled = one;
  });
  for (let turn = 0; turn < 10_000 && settled === undefined; turn += 1) await runtime.clock.runAll(1);
  if (settled === undefined) throw new Error('it does not end');
  return settled;
}

function perform({ engine }: Harness, { entry, run }: Call): Promise<unknown> {
  const ended = (handle: RunHandle): Promise<RunResult> => handle.result();
  switch (entry) {
    case 'start':
      return Promise.resolve().then(() => ended(engine.start(plan, { runId: run })));
    case 'resume':
      return engine.resume(run).then(ended);
    case 'answer':
      return engine.answer(run, 'ask', 'yes');
    case 'cancel':
      return engine.cancel(run);
    case 'fork':
      return engine.fork('base', { from: 'ask', runId: run }).then(ended);
    case 'look':
      return Promise.all([engine.inspect(run), engine.list()]);
  }
}

function assertStable(outcome: PromiseSettledResult<unknown>): void {
  const value = outcome.status === 'fulfilled' ? outcome.value : undefined;
  const failed = typeof value === 'object' && value !== null && 'error' in value ? value.error : undefined;
  const error = outcome.status === 'rejected' ? errorRecord(outcome.reason) : failed;
  if (error !== undefined) expect(CODES).toContain((error as { readonly code: string }).code);
}

describe('one run and many callers', () => {
  it('is driven by one of them at a time, and never written to by two', async () => {
    await fc.assert(
      fc.asyncProperty(calls, async (made) => {
        const { journal, engines, faults, runtime } = await world();
        const outcomes: Promise<PromiseSettledResult<unknown>>[] = [];
        for (const call of made) {
          for (let turn = 0; turn < call.after; turn += 1) await Promise.resolve();
          const done = perform(engines[call.engine], call);
          outcomes.push(Promise.allSettled([done]).then(([one]) => one as PromiseSettledResult<unknown>));
        }
        const all = await over({ runtime }, Promise.all(outcomes));
        if (all.status === 'fulfilled') for (const outcome of all.value) assertStable(outcome);
        for (const run of RUNS) {
          const seqs = (await collected(journal.read(run))).map(({ seq }) => seq);
          expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
          if (seqs.length > 0) await expectBroughtToEnd(engines[0], run);
        }
        expect(faults).toEqual([]);
        for (const { engine } of engines) await over({ runtime }, engine.close());
        expect(runtime.clock.pending()).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});

/** Answers what it still asks, and resumes it. */
async function expectBroughtToEnd(h: Harness, run: string): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    const handle = await over(h, h.engine.resume(run));
    if (handle.status === 'rejected') throw handle.reason;
    const result = await over(h, handle.value.result());
    if (result.status === 'fulfilled' && result.value.status === 'done') return;
    await over(h, h.engine.answer(run, 'ask', 'yes'));
  }
  throw new Error(`${run} cannot be brought to its end`);
}
