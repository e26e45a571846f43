/** What a call would wait for is found only where it is asked, and as the windows themselves say. */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Attempt, Call } from '../../../../src/core/model/model.ts';
import { begin, end, type Passage, reweigh, stated } from '../../../../src/gateway/attempt-ring/limiter/lane.ts';
import { createPacer } from '../../../../src/gateway/attempt-ring/limiter/pacer.ts';
import { hasRoom, surelyFits } from '../../../../src/gateway/attempt-ring/limiter/room.ts';
import { wait } from '../../../../src/gateway/attempt-ring/limiter/waiting.ts';
import type { CallWaits } from '../../../../src/gateway/attempt-ring/limiter/waits.ts';
import { ONE_REQUEST, type Weight } from '../../../../src/gateway/attempt-ring/limiter/weight.ts';
import { Window } from '../../../../src/gateway/attempt-ring/limiter/window.ts';
import { callOf } from '../../../../src/gateway/calls/call.ts';
import { callStateOf } from '../../../../src/gateway/calls/call-state.ts';
import { withCredential } from '../../../../src/gateway/calls/target.ts';
import { createRegistry } from '../../../../src/gateway/routing/registry.ts';
import { createStatistics } from '../../../../src/gateway/routing/statistics.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../../../src/testing/fakes.ts';
import { user } from '../../harness.ts';

const KEYS = ['k1', 'k2'];

function world(modelCount: number, concurrency = 4) {
  const runtime = fakeRuntime();
  const models = Array.from({ length: modelCount }, (_, index) => fakeCard({ id: `m${index}` }));
  const made = () => createRegistry([fakeProvider({ id: 'a', models })], {}, createStatistics());
  let registry = made();
  const pacer = createPacer({
    clock: runtime.clock,
    config: () => ({ concurrency: { a: concurrency } }),
    registry: () => registry,
  });
  const call = callOf({ operation: 'chat', ...user() }, {}, false, runtime);
  const waitsOf = (one: Call = call) => {
    const waysOf = () => KEYS.map((label) => ({ label, restMs: 0 }));
    return pacer.waits({ call: one, request: one.request, waysOf, resting: undefined }) as CallWaits;
  };
  const deployment = (index = 0) => {
    const found = registry.deployments[index];
    if (found === undefined) throw new Error('the test asks for a model that does not exist');
    return found;
  };
  const laneOf = (index: number, key: string) => pacer.laneOf(withCredential(deployment(index).target, key));
  const attemptAt = (index: number, key: string): Attempt => {
    const { target } = laneOf(index, key);
    return { target, number: 1, ...call };
  };
  const announce = (index: number, key: string, remaining: number): void => {
    const lane = laneOf(index, key);
    const passage = begin(lane, attemptAt(index, key), ONE_REQUEST, runtime.clock.monotonic());
    const limits = [{ kind: 'requests', limit: 50, remaining, resetMs: 60_000 }];
    stated(lane, passage, limits, () => ONE_REQUEST, runtime.clock.monotonic());
    end(lane, passage, true, runtime.clock.monotonic());
    pacer.announced(lane);
  };
  const renew = (): void => {
    registry = made();
  };
  return { runtime, pacer, call, waitsOf, deployment, laneOf, attemptAt, announce, renew };
}

afterEach(() => vi.restoreAllMocks());

describe('the wait for announced limits', () => {
  it('is looked for only where it is asked, and only where something has changed', () => {
    const looksOf = (modelCount: number): readonly number[] => {
      const { pacer, waitsOf, deployment, announce } = world(modelCount);
      for (let index = 0; index < modelCount; index += 1)
        for (const key of KEYS) announce(index, key, index === 3 ? 0 : 40);
      const looks = vi.spyOn(Window.prototype, 'advance');
      const counted = (work: () => unknown): number => {
        looks.mockClear();
        work();
        return looks.mock.calls.length;
      };
      const all = () => Array.from({ length: modelCount }, (_, index) => waitsOf().limitsMs(deployment(index)));
      const first = counted(() => pacer.mayWait() && waitsOf().limitsMs(deployment(0)));
      all();
      const again = counted(() => expect(all().filter((ms) => ms > 0)).toEqual([60_000]));
      looks.mockRestore();
      return [first, again];
    };
    const few = looksOf(10);
    expect(Math.max(...few)).toBeLessThan(30);
    expect(looksOf(200)).toEqual(few);
  });

  it('forgets limits that are whole again, one at each call', async () => {
    const { runtime, pacer, announce } = world(3);
    for (let index = 0; index < 3; index += 1) announce(index, 'k1', 10);
    expect(pacer.mayWait()).toBe(true);
    await runtime.clock.advance(60_000);
    expect([pacer.mayWait(), pacer.mayWait(), pacer.mayWait()]).toEqual([true, true, false]);
    announce(1, 'k1', 10);
    expect(pacer.mayWait()).toBe(true);
  });

  it('is known of a target that was made anew, as a change of the config makes it', () => {
    const { waitsOf, deployment, announce, renew } = world(1);
    for (const key of KEYS) announce(0, key, 0);
    expect(waitsOf().limitsMs(deployment())).toBe(60_000);
    renew();
    expect(waitsOf().limitsMs(deployment())).toBe(60_000);
  });

  it('is known to be none only where each window has room and nobody waits, whatever was sent, stated and ended', async () => {
    const amount = fc.constantFrom(0, 1, 5, 20, 100, 1000);
    const step = fc.record({
      kind: fc.constantFrom('begin', 'begin', 'state', 'state', 'end', 'pass', 'wait', 'reweigh'),
      key: fc.constantFrom(...KEYS),
      of: fc.constantFrom('requests', 'tokens'),
      counts: fc.constantFrom(undefined, 'input', 'output'),
      amount,
      limit: fc.constantFrom(20, 100, 1000),
      resetMs: fc.constantFrom(100, 1000, 20_000),
    });
    let sure = 0;
    let unsure = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), amount, async (steps, asked) => {
        const { runtime, pacer, laneOf, attemptAt } = world(1, 1000);
        const { clock } = runtime;
        const sent: { readonly key: string; readonly passage: Passage }[] = [];
        const waiting: Promise<unknown>[] = [];
        const weightOf = (tokens: number): Weight => ({ requests: 1, input: tokens, output: tokens });
        for (const { kind, key, of, counts, amount: tokens, limit, resetMs } of steps) {
          const lane = laneOf(0, key);
          const now = clock.monotonic();
          if (kind === 'begin') sent.push({ key, passage: begin(lane, attemptAt(0, key), weightOf(tokens), now) });
          const last = sent.at(-1);
          if (kind === 'state' && last !== undefined) {
            const limits = [{ kind: of, counts, limit, remaining: Math.min(limit, tokens), resetMs }];
            stated(laneOf(0, last.key), last.passage, limits, () => weightOf(1), now);
          }
          if (kind === 'end' && last !== undefined) end(laneOf(0, last.key), last.passage, tokens > 1, now);
          if (kind === 'end') sent.pop();
          if (kind === 'reweigh') reweigh(lane, lane.ratio * 2, () => weightOf(tokens));
          if (kind === 'pass') await clock.advance(resetMs);
          if (kind === 'wait' && lane.windows !== undefined && !hasRoom(lane, weightOf(tokens), now)) {
            const place = { attempt: attemptAt(0, key), lane, rank: 2, tenant: '', weight: weightOf(tokens) };
            waiting.push(wait(pacer, { ...place, needsSlot: true }, () => undefined).catch(() => undefined));
          }
          const weight = weightOf(asked);
          const isSure = surelyFits(lane.model, weight, clock.monotonic());
          sure += isSure ? 1 : 0;
          unsure += isSure ? 0 : 1;
          const clear = lane.model.lanes.map(
            (one) => hasRoom(one, weight, clock.monotonic()) && one.queue.length === 0,
          );
          if (isSure) expect(clear.every(Boolean)).toBe(true);
        }
        pacer.close();
        await Promise.all(waiting);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(sure, unsure)).toBeGreaterThan(300);
  });
});

describe('the wait for a slot', () => {
  /** All four slots are taken, and so many calls of each kind wait for one. */
  function full(waiting: readonly { readonly rank: number; readonly tenant: string; readonly count: number }[]) {
    const made = world(1);
    const { pacer, laneOf, attemptAt } = made;
    const lane = laneOf(0, 'k1');
    lane.endpoint.used = 4;
    pacer.filled(lane.endpoint);
    const left = waiting.flatMap(({ count, ...place }) =>
      Array.from({ length: count }, () => {
        const one = { ...place, attempt: attemptAt(0, 'k1'), lane, weight: ONE_REQUEST, needsSlot: true };
        return wait(pacer, one, () => undefined).catch(() => undefined);
      }),
    );
    const done = async (): Promise<void> => {
      pacer.close();
      await Promise.all(left);
    };
    return { ...made, lane, done };
  }

  it('is that of those before the call and its own, and none while a slot is free', async () => {
    const { pacer, lane, waitsOf, deployment, done } = full([{ rank: 2, tenant: '', count: 7 }]);
    expect(waitsOf().answersBefore(deployment())).toBe(2);
    expect(pacer.mayWait()).toBe(true);
    await done();
    expect(waitsOf().answersBefore(deployment())).toBe(1 / 4);
    lane.endpoint.used = 3;
    expect(waitsOf().answersBefore(deployment())).toBe(0);
    expect(pacer.mayWait()).toBe(false);
  });

  it('counts nobody whom the call goes before, by priority or by tenant', async () => {
    const { call, waitsOf, deployment, done } = full([
      { rank: 2, tenant: 'tenant\nbusy', count: 99 },
      { rank: 3, tenant: 'tenant\nbusy', count: 100 },
    ]);
    const answersOf = (given: Partial<Call>): number => waitsOf({ ...call, ...given }).answersBefore(deployment());
    expect(answersOf({ priority: 'critical' })).toBe(1 / 4);
    expect(answersOf({ scopes: [{ kind: 'tenant', id: 'other' }] })).toBe(2 / 4);
    expect(answersOf({ scopes: [{ kind: 'tenant', id: 'busy' }] })).toBe(100 / 4);
    expect(answersOf({ priority: 'background', scopes: [{ kind: 'tenant', id: 'busy' }] })).toBe(200 / 4);
    await done();
  });

  it('is none for a judge of a stream that holds a slot there, and leaves out those that wait for their limits', async () => {
    const { call, lane, waitsOf, deployment, announce, done } = full([{ rank: 2, tenant: '', count: 3 }]);
    expect(waitsOf().answersBefore(deployment())).toBe(1);
    announce(0, 'k1', 0);
    expect(waitsOf().answersBefore(deployment())).toBe(1 / 4);
    const judge: Call = { ...call, purpose: 'judge' };
    expect(waitsOf(judge).answersBefore(deployment())).toBe(1 / 4);
    callStateOf(judge).hold(lane.endpoint);
    expect(waitsOf(judge).answersBefore(deployment())).toBe(0);
    await done();
  });
});
