/** What it costs to wait: nobody looks at all that wait for each one that comes. */
import { describe, expect, it, vi } from 'vitest';
import type { Attempt } from '../../../../src/core/model/model.ts';
import { begin, stated } from '../../../../src/gateway/attempt-ring/limiter/lane.ts';
import { createPacer } from '../../../../src/gateway/attempt-ring/limiter/pacer.ts';
import { wait } from '../../../../src/gateway/attempt-ring/limiter/waiting.ts';
import { ONE_REQUEST } from '../../../../src/gateway/attempt-ring/limiter/weight.ts';
import { callOf } from '../../../../src/gateway/calls/call.ts';
import type { Registry } from '../../../../src/gateway/routing/registry.ts';
import { fakeRuntime } from '../../../../src/testing/fakes.ts';
import { user } from '../../harness.ts';

describe('waiting for announced limits', () => {
  it('looks at those that wait already only when there is room later than before', async () => {
    const runtime = fakeRuntime();
    const registry = { find: () => undefined, providers: new Map() } as unknown as Registry;
    const pacer = createPacer({ clock: runtime.clock, config: () => ({}), registry: () => registry });
    const target = { provider: 'a', model: 'm' };
    const lane = pacer.laneOf(target);
    const attempt: Attempt = { ...callOf({ operation: 'chat', ...user() }, {}, false, runtime), target, number: 1 };
    const passage = begin(lane, attempt, ONE_REQUEST, 0);
    const announce = (resetMs: number): void => {
      const limits = [{ kind: 'requests', limit: 50, remaining: 0, resetMs }];
      stated(lane, passage, limits, () => ONE_REQUEST, runtime.clock.monotonic());
    };
    announce(10_000);
    const looks = vi.spyOn(lane.queue, 'waiters');
    const place = { attempt, lane, rank: 2, tenant: '', weight: ONE_REQUEST, needsSlot: true };
    const waiting = Array.from({ length: 1000 }, () => wait(pacer, place, () => undefined).catch(() => undefined));
    expect([lane.queue.length, looks.mock.calls.length]).toEqual([1000, 0]);
    announce(20_000);
    pacer.changed(lane.endpoint);
    pacer.changed(lane.endpoint);
    expect(looks.mock.calls.length).toBe(1);
    pacer.close();
    await Promise.all(waiting);
    expect(runtime.clock.pending()).toBe(0);
  });
});
