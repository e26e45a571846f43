import { describe, expect, it } from 'vitest';
import type { NodeCall } from '../../../src/core/run/engine.ts';
import { sleep } from '../../../src/system/clock.ts';
import { collected, harness, output, settled } from '../../executor/harness.ts';
import { type Expected, validPlan } from '../../executor/valid-plan.ts';

/** Steps take 10 ms and cost what their input says, in USD. */
function priced() {
  const h = harness({
    step: async ({ inputs, signal }: NodeCall) => {
      await sleep(h.runtime.clock, 10, signal);
      return output({ value: inputs, costNanoUsd: Number(inputs.usd) * 1e9 });
    },
  });
  return h;
}

function twoNodes(expected: Readonly<Record<string, Expected>>, usd: number, onError?: 'skip') {
  const second = { id: 'b', use: 'step', in: { usd: 0.4 }, ...(onError === undefined ? {} : { onError }) };
  return validPlan({ budget: { usd }, nodes: [{ id: 'a', use: 'step', in: { usd: 0.4 } }, second] }, { expected });
}

describe('the budget of a run', () => {
  it('starts what it can expect to pay, and reserves the worst case meanwhile', async () => {
    const h = priced();
    const expected = { a: { ms: 9, expectedUsd: 0.4, highUsd: 0.9 }, b: { expectedUsd: 0.4, highUsd: 0.9 } };
    const handle = h.engine.start(twoNodes(expected, 1));
    const result = await settled(h, handle);
    // b waits until a has settled its reservation, then both are paid.
    expect(result).toMatchObject({ status: 'done', costNanoUsd: 0.8e9, ms: 20 });
    const events = await collected(handle.events());
    expect(events.filter(({ type }) => type === 'budget-warning')).toMatchObject([
      { capNanoUsd: 1e9, spentNanoUsd: 0.8e9 },
    ]);
  });

  it('runs siblings together when the worst of both fits', async () => {
    const h = priced();
    const expected = { a: { expectedUsd: 0.4, highUsd: 0.5 }, b: { expectedUsd: 0.4, highUsd: 0.5 } };
    expect(await settled(h, h.engine.start(twoNodes(expected, 1)))).toMatchObject({ status: 'done', ms: 10 });
  });

  it('fails what nothing left to settle can pay for, by its onError', async () => {
    const expected = { a: { ms: 9, expectedUsd: 0.4 }, b: { expectedUsd: 0.4 } };
    const h = priced();
    const failed = await settled(h, h.engine.start(twoNodes(expected, 0.5)));
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'budget-exceeded' }, costNanoUsd: 0.4e9 });
    expect(failed.error?.message).toContain('$0.40');
    const skipped = await settled(h, h.engine.start(twoNodes(expected, 0.5, 'skip')));
    expect(skipped).toMatchObject({ status: 'done', output: { b: null } });
  });

  it('takes the lower of the plan and its caller, and counts what was spent before', async () => {
    const expected = { a: { ms: 9, expectedUsd: 0.4 }, b: { expectedUsd: 0.4 } };
    const h = priced();
    const lower = await settled(h, h.engine.start(twoNodes(expected, 5), { budgetUsd: 0.5 }));
    expect(lower.error?.code).toBe('budget-exceeded');
    const before = await settled(h, h.engine.start(twoNodes(expected, 1), { paid: { costNanoUsd: 0.5e9 } }));
    expect(before).toMatchObject({ error: { code: 'budget-exceeded' }, costNanoUsd: 0.9e9 });
  });

  it('stops the items of a node at its own limit', async () => {
    const h = priced();
    const plan = validPlan({
      nodes: [
        { id: 'a', use: 'step', each: '{{input.list}}', in: { usd: 0.1 }, limits: { usd: 0.25, concurrency: 1 } },
      ],
    });
    const result = await settled(h, h.engine.start(plan, { input: { list: [1, 2, 3, 4, 5] } }));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'budget-exceeded' } });
    expect(h.calls.length).toBe(3);
  });

  it('tells the gateway who pays and what is left', async () => {
    const h = priced();
    const plan = validPlan({
      budget: { usd: 2 },
      nodes: [
        { id: 'a', use: 'step', in: { usd: 0.5 } },
        { id: 'b', use: 'step', in: { usd: 0 }, needs: ['a'], limits: { usd: 0.3 } },
      ],
    });
    const handle = h.engine.start(plan, { scopes: [{ kind: 'tenant', id: 't' }] });
    await settled(h, handle);
    expect(h.calls[1]?.scopes).toEqual([
      { kind: 'tenant', id: 't' },
      { kind: 'run', id: handle.runId, capNanoUsd: 2e9, spentNanoUsd: 0.5e9 },
      { kind: 'node', id: `${handle.runId}/b`, capNanoUsd: 0.3e9 },
    ]);
  });
});
