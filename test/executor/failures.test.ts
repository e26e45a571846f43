/** What plan-format.md says about wait, limits and replanning, one case a rule. */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { Planner } from '../../src/core/plan/planner.ts';
import { collected, finished, harness, settled } from './harness.ts';
import { planned, scriptedPlanner } from './scripted-planner.ts';
import { plan, scripted, started, states } from './scripted-steps.ts';
import { validPlan } from './valid-plan.ts';

describe('wait', () => {
  it('takes the first of any and cancels the losers that nobody else needs, with what they alone waited for', async () => {
    const h = scripted();
    const handle = h.engine.start(
      plan(
        [
          { id: 'slow_part', use: 'step', in: { ms: 90 } },
          { id: 'slow', use: 'step', in: { ms: 5, from: '{{slow_part.ms}}' } },
          { id: 'fast', use: 'step', in: { ms: 10 } },
          { id: 'shared', use: 'step', in: { ms: 50 } },
          { id: 'first', use: 'step', wait: 'any', in: { from: '{{fast.ms ?? slow.ms}}' }, needs: ['shared'] },
          { id: 'other', use: 'step', needs: ['shared'] },
        ],
        { first: '{{first.from}}' },
      ),
    );
    const result = await settled(h, handle);
    expect(result.output).toEqual({ first: 10 });
    expect(states(result)).toEqual({
      slow_part: 'cancelled',
      slow: 'cancelled',
      fast: 'done',
      shared: 'done',
      first: 'done',
      other: 'done',
    });
    expect(result.ms).toBe(50);
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('does without failures as long as the quorum can be met, and fails as soon as it cannot', async () => {
    const nodes = (fails: number, onError?: PlanNode['onError']): PlanNode[] => [
      ...[0, 1, 2].map(
        (index): PlanNode => ({ id: `v${index}`, use: 'step', in: { ms: 10 + index, fail: index < fails } }),
      ),
      { id: 'late', use: 'step', in: { ms: 500 } },
      {
        id: 'vote',
        use: 'step',
        wait: { atLeast: 3 },
        needs: ['v0', 'v1', 'v2', 'late'],
        in: { value: 'ok' },
        ...(onError === undefined ? {} : { onError }),
      },
    ];
    expect((await finished(scripted(), plan(nodes(1)))).status).toBe('done');
    const failed = await finished(scripted(), plan(nodes(2)));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'tool-failed' } });
    expect(failed.error?.message).toContain('needs 3 of 4');
    expect(failed.ms).toBe(11);
    expect((await finished(scripted(), plan(nodes(2, { value: 'instead' })))).output).toMatchObject({
      vote: 'instead',
    });
  });

  it('fails the run when a failed node is needed by more than a quorum', async () => {
    const nodes: PlanNode[] = [
      { id: 'a', use: 'step', in: { fail: true } },
      { id: 'b', use: 'step', in: { ms: 5 } },
      { id: 'any', use: 'step', wait: 'any', needs: ['a', 'b'] },
    ];
    expect((await finished(scripted(), plan(nodes, {}))).status).toBe('done');
    expect((await finished(scripted(), plan(nodes, { a: '{{a}}' }))).status).toBe('failed');
    expect((await finished(scripted(), plan([...nodes, { id: 'c', use: 'step', needs: ['a'] }], {}))).status).toBe(
      'failed',
    );
  });
});

describe('limits', () => {
  it('fails a node that takes too long, by its onError', async () => {
    const slow: PlanNode = { id: 'slow', use: 'step', in: { ms: 5000 }, limits: { seconds: 2 } };
    const failed = await finished(scripted(), plan([slow]));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'timeout' }, ms: 2000 });
    expect((await finished(scripted(), plan([{ ...slow, onError: { value: 'late' } }]))).output).toEqual({
      slow: 'late',
    });
  });

  it('keeps no timer of a node that has ended', async () => {
    const h = scripted();
    const handle = h.engine.start(
      plan([
        { id: 'quick', use: 'step', in: { ms: 10 }, limits: { seconds: 60 } },
        { id: 'slow', use: 'step', in: { ms: 500 } },
      ]),
    );
    await h.runtime.clock.advance(20);
    // The step that still sleeps, and the lease.
    expect(h.runtime.clock.pending()).toBe(2);
    await settled(h, handle);
  });

  it('fails a run that takes longer than its budget of seconds', async () => {
    const slow: PlanNode = { id: 'slow', use: 'step', in: { ms: 5000 } };
    const result = await finished(scripted(), validPlan({ budget: { seconds: 3 }, nodes: [slow] }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'budget-exceeded' }, ms: 3000 });
  });

  it('retries tools and own steps, with the same idempotency key', async () => {
    let tries = 0;
    const step = () => {
      tries += 1;
      if (tries < 3) throw new PolyphonyError('tool-failed', 'not yet');
      return { tries };
    };
    const h = harness({ step });
    const handle = h.engine.start(plan([{ id: 'a', use: 'tool:flaky', limits: { retries: 2 } }]));
    expect((await settled(h, handle)).output).toEqual({ a: { tries: 3 } });
    expect(new Set(h.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    const retried = (await collected(handle.events())).filter(({ type }) => type === 'node-retried');
    expect(retried).toMatchObject([{ attempt: 1 }, { attempt: 2 }]);
    tries = 0;
    expect(
      (await finished(harness({ step }), plan([{ id: 'a', use: 'step', limits: { retries: 2 } }]))).output,
    ).toEqual({
      a: { tries: 3 },
    });
    tries = 0;
    expect((await finished(harness({ step }), plan([{ id: 'a', use: 'step' }]))).status).toBe('failed');
    expect(tries).toBe(1);
  });

  it('does not try again what its thrower calls final, in whatever way', async () => {
    const final = [
      Object.assign(new Error('no such customer'), { retryable: false }),
      new PolyphonyError('network', 'gone for good', { retryable: false }),
      new PolyphonyError('tool-failed', 'in a tool', {
        cause: Object.assign(new Error('no such customer'), { retryable: false }),
      }),
      new PolyphonyError('invalid-request', 'cannot be asked'),
    ];
    for (const error of final) {
      const h = harness({ step: () => Promise.reject(error) });
      expect((await finished(h, plan([{ id: 'a', use: 'step', limits: { retries: 3 } }]))).status).toBe('failed');
      expect(h.calls).toHaveLength(1);
    }
    const h = harness({ step: () => Promise.reject(new Error('connection reset')) });
    await finished(h, plan([{ id: 'a', use: 'step', limits: { retries: 3 } }]));
    expect(h.calls).toHaveLength(4);
  });
});

const revising = (revise: Planner['revise']): Planner => scriptedPlanner({ revise });

describe('replan', () => {
  it('gets a revised remainder, keeps what is finished and goes on', async () => {
    const asked: unknown[] = [];
    const nodes: PlanNode[] = [
      { id: 'a', use: 'step', in: { value: { x: 1 } } },
      { id: 'b', use: 'step', in: { fail: true, from: '{{a.x}}' }, onError: 'replan' },
      { id: 'c', use: 'step', in: { from: '{{b.from}}' } },
    ];
    const revised = plan([nodes[0] as PlanNode, { id: 'd', use: 'step', in: { from: '{{a.x}}' } }], {
      d: '{{d.from}}',
    });
    const h = scripted({
      planner: revising(async (failure) => {
        asked.push(failure.failed.nodeId, failure.finished);
        return planned(revised);
      }),
    });
    const handle = h.engine.start(plan(nodes));
    const result = await settled(h, handle);
    expect(result).toMatchObject({ status: 'done', output: { d: 1 } });
    expect(asked).toEqual(['b', { a: { x: 1 } }]);
    expect(started(h)).toEqual(['a', 'b', 'd']);
    const types = (await collected(h.engine.replay(handle.runId))).map(({ type }) => type);
    expect(types).toContain('plan-revised');
    expect(await h.engine.inspect(handle.runId)).toMatchObject({ status: 'done', output: { d: 1 } });
  });

  it('is under the cap of the run and in its totals, also where it is cancelled', async () => {
    const node: PlanNode = { id: 'b', use: 'step', in: { fail: true }, onError: 'replan' };
    const paid = { round: 1, costNanoUsd: 7, usage: { input: 3, output: 2 } };
    const scopes: unknown[] = [];
    const planner = revising(async (_failure, { onAnswer, scopes: given } = {}) => {
      scopes.push(given?.at(-1));
      onAnswer?.(paid);
      return planned(plan([{ id: 'd', use: 'step', in: { value: 1 } }], '{{d}}'));
    });
    const h = scripted({ planner });
    const handle = h.engine.start(plan([node]), {
      budgetUsd: 1,
      paid: { costNanoUsd: 5, usage: { input: 1, output: 1 } },
    });
    const totals = { costNanoUsd: 12, usage: { input: 4, output: 3 } };
    expect(await settled(h, handle)).toMatchObject({ status: 'done', ...totals });
    expect(scopes).toEqual([{ kind: 'run', id: handle.runId, capNanoUsd: 1e9, spentNanoUsd: 5 }]);
    expect(await h.engine.inspect(handle.runId)).toMatchObject(totals);

    const stopped = scripted({
      planner: revising(
        (_failure, { onAnswer, signal } = {}) =>
          new Promise((_resolve, reject) => {
            signal?.addEventListener('abort', () => {
              onAnswer?.(paid);
              reject(signal.reason);
            });
            cancelled.cancel();
          }),
      ),
    });
    const cancelled = stopped.engine.start(plan([node]), { paid: { costNanoUsd: null } });
    expect(await settled(stopped, cancelled)).toMatchObject({
      status: 'cancelled',
      costNanoUsd: null,
      usage: paid.usage,
    });
  });

  it('fails the run when no plan helps', async () => {
    const node: PlanNode = { id: 'b', use: 'step', in: { fail: true }, onError: 'replan' };
    let asked = 0;
    const planner = revising(async () => {
      asked += 1;
      return planned(plan([node]));
    });
    expect((await finished(scripted({ planner }), plan([node]))).status).toBe('failed');
    expect(asked).toBe(3);
    const never = revising(async () => {
      throw new PolyphonyError('invalid-plan', 'no idea');
    });
    expect(await finished(scripted({ planner: never }), plan([node]))).toMatchObject({ error: { message: 'no idea' } });
  });
});
