import { describe, expect, it } from 'vitest';
import type { KeyValueStore } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from '../gateway/harness.ts';

/** `cheap` wins by price; `dear` is the fallback. */
function two(
  options: {
    readonly cheap?: () => boolean;
    readonly config?: object;
    readonly store?: (store: KeyValueStore) => KeyValueStore;
  } = {},
) {
  const cheap = fakeProvider({
    id: 'cheap',
    credentials: ['k1', 'k2'],
    models: [fakeCard({ id: 'm' })],
    script: () => (options.cheap?.() === false ? [fault('overloaded')] : 'cheap'),
  });
  const dear = fakeProvider({
    id: 'dear',
    models: [fakeCard({ id: 'm', price: { input: 9, output: 9 }, retention: 'provider' })],
  });
  return {
    cheap,
    dear,
    ...harness({
      providers: [cheap, dear],
      config: { optimise: 'cost', retry: { retries: 0 }, breaker: { minimumAttempts: 1000 }, ...options.config },
      stores: (runtime) => {
        const stores = memoryStores({ clock: runtime.clock });
        return { ...stores, keyValue: options.store?.(stores.keyValue) ?? stores.keyValue };
      },
    }),
  };
}

describe('law: affinity', () => {
  it('keeps a session with the fallback that served it, though its first choice is well again', async () => {
    let well = false;
    const { gateway, run } = two({ cheap: () => well });
    const serve = async (session?: string): Promise<string> =>
      (await run(gateway.generate(user(), session === undefined ? {} : { session }))).target.provider;
    expect(await serve('s')).toBe('dear');
    well = true;
    expect(await serve('s')).toBe('dear');
    expect(await serve('t')).toBe('cheap');
    expect(await serve()).toBe('cheap');
  });

  it('keeps the credential too, because prompt caches belong to an account', async () => {
    const { gateway, run, cheap } = two();
    for (let call = 0; call < 3; call += 1) await run(gateway.generate(user(), { session: 's' }));
    expect(new Set(cheap.seen.map(({ target }) => target.credential)).size).toBe(1);
    for (let call = 0; call < 2; call += 1) await run(gateway.generate(user()));
    expect(new Set(cheap.seen.map(({ target }) => target.credential)).size).toBe(2);
  });

  it('binds on success only', async () => {
    const { gateway, run, stores } = two({ cheap: () => false });
    await errorOf(run(gateway.generate({ ...user(), model: 'cheap/m' }, { session: 's' })));
    expect(await stores.keyValue.keys('affinity:')).toEqual([]);
    const broken = fakeProvider({
      id: 'broken',
      models: [fakeCard({ id: 'm' })],
      script: () => [text('half'), fault('network')],
    });
    gateway.register({ providers: [broken] });
    const { events, error } = await run(drain(gateway.stream({ ...user(), model: 'broken/m' }, { session: 's' })));
    expect(events.map(({ type }) => type)).toEqual(['route', 'text-delta']);
    expect(error?.code).toBe('network');
    expect(await stores.keyValue.keys('affinity:')).toEqual([]);
    await run(gateway.generate(user(), { session: 's' }));
    expect(await stores.keyValue.keys('affinity:')).toEqual(['affinity:chat:s']);
  });

  it('never brings back a target that the request excludes', async () => {
    const { gateway, run } = two();
    await run(gateway.generate(user(), { session: 's' }));
    const pinned = await run(gateway.generate({ ...user(), model: 'dear/m' }, { session: 's' }));
    expect(pinned.target.provider).toBe('dear');
    // Now bound to the dear one, which keeps data.
    const limited = { ...user(), requires: { retention: 'none' as const } };
    expect((await run(gateway.generate(limited, { session: 's' }))).target.provider).toBe('cheap');
  });

  it('ends when it was not used for its time to live', async () => {
    let well = false;
    const { gateway, run, runtime } = two({ cheap: () => well, config: { affinity: { ttlMs: 60_000 } } });
    const serve = async (): Promise<string> => (await run(gateway.generate(user(), { session: 's' }))).target.provider;
    await serve();
    well = true;
    await runtime.clock.advance(59_000);
    expect(await serve()).toBe('dear');
    await runtime.clock.advance(59_000);
    expect(await serve()).toBe('dear');
    await runtime.clock.advance(61_000);
    expect(await serve()).toBe('cheap');
  });

  it('costs the binding, not the call, when the store fails', async () => {
    const broken = (store: KeyValueStore): KeyValueStore => ({
      ...store,
      get: () => Promise.reject(new Error('the store is gone')),
      set: () => Promise.reject(new Error('the store is gone')),
    });
    const { gateway, run } = two({ store: broken });
    expect((await run(gateway.generate(user(), { session: 's' }))).target.provider).toBe('cheap');
  });
});
