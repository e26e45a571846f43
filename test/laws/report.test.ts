/**
 * A report changes no call, where announced limits are not kept: with whatever reports among them, calls give the same answers or errors, the same ledger rows
 * at the same times, and ask the same targets as without.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EndpointReport } from '../../src/core/model/provider.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, fault, harness, text, user } from '../gateway/harness.ts';

const steps: readonly ScriptStep[] = [
  text('a'),
  text('b'),
  { wait: 40 },
  fault('overloaded'),
  fault('rate-limited', { retryAfterMs: 70 }),
  fault('invalid-credential'),
  finish(),
];

const report: fc.Arbitrary<ScriptStep> = fc
  .oneof(
    fc.record({
      rateLimits: fc.array(
        fc.record({ kind: fc.constantFrom('requests', 'tokens'), remaining: fc.nat(2), resetMs: fc.nat(100_000) }),
      ),
      requestId: fc.string(),
      costNanoUsd: fc.nat(),
    }),
    fc.anything(),
  )
  .map((value) => ({ report: value as EndpointReport }));

const scripts = fc.array(fc.array(fc.oneof(fc.constantFrom(...steps), report), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 3,
});

const isReport = (step: ScriptStep): boolean => 'report' in step;

/** The id of the request is named in the answer and in the row: nothing else of a report is. */
function withoutId<T extends object>(given: T): T {
  const { requestId: _, ...rest } = given as T & { requestId?: string };
  return rest as T;
}

async function outcome(played: readonly (readonly ScriptStep[])[]): Promise<unknown> {
  const { gateway, run, rows, runtime } = harness({
    providers: (made) =>
      played.map((script, index) =>
        fakeProvider({
          id: `p${index}`,
          runtime: made,
          models: [fakeCard({ id: 'one' })],
          credentials: [`p${index}#1`, `p${index}#2`],
          script: () => script,
        }),
      ),
    config: { budgets: [{ scope: 'session', usd: 10 }], throttle: { announced: false } },
  });
  const told: unknown[] = [];
  for (let call = 0; call < 3; call += 1) {
    const { events, error } = await run(drain(gateway.stream(user(), { id: `call${call}`, session: 's' })));
    told.push(events.map(withoutId), error?.code, error?.message);
    gateway.health();
  }
  return { told, rows: (await rows()).map(withoutId), at: runtime.clock.monotonic() };
}

describe('law: reports', () => {
  it('change no call', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (played) => {
        const without = played.map((script) => script.filter((step) => !isReport(step)));
        expect(await outcome(played)).toEqual(await outcome(without));
      }),
      { numRuns: 100 },
    );
  });
});
