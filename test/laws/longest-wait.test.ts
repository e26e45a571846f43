/** Law: nobody waits for more than an hour for room in announced limits, whenever the endpoint announces them. */
import { describe, expect, it } from 'vitest';
import type { RateLimit } from '../../src/core/model/provider.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { harness, text, user } from '../gateway/harness.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** A provider that announces these limits with its answers, one after the other, and another one behind it. */
function world(announced: readonly Partial<RateLimit>[]) {
  const answers = [...announced];
  const first = fakeProvider({
    id: 'first',
    models: [fakeCard({ id: 'one', strengths: { general: 0.9 } })],
    script: (): readonly ScriptStep[] => {
      const limit = answers.shift() ?? announced.at(-1);
      return [{ report: { rateLimits: [{ kind: 'requests', ...limit }] } }, text('first'), finish()];
    },
  });
  const second = fakeProvider({ id: 'second', models: [fakeCard({ id: 'two', strengths: { general: 0.1 } })] });
  const made = harness({ providers: [first, second], config: { optimise: 'quality' } });
  const waited: (readonly [provider: string, ms: number])[] = [];
  const ask = async (): Promise<void> => {
    const from = made.runtime.clock.now();
    const { target } = await made.gateway.generate(user());
    waited.push([target.provider, made.runtime.clock.now() - from]);
  };
  return { ...made, ask, waited };
}

describe('law: the longest wait for announced limits', () => {
  it('holds for those that wait already when the endpoint announces a longer one', async () => {
    const { runtime, gateway, ask, waited } = world([
      { limit: 10, remaining: 0, resetMs: MINUTE_MS },
      { limit: 10, remaining: 0, resetMs: 24 * HOUR_MS },
    ]);
    await ask();
    const asked = [ask(), ask(), ask()];
    await runtime.clock.advance(2 * MINUTE_MS);
    expect(waited).toEqual([
      ['first', 0],
      ['first', MINUTE_MS],
      ['second', MINUTE_MS],
      ['second', MINUTE_MS],
    ]);
    await Promise.all(asked);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('counts all that they have waited', async () => {
    const { runtime, gateway, ask, waited } = world([{ limit: 3, remaining: 0, resetMs: 40 * MINUTE_MS }]);
    await ask();
    // By the first announcement the next window takes all three; it takes one, and says that the rest must wait again.
    const asked = [ask(), ask(), ask()];
    await runtime.clock.advance(24 * HOUR_MS);
    await Promise.all(asked);
    expect(waited.map(([, ms]) => ms <= HOUR_MS)).toEqual([true, true, true, true]);
    expect(waited.map(([provider]) => provider)).toEqual(['first', 'first', 'second', 'second']);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });
});
