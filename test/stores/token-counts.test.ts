/** Our own estimate beside what a provider counts: in each row of the ledger, and summed up by model. */
import { describe, expect, it } from 'vitest';
import { type TokenCounts, tokenCounts } from '../../src/stores/token-counts.ts';
import { fakeProvider, finish } from '../../src/testing/fakes.ts';
import { harness, text, user } from '../gateway/harness.ts';

const DAY_MS = 86_400_000;

/** A provider that counts so many tokens for each of ours. */
async function world(ratios: readonly number[]) {
  let asked = 0;
  const { gateway, stores, run, rows, runtime } = harness({
    providers: (made) => [
      fakeProvider({
        runtime: made,
        script: () => {
          const ratio = ratios[asked] ?? 1;
          asked += 1;
          return [
            text('ok'),
            finish({ usage: ratio === 0 ? { input: 0, output: 0 } : { input: 100 * ratio, output: 1 } }),
          ];
        },
      }),
    ],
  });
  const counts = async (recentFromMs: number): Promise<readonly TokenCounts[]> =>
    tokenCounts(stores.ledger.rows(), recentFromMs);
  return { gateway, run, rows, runtime, counts };
}

// A quarter of the bytes, and four for the message.
const TEXT = 'x'.repeat(384);

describe('our own count of tokens', () => {
  it('stands beside the claim in each row of a text, and nowhere where there is no claim', async () => {
    const { gateway, run, rows } = await world([1, 0]);
    const answer = await run(gateway.generate(user(TEXT)));
    expect(answer.attempts[0]).toMatchObject({ usage: { input: 100 }, estimatedInput: 100 });
    await run(gateway.generate(user(TEXT)));
    expect((await rows()).map(({ estimatedInput }) => estimatedInput).sort()).toEqual([100, undefined]);
  });

  it('is compared by model, lately and before', async () => {
    const { gateway, run, runtime, counts } = await world([1, 1, 1.5, 1.5]);
    for (const _ of [1, 2]) await run(gateway.generate(user(TEXT)));
    await runtime.clock.advance(DAY_MS);
    const recentFromMs = runtime.clock.now();
    for (const _ of [1, 2]) await run(gateway.generate(user(TEXT)));
    await run(gateway.generate(user('short')));
    const [only, more] = await counts(recentFromMs);
    expect(more).toBeUndefined();
    expect(only).toMatchObject({ model: 'fake/one', answers: 4, estimated: 400, claimed: 500, before: 1, recent: 1.5 });
    expect(only?.drift).toBeCloseTo(0.5);
    expect(await counts(0)).toMatchObject([{ before: null, recent: 1.25, drift: null }]);
  });
});
