/**
 * Steps that never wait, in any number: the event loop turns between them.
 *
 * 1. Timers, signals and other runs have their turn while such a run goes on.
 * 2. A run that is stopped meanwhile starts nothing more.
 */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import { harness } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';

const COUNT = 10_000;

const free = (nodes: readonly PlanNode[]) =>
  validPlan({ nodes: [...nodes], output: {} }, { bounds: { items: COUNT, nodes: COUNT, rounds: COUNT } });

const PLANS: Readonly<Record<string, ReturnType<typeof free>>> = {
  nodes: free(Array.from({ length: COUNT }, (_, index) => ({ id: `n${index}`, use: 'step' }))),
  'a chain': free(
    Array.from({ length: COUNT }, (_, index) => ({
      id: `n${index}`,
      use: 'step',
      ...(index === 0 ? {} : { needs: [`n${index - 1}`] }),
    })),
  ),
  items: free([{ id: 'items', use: 'step', each: '{{input.list}}', in: { item: '{{item}}' } }]),
  rounds: free([{ id: 'rounds', use: 'step', repeat: { max: COUNT, until: 'false' } }]),
};

const input = { list: Array.from({ length: COUNT }, (_, index) => index) };

/** Counts the turns of the event loop until it is stopped. */
function countTurns() {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  return {
    turns: () => turns,
    stop: () => {
      isOver = true;
    },
  };
}

describe.each(Object.keys(PLANS))('a run of free steps: %s', (name) => {
  const plan = PLANS[name] ?? free([]);

  it.each([64, COUNT])('lets the event loop turn, at a concurrency of %i', async (concurrency) => {
    const h = harness();
    const counter = countTurns();
    const result = await h.engine.start(plan, { input, concurrency }).result();
    counter.stop();
    expect(result.status).toBe('done');
    expect(h.calls).toHaveLength(COUNT);
    expect(counter.turns()).toBeGreaterThan(COUNT / 500);
  });

  it('is stopped by a signal that comes from outside', async () => {
    const h = harness();
    const controller = new AbortController();
    const handle = h.engine.start(plan, { input, signal: controller.signal });
    let turns = 0;
    const abort = (): void => {
      turns += 1;
      if (turns === 5) controller.abort();
      else setImmediate(abort);
    };
    setImmediate(abort);
    expect((await handle.result()).status).toBe('cancelled');
    expect(h.calls.length).toBeLessThan(COUNT / 2);
  });

  it('lets another run pass', async () => {
    const h = harness();
    const large = h.engine.start(plan, { input, concurrency: COUNT });
    const small = h.engine.start(free([{ id: 'one', use: 'step' }]));
    const order: string[] = [];
    await Promise.all([large.result().then(() => order.push('large')), small.result().then(() => order.push('small'))]);
    expect(order).toEqual(['small', 'large']);
  });
});
