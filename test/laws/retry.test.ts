import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/core/model/model.ts';
import { type FakeRuntime, fakeProvider, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from '../gateway/harness.ts';

/** One provider; `at` holds when each attempt arrived, in milliseconds from the start. */
function one(
  script: (number: number, attempt: Attempt) => readonly ScriptStep[] | string,
  options: { readonly credentials?: readonly string[]; readonly config?: object; readonly seed?: number } = {},
) {
  const at: number[] = [];
  let runtime: FakeRuntime | undefined;
  const provider = fakeProvider({
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    script(attempt) {
      at.push(runtime?.clock.monotonic() ?? 0);
      return script(at.length, attempt);
    },
  });
  const made = harness({
    providers: [provider],
    config: options.config ?? {},
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  });
  runtime = made.runtime;
  return { ...made, provider, at };
}

const waits = (at: readonly number[]): number[] => at.slice(1).map((time, index) => time - (at[index] ?? 0));

describe('law: retry', () => {
  it('waits with full jitter between 0 and 500 ms doubled a failure, at most 30 s', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 0, max: 10 }), async (seed, retries) => {
        const { gateway, run, at } = one(() => [fault('overloaded')], { seed, config: { retry: { retries } } });
        await errorOf(run(gateway.generate(user())));
        expect(at).toHaveLength(retries + 1);
        waits(at).forEach((wait, index) => {
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(Math.min(30_000, 500 * 2 ** index));
        });
      }),
      { numRuns: 40 },
    );
  });

  it('spreads its waits: not two callers at the same moment', async () => {
    const first = new Set<number>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { gateway, run, at } = one((number) => (number === 1 ? [fault('overloaded')] : 'ok'), { seed });
      await run(gateway.generate(user()));
      first.add(waits(at)[0] ?? 0);
    }
    expect(first.size).toBe(20);
  });

  it("honours THIS attempt's retry-after, not an earlier one", async () => {
    const told = [20_000, 1000];
    const { gateway, run, at } = one((number) =>
      number <= 2 ? [fault('rate-limited', { retryAfterMs: told[number - 1] ?? 0 })] : 'ok',
    );
    await run(gateway.generate(user()));
    const [first = 0, second = 0] = waits(at);
    expect(first).toBeGreaterThanOrEqual(20_000);
    expect(second).toBeGreaterThanOrEqual(1000);
    expect(second).toBeLessThan(2000);
  });

  it('gives up at once when the wait would end after the deadline or is longer than the maximum', async () => {
    const late = one(() => [fault('rate-limited', { retryAfterMs: 5000 })]);
    const error = await errorOf(late.run(late.gateway.generate({ ...user(), limits: { ms: 4000 } })));
    expect(error).toMatchObject({ code: 'rate-limited', retryAfterMs: 5000 });
    expect(late.runtime.clock.monotonic()).toBe(0);
    const long = one(() => [fault('rate-limited', { retryAfterMs: 31_000 })]);
    await errorOf(long.run(long.gateway.generate(user())));
    expect(long.at).toHaveLength(1);
    expect(long.runtime.clock.monotonic()).toBe(0);
  });

  it('makes siblings that share the upstream wait as well', async () => {
    const { gateway, run, at } = one((number) =>
      number === 1 ? [fault('rate-limited', { retryAfterMs: 3000 })] : 'ok',
    );
    await run(Promise.all([gateway.generate(user()), gateway.generate(user())]).then(() => gateway.generate(user())));
    const {
      gateway: second,
      run: go,
      at: times,
      runtime,
    } = one((number) => (number === 1 ? [fault('rate-limited', { retryAfterMs: 3000 })] : 'ok'));
    const first = second.generate(user());
    await runtime.clock.advance(1);
    await go(Promise.all([first, second.generate(user())]));
    expect(times[1]).toBeGreaterThanOrEqual(3000);
    expect(times[2]).toBeGreaterThanOrEqual(3000);
    expect(at).toHaveLength(4);
  });

  it('drops a refused credential at once, and rotation costs no retry', async () => {
    const used: (string | undefined)[] = [];
    const credentials = ['k1', 'k2', 'k3', 'k4', 'k5'];
    const { gateway, run, runtime } = one(
      (number, { target }) => {
        used.push(target.credential);
        return number < 5 ? [fault('invalid-credential')] : 'ok';
      },
      { credentials, config: { retry: { retries: 0 } } },
    );
    expect((await run(gateway.generate(user()))).target.credential).toBe('k5');
    expect(used).toEqual(credentials);
    expect(runtime.clock.monotonic()).toBe(0);
    await run(gateway.generate(user()));
    expect(used.at(-1)).toBe('k5');
  });

  it('says so distinctly when every credential is dead, sends nothing more, and tries again after 15 minutes', async () => {
    const { gateway, run, at, runtime } = one(
      (number) => (number <= 2 ? [fault('invalid-credential', { status: 401 })] : 'ok'),
      {
        credentials: ['k1', 'k2'],
      },
    );
    const error = await errorOf(run(gateway.generate(user())));
    expect(error).toMatchObject({ code: 'invalid-credential', details: { allDead: true } });
    expect(error.message).toContain('All 2 credentials of "fake"');
    await errorOf(run(gateway.generate(user())));
    expect(at).toHaveLength(2);
    await runtime.clock.advance(900_000);
    await run(gateway.generate(user()));
    expect(at).toHaveLength(3);
  });

  it('rotates on 429 and rests the credential that was told to wait', async () => {
    const used: (string | undefined)[] = [];
    const { gateway, run, runtime } = one(
      (number, { target }) => {
        used.push(target.credential);
        return number === 1 ? [fault('rate-limited', { retryAfterMs: 25_000 })] : 'ok';
      },
      { credentials: ['k1', 'k2'], config: { retry: { retries: 0 } } },
    );
    for (let call = 0; call < 3; call += 1) await run(gateway.generate(user()));
    expect(used).toEqual(['k1', 'k2', 'k2', 'k2']);
    await runtime.clock.advance(25_000);
    await run(gateway.generate(user()));
    expect(used.at(-1)).toBe('k1');
  });

  it('tries nothing again that has spoken or that no retry can mend', async () => {
    const spoken = one(() => [text('a'), fault('overloaded')]);
    await spoken.run(drain(spoken.gateway.stream(user())));
    expect(spoken.at).toHaveLength(1);
    const bad = one(() => [fault('invalid-request')]);
    await errorOf(bad.run(bad.gateway.generate(user())));
    expect(bad.at).toHaveLength(1);
  });

  it('stops waiting at once when the caller cancels, and leaves no timer', async () => {
    const controller = new AbortController();
    const { gateway, run, runtime, at } = one(() => [fault('rate-limited', { retryAfterMs: 20_000 })]);
    runtime.clock.schedule(100, () => controller.abort());
    expect((await errorOf(run(gateway.generate(user(), { signal: controller.signal })))).code).toBe('cancelled');
    expect(runtime.clock.monotonic()).toBe(100);
    expect(runtime.clock.pending()).toBe(0);
    expect(at).toHaveLength(1);
  });
});
