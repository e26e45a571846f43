/** Law: a call does not wait for a slot beside an equal target with a free one, and of two with queues it takes the shorter wait. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abortError } from '../../src/core/errors.ts';
import type { Attempt, ModelEvent } from '../../src/core/model/model.ts';
import type { ModelCard, Provider } from '../../src/core/model/provider.ts';
import { sleep } from '../../src/system/clock.ts';
import {
  type FakeRuntime,
  fakeCard,
  fakeProvider,
  finish,
  type ScriptStep,
  seededRandom,
} from '../../src/testing/fakes.ts';
import { fault, harness, text, user } from '../gateway/harness.ts';

const ANSWER_MS = 1000;

function answering({ clock }: FakeRuntime, id: string, card: Partial<ModelCard>): Provider {
  async function* stream({ signal }: Attempt): AsyncGenerator<ModelEvent> {
    await sleep(clock, ANSWER_MS, signal);
    if (signal.aborted) throw abortError(signal);
    yield text(id);
    yield finish();
  }
  return { id, models: [fakeCard({ id: 'm', ...card })], stream };
}

/** Two providers of the same model, with so many slots each. */
function two(concurrency: { readonly a: number; readonly b: number }, card: Partial<ModelCard> = KNOWN) {
  const made = harness({
    config: { concurrency },
    providers: (runtime) => [answering(runtime, 'a', card), answering(runtime, 'b', card)],
  });
  const { clock } = made.runtime;
  const begun = clock.now();
  const calls: Promise<unknown>[] = [];
  const asked: string[] = [];
  const at = (ms: number, options: object = {}): void => {
    calls.push(
      sleep(clock, begun + ms - clock.now()).then(async () => {
        const { target } = await made.gateway.generate(user(), options);
        asked.push(target.provider);
      }),
    );
  };
  /** Milliseconds that each call waited, the shortest first. */
  const done = async (): Promise<readonly number[]> => {
    await made.run(Promise.all(calls));
    const waited = (await made.rows()).map(({ queueMs }) => queueMs ?? 0);
    return waited.sort((one, other) => one - other);
  };
  const notes = () =>
    made.gateway.explain({ operation: 'chat', ...user() }).candidates.map((one) => [one.target.provider, one.notes]);
  return { ...made, at, done, asked, notes, clock };
}

const KNOWN = { expectedMs: ANSWER_MS };
const p95 = (sorted: readonly number[]): number => sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;

/** Arrivals without memory, for a minute. */
function arrivals(perSecond: number, seed: number): readonly number[] {
  const random = seededRandom(seed);
  const times: number[] = [];
  for (let ms = 0; ms < 60_000; ms += (-Math.log(1 - random()) * 1000) / perSecond) times.push(Math.round(ms));
  return times;
}

describe('law: free slots', () => {
  it('lets no call wait while an equal target has a free slot, whenever and how many at once they come', async () => {
    const bursts = fc.array(fc.tuple(fc.nat(20_000), fc.integer({ min: 1, max: 12 })), { minLength: 1, maxLength: 8 });
    let spread = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 6 }), bursts, fc.boolean(), async (slots, times, isFirst) => {
        const world = two(isFirst ? { a: slots, b: 1000 } : { a: 1000, b: slots });
        for (const [ms, count] of times) for (let call = 0; call < count; call += 1) world.at(ms);
        expect((await world.done()).filter((ms) => ms > 0)).toEqual([]);
        spread += new Set(world.asked).size > 1 ? 1 : 0;
        expect(world.clock.pending()).toBe(0);
      }),
      { numRuns: 60 },
    );
    expect(spread).toBeGreaterThan(20);
  });

  it('spreads a load that neither could carry alone, so that nineteen of twenty wait for less than one answer', async () => {
    for (const concurrency of [
      { a: 2, b: 8 },
      { a: 8, b: 2 },
      { a: 5, b: 5 },
    ]) {
      const foreseen = two(concurrency);
      const fixed = two(concurrency);
      for (const ms of arrivals(8, 7)) {
        foreseen.at(ms);
        fixed.at(ms, { order: [{ provider: 'a', model: 'm' }] });
      }
      const [waited, waitedInOrder] = [await foreseen.done(), await fixed.done()];
      expect(p95(waited)).toBeLessThan(ANSWER_MS);
      expect(p95(waited)).toBeLessThan(p95(waitedInOrder) / 3);
    }
  });

  it('assumes nothing where nobody knows how long an answer takes, and says so', async () => {
    const world = two({ a: 1, b: 1000 }, {});
    for (let call = 0; call < 3; call += 1) world.at(call);
    world.at(10);
    await world.clock.advance(20);
    expect(world.notes()).toEqual([
      ['a', [expect.stringMatching(/^waits for a slot, all of which are taken; how long is unknown/)]],
      ['b', undefined],
    ]);
    await world.done();
    expect(new Set(world.asked)).toEqual(new Set(['a']));
  });

  it('is a line of the explanation while all slots are taken, and no longer', async () => {
    const world = two({ a: 2, b: 1000 });
    for (let call = 0; call < 2; call += 1) world.at(0);
    for (let call = 0; call < 3; call += 1) world.at(1, { order: [{ provider: 'a', model: 'm' }] });
    await world.clock.advance(1);
    expect(world.notes()).toEqual([
      ['b', undefined],
      ['a', ['waits about 2000 ms for a slot, all of which are taken, which counts as latency']],
    ]);
    await world.done();
    expect(world.notes()).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
  });

  it('foresees the slots that an overload takes away, from the next call on', async () => {
    const models = [fakeCard({ id: 'm', ...KNOWN })];
    let answers = 0;
    const script = (): ScriptStep[] => {
      answers += 1;
      return [{ waitMs: answers === 8 ? 500 : 2000 }, answers === 8 ? fault('overloaded') : text('a'), finish()];
    };
    const world = harness({
      config: { throttle: { leastConcurrency: 1 } },
      providers: (runtime) => [fakeProvider({ id: 'a', models, script, runtime }), fakeProvider({ id: 'b', models })],
    });
    const order = [{ provider: 'a', model: 'm' }];
    const calls = Array.from({ length: 8 }, () => world.gateway.generate(user(), { order }).catch(() => undefined));
    const notes = () =>
      world.gateway.explain({ operation: 'chat', ...user() }).candidates.map((one) => [one.target.provider, one.notes]);
    await world.runtime.clock.advance(499);
    expect(notes()).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
    await world.runtime.clock.advance(1);
    // Of eight in use half are left, and seven are still under way.
    expect(notes()).toEqual([
      ['b', undefined],
      ['a', [expect.stringMatching(/^waits about 250 ms for a slot/)]],
    ]);
    await world.run(Promise.all(calls));
  });

  it('waits longer for a better model than for an equal one, and keeps chains, pins and orders', async () => {
    const world = two({ a: 1, b: 1000 });
    const order = [{ provider: 'a', model: 'm' }];
    world.at(0);
    for (const options of [{ order }, { order }]) world.at(1, options);
    await world.done();
    expect(world.asked).toEqual(['a', 'a', 'a']);
    const better = harness({
      config: { concurrency: { a: 1 } },
      providers: (runtime) => [
        answering(runtime, 'a', { ...KNOWN, strengths: { general: 1 } }),
        answering(runtime, 'b', KNOWN),
      ],
    });
    const asked = await better.run(
      Promise.all([1, 2, 3, 4].map(async () => (await better.gateway.generate(user())).target.provider)),
    );
    expect(asked.filter((provider) => provider === 'a').length).toBeGreaterThan(1);
  });

  it('keeps a session for up to ten seconds of waiting, and takes it along beyond', async () => {
    for (const [before, served] of [
      [9, 'a'],
      [11, 'b'],
    ] as const) {
      const world = two({ a: 1, b: 1000 });
      world.at(0, { session: 's' });
      const order = [{ provider: 'a', model: 'm' }];
      for (let call = 0; call < before; call += 1) world.at(2000, { order });
      let provider = '';
      const later = sleep(world.clock, 2001).then(async () => {
        provider = (await world.gateway.generate(user(), { session: 's' })).target.provider;
      });
      await world.done();
      await world.run(later);
      expect(provider).toBe(served);
    }
  });
});
