/** Law: of equal targets the one that can send now is asked, and the choice does not swing between them. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { abortError, PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt, ModelEvent } from '../../src/core/model/model.ts';
import type { Provider, ProviderContext, RateLimit } from '../../src/core/model/provider.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeRuntime, fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { fault, harness, text, user } from '../gateway/harness.ts';

interface Quota {
  readonly limit: number;
  readonly periodMs: number;
}
const ANSWER_MS = 25;

/** Counts requests in windows that follow each other, and says with each answer what is left. */
function limited(runtime: FakeRuntime, id: string, quota: Quota | undefined, rest: Partial<Provider> = {}): Provider {
  const { clock } = runtime;
  const begun = clock.now();
  const used = new Map<string, number>();
  const left = ({ limit, periodMs }: Quota, { credential }: Attempt['target'], take: number): RateLimit => {
    const window = Math.floor((clock.now() - begun) / periodMs);
    const key = `${credential}/${window}`;
    used.set(key, (used.get(key) ?? 0) + take);
    const remaining = limit - (used.get(key) ?? 0);
    return { kind: 'requests', limit, remaining, resetMs: begun + (window + 1) * periodMs - clock.now() };
  };
  async function* stream(attempt: Attempt, context: ProviderContext): AsyncGenerator<ModelEvent> {
    const limits = quota && left(quota, attempt.target, 1);
    await sleep(clock, ANSWER_MS, attempt.signal);
    if (attempt.signal.aborted) throw abortError(attempt.signal);
    if (limits !== undefined)
      context.report({ rateLimits: [{ ...limits, resetMs: (limits.resetMs ?? 0) - ANSWER_MS }] });
    if ((limits?.remaining ?? 0) < 0) throw new PolyphonyError('rate-limited', 'too many requests');
    yield text(id);
    yield finish();
  }
  return { id, models: [fakeCard({ id: 'm' })], ...rest, stream };
}

function two(a: Quota | undefined, b: Quota | undefined, rest: Partial<Provider> = {}) {
  const world = harness({
    // More than come at once: who waits for a slot is another matter.
    config: { concurrency: { a: 1000, b: 1000 } },
    providers: (runtime) => [limited(runtime, 'a', a, rest), limited(runtime, 'b', b)],
  });
  const { clock } = world.runtime;
  const begun = clock.now();
  const calls: Promise<unknown>[] = [];
  const answered: { readonly at: number; readonly provider: string }[] = [];
  const at = (ms: number, options: object = {}): void => {
    calls.push(
      sleep(clock, begun + ms - clock.now()).then(async () => {
        const asked = clock.now() - begun;
        const { target } = await world.gateway.generate(user(), options);
        answered.push({ at: asked, provider: target.provider });
      }),
    );
  };
  const done = async (): Promise<readonly number[]> => {
    await world.run(Promise.all(calls));
    return (await world.rows()).map(({ queueMs }) => queueMs ?? 0);
  };
  return { ...world, at, done, answered, clock };
}

const FULL = { limit: 2, periodMs: 30_000 };

describe('law: headroom', () => {
  it('lets no call wait while an equal target is idle, whenever and how many at once they come', async () => {
    const quota = fc.record({
      limit: fc.integer({ min: 1, max: 12 }),
      periodMs: fc.integer({ min: 500, max: 30_000 }),
    });
    const bursts = fc.array(fc.tuple(fc.nat(60_000), fc.integer({ min: 1, max: 20 })), { minLength: 1, maxLength: 12 });
    let spread = 0;
    await fc.assert(
      fc.asyncProperty(quota, bursts, fc.boolean(), async (given, times, isFirst) => {
        const world = isFirst ? two(given, undefined) : two(undefined, given);
        // Nothing is known before the first answer.
        const one = { order: [{ provider: isFirst ? 'a' : 'b', model: 'm' }] };
        world.at(0, one);
        for (const [ms, count] of times) for (let call = 0; call < count; call += 1) world.at(ANSWER_MS + 1 + ms);
        const waited = await world.done();
        expect(waited.filter((ms) => ms > 0)).toEqual([]);
        spread += new Set(world.answered.map(({ provider }) => provider)).size > 1 ? 1 : 0;
        expect(world.clock.pending()).toBe(0);
      }),
      { numRuns: 60 },
    );
    expect(spread).toBeGreaterThan(20);
  });

  it('changes its choice no more often than windows end and fill, and goes back to the better one', async () => {
    for (const b of [undefined, { limit: 90, periodMs: 10_000 }]) {
      const world = two({ limit: 20, periodMs: 10_000 }, b);
      for (let call = 0; call < 600; call += 1) world.at(100 * call);
      const waited = await world.done();
      expect(waited.filter((ms) => ms > 0)).toEqual([]);
      const order = world.answered.map(({ provider }) => provider);
      const changes = order.filter((provider, index) => index > 0 && provider !== order[index - 1]).length;
      // Six windows of 10 s: each begins at one, and goes to the other when that is full. The first end is tried with one request.
      expect(changes).toBeLessThanOrEqual(2 * 6 + 2);
      expect(new Set(order).size).toBe(2);
    }
  });

  it('goes where the wait is shorter when both are full', async () => {
    const world = two({ limit: 2, periodMs: 30_000 }, { limit: 2, periodMs: 8000 });
    for (const ms of [0, 100, 200, 300, 400, 500]) world.at(ms);
    await world.done();
    expect(world.clock.now() - 1_700_000_000_000).toBeLessThan(9000);
  });

  it('keeps a session for up to ten seconds of waiting, and takes it along beyond', async () => {
    for (const [periodMs, served] of [
      [9000, 'a'],
      [30_000, 'b'],
    ] as const) {
      const world = two({ limit: 2, periodMs }, undefined);
      for (const ms of [0, 100, 200]) world.at(ms, { session: 's' });
      world.at(periodMs + 5000, { session: 's' });
      await world.done();
      expect(world.answered.map(({ provider }) => provider)).toEqual(['a', 'a', served, served]);
    }
  });

  it('counts the credentials that may be used, and no others', async () => {
    const world = two(FULL, undefined, { credentials: ['k1', 'k2'] });
    for (let call = 0; call < 6; call += 1) world.at(100 * call);
    await world.done();
    expect(world.answered.map(({ provider }) => provider)).toEqual(['a', 'a', 'a', 'a', 'b', 'b']);
    const excluding = two(FULL, undefined, { credentials: ['k1', 'k2'] });
    for (let call = 0; call < 3; call += 1) {
      excluding.at(100 * call, { exclude: [{ provider: 'a', model: 'm', credential: 'k2' }] });
    }
    await excluding.done();
    expect(excluding.answered.map(({ provider }) => provider)).toEqual(['a', 'a', 'b']);
  });

  it('asks elsewhere while an endpoint that announces nothing asked to be left alone, but for a call that was there', async () => {
    let isRefused = true;
    const models = [fakeCard({ id: 'm' })];
    const refusing = fakeProvider({
      ...{ id: 'a', models, credentials: ['k1', 'k2'] },
      script: () => (isRefused ? [fault('rate-limited', { retryAfterMs: 20_000 })] : 'a'),
    });
    const world = harness({ providers: [refusing, fakeProvider({ id: 'b', models, script: () => 'b' })] });
    const ask = async () => (await world.gateway.generate(user())).text;
    const first = ask();
    await world.runtime.clock.advance(1000);
    isRefused = false;
    expect(refusing.seen.map(({ target }) => target.credential)).toEqual(['k1', 'k2']);
    expect([await ask(), await ask()]).toEqual(['b', 'b']);
    const [, resting] = world.gateway.explain({ operation: 'chat', ...user() }).candidates;
    expect(resting?.notes).toEqual([
      'can send nothing for 19000 ms by the limits of its endpoint, which count as latency',
    ]);
    await world.runtime.clock.advance(20_000);
    expect(await first).toBe('a');
    expect(world.gateway.explain({ operation: 'chat', ...user() }).candidates.map(({ notes }) => notes)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('looks for no target among all others while a provider of many is left alone for days', async () => {
    const looksOf = async (count: number): Promise<number> => {
      const many = fakeProvider({
        id: 'a',
        models: Array.from({ length: count }, (_, index) => fakeCard({ id: `m${index}` })),
        script: () => [fault('rate-limited', { retryAfterMs: 3 * 86_400_000 })],
      });
      const other = fakeProvider({ id: 'b', models: [fakeCard({ id: 'm' })], script: () => 'b' });
      const { gateway } = harness({ providers: [many, other] });
      await expect(gateway.generate({ ...user(), model: 'a/m0' })).rejects.toMatchObject({ code: 'rate-limited' });
      const search = Array.prototype.indexOf;
      let looks = 0;
      const spy = vi.spyOn(Array.prototype, 'indexOf').mockImplementation(function (this: unknown[], ...given) {
        const found = search.apply(this, given as [unknown]);
        looks += found === -1 ? this.length : found + 1;
        return found;
      });
      const { text: said } = await gateway.generate(user()).finally(() => spy.mockRestore());
      expect(said).toBe('b');
      return looks;
    };
    const few = await looksOf(100);
    expect(await looksOf(400)).toBeLessThan(4 * few + 400);
  });

  it('keeps the chains, pins and orders of callers', async () => {
    const world = two(FULL, undefined);
    const order = ['a', 'b'].map((provider) => ({ provider, model: 'm' }));
    for (let call = 0; call < 3; call += 1) world.at(100 * call, { order });
    const waited = await world.done();
    expect(world.answered.map(({ provider }) => provider)).toEqual(['a', 'a', 'a']);
    expect(Math.max(...waited)).toBeGreaterThan(20_000);
  });

  it('is a line of the explanation, and leaves the scores alone where all have room', async () => {
    const world = two(FULL, undefined);
    const shown = () =>
      world.gateway
        .explain({ operation: 'chat', ...user() })
        .candidates.map(({ target, notes, parts }) => [target.provider, parts.latency, notes]);
    world.at(0, { order: [{ provider: 'b', model: 'm' }] });
    world.at(1);
    await world.done();
    const before = shown();
    expect(before.map(([provider, , notes]) => [provider, notes])).toEqual([
      ['a', undefined],
      ['b', undefined],
    ]);
    world.at(100);
    await world.done();
    const [first, second] = shown();
    expect(first).toEqual(['b', 1, undefined]);
    expect(second?.[0]).toBe('a');
    expect(second?.[1]).toBeLessThan(0.01);
    expect(second?.[2]).toEqual([expect.stringMatching(/^can send nothing for \d+ ms by the limits/)]);
    await world.clock.advance(FULL.periodMs);
    expect(shown().map(([provider]) => provider)).toEqual(['a', 'b']);
  });
});
