/**
 * One event for all items of a node is given in work that is proportional to their number, whether the run is driven or not. The
 * work is counted, not timed: the entries of maps, sets and lists that are looked at. Four times the items may take five times the
 * work, and no more.
 */
import { afterEach, expect, it, vi } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { RunHandle } from '../../src/core/run/engine.ts';
import { type Harness, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';
import { deferred } from '../kit/loopback.ts';

afterEach(() => void vi.restoreAllMocks());

const WAITS: PlanNode = { id: 'paid', use: 'wait', each: '{{input.list}}', in: { event: 'paid' } };
const BESIDE: PlanNode = { id: 'beside', use: 'step' };

interface Counted {
  next(): IteratorResult<unknown>;
}

/** How many entries of maps and sets are looked at, and how many of lists that are searched, while `work` goes on. */
async function workOf(work: () => Promise<unknown>): Promise<number> {
  let looks = 0;
  for (const entries of [new Map().entries(), new Set().values()]) {
    const iterator = Object.getPrototypeOf(entries) as Counted;
    const { next } = iterator;
    vi.spyOn(iterator, 'next').mockImplementation(function (this: Counted) {
      looks += 1;
      return next.call(this);
    });
  }
  for (const way of ['filter', 'find', 'some', 'every'] as const) {
    const search = Array.prototype[way] as (...given: unknown[]) => unknown;
    vi.spyOn(Array.prototype, way).mockImplementation(function (this: unknown[], ...given: unknown[]) {
      looks += this.length;
      return search.apply(this, given) as never;
    });
  }
  try {
    await work();
  } finally {
    vi.restoreAllMocks();
  }
  return looks;
}

async function asking(h: Harness, run: RunHandle, items: number): Promise<void> {
  let asked = 0;
  void (async () => {
    for await (const { type } of run.events()) if (type === 'node-suspended') asked += 1;
  })();
  for (let turn = 0; turn < items && asked < items; turn += 1) await h.runtime.clock.advance(1);
  expect(asked).toBe(items);
}

/** From the event to the end of the run. */
async function workOfEvent(items: number, isDriven: boolean): Promise<number> {
  const gate = deferred();
  const h = harness({ step: () => gate.promise });
  const plan = validPlan({ nodes: isDriven ? [WAITS, BESIDE] : [WAITS], output: '{{paid}}' });
  const run = h.engine.start(plan, { input: { list: Array.from({ length: items }, (_, index) => index) } });
  if (isDriven) await asking(h, run, items);
  else await settled(h, run);
  return workOf(async () => {
    const sent = await h.engine.event?.('paid', 1);
    expect([sent?.delivered.length, sent?.refused.length]).toEqual([items, 0]);
    gate.resolve();
    const { status, output } = await settled(h, isDriven ? run : await h.engine.resume(run.runId));
    expect([status, (output as unknown[]).length]).toEqual(['done', items]);
  });
}

it.each([
  ['driven here', true],
  ['driven by nobody', false],
])('an event for all items of a run that is %s', async (_name, isDriven) => {
  const once = await workOfEvent(400, isDriven);
  const four = await workOfEvent(1600, isDriven);
  expect(four).toBeLessThanOrEqual(5 * once);
});

it('an event reaches ten thousand items of a run that is driven', async () => {
  expect(await workOfEvent(10_000, true)).toBeLessThan(10_000 * 200);
});
