/**
 * The laws O1 to O4 of origin-pool.ts: whatever became of earlier requests, as many can be under way as before, no more than allowed are, and
 * none is sent for somebody who has gone.
 */
import type { ServerResponse } from 'node:http';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Transport, TransportRequest } from '../../../src/core/model/provider.ts';
import { deferred, loopback } from '../../kit/loopback.ts';
import { failure, get, textOf, transportOf } from './open-transport.ts';

const MOST = 3;

/** What the server does with a request. */
const SERVED: Readonly<Record<string, (response: ServerResponse) => void>> = {
  answers: (response) => void response.end('ok'),
  'answers later': (response) => void setTimeout(() => response.end('ok'), 3),
  'answers and closes': (response) => void response.setHeader('connection', 'close').end('ok'),
  'closes before it answers': (response) => void response.socket?.destroy(),
  'closes within its answer': (response) => {
    response.setHeader('content-length', '100').write('half');
    setTimeout(() => response.socket?.destroy(), 1);
  },
  'stops within its answer': (response) => void response.setHeader('content-length', '100').write('half'),
  'never answers': () => {},
};

/** What the caller does with it. */
const ASKED: Readonly<Record<string, (transport: Transport, request: TransportRequest, leave: () => void) => unknown>> =
  {
    'reads it': async (transport, request) => textOf(await transport.request(request)),
    'leaves soon': async (transport, request, leave) => {
      setTimeout(leave, 2);
      return textOf(await transport.request(request));
    },
    'leaves at once': (transport, request, leave) => {
      const asked = transport.request(request);
      leave();
      return asked;
    },
    'leaves its body': async (transport, request, leave) => {
      setTimeout(leave, 5);
      for await (const _ of (await transport.request(request)).body) return;
    },
    'gives a header that cannot be sent': (transport, request) =>
      transport.request({ ...request, headers: { 'x-own': 'a\nb' } }),
  };

/** Those that never end are left by their caller. */
const settles = (served: string, asked: string): boolean =>
  asked !== 'reads it' || (served !== 'never answers' && served !== 'stops within its answer');

const askings = fc
  .array(fc.tuple(fc.constantFrom(...Object.keys(SERVED)), fc.constantFrom(...Object.keys(ASKED))), { maxLength: 24 })
  .map((all) => all.filter(([served, asked]) => settles(served, asked)));

test('whatever became of requests, as many as allowed are under way afterwards', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(askings, async (all) => {
      const full = deferred();
      const held: ServerResponse[] = [];
      const server = await loopback(({ path }, response) => {
        const name = decodeURIComponent(path.slice(1));
        if (name !== 'hold') return SERVED[name]?.(response);
        if (held.push(response) === MOST) full.resolve();
      });
      const transport = transportOf({ maxConnectionsPerOrigin: MOST });
      await Promise.allSettled(
        all.map(async ([served, asked]) => {
          const controller = new AbortController();
          const request = get(`${server.url}/${encodeURIComponent(served)}`, controller.signal);
          await ASKED[asked]?.(transport, request, () => controller.abort());
        }),
      );
      const last = Array.from({ length: MOST }, async () => textOf(await transport.request(get(`${server.url}/hold`))));
      await full.promise;
      for (const response of held) response.end('ok');
      expect(await Promise.all(last)).toEqual(['ok', 'ok', 'ok']);
      await transport.close();
    }),
    { numRuns: 40 },
  );
});

test('requests wait in their order, and those of callers who left are not sent', async () => {
  const arrived = deferred();
  const first: ServerResponse[] = [];
  const seen: string[] = [];
  const server = await loopback(({ path }, response) => {
    seen.push(path);
    if (first.push(response) === 1) arrived.resolve();
    else response.end('ok');
  });
  const transport = transportOf({ maxConnectionsPerOrigin: 1 });
  const holding = transport.request(get(`${server.url}/0`));
  await arrived.promise;
  const controller = new AbortController();
  const waiting = [1, 2, 3, 4, 5].map(async (number) => {
    const signal = number === 2 ? controller.signal : new AbortController().signal;
    return textOf(await transport.request(get(`${server.url}/${number}`, signal)));
  });
  const left = failure(waiting[1] ?? Promise.resolve());
  controller.abort();
  expect((await left).code).toBe('cancelled');
  first[0]?.end('ok');
  await textOf(await holding);
  await Promise.allSettled(waiting);
  expect(seen).toEqual(['/0', '/1', '/3', '/4', '/5']);
});

test('what waits ends when the transport closes', async () => {
  const arrived = deferred();
  const server = await loopback(() => arrived.resolve());
  const transport = transportOf({ maxConnectionsPerOrigin: 1 });
  const all = [0, 1, 2].map(() => failure(transport.request(get(server.url))));
  await arrived.promise;
  await transport.close();
  const errors = await Promise.all(all);
  // What was not sent costs nothing.
  expect(errors.map(({ code, unsent }) => [code, unsent])).toEqual([
    ['cancelled', false],
    ['cancelled', true],
    ['cancelled', true],
  ]);
  expect(server.received).toHaveLength(1);
});
