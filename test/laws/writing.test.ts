/**
 * Laws of running a plan while it is written (W1 to W5 of executor/writing.ts), on random plans, random moments and random
 * changes of mind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { RunEvent, RunHandle } from '../../src/core/run/engine.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, type Harness, type HarnessOptions, harness, settled } from '../executor/harness.ts';
import {
  COST,
  type Drafted,
  draftedPlans,
  type Paid,
  PLANNER_COST,
  payingSteps,
  plannerOf,
  slowJournal,
} from './drafted-run.ts';
import { RANDOM_INPUT } from './random-plans.ts';

interface Streamed {
  readonly h: Harness;
  readonly paid: Paid[];
}

function open(drafted: Drafted, options: HarnessOptions = {}, error?: Error): Streamed {
  const { runtime = fakeRuntime() } = options;
  const paid: Paid[] = [];
  const planner = plannerOf(drafted, runtime, error);
  const h = harness({ runtime, planner, step: payingSteps(drafted, runtime, paid), ...options });
  return { h, paid };
}

function openSlow(drafted: Drafted): Streamed {
  const runtime = fakeRuntime();
  return open(drafted, { runtime, journal: slowJournal(runtime) });
}

function begin({ h }: Streamed, { concurrency }: Drafted): RunHandle {
  const handle = h.engine.startRequest?.('do it', { input: RANDOM_INPUT, concurrency });
  if (handle === undefined) throw new Error('no startRequest');
  return handle;
}

/** The same plan, whole from the start. */
async function plain(drafted: Drafted) {
  const { h, paid } = open(drafted);
  const { plan, concurrency } = drafted;
  return { result: await settled(h, h.engine.start(plan, { input: RANDOM_INPUT, concurrency })), paid };
}

const exact = draftedPlans({ quorums: false, failures: true });
const any = draftedPlans({ quorums: true, failures: true });

describe('a plan that runs while it is written', () => {
  it('gives what the whole plan gives', async () => {
    await fc.assert(
      fc.asyncProperty(exact, fc.boolean(), async (drafted, slow) => {
        const streamed = slow ? openSlow(drafted) : open(drafted);
        const result = await settled(streamed.h, begin(streamed, drafted));
        const { result: expected } = await plain(drafted);
        expect([result.status, result.output]).toEqual([expected.status, expected.output]);
      }),
      { numRuns: 200 },
    );
  });

  it('starts early only what may, after it was told of', async () => {
    await fc.assert(
      fc.asyncProperty(any, async (drafted) => {
        const streamed = open(drafted);
        const handle = begin(streamed, drafted);
        await settled(streamed.h, handle);
        const events = await collected(handle.events());
        const whole = events.findIndex(({ type }) => type === 'plan-revised');
        const told = new Set<string>();
        for (const event of events.slice(0, whole === -1 ? undefined : whole)) {
          if (event.type === 'plan-delta') for (const { id } of event.nodes) told.add(id);
          if (event.type !== 'node-started') continue;
          expect(drafted.early.has(event.nodeId)).toBe(true);
          expect(told.has(event.nodeId)).toBe(true);
        }
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
      }),
      { numRuns: 200 },
    );
  });

  it('pays for nothing twice that stays as it was, and counts all that was paid', async () => {
    await fc.assert(
      fc.asyncProperty(any, fc.boolean(), async (drafted, slow) => {
        const streamed = slow ? openSlow(drafted) : open(drafted);
        const handle = begin(streamed, drafted);
        const result = await settled(streamed.h, handle);
        const keys = streamed.paid.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const { id, key } of streamed.paid) if (drafted.kept.has(id)) expect(key).not.toContain('~');
        const planner = (await collected(handle.events())).filter(({ type }) => type === 'plan-answered').length;
        const sum = streamed.paid.length * COST + planner * PLANNER_COST;
        expect(result.costNanoUsd).toBe(sum);
        expect((await streamed.h.engine.inspect(handle.runId)).costNanoUsd).toBe(sum);
        expect(result.usage).toEqual((await streamed.h.engine.inspect(handle.runId)).usage);
      }),
      { numRuns: 200 },
    );
  });

  it('is not decided by half of it', async () => {
    await fc.assert(
      fc.asyncProperty(any, async (drafted) => {
        const streamed = open(drafted);
        const handle = begin(streamed, drafted);
        expect(['done', 'failed']).toContain((await settled(streamed.h, handle)).status);
        const types = (await collected(handle.events())).map(({ type }) => type);
        expect(types.filter((type) => type === 'plan-revised')).toHaveLength(1);
      }),
      { numRuns: 200 },
    );
  });
});

/** Ids of finished nodes by the key under which they ran. */
function finishedIn(prefix: readonly RunEvent[]): ReadonlyMap<string, string> {
  const running = new Map<string, string>();
  const finished = new Map<string, string>();
  for (const event of prefix) {
    if (event.type === 'node-started') running.set(event.nodeId, event.idempotencyKey);
    if (event.type === 'node-finished') finished.set(running.get(event.nodeId) ?? '', event.nodeId);
  }
  return finished;
}

async function resumeFrom(drafted: Drafted, prefix: readonly RunEvent[]) {
  const { journal } = memoryStores();
  const runId = prefix[0]?.runId ?? '';
  await journal.append(runId, prefix);
  const streamed = open(drafted, { journal });
  const before = await streamed.h.engine.inspect(runId);
  const handle = await streamed.h.engine.resume(runId, { concurrency: drafted.concurrency });
  const result = await settled(streamed.h, handle);
  const again = await collected(journal.read(runId));
  const planner = again.slice(prefix.length).filter(({ type }) => type === 'plan-answered').length;
  return { ...streamed, before, result, planner };
}

describe('a run that is cut off while its plan is written', () => {
  it('is planned anew, and pays for nothing again that comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(exact, fc.boolean(), async (drafted, slow) => {
        const streamed = slow ? openSlow(drafted) : open(drafted);
        const handle = begin(streamed, drafted);
        const result = await settled(streamed.h, handle);
        const events = await collected(streamed.h.journal.read(handle.runId));
        for (let length = 1; length < events.length; length += 1) {
          const prefix = events.slice(0, length);
          const again = await resumeFrom(drafted, prefix);
          expect([again.result.status, again.result.output]).toEqual([result.status, result.output]);
          const finished = finishedIn(prefix);
          const kept = new Set([...finished.values()].filter((id) => drafted.kept.has(id)));
          for (const { id, key } of again.paid) {
            expect(kept.has(id)).toBe(false);
            expect(finished.has(key.split('/').slice(0, 2).join('/'))).toBe(false);
          }
          const paid = again.paid.length * COST + again.planner * PLANNER_COST;
          expect(again.result.costNanoUsd).toBe((again.before.costNanoUsd ?? 0) + paid);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('a plan that is never whole', () => {
  it('fails the run with the reason, and stops in the tick all that had started', async () => {
    await fc.assert(
      fc.asyncProperty(any, async (drafted) => {
        const streamed = open(drafted, {}, new PolyphonyError('invalid-plan', 'it cannot run'));
        const handle = begin(streamed, drafted);
        const result = await settled(streamed.h, handle);
        expect(result).toMatchObject({ status: 'failed', error: { code: 'invalid-plan' } });
        expect(result.costNanoUsd).toBe(streamed.paid.length * COST + PLANNER_COST);
        const over = new Set(streamed.paid.map(({ key }) => key));
        for (const { idempotencyKey, signal } of streamed.h.calls) {
          if (!over.has(idempotencyKey)) expect(signal.aborted).toBe(true);
        }
        expect(streamed.h.runtime.clock.pending()).toBe(0);
        expect(await streamed.h.journal.claim(handle.runId, 'somebody else', 1000)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('is cancelled within the tick, planner and nodes alike', async () => {
    await fc.assert(
      fc.asyncProperty(any, fc.integer({ min: 0, max: 60 }), async (drafted, after) => {
        const streamed = open(drafted);
        const handle = begin(streamed, drafted);
        await streamed.h.runtime.clock.advance(after);
        const begun = streamed.h.calls.length;
        handle.cancel('enough');
        let status: string | undefined;
        void handle.result().then((result) => {
          status = result.status;
        });
        await new Promise((resolve) => setImmediate(resolve));
        expect(status).toBeDefined();
        expect(streamed.h.calls.length).toBe(begun);
        expect(streamed.h.runtime.clock.pending()).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
