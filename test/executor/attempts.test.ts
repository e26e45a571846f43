/** `limits.attemptSeconds`: one attempt that hangs does not take the others with it. */
import { describe, expect, it } from 'vitest';
import type { PlanNode } from '../../src/core/plan/plan.ts';
import type { NodeCall } from '../../src/core/run/engine.ts';
import { sleep } from '../../src/system/clock.ts';
import { fakeRuntime } from '../../src/testing/fakes.ts';
import { collected, finished, harness, output, settled } from './harness.ts';
import { plan } from './scripted-steps.ts';

const never = (): Promise<never> => new Promise(() => {});

/** A step whose first `hangs` attempts never end by themselves. */
function hanging(hangs: number, ends: (call: NodeCall) => Promise<unknown>) {
  const runtime = fakeRuntime();
  const h = harness({ runtime, step: (call) => (h.calls.length <= hangs ? ends(call) : { at: h.calls.length }) });
  return h;
}

const heeds = (h: () => ReturnType<typeof harness>) => (call: NodeCall) =>
  sleep(h().runtime.clock, 1_000_000, call.signal);

const node = (limits: PlanNode['limits'], use = 'step'): PlanNode => ({ id: 'fetch', use, limits: limits ?? {} });

describe('a bound on each attempt', () => {
  it.each(['step', 'tool:slow'])('ends one that hangs and tries again, as often as retries allow: %s', async (use) => {
    const h = hanging(
      2,
      heeds(() => h),
    );
    const handle = h.engine.start(plan([node({ attemptSeconds: 3, retries: 2 }, use)]));
    const result = await settled(h, handle);
    expect(result.output).toEqual({ fetch: { at: 3 } });
    expect(new Set(h.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    const retried = (await collected(handle.events())).filter(({ type }) => type === 'node-retried');
    expect(retried).toMatchObject([{ error: { code: 'timeout' } }, { error: { code: 'timeout' } }]);
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('is the failure of the node where no retries are left, and its message names both fields', async () => {
    const h = hanging(
      9,
      heeds(() => h),
    );
    const result = await finished(h, plan([node({ attemptSeconds: 2 })]));
    expect(result).toMatchObject({ status: 'failed', ms: 2000, error: { code: 'timeout' } });
    expect(result.error?.message).toMatch(/fetch.*2 seconds.*limits\.attemptSeconds.*limits\.retries/);
    expect(
      (await finished(hanging(9, never), plan([{ ...node({ attemptSeconds: 2 }), onError: 'skip' }]))).output,
    ).toEqual({ fetch: null });
  });

  it('has the seconds of the node, where it asks for retries and does not bound them otherwise', async () => {
    const h = hanging(
      1,
      heeds(() => h),
    );
    const result = await finished(h, plan([node({ seconds: 4, retries: 3 })]));
    expect(result).toMatchObject({ status: 'done', output: { fetch: { at: 2 } } });
    expect(h.calls).toHaveLength(2);
  });

  it('tells which limit it was, and in how many attempts', async () => {
    const failureOf = async (limits: PlanNode['limits']) => {
      const h = hanging(
        9,
        heeds(() => h),
      );
      return (await finished(h, plan([node(limits)]))).error?.message;
    };
    expect(await failureOf({ seconds: 4 })).toContain('its limit of 4 seconds (limits.seconds)');
    expect(await failureOf({ seconds: 4, retries: 1 })).toContain(
      '8 seconds (4 for each of 2 attempts: limits.seconds)',
    );
    expect(await failureOf({ seconds: 0.2, retries: 2 })).toContain('0.6 seconds (0.2 for each of 3 attempts');
    expect(await failureOf({ seconds: 4, attemptSeconds: 3, retries: 3 })).toContain(
      'its limit of 4 seconds (limits.seconds)',
    );
  });

  it('gives up one that does not heed its signal, after the grace period, and charges it when it ends', async () => {
    let end = (_value: unknown): void => {};
    const h = hanging(
      1,
      () =>
        new Promise((resolve) => {
          end = resolve;
        }),
    );
    const plans = plan([node({ attemptSeconds: 1, retries: 1 }), { id: 'after', use: 'step', needs: ['fetch'] }]);
    const running = h.engine.start(plans);
    await h.runtime.clock.advance(30_000);
    end(output({ value: 'late', costNanoUsd: 7 }));
    const result = await settled(h, running);
    expect(result.output).toMatchObject({ after: { at: 3 } });
    expect(h.calls).toHaveLength(3);
  });

  it('takes what an attempt finishes while it is told to stop: it was paid', async () => {
    const h = hanging(1, async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      return output({ value: 'just in time', costNanoUsd: 5 });
    });
    const result = await finished(h, plan([node({ attemptSeconds: 1, retries: 3 })]));
    expect(result).toMatchObject({ output: { fetch: 'just in time' }, costNanoUsd: 5 });
    expect(h.calls).toHaveLength(1);
  });

  it('leaves the bound of the node as the bound of all attempts together', async () => {
    const h = hanging(
      99,
      heeds(() => h),
    );
    const result = await finished(h, plan([node({ attemptSeconds: 2, retries: 10, seconds: 5 })]));
    expect(result).toMatchObject({ status: 'failed', ms: 5000, error: { code: 'timeout' } });
    expect(result.error?.message).toContain('limits.seconds');
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('bounds every item and every round by itself, and leaves no timer of one that ended', async () => {
    const h = harness({
      step: ({ inputs, signal }) => sleep(h.runtime.clock, Number(inputs.ms), signal).then(() => inputs),
    });
    const result = await finished(
      h,
      plan([
        { id: 'list', use: 'step', in: { ms: 0, of: [10, 5000, 20] } },
        { ...node({ attemptSeconds: 1 }), each: '{{list.of}}', in: { ms: '{{item}}' }, onError: { value: 'slow' } },
        {
          id: 'rounds',
          use: 'step',
          in: { ms: 900 },
          repeat: { until: 'false', max: 3 },
          limits: { attemptSeconds: 1 },
        },
      ]),
    );
    expect(result.output).toMatchObject({ fetch: [{ ms: 10 }, 'slow', { ms: 20 }], rounds: { ms: 900 } });
    expect(h.runtime.clock.pending()).toBe(0);
  });

  it('stops at once when the run is cancelled', async () => {
    const h = hanging(
      1,
      heeds(() => h),
    );
    const handle = h.engine.start(plan([node({ attemptSeconds: 60, retries: 3 })]));
    await h.runtime.clock.advance(10);
    handle.cancel();
    expect((await settled(h, handle)).status).toBe('cancelled');
    expect(h.calls).toHaveLength(1);
    expect(h.runtime.clock.pending()).toBe(0);
  });
});
