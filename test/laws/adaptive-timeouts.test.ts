/** Law: a timeout that the config sets is kept; any other follows what was observed, between a quarter of its default and its default. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { fakeProvider, finish } from '../../src/testing/fakes.ts';
import { drain, harness, text, user } from '../gateway/harness.ts';

function world(config: Config = {}) {
  let firstMs = 10;
  const host = harness({
    config: { retry: { retries: 0 }, breaker: { minimumAttempts: 1000 }, ...config },
    providers: (runtime) => [
      fakeProvider({
        runtime,
        script: () => (firstMs < 0 ? [{ hang: true }] : [{ waitMs: firstMs }, text('a'), finish()]),
      }),
    ],
  });
  const ask = async (takesMs: number) => {
    firstMs = takesMs;
    const begun = host.runtime.clock.now();
    const { error } = await host.run(drain(host.gateway.stream(user())));
    return { error, tookMs: host.runtime.clock.now() - begun };
  };
  const explained = () => host.gateway.explain({ operation: 'chat', ...user() }).candidates[0]?.pace?.firstTokenMs;
  const known = async () => {
    for (let call = 0; call < 30; call += 1) await ask(10);
    await host.runtime.clock.advance(1000);
  };
  return { ...host, ask, known, explained };
}

describe('law: adaptive timeouts', () => {
  it('gives a stalled target up sooner once it is known to be quick, and no sooner than a quarter of the default', async () => {
    const { ask, known, explained } = world();
    expect(explained()).toBe(120_000);
    await known();
    expect(explained()).toBe(30_000);
    const stalled = await ask(-1);
    expect(stalled.error).toMatchObject({ code: 'timeout', details: { timeout: 'first-token' } });
    expect(stalled.tookMs).toBe(30_000);
  });

  it('waits twice as long after each timeout, until something is answered', async () => {
    const { ask, known } = world();
    await known();
    const waits: number[] = [];
    for (let call = 0; call < 3; call += 1) waits.push((await ask(-1)).tookMs);
    expect(waits).toEqual([30_000, 60_000, 120_000]);
    await known();
    expect((await ask(-1)).tookMs).toBe(30_000);
  });

  it('changes no timeout that the config sets, and none where the config switches it off', async () => {
    for (const timeouts of [{ firstTokenMs: 50_000 }, { adaptive: false }]) {
      const { ask, known } = world({ timeouts });
      await known();
      expect((await ask(-1)).tookMs).toBe(timeouts.firstTokenMs ?? 120_000);
    }
  });

  it('stays between its bounds, whatever was observed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 25 }),
        async (times) => {
          const { ask, explained } = world();
          for (const time of times) await ask(time);
          expect(explained()).toBeGreaterThanOrEqual(times.length < 20 ? 120_000 : 30_000);
          expect(explained()).toBeLessThanOrEqual(120_000);
        },
      ),
      { numRuns: 6 },
    );
  });
});
