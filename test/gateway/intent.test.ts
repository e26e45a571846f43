/** Bounds as a text, and what becomes of a bound whose figure nobody knows. */
import { describe, expect, it } from 'vitest';
import type { ChatRequest, RequestLimits } from '../../src/core/model/model.ts';
import { withLimits } from '../../src/gateway/calls/request-limits.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { errorOf, harness, user } from './harness.ts';

const limitsOf = (intent: unknown, limits?: RequestLimits): RequestLimits | undefined => {
  const request = { operation: 'chat', ...user(), intent, ...(limits === undefined ? {} : { limits }) };
  return withLimits(request as ChatRequest).limits;
};
const refused = { unknownLatency: 'refuse' };

describe('an intent', () => {
  it.each<[unknown, object]>([
    ['under $0.01, under 800 ms, accuracy above 90 %', { usd: 0.01, p95Ms: 800, ...refused, accuracy: 0.9 }],
    ['Under $0.01 and  accuracy ≥ 95%', { usd: 0.01, accuracy: 0.95 }],
    ['cost at most 2 cents; latency below 1.5 s', { usd: 0.02, p95Ms: 1500, ...refused }],
    ['< 0.5 usd', { usd: 0.5 }],
    ['within 2 seconds', { p95Ms: 2000, ...refused }],
    ['accuracy at least 0.85', { accuracy: 0.85 }],
    [
      { usd: 0.01, ms: 800, accuracy: 0.9 },
      { usd: 0.01, p95Ms: 800, ...refused, accuracy: 0.9 },
    ],
  ])('%j becomes limits', (intent, limits) => {
    expect(limitsOf(intent)).toEqual(limits);
  });

  it.each<[unknown, string]>([
    ['cheap and fast', 'The intent has "cheap", which is not understood'],
    ['under 0.01', '"under 0.01", which is not understood'],
    ['under $0.01,', '"", which is not understood'],
    ['accuracy above 90', '"accuracy above 90", which is not understood'],
    ['accuracy under 90 %', 'which is not understood'],
    ['above $1', 'which is not understood'],
    ['under $1, under 2 usd', 'sets a bound for the cost twice'],
    ['accuracy above 120 %', 'intent.accuracy is 1.2, but it must be a share from 0 to 1'],
    ['under 0 ms', 'intent.ms is 0, but it must be a number of milliseconds above 0'],
    [`under $1${' '.repeat(300)}`, 'has 308 characters, but at most 200 are read'],
    [{}, 'The intent is empty'],
    [{ usd: -1 }, 'intent.usd is -1'],
    [{ usd: 9_000_001 }, 'intent.usd is 9000001, but it must be an amount of US dollars from 0 to 9000000'],
    [{ price: 1 }, 'price'],
    [7, 'The intent 7 is neither a text nor an object'],
  ])('%j is refused', (intent, message) => {
    expect(() => limitsOf(intent)).toThrow(message);
    expect(() => limitsOf(intent)).toThrow(expect.objectContaining({ code: 'invalid-request' }));
  });

  it('never loosens a limit', () => {
    const intent = 'under $0.01, under 800 ms, accuracy above 90 %';
    const tighter = { usd: 0.001, p95Ms: 100, accuracy: 0.99 };
    expect(limitsOf(intent, tighter)).toEqual({ ...tighter, ...refused });
    expect(limitsOf(intent, { usd: 1, p95Ms: 9000, accuracy: 0.1, ms: 5 })).toEqual({
      ...{ usd: 0.01, p95Ms: 800, accuracy: 0.9, ms: 5 },
      ...refused,
    });
  });

  it('leaves a request without one as it is', () => {
    const request: ChatRequest = { operation: 'chat', ...user() };
    expect(withLimits(request)).toBe(request);
  });
});

describe('law: a bound whose figure nobody knows', () => {
  const models = [
    fakeCard({ id: 'known', expectedMs: 500, price: { input: 1, output: 2 } }),
    fakeCard({ id: 'unmeasured', strengths: { general: 0.99 }, price: { input: 1, output: 2 } }),
    fakeCard({ id: 'unpriced', expectedMs: 500, price: null }),
  ];
  const world = () => harness({ providers: [fakeProvider({ models })], config: { retry: { retries: 0 } } });
  const failedOf = ({ gateway }: ReturnType<typeof world>, intent: string): Record<string, readonly string[]> => {
    const { candidates, rejected } = gateway.explain({ operation: 'chat', ...user(), intent });
    return {
      candidates: candidates.map(({ target }) => target.model).sort(),
      ...Object.fromEntries(rejected.map(({ target, failed }) => [target.model, failed])),
    };
  };

  it('is kept by no target without the figure, and the answer says which is missing', async () => {
    const made = world();
    expect(failedOf(made, 'under 800 ms')).toEqual({
      candidates: ['known', 'unpriced'],
      unmeasured: [
        'has an unknown latency, but the request allows at most 800 ms and refuses unknown ones (limits.unknownLatency)',
      ],
    });
    expect(failedOf(made, 'under $0.1')).toMatchObject({
      candidates: ['known', 'unmeasured'],
      unpriced: [expect.stringContaining('has no known price')],
    });
    // What a card says of strength is no share of right answers.
    const error = await errorOf(made.run(made.gateway.generate({ ...user(), intent: 'accuracy above 90 %' })));
    expect(error).toMatchObject({ code: 'no-route' });
    expect(error.message).toContain(
      'fake/unmeasured has an unknown accuracy (0 of the 10 that its scores must count for), but the request asks for at least 0.9',
    );
  });

  it('is kept by a target once there is enough of it, in the fields that are asked for', async () => {
    const made = world();
    const tell = async (model: string, scores: readonly number[], strengths?: readonly string[]): Promise<void> => {
      for (const [index, score] of scores.entries()) {
        const id = `${model}-${strengths?.join() ?? ''}-${index}`;
        await made.run(
          made.gateway.generate({ ...user(), model: { id: model, ...(strengths && { strengths }) } }, { id }),
        );
        expect(made.gateway.report?.(id, { score })).toBe(true);
      }
    };
    await tell('known', Array(9).fill(1));
    expect(failedOf(made, 'accuracy above 90 %').candidates).toEqual([]);
    await tell('known', [1, 1, 0.9]);
    await tell('unmeasured', [...Array(11).fill(1), 0, 0]);
    expect(failedOf(made, 'accuracy above 90 %')).toMatchObject({
      candidates: ['known'],
      unmeasured: ['has an accuracy of 0.846 by its scores, but the request asks for at least 0.9'],
    });
    const inCode = {
      operation: 'chat',
      ...user(),
      intent: 'accuracy above 90 %',
      model: { strengths: ['code'] },
    } as const;
    expect(made.gateway.explain(inCode).candidates).toEqual([]);
    await tell('known', Array(11).fill(1), ['code']);
    expect(made.gateway.explain(inCode).candidates.map(({ target }) => target.model)).toEqual(['known']);
    // The weakest of the fields decides.
    await tell('known', Array(11).fill(0.5), ['maths']);
    const inBoth = { ...inCode, model: { strengths: ['maths', 'code'] } };
    expect(made.gateway.explain(inBoth).candidates).toEqual([]);
    // Two days later each counts a quarter.
    await made.runtime.clock.advance(2 * 86_400_000);
    expect(failedOf(made, 'accuracy above 90 %').candidates).toEqual([]);
  });
});
