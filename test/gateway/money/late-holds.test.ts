/** Money that a slow store holds for a caller who has gone meanwhile is given back, and nothing is sent for it. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/core/config.ts';
import type { AttemptBook, KeyValueStore, Stores } from '../../../src/core/stores.ts';
import { createPolyphony, type Polyphony } from '../../../src/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { sqliteStores } from '../../../src/stores/sqlite.ts';
import { sleep } from '../../../src/system/clock.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../../src/testing/fakes.ts';
import { through } from '../../laws/failing-store.ts';
import { temporaryFolder } from '../../stores/folder.ts';

const folder = temporaryFolder();
const TENANT = 'budget:tenant:t';
/** Longer than a caller who leaves waits for a store. */
const SLOW_MS = 500;
const LOOKS = 20;

type Slow = <T>(work: () => Promise<T>) => Promise<T>;
type Runtime = ReturnType<typeof fakeRuntime>;

interface Kept {
  readonly stores: Stores;
  /** The same stores once they were closed. */
  readonly again: () => Stores;
}

function inMemory({ clock }: Runtime, slow: Slow): Kept {
  const stores = memoryStores({ clock });
  const keyValue: KeyValueStore = {
    ...stores.keyValue,
    change: (changes) => slow(async () => stores.keyValue.change(changes)),
  };
  return { stores: { ...stores, keyValue }, again: () => stores };
}

let files = 0;

function inFile({ clock }: Runtime, slow: Slow): Kept {
  files += 1;
  const path = join(folder, `late-${files}.db`);
  const stores = sqliteStores({ path, clock });
  const book = stores.attempts as AttemptBook;
  const attempts: AttemptBook = { ...book, open: (attempt) => slow(() => book.open(attempt)) };
  return { stores: { ...stores, attempts }, again: () => sqliteStores({ path, clock }) };
}

interface Scene {
  readonly polyphony: Polyphony;
  readonly runtime: Runtime;
}

type Leave = (scene: Scene, signal: AbortSignal, leave: () => void) => Promise<unknown>;

const capped = (capNanoUsd: number) => ({ scopes: [{ kind: 'tenant', id: 't', capNanoUsd }] }) as const;
const ENOUGH = 1_000_000_000;
const ask = { messages: [{ role: 'user' as const, content: 'Say it.' }] };

/** How a caller leaves before the store has answered. */
const WAYS: Readonly<Record<string, Leave>> = {
  'who aborts': ({ polyphony, runtime: { clock } }, signal, leave) => {
    clock.schedule(10, leave);
    return polyphony.gateway.generate(ask, { ...capped(ENOUGH), signal });
  },
  'who aborts while a shorter answer is fitted': ({ polyphony, runtime: { clock } }, signal, leave) => {
    clock.schedule(10, leave);
    return polyphony.gateway.generate(ask, { ...capped(3_000_000), signal });
  },
  'who aborts a stream': async ({ polyphony, runtime: { clock } }, signal, leave) => {
    clock.schedule(10, leave);
    for await (const _ of polyphony.gateway.stream(ask, { ...capped(ENOUGH), signal }));
  },
  'who stops reading a stream': async ({ polyphony }) => {
    const events = polyphony.gateway.stream(ask, capped(ENOUGH))[Symbol.asyncIterator]();
    void events.next().catch(() => undefined);
    await events.return?.();
  },
  'who embeds': ({ polyphony, runtime: { clock } }, signal, leave) => {
    clock.schedule(10, leave);
    const input = Array.from({ length: 50 }, (_, index) => `text ${index}`);
    return polyphony.gateway.call({ operation: 'embed', input }, { ...capped(ENOUGH), signal });
  },
  'whose time is up': ({ polyphony }) => polyphony.gateway.generate({ ...ask, limits: { ms: 20 } }, capped(ENOUGH)),
  'whose time for a stream is up': async ({ polyphony }) => {
    for await (const _ of polyphony.gateway.stream({ ...ask, limits: { ms: 20 } }, capped(ENOUGH)));
  },
  'who has asked a second target too': ({ polyphony, runtime: { clock } }, signal, leave) => {
    clock.schedule(60, leave);
    return polyphony.gateway.generate({ ...ask, hedge: { afterMs: 20 } }, { ...capped(ENOUGH), signal });
  },
};

const PLACES = { 'in memory': inMemory, 'in a file': inFile } as const;
const MOMENTS: Readonly<Record<string, (clock: Runtime['clock']) => Slow>> = {
  'before it holds': (clock) => async (work) => {
    await sleep(clock, SLOW_MS);
    return work();
  },
  'after it holds': (clock) => async (work) => {
    const done = await work();
    await sleep(clock, SLOW_MS);
    return done;
  },
};

const cases = Object.keys(WAYS).flatMap((way) =>
  Object.keys(PLACES).flatMap((place) => Object.keys(MOMENTS).map((moment) => ({ way, place, moment }))),
);

describe.each(cases)('a caller $way, of a store $place that is slow $moment', ({ way, place, moment }) => {
  it.each([false, true])('leaves no money held, closed at once: %s', async (closes) => {
    const runtime = fakeRuntime();
    const slow = (MOMENTS[moment] as (clock: Runtime['clock']) => Slow)(runtime.clock);
    const { stores, again } = PLACES[place as keyof typeof PLACES](runtime, slow);
    let asked = 0;
    const models = [fakeCard({ id: 'talks' }), fakeCard({ id: 'embeds', operations: ['embed'] })];
    const script = () => {
      asked += 1;
      return 'it';
    };
    const providers = ['one', 'two'].map((id) => fakeProvider({ id, runtime, models, script }));
    const config: Config = { hedge: { share: 1 } };
    const polyphony = await createPolyphony({ providers, defaults: false, runtime, stores, config });
    // Opens the file.
    await stores.keyValue.get(TENANT);
    const controller = new AbortController();
    const work = (WAYS[way] as Leave)({ polyphony, runtime }, controller.signal, () => controller.abort());
    await through(runtime, work);
    // A file answers in its own time, which no clock tells: it is looked at again.
    let counter: unknown = 0;
    for (let look = 0; look < LOOKS && !closes && (look === 0 || counter !== 0); look += 1) {
      await through(runtime, sleep(runtime.clock, 4 * SLOW_MS));
      counter = (await stores.keyValue.get(TENANT)) ?? 0;
    }
    const ended = await through(runtime, polyphony.close());
    expect(ended.status).toBe('fulfilled');
    expect([counter, asked]).toEqual([0, 0]);
    const kept = again();
    expect((await kept.keyValue.get(TENANT)) ?? 0).toBe(0);
    expect(await kept.ledger.totals('provider')).toEqual([]);
    await through(runtime, kept.close());
    expect(runtime.clock.pending()).toBe(0);
  });
});

describe.each(Object.entries(PLACES))('a caller whose time is up, of a slow store %s', (_place, placed) => {
  it.each(Object.entries(MOMENTS))('is told so in time, where it is slow %s', async (_moment, slowOf) => {
    const runtime = fakeRuntime();
    const { stores } = placed(runtime, slowOf(runtime.clock));
    const providers = [fakeProvider({ id: 'one', runtime, models: [fakeCard({ id: 'talks' })], script: () => 'it' })];
    const polyphony = await createPolyphony({ providers, defaults: false, runtime, stores, config: {} });
    await stores.keyValue.get(TENANT);
    const began = runtime.clock.monotonic();
    let tookMs = Number.NaN;
    const asked = polyphony.gateway.generate({ ...ask, limits: { ms: 20 } }, capped(ENOUGH)).finally(() => {
      tookMs = runtime.clock.monotonic() - began;
    });
    const ended = await through(runtime, asked);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'timeout', retryable: false } });
    expect(tookMs).toBeLessThan(SLOW_MS / 2);
    await through(runtime, polyphony.close());
  });
});
