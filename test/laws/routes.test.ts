/** Routes of the config: their limits hold for each call, and a model that is too slow comes after the next. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { errorOf, type Harness, harness, text, user } from '../gateway/harness.ts';

const eu = fakeCard({ id: 'eu', regions: ['eu'], price: { input: 10, output: 20 } });
const us = fakeCard({ id: 'us', regions: ['us'], retention: 'provider' });
const cheap = fakeCard({ id: 'cheap', regions: ['eu', 'us'], price: { input: 0.01, output: 0.01 } });

/** Answers after as many milliseconds as the model takes. */
function world(
  routes: NonNullable<Config['routes']>,
  tookMs: Record<string, number> = {},
  models = [eu, us, cheap],
  more: Config = {},
): Harness & { readonly events: GatewayEvent[]; readonly tookMs: Record<string, number> } {
  const made = harness({
    providers: (runtime) => [
      fakeProvider({
        runtime,
        models,
        script: ({ target }: Attempt): readonly ScriptStep[] => [
          { wait: tookMs[target.model] ?? 100 },
          text('ok'),
          finish(),
        ],
      }),
    ],
    config: { ...more, routes, retry: { retries: 0 } },
  });
  const events: GatewayEvent[] = [];
  made.gateway.onEvent?.((event) => events.push(event));
  return { ...made, events, tookMs };
}

const asked = (made: Harness, request: object = { model: { route: 'main' } }, options: object = {}): Promise<string> =>
  made.run(made.gateway.generate({ ...user(), ...request }, options)).then(({ target }) => target.model);

describe('law: the limits of a route', () => {
  it('are those of each call on it: its ceiling, its regions, its retention, its languages', async () => {
    expect(await asked(world({ main: { chain: ['eu', 'cheap'], usd: 0.001 } }))).toBe('cheap');
    expect(await asked(world({ main: { chain: ['us', 'eu'], regions: ['eu'] } }))).toBe('eu');
    expect(await asked(world({ main: { chain: ['us', 'eu'], retention: 'none' } }))).toBe('eu');
    const german = fakeCard({ id: 'german', languages: ['de-AT'] });
    const english = fakeCard({ id: 'english', languages: ['en'] });
    const made = world({ main: { chain: ['english', 'german'], languages: ['de'] } }, {}, [english, german]);
    expect(await asked(made)).toBe('german');
  });

  it('hold together with those of the request, of which the stricter counts', async () => {
    const main = { chain: ['us', 'eu', 'cheap'], usd: 1, regions: ['eu', 'us'] };
    const at = (request: object) => asked(world({ main }), { model: { route: 'main' }, ...request });
    expect(await at({})).toBe('us');
    expect(await at({ requires: { regions: ['eu'] } })).toBe('eu');
    expect(await at({ limits: { usd: 0.00001 } })).toBe('cheap');
    const ceiling = world({ main: { chain: ['eu', 'cheap'], usd: 0.001 } });
    expect(await asked(ceiling, { model: { route: 'main' }, limits: { usd: 1 } })).toBe('cheap');
    // No region is left, which must not mean any region.
    const made = world({ main: { ...main, regions: ['eu'] } });
    const error = await errorOf(
      made.run(made.gateway.generate({ ...user(), model: { route: 'main' }, requires: { regions: ['us'] } })),
    );
    expect(error).toMatchObject({ code: 'no-route' });
    expect(error.message).toContain('requires us, but the route "main" allows eu only');
  });

  it('hold for the whole call in the worst case, not only at the estimate', async () => {
    const made = world({ main: { chain: ['eu'], usd: 0.02 } });
    const ask = { ...user(), model: { route: 'main' }, maxOutputTokens: 4000 };
    // At 20 dollars a million, 4000 tokens would cost 0.08.
    const { warnings } = await made.run(made.gateway.generate(ask));
    expect(warnings.map(({ code }) => code)).toEqual(['output-limited-by-budget']);
    const { limits } = made.gateway.explain({ operation: 'chat', ...ask });
    expect(limits).toEqual({ usd: 0.02 });
  });

  it('are the tier of the first choice where the route has a tier', async () => {
    const models = [fakeCard({ id: 'small' }), fakeCard({ id: 'large', tier: 'premium' })];
    const made = world({ main: { tier: 'premium', p95Ms: 1000 } }, {}, models);
    expect(await asked(made)).toBe('large');
    const { candidates } = made.gateway.explain({ operation: 'chat', ...user(), model: { route: 'main' } });
    expect(candidates.map(({ target }) => target.model)).toEqual(['large', 'small']);
  });

  it('costs nothing where no route has any: there is no layer', () => {
    const { gateway } = world({ main: { chain: ['eu'] } });
    const asks = { operation: 'chat', ...user() } as const;
    expect(gateway.explain(asks).requestRing).not.toContain('route');
    expect(gateway.explain(asks).routed).toBeUndefined();
    gateway.reconfigure({ routes: { main: { chain: ['eu'], usd: 1 } } });
    expect(gateway.explain(asks).requestRing).toContain('route');
  });
});

describe('law: a route that limits the time of answers', () => {
  const routes = { main: { chain: ['eu', 'us'], p95Ms: 1000, windowMs: 60_000 } };

  it('leaves a model for the next once its 95th percentile is above, tells it once, and explains it', async () => {
    const made = world(routes, { eu: 1500 });
    // One slow answer of twenty is no 95th percentile.
    expect([await asked(made), await asked(made), await asked(made), await asked(made)]).toEqual([
      'eu',
      'eu',
      'us',
      'us',
    ]);
    expect(made.events).toMatchObject([
      { type: 'route-left', level: 'warn', route: 'main', what: 'fake/eu', p95Ms: 1500, limitMs: 1000 },
    ]);
    const { routed, candidates } = made.gateway.explain({ operation: 'chat', ...user(), model: { route: 'main' } });
    expect(candidates[1]?.notes).toEqual(['is too slow for the route, so others come before it']);
    expect(routed?.times?.map(({ target, p95Ms, isLeft }) => [target.model, p95Ms, isLeft])).toEqual([
      ['us', 100, false],
      ['eu', 1500, true],
    ]);
  });

  it('takes it back when the figure has fallen: by other calls of it, or when its slow answers are old', async () => {
    const made = world(routes, { eu: 1500 });
    await asked(made);
    await asked(made);
    expect(await asked(made)).toBe('us');
    made.tookMs.eu = 100;
    // Answers of calls on no route count too. Two slow ones among eighty are a fortieth.
    for (let call = 0; call < 77; call += 1) await asked(made, { model: 'eu' });
    expect(await asked(made)).toBe('us');
    await asked(made, { model: 'eu' });
    expect(await asked(made)).toBe('eu');
    expect(made.events.map(({ type }) => type)).toEqual(['route-left', 'route-resumed']);

    const idle = world(routes, { eu: 1500 });
    await asked(idle);
    await asked(idle);
    expect(await asked(idle)).toBe('us');
    await idle.runtime.clock.advance(55_000);
    expect(await asked(idle)).toBe('us');
    await idle.runtime.clock.advance(5000);
    expect(await asked(idle)).toBe('eu');
    expect(idle.events.at(-1)).toMatchObject({ type: 'route-resumed', what: 'fake/eu', p95Ms: null });
  });

  it('does not move to and fro between the two bounds', async () => {
    const made = world(routes, { eu: 1500 });
    await asked(made);
    await asked(made);
    expect(await asked(made)).toBe('us');
    made.tookMs.eu = 100;
    // Two of fifty: below a twentieth, above a fortieth.
    for (let call = 0; call < 48; call += 1) await asked(made, { model: 'eu' });
    expect(await asked(made)).toBe('us');
    expect(made.events).toHaveLength(1);
  });

  it('leaves it also for a session, and asks it where nothing else is left', async () => {
    const made = world(routes, { eu: 1500 });
    expect(await asked(made, undefined, { session: 's' })).toBe('eu');
    expect(await asked(made, undefined, { session: 's' })).toBe('eu');
    expect(await asked(made, undefined, { session: 's' })).toBe('us');
    expect(await asked(made, { model: { route: 'main' }, requires: { regions: ['eu'] } })).toBe('eu');
  });

  it('counts what took longer however it ended, and nothing of what failed sooner', async () => {
    const main = { chain: ['eu', 'us'], p95Ms: 1000 };
    const made = harness({
      providers: (runtime) => [
        fakeProvider({
          runtime,
          models: [eu, us],
          script: ({ target }) => [{ wait: target.model === 'eu' ? 5000 : 10 }, text('ok'), finish()],
        }),
      ],
      config: { routes: { main }, retry: { retries: 0 }, timeouts: { firstTokenMs: 2000, answerMs: 2000 } },
    });
    const first = await made.run(made.gateway.generate({ ...user(), model: { route: 'main' } }));
    expect(first.attempts.map(({ target, outcome }) => [target.model, outcome])).toEqual([
      ['eu', 'error'],
      ['us', 'ok'],
    ]);
    await made.run(made.gateway.generate({ ...user(), model: { route: 'main' } }));
    const third = await made.run(made.gateway.generate({ ...user(), model: { route: 'main' } }));
    expect(third.attempts.map(({ target }) => target.model)).toEqual(['us']);
    made.gateway.reconfigure({ routes: { main: { ...main, p95Ms: 3000 } } });
    const { routed } = made.gateway.explain({ operation: 'chat', ...user(), model: { route: 'main' } });
    expect(routed?.times?.find(({ target }) => target.model === 'eu')).toMatchObject({ answers: 0, isLeft: false });
  });

  it.each<[string, Config]>([
    ['its successor', { models: { 'fake/eu': { lifecycle: { stage: 'deprecated', replacedBy: 'fake/cheap' } } } }],
    ['its candidate', { candidates: { test: { of: 'fake/eu', model: 'fake/cheap', share: 0.5 } } }],
  ])('explains also the time of what may be asked in the place of a model: %s', async (_, more) => {
    const made = world({ main: { chain: ['eu', 'us'], p95Ms: 1000 } }, { cheap: 1500 }, [eu, us, cheap], more);
    for (let call = 0; call < 3; call += 1) await asked(made, { model: 'fake/cheap' });
    const { routed, candidates } = made.gateway.explain({ operation: 'chat', ...user(), model: { route: 'main' } });
    // It is too slow, so it takes no place, and that has to be seen.
    expect(candidates.map(({ target }) => target.model)).toEqual(['eu', 'us']);
    expect(routed?.times?.slice(2)).toMatchObject([
      { target: { model: 'cheap' }, p95Ms: 1500, answers: 3, isLeft: true, inPlaceOf: { model: 'eu' } },
    ]);
    made.tookMs.cheap = 100;
    await made.runtime.clock.advance(300_000);
    const later = made.gateway.explain({ operation: 'chat', ...user(), model: { route: 'main' } });
    const named = later.routed?.times?.filter(({ target }) => target.model === 'cheap');
    expect(named).toMatchObject([{ p95Ms: null, answers: 0, isLeft: false }]);
  });

  it('orders the models of a tier in the same way', async () => {
    const models = [fakeCard({ id: 'a', strengths: { general: 0.9 } }), fakeCard({ id: 'b' })];
    const made = world({ main: { tier: 'fast', p95Ms: 1000 } }, { a: 1500 }, models);
    const best = { model: { route: 'main' }, optimise: 'quality' };
    expect([await asked(made, best), await asked(made, best), await asked(made, best)]).toEqual(['a', 'a', 'b']);
  });
});

describe('a config with a route that leads nowhere', () => {
  it.each<[Config, string]>([
    [
      { tasks: { code: {} } },
      'tasks.code leads to the route "code", which the config does not have: the routes are: none',
    ],
    [
      { routes: { coding: { chain: ['eu'] } }, tasks: { code: { route: 'codng' } } },
      'tasks.code leads to the route "codng", which the config does not have: did you mean "coding"?',
    ],
    [{ classify: { otherwise: 'x' } }, 'classify.otherwise leads to the route "x"'],
  ])('is refused, and the one before stays', (config, message) => {
    const made = world({ main: { chain: ['eu'] } });
    expect(() => made.gateway.reconfigure(config)).toThrow(message);
    expect(made.gateway.explain({ operation: 'chat', ...user(), model: { route: 'main' } }).candidates).toHaveLength(1);
  });
});
