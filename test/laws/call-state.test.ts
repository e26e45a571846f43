/**
 * What the gateway knows of a call survives whatever plugins do to it.
 *
 * Plugins copy calls by hand, leave fields out, add fields of their own and pass a call on twice; callers bring traces of
 * their own. Numbers, records, session, last resort and blame stay right.
 */
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt, Call, CallTrace } from '../../src/core/model/model.ts';
import { ATTEMPT_LAYERS, REQUEST_LAYERS } from '../../src/core/plugin.ts';
import { callStateOf, newTrace } from '../../src/gateway/calls/call-state.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { errorOf, fault, harness, text, user } from '../gateway/harness.ts';

/** Only the fields that the contract names, in another order, as an author who lists them would write it. */
const rewritten = ({ trace, id, request, signal, purpose, scopes, session, streaming, deadline }: Call): Call => ({
  ...(deadline === undefined ? {} : { deadline }),
  ...(streaming === undefined ? {} : { streaming }),
  ...(session === undefined ? {} : { session }),
  scopes,
  purpose,
  signal,
  request,
  id,
  trace,
});
const rewrittenAttempt = (attempt: Attempt): Attempt => ({
  target: { ...attempt.target },
  number: attempt.number,
  ...rewritten(attempt),
});

/** A plugin in every place of both rings, each of which copies by hand. */
const copiers: readonly GatewayPlugin[] = [
  ...REQUEST_LAYERS.map(
    (place): GatewayPlugin => ({
      name: `copies-at-${place}`,
      request: { place: { before: place }, handle: (call, next) => next(rewritten(call)) },
    }),
  ),
  ...ATTEMPT_LAYERS.map(
    (place): GatewayPlugin => ({
      name: `copies-by-${place}`,
      attempt: { place: { before: place }, handle: (attempt, next) => next(rewrittenAttempt(attempt)) },
    }),
  ),
];

const twoModels = (script: (attempt: Attempt) => ReturnType<typeof fault>[] | string) =>
  fakeProvider({ models: [fakeCard({ id: 'one' }), fakeCard({ id: 'two' })], script });

const figures = async (plugins: readonly GatewayPlugin[], trace?: CallTrace) => {
  let asked = 0;
  const { gateway, run, rows } = harness({
    plugins,
    providers: (runtime) => [
      fakeProvider({
        runtime,
        script: () => {
          asked += 1;
          return asked < 3 ? [{ wait: 20 }, fault('overloaded')] : [{ wait: 30 }, text('yes'), finish()];
        },
      }),
    ],
  });
  await run(gateway.generate(user(), { id: 'x', session: 's', ...(trace === undefined ? {} : { trace }) }));
  return [...(await rows())].reverse();
};

describe('law: call state', () => {
  it('keeps numbers, timings and records where every layer has a plugin before it that copies by hand', async () => {
    const plain = await figures([]);
    expect(plain.map(({ key }) => key)).toEqual(['x/1', 'x/2', 'x/3']);
    expect(plain.map(({ totalMs }) => totalMs)).toEqual([20, 20, 30]);
    expect(await figures(copiers)).toEqual(plain);
    expect(await figures(copiers, { attempts: [] })).toEqual(plain);
  });

  it.each([
    ['no plugin', []],
    ['copiers', copiers],
  ])('keeps a session at the target that served it, with %s', async (_, plugins) => {
    const good = fakeCard({ id: 'good', strengths: { general: 0.9 } });
    const poor = fakeCard({ id: 'poor', strengths: { general: 0.1 } });
    const { gateway, run } = harness({ plugins, providers: [fakeProvider({ models: [good, poor] })] });
    const ask = async (request: object, session?: string): Promise<string> => {
      const options = session === undefined ? {} : { session };
      return (await run(gateway.generate({ ...user(), optimise: 'quality', ...request }, options))).target.model;
    };
    expect(await ask({ model: 'poor' }, 's')).toBe('poor');
    expect(await ask({})).toBe('good');
    expect(await ask({}, 's')).toBe('poor');
    expect(await ask({}, 'another')).toBe('good');
  });

  it.each([
    ['no plugin', []],
    ['copiers', copiers],
  ])('lets the last resort through an open breaker, with %s', async (_, plugins) => {
    let asked = 0;
    const { gateway, run } = harness({
      plugins,
      config: { retry: { retries: 0 }, breaker: { rateLimits: 1 } },
      providers: [
        fakeProvider({
          script: () => {
            asked += 1;
            return asked === 1 ? [fault('rate-limited')] : 'yes';
          },
        }),
      ],
    });
    expect((await errorOf(run(gateway.generate(user())))).code).toBe('rate-limited');
    expect((await run(gateway.generate(user()))).attempts).toHaveLength(1);
  });

  it('decides by what it knows, never by what an error carries in its details', async () => {
    const asked: string[] = [];
    const lying = (details: Readonly<Record<string, unknown>>) =>
      harness({
        config: { retry: { retries: 0 } },
        providers: [
          twoModels(({ target }) => {
            asked.push(target.model);
            return asked.length === 1 ? [{ fail: new PolyphonyError('timeout', 'late', { details }) }] : 'yes';
          }),
        ],
      });
    const deadline = lying({ timeout: 'deadline', provider: 'fake' });
    expect((await deadline.run(deadline.gateway.generate(user()))).attempts).toHaveLength(2);
    asked.length = 0;
    const connect = lying({ timeout: 'connect' });
    const { attempts } = await connect.run(connect.gateway.generate(user()));
    expect(attempts[0]?.costNanoUsd).toBeGreaterThan(0);
  });

  it('charges nothing for a request that its provider says was never sent', async () => {
    const { gateway, run, rows } = harness({
      config: { retry: { retries: 0 } },
      providers: [
        fakeProvider({ script: () => [{ fail: new PolyphonyError('timeout', 'no line', { unsent: true }) }] }),
      ],
    });
    expect((await errorOf(run(gateway.generate(user())))).unsent).toBe(true);
    expect((await rows())[0]?.costNanoUsd).toBe(0);
  });

  it('gives an attempt that is passed on twice a number, a record and a charge of its own', async () => {
    const twice: GatewayPlugin = {
      name: 'twice',
      attempt: {
        place: { before: 'retry' },
        async *handle(attempt, next) {
          for await (const event of next(attempt)) void event;
          yield* next(attempt);
        },
      },
    };
    const { gateway, run } = harness({ providers: [fakeProvider({})], plugins: [twice] });
    const { attempts, costNanoUsd } = await run(gateway.generate(user(), { id: 'x' }));
    expect(attempts.map(({ key }) => key)).toEqual(['x/1', 'x/2']);
    expect(costNanoUsd).toBe(2 * (attempts[0]?.costNanoUsd ?? 0));
  });

  it('shows nothing of itself', () => {
    const trace = newTrace();
    callStateOf({ trace }).begin('x', 1, true);
    expect(JSON.stringify(trace)).toBe('{"attempts":[]}');
    expect(Object.keys(trace)).toEqual(['attempts']);
    expect(Object.getOwnPropertySymbols(trace)).toEqual([]);
  });

  it('drops the readings of attempts that are over', () => {
    const state = callStateOf({ trace: newTrace() });
    for (let number = 1; number <= 1000; number += 1) state.begin('x', number, false).over = true;
    const kept = state.begin('x', 1001, false);
    expect(kept.previous).toBeUndefined();
  });
});
