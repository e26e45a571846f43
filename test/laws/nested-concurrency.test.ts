/**
 * Laws of concurrency over a tree of runs: what runs at once stays within the limit of the run that began it, however the work
 * is spread over sub-workflows; a tree of any shape ends with a single slot; and no slot is idle while something could run.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PlanNode, ValidPlan } from '../../src/core/plan/plan.ts';
import type { NodeRunner } from '../../src/core/run/engine.ts';
import { workflowRunner } from '../../src/runners/nested.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { type Harness, harness, settled } from '../executor/harness.ts';
import { validPlan } from '../executor/valid-plan.ts';

const WORK_MS = 100;

/** An engine whose `step` takes a while, and counts how many of it are under way. */
function counted(plans: ReadonlyMap<string, ValidPlan>) {
  const runtime = fakeRuntime();
  const { clock } = runtime;
  const seen = { now: 0, most: 0, calls: 0 };
  const step: NodeRunner = async ({ signal }) => {
    seen.now += 1;
    seen.calls += 1;
    seen.most = Math.max(seen.most, seen.now);
    await new Promise<void>((resolve) => {
      clock.schedule(WORK_MS, resolve);
      signal.addEventListener('abort', () => resolve());
    });
    seen.now -= 1;
    return { value: null, costNanoUsd: 0 };
  };
  const nested = workflowRunner({ engine: () => h.engine, workflows: (id) => plans.get(id), clock, nesting: 9 });
  const h: Harness = harness({
    runtime,
    runners: new Map([
      ['step', step],
      ['workflow:', nested],
    ]),
  });
  return { h, seen };
}

/** What a node of a level does. `items`: once per item; `after`: only after the node before it. */
interface Part {
  readonly isInner: boolean;
  readonly items: number;
  readonly after: boolean;
}

const part = fc.record({ isInner: fc.boolean(), items: fc.integer({ min: 1, max: 3 }), after: fc.boolean() });
const tree = fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });

/** The plans by id, from the lowest level to the highest, and the calls of `step` that one run of the highest makes. */
function plansOf(levels: readonly (readonly Part[])[]) {
  const plans = new Map<string, ValidPlan>();
  let below = 0;
  levels.forEach((parts, level) => {
    const nodes = parts.map(
      ({ isInner, items, after }, index): PlanNode => ({
        id: `n${index}`,
        use: isInner && level > 0 ? `workflow:l${level - 1}` : 'step',
        each: Array.from({ length: items }, (_, item) => item) as never,
        ...(after && index > 0 ? { needs: [`n${index - 1}`] } : {}),
      }),
    );
    below = parts.reduce((sum, { isInner, items }) => sum + items * (isInner && level > 0 ? below : 1), 0);
    plans.set(`l${level}`, validPlan({ nodes }));
  });
  return { plans, top: plans.get(`l${levels.length - 1}`) as ValidPlan, calls: below };
}

describe('the concurrency of a tree of runs', () => {
  it('is that of its root, and the tree ends with any', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.integer({ min: 1, max: 5 }), async (levels, concurrency) => {
        const { plans, top, calls } = plansOf(levels);
        const { h, seen } = counted(plans);
        const result = await settled(h, h.engine.start(top, { concurrency }));
        expect(result.status).toBe('done');
        expect(seen.calls).toBe(calls);
        expect(seen.most).toBeLessThanOrEqual(concurrency);
      }),
      { numRuns: 120 },
    );
  });

  it('leaves no slot idle: work of two sub-workflows and of the run itself fills it', async () => {
    const list = [1, 2, 3] as never;
    const inner = validPlan({ nodes: [{ id: 'work', use: 'step', each: list }] });
    const { h, seen } = counted(new Map([['inner', inner]]));
    const top = validPlan({
      nodes: [
        { id: 'a', use: 'workflow:inner' },
        { id: 'b', use: 'workflow:inner' },
        { id: 'own', use: 'step', each: list },
      ],
    });
    const handle = h.engine.start(top, { concurrency: 5 });
    await h.runtime.clock.advance(0);
    expect(seen.now).toBe(5);
    expect((await settled(h, handle)).status).toBe('done');
    expect(seen).toMatchObject({ calls: 9, most: 5 });
  });

  it('gives every slot back when the tree is cancelled or fails, to the runs that are left', async () => {
    const list = [1, 2, 3, 4] as never;
    const slow = validPlan({ nodes: [{ id: 'work', use: 'step', each: list }] });
    const { h, seen } = counted(new Map([['slow', slow]]));
    const top = validPlan({
      nodes: [
        { id: 'cut', use: 'workflow:slow', limits: { seconds: 0.05 }, onError: 'skip' },
        { id: 'other', use: 'workflow:slow' },
      ],
    });
    const result = await settled(h, h.engine.start(top, { concurrency: 2 }));
    expect(result.status).toBe('done');
    expect(seen.most).toBe(2);
    expect(seen.now).toBe(0);
  });

  it('holds after a resume, with the number that the resume gives', async () => {
    const list = [1, 2, 3, 4, 5, 6] as never;
    const inner = validPlan({ nodes: [{ id: 'work', use: 'step', each: list }] });
    const { h, seen } = counted(new Map([['inner', inner]]));
    const top = validPlan({
      nodes: [
        { id: 'a', use: 'workflow:inner' },
        { id: 'b', use: 'workflow:inner' },
      ],
    });
    const first = h.engine.start(top, { runId: 'r', concurrency: 4 });
    await h.runtime.clock.advance(WORK_MS / 2);
    first.cancel();
    await settled(h, first);
    seen.most = 0;
    const result = await settled(h, await h.engine.resume('r', { concurrency: 3 }));
    expect(result.status).toBe('done');
    expect(seen.most).toBe(3);
  });
});
