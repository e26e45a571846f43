/** Law: a candidate, or the successor of a model that ends, is asked first only where it would not be asked last. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import { type FakeProvider, fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { fault, harness, text, user } from '../gateway/harness.ts';

interface World {
  readonly ask: (request?: object) => Promise<string>;
  readonly advance: (ms: number) => Promise<void>;
  readonly providers: readonly FakeProvider[];
}

/** `kind` says what takes the place of the model `old`. */
function world(
  kind: 'candidate' | 'successor',
  config: Config,
  script: (model: string) => string | readonly ScriptStep[] = () => 'ok',
  cards: { readonly old?: object; readonly next?: object } = {},
): World {
  const lifecycle = { stage: 'deprecated', endsOn: '2023-11-20', replacedBy: 'new-home/new' } as const;
  const old = fakeCard({
    ...{ id: 'old', strengths: { general: 0.9 }, ...(kind === 'successor' && { lifecycle }) },
    ...cards.old,
  });
  const next = fakeCard({ id: 'new', strengths: { general: 0.5 }, ...cards.next });
  const tried =
    kind === 'candidate' ? { candidates: { v2: { of: 'old-home/old', model: 'new-home/new', share: 1 } } } : {};
  let providers: readonly FakeProvider[] = [];
  const host = harness({
    providers(runtime) {
      const make = (id: string, card: typeof old) =>
        fakeProvider({ id, runtime, models: [card], script: ({ target }) => script(target.model) });
      providers = [make('old-home', old), make('new-home', next)];
      return providers;
    },
    config: { optimise: 'quality', retry: { retries: 0 }, breaker: { minimumAttempts: 10_000 }, ...tried, ...config },
  });
  return {
    providers,
    advance: (ms) => host.runtime.clock.advance(ms),
    ask: async (request = {}) => (await host.run(host.gateway.generate({ ...user(), ...request }))).target.model,
  };
}

describe.each(['candidate', 'successor'] as const)('law: a %s', (kind) => {
  it('is asked first where nothing is against it', async () => {
    expect(await world(kind, {}).ask()).toBe('new');
  });

  it('is not where it is too slow for the route, until it is fast again', async () => {
    let waitMs = 3000;
    const { ask, advance } = world(
      kind,
      { routes: { quick: { chain: ['old', 'new'], p95Ms: 1000, windowMs: 60_000 } } },
      (model) => (model === 'new' ? [{ waitMs }, text('a'), finish()] : 'ok'),
    );
    const quick = { model: { route: 'quick' } };
    for (let call = 0; call < 3; call += 1) await ask(quick);
    expect(await ask(quick)).toBe('old');
    waitMs = 0;
    await advance(70_000);
    expect(await ask(quick)).toBe('new');
  });

  it('is not where it costs more than the request or the route allows', async () => {
    const routes = { cheap: { chain: ['old', 'new'], usd: 0.01 } };
    const { ask } = world(kind, { routes }, undefined, { next: { price: { input: 1000, output: 2000 } } });
    expect(await ask()).toBe('new');
    expect(await ask({ limits: { usd: 0.01 } })).toBe('old');
    expect(await ask({ model: { route: 'cheap' } })).toBe('old');
  });

  it('is not where nobody knows its latency, under a limit that the other keeps', async () => {
    const { ask } = world(kind, {}, undefined, { old: { expectedMs: 500 } });
    expect(await ask({ limits: { p95Ms: 1000 } })).toBe('old');
    const known = () => world(kind, {}, undefined, { old: { expectedMs: 500 }, next: { expectedMs: 900 } });
    expect(await known().ask({ limits: { p95Ms: 1000 } })).toBe('new');
    expect(await known().ask({ limits: { p95Ms: 800 } })).toBe('old');
  });

  it('is not where its provider fails, or does not know it', async () => {
    for (const code of ['overloaded', 'model-not-found'] as const) {
      const { ask, providers } = world(kind, {}, (model) => (model === 'new' ? [fault(code)] : 'ok'));
      for (let call = 0; call < 8; call += 1) expect(await ask()).toBe('old');
      const before = providers[1]?.seen.length;
      expect(await ask()).toBe('old');
      expect(providers[1]?.seen.length).toBe(before);
    }
  });

  it('is not where it has another tier than a strict request', async () => {
    const { ask } = world(kind, {}, undefined, { old: { tier: 'premium' }, next: { tier: 'fast' } });
    expect(await ask({ model: { tier: 'premium', strict: true } })).toBe('old');
  });
});
