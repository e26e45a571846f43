/** Code of others runs while a decision is made, and may ask the same gateway: both decisions are those that they would be alone. */
import { describe, expect, it } from 'vitest';
import type { ChatRequest, Target } from '../../../src/core/model/model.ts';
import type { GatewayHandle } from '../../../src/gateway/create-gateway.ts';
import { fakeCard, fakeProvider } from '../../../src/testing/fakes.ts';
import { errorOf, fault, harness, user } from '../harness.ts';

const NONE = (): void => {};
/** Long enough that its cost differs much from that of the other. */
const OTHER = { operation: 'chat', ...user('word '.repeat(20_000)), optimise: 'latency' } as const;

/** Ten models, of which the last, and for the limits one in the middle, counts exactly. */
function world(within: () => void = NONE) {
  const models = Array.from({ length: 10 }, (_, index) =>
    fakeCard({
      id: `m${index}`,
      price: { input: 1 + index, output: 20 - index },
      strengths: { general: ((index * 7) % 10) / 10 },
      expectedMs: 2000 - 100 * index,
    }),
  );
  const provider = fakeProvider({ models, script: () => 'Yes.' });
  const count = (text: string): number => {
    within();
    return Math.ceil(text.length / 5);
  };
  return harness({
    providers: [provider],
    plugins: [{ name: 'counts', tokenizers: { m9: count, m5: (text) => count(text) } }],
  });
}

const limits = { usd: 0.01, quality: 0.1, p95Ms: 5000 };

describe.each<[string, Pick<ChatRequest, 'limits'>]>([
  ['without limits', {}],
  ['with limits', { limits }],
])('a decision %s within which a tokenizer asks the gateway', (_, more) => {
  const request = { operation: 'chat', ...user('one two three four'), ...more } as const;
  const alone = (asked: typeof request | typeof OTHER) => world().gateway.explain(asked).candidates;

  it.each<[string, object]>([
    ['what it would do', OTHER],
    ['the same within limits', { ...OTHER, limits: { ...limits, usd: 10 } }],
  ])('%s is as it is alone, and so is the other', (__, other) => {
    const inner: unknown[] = [];
    let isWithin = false;
    const { gateway } = world(() => {
      if (isWithin) return;
      isWithin = true;
      inner.push(gateway.explain(other as typeof OTHER).candidates);
      isWithin = false;
    });
    expect(gateway.explain(request).candidates).toEqual(alone(request));
    expect(inner.length).toBeGreaterThan(0);
    for (const candidates of inner) expect(candidates).toEqual(alone(other as typeof OTHER));
  });

  it('for an answer takes the same target', async () => {
    let isWithin = false;
    const asked: Promise<unknown>[] = [];
    const { gateway, run } = world(() => {
      if (isWithin) return;
      isWithin = true;
      asked.push(gateway.generate(OTHER));
      isWithin = false;
    });
    const { target } = await run(gateway.generate(request));
    expect(target).toEqual(alone(request)[0]?.target);
    expect(asked.length).toBeGreaterThan(0);
    await run(Promise.all(asked));
  });
});

describe('a decision of which a listener is told', () => {
  const models = Array.from({ length: 10 }, (_, index) =>
    fakeCard({
      id: `m${index}`,
      price: { input: 10 - index, output: 1 },
      strengths: { general: 1 - index / 20, code: ((index * 3) % 10) / 10 },
      ...(index === 0 ? { lifecycle: { stage: 'deprecated', endsOn: '2999-01-01' } } : {}),
    }),
  );

  it('tries the targets in the order in which it would alone, whatever the listener asks', async () => {
    const triedBy = async (listener: (gateway: GatewayHandle) => void): Promise<readonly string[]> => {
      const tried: string[] = [];
      const script = ({ target }: { readonly target: Target }) => {
        tried.push(target.model);
        return [fault('overloaded')];
      };
      const { gateway, run } = harness({
        providers: [fakeProvider({ models, script })],
        config: { retry: { retries: 0 } },
      });
      gateway.onEvent?.(({ type }) => {
        if (type === 'model-shifted') listener(gateway);
      });
      await errorOf(run(gateway.generate({ ...user(), optimise: 'quality' })));
      return tried;
    };
    let asked = 0;
    const tried = await triedBy((gateway) => {
      asked += 1;
      gateway.explain({ operation: 'chat', ...user(), model: { strengths: ['code'] } });
    });
    expect(asked).toBe(1);
    expect(tried.length).toBeGreaterThan(2);
    expect(tried).toEqual(await triedBy(NONE));
  });
});
