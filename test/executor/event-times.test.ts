/** The times of events: read once for all that happens together, and yet those at which it happened. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sleep } from '../../src/system/clock.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, harness, settled } from './harness.ts';
import { validPlan } from './valid-plan.ts';

/** How long each step keeps the process, and how long it then waits, in milliseconds. */
const steps = fc.array(
  fc.record({ blocks: fc.constantFrom(0, 0.4, 1, 7, 5000), waits: fc.constantFrom(0, 0, 3, 2000) }),
  {
    minLength: 1,
    maxLength: 12,
  },
);

const isFailing = (id: string): boolean => Number(id.slice(1)) % 4 === 1;

/** A process that can be kept busy: its clock goes on meanwhile, but no timer fires. */
function busyRuntime() {
  const runtime = fakeRuntime();
  const { clock } = runtime;
  let busyMs = 0;
  const busy = {
    ...clock,
    stepMs: 1,
    now: () => Math.floor(clock.now() + busyMs),
    monotonic: () => clock.monotonic() + busyMs,
  };
  const block = (ms: number): void => {
    busyMs += ms;
  };
  return { runtime: { ...runtime, clock: busy }, block };
}

describe('the times of events', () => {
  it('are at most a millisecond before what they tell', async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (times, width) => {
        const began = new Map<string, number>();
        const ended = new Map<string, number>();
        const { runtime, block } = busyRuntime();
        const { clock } = runtime;
        const h = harness({
          runtime,
          step: async ({ node: { id } }) => {
            const { blocks = 0, waits = 0 } = times[Number(id.slice(1))] ?? {};
            if (!began.has(id)) began.set(id, clock.now());
            block(blocks);
            if (waits > 0) await sleep(clock, waits);
            ended.set(id, clock.now());
            if (isFailing(id)) throw new Error('fails');
            return null;
          },
        });
        const nodes = times.map((_, index) => ({
          id: `n${index}`,
          use: 'step',
          needs: index < width ? [] : [`n${index - width}`],
          onError: 'skip' as const,
          ...(index % 3 === 0 ? { limits: { retries: 1 } } : {}),
        }));
        const handle = h.engine.start(validPlan({ nodes }));
        await settled(h, handle);
        for (const event of await collected(handle.events())) {
          if (event.type === 'node-started')
            expect(Math.abs(event.at - (began.get(event.nodeId) ?? 0))).toBeLessThanOrEqual(1);
          // Others that end at the same time may block the process before it is taken.
          if (event.type === 'node-finished' || event.type === 'node-failed')
            expect(event.at - (ended.get(event.nodeId) ?? 0)).toBeGreaterThanOrEqual(-1);
        }
      }),
      { numRuns: 200 },
    );
  });
});
