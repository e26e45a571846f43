/**
 * Laws of the journal.
 *
 * 1. A node starts only after the records of all it waits for were committed, however long commits take.
 * 2. What is shown is committed: no reader sees an event that the journal would keep and does not hold yet.
 * 3. The journal holds exactly the shown events that are not transient, in their order.
 * 4. A journal that fails stops the run, one that is full after it took what it could; a lease that is lost stops it without another record.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import { type RunEvent, TRANSIENT_EVENTS } from '../../src/core/run/engine.ts';
import type { RunJournal } from '../../src/core/stores.ts';
import { takeLease } from '../../src/executor/lease.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeRuntime, fakeRuntime, seededRandom } from '../../src/testing/fakes.ts';
import { collected, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { observe, runThrough } from './observed-run.ts';
import { randomPlans } from './random-plans.ts';

interface SlowJournal extends RunJournal {
  readonly committed: RunEvent[];
}

/** Commits after a random while on the runtime's clock. */
function slowJournal(runtime: FakeRuntime, seed: number): SlowJournal {
  const inner = memoryStores({ clock: runtime.clock }).journal;
  const random = seededRandom(seed);
  const committed: RunEvent[] = [];
  let inFlight = 0;
  return {
    ...inner,
    committed,
    async append(runId, events) {
      inFlight += 1;
      expect(inFlight).toBe(1);
      await sleep(runtime.clock, Math.floor(random() * 10));
      inFlight -= 1;
      await inner.append(runId, events);
      committed.push(...events);
    },
  };
}

describe('the journal', () => {
  it('holds the end of everything that a started node waited for', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: false, failures: false }), fc.integer(), async (random, seed) => {
        const runtime = fakeRuntime();
        const journal = slowJournal(runtime, seed);
        const early: string[] = [];
        const observed = observe(random, {
          runtime,
          journal,
          onEvent: (event) => {
            if (!TRANSIENT_EVENTS.has(event.type) && !journal.committed.includes(event)) early.push(event.type);
          },
        });
        const watch = observed.steps.push.bind(observed.steps);
        observed.steps.push = (...steps) => {
          for (const { call } of steps) {
            const valid = random.plan.nodes.find(({ node }) => node.id === call.node.id);
            const ended = journal.committed.flatMap((event) =>
              event.type === 'node-finished' || event.type === 'node-skipped' ? [event.nodeId] : [],
            );
            expect(ended).toEqual(expect.arrayContaining([...(valid?.dependencies ?? [])]));
          }
          return watch(...steps);
        };
        const { events, result } = await runThrough(observed, random);
        expect(result.error).toBeUndefined();
        expect(early).toEqual([]);
        expect(journal.committed).toEqual(events.filter(({ type }) => !TRANSIENT_EVENTS.has(type)));
      }),
      { numRuns: 80 },
    );
  });

  it('stops the run when it fails', async () => {
    const runtime = fakeRuntime();
    const inner = memoryStores({ clock: runtime.clock }).journal;
    const full = new PolyphonyError('store-full', 'The disk is full: make room.');
    const journal: RunJournal = {
      ...inner,
      append: (runId, events) =>
        events.some((event) => event.type === 'node-finished') ? Promise.reject(full) : inner.append(runId, events),
    };
    const h = harness({ runtime, journal });
    const handle = h.engine.start(
      validPlan({
        nodes: [
          { id: 'a', use: 'step' },
          { id: 'b', use: 'step', needs: ['a'] },
        ],
      }),
    );
    const result = await settled(h, handle);
    expect(result).toMatchObject({ status: 'failed', error: { code: 'store-full' } });
    expect(h.calls.map(({ node }) => node.id)).toEqual(['a']);
    expect((await h.engine.inspect(handle.runId)).status).toBe('interrupted');
  });

  it('keeps the first records of a batch that has no room as a whole', async () => {
    const runtime = fakeRuntime();
    const inner = memoryStores({ clock: runtime.clock }).journal;
    const full = new PolyphonyError('store-full', 'The disk is full: make room.');
    let room = 4;
    const journal: RunJournal = {
      ...inner,
      async append(runId, events) {
        if (events.length > room) throw full;
        room -= events.length;
        await inner.append(runId, events);
      },
    };
    const h = harness({ runtime, journal });
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, use: 'step' }));
    const handle = h.engine.start(validPlan({ nodes }));
    expect(await settled(h, handle)).toMatchObject({ status: 'failed', error: { code: 'store-full' } });
    const kept = await collected(inner.read(handle.runId));
    expect(kept.map(({ type }) => type)).toEqual(['run-started', 'node-started', 'node-started', 'node-started']);
  });

  it('belongs to one process at a time', async () => {
    const runtime = fakeRuntime();
    const journal = memoryStores({ clock: runtime.clock }).journal;
    const step = (call: { readonly signal: AbortSignal }) => sleep(runtime.clock, 100_000, call.signal);
    const first = harness({ runtime, journal, step, leaseMs: 900 });
    const takeOver = async (call: { readonly signal: AbortSignal }) => {
      await sleep(runtime.clock, 2000, call.signal);
      return 'taken over';
    };
    const second = harness({ runtime, journal, step: takeOver, leaseMs: 900 });
    const handle = first.engine.start(validPlan({ nodes: [{ id: 'a', use: 'step' }] }));
    await runtime.clock.advance(5000);
    await expect(second.engine.resume(handle.runId)).rejects.toMatchObject({ code: 'store-busy' });
    await expect(second.engine.cancel(handle.runId)).rejects.toMatchObject({ code: 'store-busy' });
    // The first process is thought dead: its lease goes to another owner.
    await journal.release(handle.runId, 'engine_1/1');
    const taken = await second.engine.resume(handle.runId);
    await runtime.clock.advance(1000);
    expect(await handle.result()).toMatchObject({ status: 'failed', error: { code: 'store-busy' } });
    expect(await settled(second, taken)).toMatchObject({ status: 'done', output: { a: 'taken over' } });
    const stored = await collected(journal.read(handle.runId));
    expect(stored.map(({ type }) => type)).toEqual([
      'run-started',
      'node-started',
      'run-resumed',
      'node-started',
      'node-finished',
      'run-finished',
    ]);
    expect(runtime.clock.pending()).toBe(0);
  });

  it.each([
    ['keeps a run that nobody took', 'nobody', false],
    ['gives a run up that another process has', 'another', true],
    ['gives a run up that another process had', 'released', true],
    ['gives a run up where its store cannot tell', 'unknown', true],
  ] as const)('%s while its process was stalled for longer than its lease', async (_name, who, isGivenUp) => {
    const runtime = fakeRuntime();
    const { journal } = memoryStores({ clock: runtime.clock });
    const { renew: _renew, ...untold } = journal;
    const slow: RunJournal = {
      ...(who === 'unknown' ? untold : journal),
      claim: (...claim) => sleep(runtime.clock, 1).then(() => journal.claim(...claim)),
    };
    const held: unknown[] = [];
    const taken = takeLease({
      journal: slow,
      clock: stalledClock(runtime),
      runId: 'run',
      owner: 'a',
      leaseMs: 900,
      onLost: (error) => held.push(error),
    });
    await runtime.clock.advance(1000);
    if (who === 'another' || who === 'released') expect(await journal.claim('run', 'b', 60_000)).toBe(true);
    if (who === 'released') await journal.release('run', 'b');
    const release = await taken;
    await runtime.clock.advance(10_000);
    expect(held).toMatchObject(isGivenUp ? [{ code: 'store-busy' }] : []);
    await release();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('stops a run whose store no longer answers renewals when its lease ends, and asks once at a time', async () => {
    const runtime = fakeRuntime();
    const { journal } = memoryStores({ clock: runtime.clock });
    let claims = 0;
    const silent: RunJournal = {
      ...journal,
      claim: (...claim) => {
        claims += 1;
        return claims > 2 ? new Promise(() => {}) : journal.claim(...claim);
      },
    };
    const step = (call: { readonly signal: AbortSignal }) => sleep(runtime.clock, 100_000, call.signal);
    const h = harness({ runtime, journal: silent, step, leaseMs: 900 });
    const handle = h.engine.start(validPlan({ nodes: [{ id: 'a', use: 'step' }] }));
    await runtime.clock.advance(300 + 900);
    expect(await handle.result()).toMatchObject({ status: 'failed', error: { code: 'store-busy' } });
    expect(claims).toBe(3);
    expect((await collected(journal.read(handle.runId))).map(({ type }) => type)).toEqual([
      'run-started',
      'node-started',
    ]);
    await runtime.clock.runAll();
    expect(runtime.clock.pending()).toBe(0);
  });
});

/** Timers fire three leases late. */
function stalledClock({ clock }: FakeRuntime): Clock {
  return { ...clock, schedule: (ms, callback) => clock.schedule(ms + 2700, callback) };
}
