/** A batch that is cancelled by a process that did not send it, such as the command. */
import { describe, expect, it } from 'vitest';
import type { BatchEndpoint } from '../../../src/core/model/batch.ts';
import { createPolyphony, type Polyphony } from '../../../src/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { fakeRuntime } from '../../../src/testing/fakes.ts';
import { batchProvider, fakeServer } from './vendor.ts';

const ask = (text: string) => ({ operation: 'chat', messages: [{ role: 'user', content: text }] }) as const;

const endOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

async function left() {
  const runtime = fakeRuntime();
  const server = fakeServer();
  server.takesMs = Number.POSITIVE_INFINITY;
  const stores = memoryStores({ clock: runtime.clock });
  const begin = (around?: (endpoint: BatchEndpoint) => BatchEndpoint): Promise<Polyphony> =>
    createPolyphony({
      defaults: false,
      runtime,
      providers: [batchProvider(server, runtime, around)],
      stores,
      config: { batches: { flushMs: 1000, pollMs: 60_000 } },
    });
  const first = await begin();
  for (const id of ['a', 'b']) await first.gateway.batches?.queue(ask(id), { id });
  await runtime.clock.advance(2000);
  const [sent] = (await first.gateway.batches?.waiting()) ?? [];
  return { server, first, begin, key: sent?.batch ?? '' };
}

describe('a batch that another process sent', () => {
  it('is cancelled at its provider at once, and its calls are listed so', async () => {
    const { server, begin, key } = await left();
    const second = await begin();
    expect(server.batches[0]?.cancelled).toBe(false);
    expect(await second.gateway.batches?.cancel(key)).toBe(true);
    expect(server.batches[0]?.cancelled).toBe(true);
    expect((await second.gateway.batches?.list())?.map(({ state }) => state)).toEqual(['cancelled', 'cancelled']);
    await second.close();
  });

  it('is cancelled by a process that takes it over and ends at once', async () => {
    const { server, first, begin, key } = await left();
    await first.close();
    // It has not answered how the batch stands when the process ends.
    const second = await begin((endpoint) => ({ ...endpoint, poll: (_, { signal }) => endOf(signal) }));
    expect(await second.gateway.batches?.list()).toHaveLength(2);
    expect(await second.gateway.batches?.cancel(key)).toBe(true);
    await second.close();
    expect(server.batches[0]?.cancelled).toBe(true);
  });
});
