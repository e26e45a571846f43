/**
 * Laws of the scheduler, on random plans with random durations, failures, conditions, loops and quorums.
 *
 * 1. Nothing runs twice: one call a node, item and round.
 * 2. Nothing runs early: when a step begins, the model's `readiness` says ready for the ends that were shown by then.
 * 3. Nothing runs late: whenever time moves on, `nextReady` names no node that was not announced.
 * 4. Numbers of events are gapless from 0, and a run ends exactly once.
 * 5. Of two nodes that are ready, the one with the longer expected path starts first.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/run/engine.ts';
import { observe, runThrough } from './observed-run.ts';
import { type RandomPlan, randomPlans } from './random-plans.ts';
import { type Ended, nextReady, readiness } from './schedule-model.ts';

const RUNS = { numRuns: 150 };
const plans = randomPlans({ quorums: true, failures: true });

function endingOf(event: RunEvent): Ended | undefined {
  if (event.type === 'node-finished') return 'done';
  if (event.type === 'node-skipped') return 'skipped';
  if (event.type === 'node-cancelled') return 'cancelled';
  if (event.type !== 'node-failed') return undefined;
  if (event.handled === 'value') return 'answered';
  return event.handled === 'skip' ? 'handled' : 'failed';
}

function endingsOf(events: readonly RunEvent[]): Map<string, Ended> {
  const endings = new Map<string, Ended>();
  for (const event of events) {
    const ending = endingOf(event);
    if (ending !== undefined && 'nodeId' in event && event.nodeId !== undefined) endings.set(event.nodeId, ending);
  }
  return endings;
}

const isLastStraw = (event: RunEvent): boolean => event.type === 'node-failed' && event.handled === undefined;

async function through(random: RandomPlan) {
  const observed = observe(random);
  return { ...observed, ...(await runThrough(observed, random)) };
}

describe('the scheduler', () => {
  it('runs nothing twice', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (random) => {
        const { steps, events } = await through(random);
        const keys = steps.map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        const ends = events
          .filter((event) => endingOf(event) !== undefined)
          .map((event) => 'nodeId' in event && event.nodeId);
        expect(new Set(ends).size).toBe(ends.length);
      }),
      RUNS,
    );
  });

  it('runs nothing before what it waits for has ended and was committed', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (random) => {
        const { steps, shown } = await through(random);
        const byId = new Map(random.plan.nodes.map((valid) => [valid.node.id, valid]));
        for (const { call, seen } of steps) {
          const valid = byId.get(call.node.id);
          if (valid === undefined) throw new Error(call.node.id);
          expect(readiness(valid, endingsOf(shown.slice(0, seen)))).toBe('ready');
        }
      }),
      RUNS,
    );
  });

  it('agrees with the pure scheduler whenever time moves on', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (random) => {
        const { events } = await through(random);
        const announced = new Set<string>();
        const endings = new Map<string, Ended>();
        let at = events[0]?.at;
        for (const event of events) {
          if (event.at !== at) {
            expect(nextReady(random.plan, endings, announced).map(({ node }) => node.id)).toEqual([]);
            at = event.at;
          }
          if (isLastStraw(event)) break;
          if (!('nodeId' in event) || event.nodeId === undefined) continue;
          const valid = random.plan.nodes.find(({ node }) => node.id === event.nodeId);
          if (valid === undefined) throw new Error(event.nodeId);
          if (event.type === 'node-ready') expect(readiness(valid, endings)).toBe('ready');
          if (event.type === 'node-skipped') {
            const when = valid.node.when === undefined ? [] : ['ready'];
            expect(['skip', ...when]).toContain(readiness(valid, endings));
          }
          announced.add(event.nodeId);
          const ending = endingOf(event);
          if (ending !== undefined) endings.set(event.nodeId, ending);
        }
      }),
      RUNS,
    );
  });

  it('numbers its events without a gap and ends once', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (random) => {
        const { events, result, h } = await through(random);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index));
        const ends = events.filter(({ type }) => ['run-finished', 'run-failed', 'run-cancelled'].includes(type));
        expect(ends).toEqual([events.at(-1)]);
        expect(result.status).toBe(events.at(-1)?.type === 'run-finished' ? 'done' : 'failed');
        expect(h.runtime.clock.pending()).toBe(0);
      }),
      RUNS,
    );
  });

  it('starts the longest expected path first', async () => {
    await fc.assert(
      fc.asyncProperty(randomPlans({ quorums: false, failures: false }), async (random) => {
        const { events } = await through(random);
        const ready = new Map<string, number>();
        for (const event of events) {
          if (event.type === 'node-ready') {
            ready.set(event.nodeId, random.plan.nodes.find(({ node }) => node.id === event.nodeId)?.priority ?? 0);
          } else if (event.type === 'node-started') {
            const own = ready.get(event.nodeId) ?? 0;
            ready.delete(event.nodeId);
            expect(own).toBeGreaterThanOrEqual(Math.max(0, ...ready.values()));
          }
        }
      }),
      RUNS,
    );
  });
});
