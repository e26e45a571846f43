/** The first request of a transport loads what it needs: an abort, a failure or the end may come meanwhile. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { loopback } from '../../kit/loopback.ts';
import { failure, get, textOf, transportOf } from './open-transport.ts';

const loading = vi.hoisted(() => ({ fails: false, times: 0 }));
vi.mock(import('../../../src/gateway/transport/load-undici.ts'), async (original) => {
  const { loadUndici } = await original();
  return {
    async loadUndici(opensTunnels) {
      loading.times += 1;
      if (loading.fails) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      return await loadUndici(opensTunnels);
    },
  };
});
beforeEach(() => {
  loading.fails = false;
  loading.times = 0;
});

describe('a transport that opens', () => {
  test('tries again with the next request where it failed, of which nothing was sent', async () => {
    const server = await loopback((_, response) => void response.end('ok'));
    const transport = transportOf();
    loading.fails = true;
    const asked = [transport.request(get(server.url)), transport.request(get(server.url))];
    for (const error of await Promise.all(asked.map(failure)))
      expect(error).toMatchObject({ code: 'network', unsent: true, message: expect.stringContaining('too many open') });
    expect(loading.times).toBe(1);
    loading.fails = false;
    expect(await textOf(await transport.request(get(server.url)))).toBe('ok');
  });

  test('closes where it failed', async () => {
    loading.fails = true;
    const transport = transportOf();
    const asked = failure(transport.request(get('http://localhost:1')));
    await transport.close();
    expect(await asked).toMatchObject({ code: 'cancelled', unsent: true });
  });

  test('loads nothing for a request that is aborted before', async () => {
    const error = await failure(transportOf().request(get('http://localhost:1', AbortSignal.abort())));
    expect(error).toMatchObject({ code: 'cancelled', unsent: true });
    expect(loading.times).toBe(0);
  });

  test('loads once for all who ask meanwhile, and sends nothing for one that is aborted meanwhile', async () => {
    const seen: string[] = [];
    const server = await loopback(({ path }, response) => {
      seen.push(path);
      response.end('ok');
    });
    const transport = transportOf();
    const controller = new AbortController();
    const aborted = failure(transport.request(get(`${server.url}/aborted`, controller.signal)));
    const answered = transport.request(get(`${server.url}/answered`));
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'cancelled', unsent: true });
    expect(await textOf(await answered)).toBe('ok');
    expect(seen).toEqual(['/answered']);
    expect(loading.times).toBe(1);
  });
});
