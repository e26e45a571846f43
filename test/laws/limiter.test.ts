import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallTrace } from '../../src/core/model/model.ts';
import { fakeProvider, finish } from '../../src/testing/fakes.ts';
import { drain, errorOf, harness, text, user } from '../gateway/harness.ts';

interface Caller {
  readonly startAt: number;
  readonly takes: number;
  readonly abortAt: number;
}
const caller: fc.Arbitrary<Caller> = fc.record({
  startAt: fc.integer({ min: 0, max: 50 }),
  takes: fc.integer({ min: 0, max: 40 }),
  abortAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 90 })),
});

function limited(slots: number, takes: (id: string) => number) {
  let most = 0;
  const order: string[] = [];
  let fake: ReturnType<typeof fakeProvider> | undefined;
  const made = harness({
    providers: (runtime) => {
      fake = fakeProvider({
        runtime,
        concurrency: slots,
        script(attempt) {
          order.push(attempt.id);
          most = Math.max(most, fake?.open() ?? 0);
          return [{ wait: takes(attempt.id) }, text('a'), finish()];
        },
      });
      return [fake];
    },
  });
  return { ...made, order, most: () => most, open: () => fake?.open() };
}

describe('law: limiter', () => {
  it('never has more streams open than slots, serves in order of arrival, and leaves nothing behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(caller, { maxLength: 12 }), async (slots, callers) => {
        const world = limited(slots, (id) => callers[Number(id)]?.takes ?? 0);
        const { clock } = world.runtime;
        const play = async ({ startAt, abortAt }: Caller, index: number): Promise<void> => {
          const controller = new AbortController();
          await new Promise<void>((resolve) => void clock.schedule(startAt, resolve));
          const cancel = Number.isFinite(abortAt) ? clock.schedule(abortAt, () => controller.abort()) : () => undefined;
          await drain(world.gateway.stream(user(), { id: String(index), signal: controller.signal }));
          cancel();
        };
        await world.run(Promise.all(callers.map(play)));
        await clock.advance(0);
        expect(world.most()).toBeLessThanOrEqual(slots);
        const arrivals = world.order.map((id) => callers[Number(id)]?.startAt ?? 0);
        expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
        const whole = callers.filter(({ abortAt }) => !Number.isFinite(abortAt)).length;
        expect((await world.rows()).filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThanOrEqual(whole);
        expect(clock.pending()).toBe(0);
        expect(world.open()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('records the wait, and none where a slot was free', async () => {
    const world = limited(1, () => 30);
    await world.run(
      Promise.all([world.gateway.generate(user(), { id: '0' }), world.gateway.generate(user(), { id: '1' })]),
    );
    const queued = Object.fromEntries((await world.rows()).map(({ callId, queueMs }) => [callId, queueMs]));
    expect(queued).toEqual({ 0: 0, 1: 30 });
  });

  it('lets what others wait for go first, and probes last', async () => {
    const world = limited(1, () => 10);
    const purposes = { running: 'answer', probe: 'probe', answer: 'answer', judge: 'judge' } as const;
    const calls = Object.entries(purposes).map(([id, purpose]) => world.gateway.generate(user(), { id, purpose }));
    await world.run(Promise.all(calls));
    expect(world.order).toEqual(['running', 'judge', 'answer', 'probe']);
  });

  it('lets a judge through whose own call holds the slot, which would else wait for ever', async () => {
    const world = limited(1, () => 10);
    const trace: CallTrace = { attempts: [] };
    const judged = async (): Promise<void> => {
      for await (const event of world.gateway.stream(user(), { id: 'outer', trace })) {
        if (event.type === 'text-delta') await world.gateway.generate(user(), { id: 'judge', purpose: 'judge', trace });
      }
    };
    await world.run(judged());
    expect(world.order).toEqual(['outer', 'judge']);
  });

  it('stops waiting at the deadline', async () => {
    const world = limited(1, () => 1000);
    const first = world.gateway.generate(user(), { id: 'first' });
    const error = await errorOf(world.run(world.gateway.generate({ ...user(), limits: { ms: 50 } }, { id: 'second' })));
    expect(error).toMatchObject({ code: 'timeout', details: { timeout: 'deadline' } });
    await world.run(first);
    expect(world.order).toEqual(['first']);
  });
});
