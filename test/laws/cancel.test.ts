/**
 * Laws of cancelling, on random plans and at random moments.
 *
 * 1. Every signal that a step holds is aborted before `cancel` returns.
 * 2. Nothing starts afterwards, and the run has ended without time moving on.
 * 3. What was running is journalled as cancelled, then the run; no timer, listener or lease is left.
 * 4. A step that ignores its signal holds the run for the grace period and no longer.
 */
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { collected, harness } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { observe } from './observed-run.ts';
import { RANDOM_INPUT, randomPlans } from './random-plans.ts';

const plans = randomPlans({ quorums: true, failures: true });
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('cancelling', () => {
  it('stops everything within the tick and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.integer({ min: 0, max: 80 }), fc.boolean(), async (random, after, bySignal) => {
        const observed = observe(random);
        const { h, steps } = observed;
        const controller = new AbortController();
        const { signal } = controller;
        const handle = h.engine.start(random.plan, { input: RANDOM_INPUT, concurrency: random.concurrency, signal });
        await h.runtime.clock.advance(after);
        const running = steps.filter(({ over }) => !over);
        const begun = steps.length;
        if (bySignal) controller.abort();
        else handle.cancel('enough');
        for (const { call } of running) expect(call.signal.aborted).toBe(true);
        let ended = false;
        void handle.result().then(() => {
          ended = true;
        });
        await turn();
        expect(ended).toBe(true);
        expect(steps.length).toBe(begun);
        expect(h.runtime.clock.pending()).toBe(0);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
        const stored = await collected(h.engine.replay(handle.runId));
        expectClosed(stored, (await handle.result()).status);
        expect(await h.journal.claim(handle.runId, 'somebody else', 1000)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('goes on after the grace period without a step that ignores its signal', async () => {
    const h = harness({ step: () => new Promise(() => {}), graceMs: 700 });
    const handle = h.engine.start(validPlan({ nodes: [{ id: 'deaf', use: 'step' }] }));
    await h.runtime.clock.advance(5);
    handle.cancel();
    await h.runtime.clock.advance(699);
    expect((await h.engine.inspect(handle.runId)).status).toBe('running');
    await h.runtime.clock.advance(1);
    expect((await handle.result()).status).toBe('cancelled');
    expect(h.runtime.clock.pending()).toBe(0);
  });
});

function expectClosed(events: readonly RunEvent[], status: string): void {
  const last = events.at(-1)?.type;
  if (status === 'cancelled') expect(last).toBe('run-cancelled');
  const started = new Set<string>();
  for (const event of events) {
    if (event.type === 'node-started') started.add(event.nodeId);
    if (['node-finished', 'node-failed', 'node-cancelled'].includes(event.type) && 'nodeId' in event) {
      started.delete(event.nodeId ?? '');
    }
  }
  expect([...started]).toEqual([]);
}
