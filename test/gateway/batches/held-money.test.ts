/** What a call that waits for a batch holds is given back where its caller leaves while it is written down. */
import { expect, it } from 'vitest';
import { counterKey } from '../../../src/core/counter-key.ts';
import type { Stores } from '../../../src/core/stores.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { sleep } from '../../../src/system/clock.ts';
import type { FakeRuntime } from '../../../src/testing/fakes.ts';
import { errorOf, harness, user } from '../harness.ts';
import { batchProvider, fakeServer } from './vendor.ts';

const SLOW_MS = 500;
const HOUR_MS = 3_600_000;

/** Each write, or each change of counters, takes long, before it is made or after it. */
function slowStores({ clock }: FakeRuntime, operation: 'set' | 'change', isBefore: boolean): Stores {
  const stores = memoryStores({ clock });
  const { keyValue } = stores;
  const slow = async <T>(work: () => T | Promise<T>): Promise<T> => {
    if (isBefore) await sleep(clock, SLOW_MS);
    const done = await work();
    if (!isBefore) await sleep(clock, SLOW_MS);
    return done;
  };
  const slowly: typeof keyValue =
    operation === 'set'
      ? { ...keyValue, set: (...given) => slow(() => keyValue.set(...given)) }
      : { ...keyValue, change: (changes) => slow(async () => keyValue.change(changes)) };
  return { ...stores, keyValue: slowly };
}

it.each([
  ['writes', 'set', true],
  ['has written', 'set', false],
  ['counts', 'change', true],
  ['has counted', 'change', false],
] as const)('is given back by a store that is slow when it %s', async (_, operation, isBefore) => {
  for (const abortAtMs of [10, 510, 1010, 1510]) {
    const server = fakeServer();
    const { gateway, runtime, stores, rows } = harness({
      stores: (of) => slowStores(of, operation, isBefore),
      providers: (of) => [batchProvider(server, of)],
      config: { batches: { flushMs: 5000, pollMs: 60_000 } },
    });
    const controller = new AbortController();
    const scopes = [{ kind: 'tenant', id: 't', capNanoUsd: 1e9 }] as const;
    const request = { operation: 'chat', maxOutputTokens: 50, ...user() } as const;
    const asked = errorOf(gateway.generate(request, { urgency: 'batch', id: 'a', scopes, signal: controller.signal }));
    await runtime.clock.advance(abortAtMs);
    controller.abort();
    await runtime.clock.advance(HOUR_MS);
    expect([(await asked).code, server.batches, await rows()]).toEqual(['cancelled', [], []]);
    expect((await stores.keyValue.get(counterKey({ kind: 'tenant', id: 't' }))) ?? 0).toBe(0);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  }
});
