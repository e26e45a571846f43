/** Closing ends, whatever the parts that others wrote do when they are closed. */
import { expect, it } from 'vitest';
import type { Logger } from '../../src/core/plugin.ts';
import { createPolyphony } from '../../src/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';

const never = (): Promise<void> => new Promise(() => {});

it('goes on without a plugin and a provider that do not close, says so, and closes all others', async () => {
  const runtime = fakeRuntime();
  const warned: unknown[] = [];
  const ignore = (): void => {};
  const warn = (fields: object): void => void warned.push(fields);
  const logger = { debug: ignore, info: ignore, warn, error: ignore } as unknown as Logger;
  const closed: string[] = [];
  const closes = (name: string) => async () => void closed.push(name);
  const stores = memoryStores({ clock: runtime.clock });
  const polyphony = await createPolyphony({
    providers: [
      fakeProvider({ runtime, id: 'deaf', close: never }),
      fakeProvider({ runtime, id: 'good', close: closes('provider') }),
    ],
    plugins: [
      { name: 'first', close: closes('first') },
      { name: 'hangs', close: never },
      { name: 'last', close: closes('last') },
    ],
    defaults: false,
    runtime,
    logger,
    stores: { ...stores, close: closes('stores') },
  });
  let isOver = false;
  const closing = polyphony.close().then(() => {
    isOver = true;
  });
  await runtime.clock.advance(9999);
  expect(isOver).toBe(false);
  await runtime.clock.advance(1);
  await closing;
  expect(closed).toEqual(['last', 'first', 'provider', 'stores']);
  expect(warned).toMatchObject([
    { plugin: 'hangs', error: { code: 'timeout' } },
    { provider: 'deaf', error: { code: 'timeout' } },
  ]);
  expect(runtime.clock.pending()).toBe(0);
});

it('ends every run first, one that its store keeps waiting too', async () => {
  const runtime = fakeRuntime();
  const stores = memoryStores({ clock: runtime.clock });
  const journal = { ...stores.journal, release: never };
  const polyphony = await createPolyphony({ defaults: false, runtime, stores: { ...stores, journal } });
  const handle = await polyphony.start({
    version: 1,
    nodes: [{ id: 'ask', use: 'human', in: { question: 'Go on?' } }],
  });
  await runtime.clock.advance(250);
  expect((await handle.result()).status).toBe('suspended');
  let isOver = false;
  const closing = polyphony.close().then(() => {
    isOver = true;
  });
  // The lease of a run that is over ends by itself.
  await runtime.clock.advance(10_000);
  await closing;
  expect(isOver).toBe(true);
  expect(runtime.clock.pending()).toBe(0);
});

it.each(['append', 'claim'] as const)(
  'says so when a journal whose %s hangs lost records, and closes the rest',
  async (method) => {
    const runtime = fakeRuntime();
    const stores = memoryStores({ clock: runtime.clock });
    const journal = { ...stores.journal, [method]: never };
    const closed: string[] = [];
    const polyphony = await createPolyphony({
      runtime,
      plugins: [{ name: 'plugin', close: async () => void closed.push('plugin') }],
      defaults: false,
      stores: { ...stores, journal, close: async () => void closed.push('stores') },
    });
    const handle = await polyphony.start({ version: 1, nodes: [{ id: 'a', use: 'value', in: { x: 1 } }] });
    await runtime.clock.advance(250);
    const closing = polyphony.close().catch((error: unknown) => error);
    await runtime.clock.advance(31_000);
    expect((await handle.result()).status).toBe('cancelled');
    expect(await closing).toMatchObject({ code: 'store-busy', message: expect.stringContaining(handle.runId) });
    expect(closed).toEqual(['plugin', 'stores']);
    expect(runtime.clock.pending()).toBe(0);
  },
);

it.each(['stores', 'ledger'] as const)('gives up on %s that never close', async (part) => {
  const runtime = fakeRuntime();
  const stores = memoryStores({ clock: runtime.clock });
  const closed: string[] = [];
  const polyphony = await createPolyphony({
    runtime,
    defaults: false,
    stores: {
      ...stores,
      ledger: { ...stores.ledger, flush: part === 'ledger' ? never : stores.ledger.flush },
      close: async () => {
        closed.push('stores');
        if (part === 'stores') await never();
      },
    },
  });
  const closing = polyphony.close().then(
    () => undefined,
    (error: unknown) => error,
  );
  await runtime.clock.advance(60_000);
  expect(closed).toEqual(['stores']);
  expect(await closing).toMatchObject(part === 'stores' ? { code: 'store-busy' } : {});
  expect(runtime.clock.pending()).toBe(0);
});
