/** Models that end, that are not there, and that become others. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import type { Target } from '../../src/core/model/model.ts';
import type { KeyValueStore } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { errorOf, fault, type Harness, harness, text, user } from '../gateway/harness.ts';

const DAY_MS = 86_400_000;
const old = fakeCard({
  id: 'old',
  strengths: { general: 0.9 },
  lifecycle: { stage: 'deprecated', endsOn: '2999-01-01' },
});
const current = fakeCard({ id: 'new', strengths: { general: 0.6 } });

const listening = ({ gateway }: Harness): GatewayEvent[] => {
  const events: GatewayEvent[] = [];
  gateway.onEvent?.((event) => events.push(event));
  return events;
};
const typesOf = (events: readonly GatewayEvent[]): readonly string[] => events.map(({ type }) => type);
const best = { ...user(), optimise: 'quality' } as const;
/** In the order in which they were written. */
async function recordsOf({ stores }: Harness): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const keys = await stores.keyValue.keys('lifecycle:shift:');
  const records = await Promise.all(keys.map((key) => stores.keyValue.get(key)));
  const numberOf = (key: string): number => Number(key.match(/\d+$/)?.[0]);
  return keys
    .map((key, index) => [numberOf(key), records[index] as Readonly<Record<string, unknown>>] as const)
    .sort(([a], [b]) => a - b)
    .map(([, record]) => record);
}

describe('law: a model that ends', () => {
  it('gets no new session while another will do, keeps its sessions, and each session that moves is told and written down once', async () => {
    const given = (models: readonly (typeof old)[]) => harness({ providers: [fakeProvider({ models })] });
    const before = given([{ ...old, lifecycle: { stage: 'stable' } }, current]);
    expect((await before.run(before.gateway.generate(best, { session: 's' }))).target.model).toBe('old');
    const world = harness({ providers: [fakeProvider({ models: [old, current] })], stores: () => before.stores });
    const events = listening(world);
    const ask = (session: string) => world.run(world.gateway.generate(best, { session }));
    expect((await ask('s')).target.model).toBe('old');
    const moved = [await ask('t'), await ask('u'), await ask('t')];
    expect(moved.map(({ target, warnings }) => [target.model, warnings])).toEqual(Array(3).fill(['new', []]));
    expect(typesOf(events)).toEqual(['model-deprecated', 'model-shifted', 'model-shifted']);
    expect(events[1]).toMatchObject({ from: 'fake/old', to: 'fake/new', calls: 1 });
    await world.runtime.clock.advance(DAY_MS);
    // Calls of a new session that come together move it once.
    await Promise.all([ask('v'), ask('v')]);
    await world.run(world.gateway.generate(best, { id: 'alone' }));
    expect(typesOf(events)).toEqual(['model-deprecated', ...Array(4).fill('model-shifted')]);
    expect(events.slice(-2).map(({ message }) => message)).toEqual([
      'fake/old ends, so a new session gets fake/new.',
      'fake/old ends, so a call without a session gets fake/new.',
    ]);
    const shift = { from: 'fake/old', to: 'fake/new', calls: 1, sessions: 1 };
    expect(await recordsOf(world)).toMatchObject([
      { ...shift, session: 't' },
      { ...shift, session: 'u' },
      { ...shift, session: 'v' },
      { ...shift, sessions: 0, call: 'alone' },
    ]);
  });

  it('sums the sessions beyond sixty a minute in one record, and loses none of them at the end', async () => {
    const world = harness({ providers: [fakeProvider({ models: [old, current] })] });
    const events = listening(world);
    const { clock } = world.runtime;
    const ask = async (session: number) => void (await world.gateway.generate(best, { session: `session-${session}` }));
    for (let session = 0; session < 100; session += 1) await ask(session);
    expect(events).toHaveLength(60);
    await clock.advance(59_999);
    expect([await recordsOf(world), events]).toMatchObject([{ length: 60 }, { length: 60 }]);
    await clock.advance(1);
    expect(events[60]).toMatchObject({ type: 'model-shifted', calls: 40 });
    expect((await recordsOf(world)).map(({ calls }) => calls)).toEqual([...Array(60).fill(1), 40]);
    for (let session = 100; session < 170; session += 1) await ask(session);
    await world.gateway.close();
    expect(clock.pending()).toBe(0);
    const calls = (await recordsOf(world)).map((one) => Number(one.calls));
    expect(calls.reduce((sum, each) => sum + each, 0)).toBe(170);
    expect(calls).toHaveLength(60 + 1 + 60 + 1);
  });

  it('sums sessions and calls without one apart', async () => {
    const world = harness({ providers: [fakeProvider({ models: [old, current] })] });
    const events = listening(world);
    for (let call = 0; call < 60; call += 1) await world.gateway.generate(best);
    expect(events.every((event) => event.type === 'model-shifted' && event.sessions === 0)).toBe(true);
    for (const session of ['s', 't', 's', undefined])
      await world.gateway.generate(best, session === undefined ? {} : { session });
    await world.gateway.close();
    const message = 'fake/old ends, so 2 new sessions and a call without a session get fake/new.';
    expect(events.at(-1)).toMatchObject({ calls: 3, sessions: 2, message });
    expect((await recordsOf(world)).at(-1)).toMatchObject({ calls: 3, sessions: 2 });
  });

  it('is left without an error where the record cannot be written', async () => {
    const world = harness({
      providers: [fakeProvider({ models: [old, current] })],
      stores: (runtime) => {
        const stores = memoryStores({ clock: runtime.clock });
        const set: KeyValueStore['set'] = (key, ...rest) =>
          key.startsWith('lifecycle:') ? Promise.reject(new Error('full')) : stores.keyValue.set(key, ...rest);
        return { ...stores, keyValue: { ...stores.keyValue, set } };
      },
    });
    expect((await world.gateway.generate(best)).target.model).toBe('new');
    await world.gateway.close();
  });

  it('answers with a warning where nothing else will do, also by its name', async () => {
    const world = harness({ providers: [fakeProvider({ models: [old, { ...current, operations: ['embed'] }] })] });
    const events = listening(world);
    for (const request of [best, { ...best, model: 'fake/old' }]) {
      const { target, warnings } = await world.run(world.gateway.generate(request));
      expect([target.model, warnings.map(({ code }) => code)]).toEqual(['old', ['model-deprecated']]);
    }
    expect(typesOf(events)).toEqual(['model-deprecated']);
  });

  it('is left as many days before its end as the config says, and gives way by name to what the config names', async () => {
    const endsOn = '2024-01-01';
    const models = { 'fake/old': { lifecycle: { stage: 'stable', endsOn, replacedBy: 'fake/new' } } } as const;
    const servedWith = async (config: Config, request: object = {}): Promise<string> => {
      const world = harness({ providers: [fakeProvider({ models: [old, current] })], config });
      return (await world.run(world.gateway.generate({ ...best, ...request }))).target.model;
    };
    // The clock stands at 2023-11-14, 48 days before the end.
    expect(await servedWith({ models })).toBe('old');
    expect(await servedWith({ models, lifecycle: { noticeDays: 49 } })).toBe('new');
    expect(await servedWith({ models }, { model: 'old' })).toBe('old');
    expect(await servedWith({ models, lifecycle: { noticeDays: 49 } }, { model: 'old' })).toBe('new');
    const routes = { r: { chain: ['old'] } };
    expect(await servedWith({ models, routes, lifecycle: { noticeDays: 49 } }, { model: { route: 'r' } })).toBe('new');
  });

  it('is explained, which tells nothing and writes nothing', async () => {
    const world = harness({ providers: [fakeProvider({ models: [old, current] })] });
    const events = listening(world);
    const { candidates } = world.gateway.explain({ operation: 'chat', ...best });
    expect(candidates.map(({ target, notes }) => [target.model, notes])).toEqual([
      ['new', undefined],
      ['old', ['ends on 2999-01-01, so new sessions go elsewhere where they can']],
    ]);
    const [warning] = world.gateway.explain({ operation: 'chat', ...best, model: 'old' }).warnings ?? [];
    expect(warning?.code).toBe('model-deprecated');
    expect(events).toEqual([]);
  });
});

describe('law: a model that is not there', () => {
  const gone = (target: Target): readonly ScriptStep[] | string =>
    target.model === 'gone' ? [fault('model-not-found')] : 'ok';
  const models = [fakeCard({ id: 'gone', strengths: { general: 0.9 } }), fakeCard({ id: 'there' })];
  const config = { routes: { r: { chain: ['gone', 'there'] } }, retry: { retries: 0 } };
  const route = { ...user(), model: { route: 'r' } };

  it('is asked once, then last for as long as the config says, by route and by choice', async () => {
    for (const request of [route, best]) {
      const provider = fakeProvider({ models, script: ({ target }) => gone(target) });
      const world = harness({ providers: [provider], config });
      const events = listening(world);
      const ask = async (times: number): Promise<number> => {
        for (let call = 0; call < times; call += 1) await world.run(world.gateway.generate(request));
        return provider.seen.filter(({ target }) => target.model === 'gone').length;
      };
      expect(await ask(5)).toBe(1);
      expect(events).toMatchObject([{ type: 'model-retired', what: 'fake/gone', until: expect.any(Number) }]);
      await world.runtime.clock.advance(900_000);
      expect(await ask(5)).toBe(2);
    }
  });

  it('is still tried where it is the only one, and an answer brings it back', async () => {
    let isThere = false;
    const provider = fakeProvider({ models, script: ({ target }) => (isThere ? 'ok' : gone(target)) });
    const world = harness({ providers: [provider], config });
    const events = listening(world);
    const pinned = { ...user(), model: 'gone' };
    for (let call = 0; call < 2; call += 1) await world.run(errorOf(world.gateway.generate(pinned)));
    expect(provider.seen).toHaveLength(2);
    isThere = true;
    await world.run(world.gateway.generate(pinned));
    expect(typesOf(events)).toEqual(['model-retired', 'model-restored']);
    expect((await world.run(world.gateway.generate(route))).target.model).toBe('gone');
  });

  it('is not given up because of one of several keys, and never where the config says 0', async () => {
    const credentials = ['fake#1', 'fake#2'];
    const script = ({ target }: { target: Target }) => (target.credential === 'fake#2' ? 'ok' : gone(target));
    for (const given of [{ credentials, script }, { script: ({ target }: { target: Target }) => gone(target) }]) {
      const provider = fakeProvider({ models, ...given });
      const isMany = 'credentials' in given;
      const world = harness({
        providers: [provider],
        config: isMany ? config : { ...config, lifecycle: { retireMs: 0 } },
      });
      const events = listening(world);
      for (let call = 0; call < 4; call += 1) await world.run(world.gateway.generate(route));
      expect(typesOf(events)).toEqual([]);
      expect(provider.seen.filter(({ target }) => target.model === 'gone')).toHaveLength(4);
    }
  });
});

describe('law: a model that becomes another', () => {
  const moving = () => {
    let version: { model?: string; fingerprint?: string } = { model: 'm-1' };
    const models = [
      fakeCard({ id: 'one', strengths: { general: 0.5 } }),
      fakeCard({ id: 'two', strengths: { general: 0.5 } }),
    ];
    const provider = fakeProvider({ models, script: () => [text('a'), finish(version)] });
    const world = harness({ providers: [provider] });
    return {
      world,
      events: listening(world),
      say: (next: typeof version): void => {
        version = next;
      },
    };
  };

  it('is told once, and its former answers are no longer current', async () => {
    const { world, events, say } = moving();
    const ask = () => world.run(world.gateway.generate({ ...user(), model: 'one' }));
    const first = await ask();
    expect(world.gateway.isCurrent?.(first)).toBe(true);
    for (const next of [{ model: 'm-2' }, { model: 'm-2', fingerprint: 'fp' }]) {
      say(next);
      const answer = await ask();
      await ask();
      expect([world.gateway.isCurrent?.(first), world.gateway.isCurrent?.(answer)]).toEqual([false, true]);
    }
    expect(events).toMatchObject([
      { type: 'model-moved', what: 'fake/one', from: { model: 'm-1', fingerprint: null }, to: { model: 'm-2' } },
      { type: 'model-moved', from: { fingerprint: null }, to: { model: 'm-2', fingerprint: 'fp' } },
    ]);
  });

  it('moves once for each version of an endpoint that answers from several, and again after an hour without one', async () => {
    const { world, events, say } = moving();
    const ask = () => world.run(world.gateway.generate({ ...user(), model: 'one' }));
    for (let call = 0; call < 9; call += 1) {
      say({ model: `m-${call % 3}` });
      expect(world.gateway.isCurrent?.(await ask())).toBe(true);
    }
    expect(typesOf(events)).toEqual(['model-moved', 'model-moved']);
    await world.runtime.clock.advance(3_600_000);
    say({ model: 'm-1' });
    await ask();
    expect(typesOf(events)).toHaveLength(3);
    for (let call = 0; call < 100; call += 1) {
      say({ model: `router-${call}` });
      await ask();
    }
    expect(events.length).toBeLessThan(3 + 16);
  });

  it('keeps no session', async () => {
    const { world, say } = moving();
    const ask = () => world.run(world.gateway.generate(best, { session: 's' }));
    const bound = (await ask()).target.model;
    const other = bound === 'one' ? 'two' : 'one';
    for (let call = 0; call < 50; call += 1) world.gateway.rate?.({ provider: 'fake', model: other }, 'general', 1);
    expect((await ask()).target.model).toBe(bound);
    say({ model: 'm-2' });
    await world.run(world.gateway.generate({ ...user(), model: bound }));
    expect((await ask()).target.model).toBe(other);
  });
});
