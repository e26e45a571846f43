/** A batch that is cancelled by a process that did not send it, such as the command. */
import { describe, expect, it } from 'vitest';
import { createPolyphony, type Polyphony } from '../../../src/index.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { fakeRuntime } from '../../../src/testing/fakes.ts';
import { batchProvider, fakeServer } from './vendor.ts';

const ask = (text: string) => ({ operation: 'chat', messages: [{ role: 'user', content: text }] }) as const;

async function left() {
  const runtime = fakeRuntime();
  const server = fakeServer();
  server.takesMs = Number.POSITIVE_INFINITY;
  const stores = memoryStores({ clock: runtime.clock });
  const begin = (): Promise<Polyphony> =>
    createPolyphony({
      defaults: false,
      runtime,
      providers: [batchProvider(server, runtime)],
      stores,
      config: { batches: { flushMs: 1000, pollMs: 60_000 } },
    });
  const first = await begin();
  for (const id of ['a', 'b']) await first.gateway.batches?.queue(ask(id), { id });
  await runtime.clock.advance(2000);
  const [sent] = (await first.gateway.batches?.waiting()) ?? [];
  return { server, begin, key: sent?.batch ?? '' };
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
});
