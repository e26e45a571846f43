/** Calls that are not urgent: how they wait, what they cost, and what becomes of them where no batch answers. */
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/core/clock.ts';
import type { Config } from '../../../src/core/config.ts';
import { counterKey } from '../../../src/core/counter-key.ts';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { GatewayEvent } from '../../../src/core/gateway.ts';
import type { BatchEndpoint } from '../../../src/core/model/batch.ts';
import type { KeyValueStore, Stores } from '../../../src/core/stores.ts';
import { createGateway } from '../../../src/gateway/create-gateway.ts';
import { batch } from '../../../src/gateway/request-ring/batch.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { fakeCard } from '../../../src/testing/fakes.ts';
import { drain, errorOf, type Harness, harness, noTransport, user } from '../harness.ts';
import { BATCH_COST, batchProvider, fakeServer, LIVE_COST, type Server, said } from './vendor.ts';

const HOUR_MS = 3_600_000;
const BATCHED = { urgency: 'batch' } as const;
const CHAT = { operation: 'chat', maxOutputTokens: 50 } as const;

/** The first write of such a key does not end before it is opened. */
function slowWrites(part: string): { readonly around: (stores: Stores) => Stores; readonly open: () => void } {
  let open: (() => void) | undefined;
  const around = (stores: Stores): Stores => {
    const { keyValue } = stores;
    const set: KeyValueStore['set'] = async (key, value, options) => {
      if (key.includes(part) && open === undefined)
        await new Promise<void>((resolve) => {
          open = resolve;
        });
      await keyValue.set(key, value, options);
    };
    return { ...stores, keyValue: { ...keyValue, set } };
  };
  return { around, open: () => open?.() };
}

function world(
  config: Config = {},
  around = (stores: Stores): Stores => stores,
): Harness & { readonly server: Server } {
  const server = fakeServer();
  const made = harness({
    stores: ({ clock }) => around(memoryStores({ clock })),
    providers: (runtime) => [batchProvider(server, runtime)],
    config: { batches: { flushMs: 1000, pollMs: 60_000 }, ...config },
  });
  return { ...made, server };
}

describe('calls that are not urgent', () => {
  it('are answered together, by the same promise, at the price of a batch', async () => {
    const { gateway, runtime, server, rows } = world();
    const events: GatewayEvent[] = [];
    gateway.onEvent?.((event) => events.push(event));
    const answers = ['a', 'b'].map((id) => gateway.generate({ ...CHAT, ...user(id) }, { ...BATCHED, id }));
    await runtime.clock.advance(2 * HOUR_MS);
    const [one] = await Promise.all(answers);
    expect(server.batches.map(({ asked }) => asked.requests.length)).toEqual([2]);
    expect(one).toMatchObject({ costNanoUsd: BATCH_COST, warnings: [], target: { model: 'one' } });
    expect(one?.text).toMatch(/^answer /);
    expect((await rows()).map(({ key, costNanoUsd }) => [key, costNanoUsd]).sort()).toEqual([
      ['a/1', BATCH_COST],
      ['b/1', BATCH_COST],
    ]);
    expect(events).toMatchObject([
      { type: 'batch-sent', calls: 2, what: 'fake/one' },
      { type: 'batch-ended', calls: 2, answered: 2, outcome: 'completed' },
    ]);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('cost their own price where usage was committed, and leave all of it to live calls', async () => {
    const commitments = [{ provider: 'fake', usd: LIVE_COST / 1e9, period: 'month' }] as const;
    const { gateway, runtime } = world({ commitments });
    const batched = gateway.generate({ ...CHAT, ...user('a') }, BATCHED);
    await runtime.clock.advance(2 * HOUR_MS);
    expect(await batched).toMatchObject({ costNanoUsd: BATCH_COST });
    const live = () => gateway.generate({ ...CHAT, ...user('b') });
    expect([(await live()).costNanoUsd, (await live()).costNanoUsd]).toEqual([0, LIVE_COST]);
  });

  it('are sent as soon as there are enough, and polled ever less often', async () => {
    const { gateway, runtime, server } = world({
      batches: { flushMs: HOUR_MS, size: 2, pollMs: 60_000, maxPollMs: 300_000 },
    });
    server.takesMs = 20 * HOUR_MS;
    for (const id of ['a', 'b', 'c']) void gateway.generate({ ...CHAT, ...user(id) }, { ...BATCHED, id }).catch(ignore);
    await runtime.clock.advance(10);
    expect(server.batches).toHaveLength(1);
    await runtime.clock.advance(HOUR_MS - 20);
    expect(server.polls).toBeGreaterThan(10);
    expect(server.polls).toBeLessThan(20);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('are charged to their own tenants, and reserved at the price of a batch', async () => {
    const usd = 0.0002;
    const { gateway, runtime, stores } = world({ budgets: [{ scope: 'tenant', usd }] });
    const ask = (id: string) =>
      gateway.generate({ ...CHAT, ...user(id) }, { ...BATCHED, id, scopes: [{ kind: 'tenant', id }] });
    const answers = [ask('red'), ask('blue')];
    await runtime.clock.advance(10);
    const held = async (id: string): Promise<unknown> => {
      const result = await stores.keyValue.change([{ key: counterKey({ kind: 'tenant', id }), by: 0 }]);
      return result.ok ? result.values[0] : undefined;
    };
    // 50 tokens of answer at two dollars for a million, and a prompt of a few tokens.
    expect(await held('red')).toBeGreaterThan(100_000);
    expect(await held('red')).toBeLessThan(200_000);
    await runtime.clock.advance(2 * HOUR_MS);
    await Promise.all(answers);
    expect([await held('red'), await held('blue')]).toEqual([BATCH_COST, BATCH_COST]);
  });

  it('are refused at once where the budget does not cover them', async () => {
    const { gateway, run, server, stores } = world({ budgets: [{ scope: 'tenant', usd: 0.000001 }] });
    const asked = gateway.generate(
      { ...CHAT, ...user() },
      { ...BATCHED, id: 'a', scopes: [{ kind: 'tenant', id: 'red' }] },
    );
    expect((await errorOf(run(asked))).code).toBe('budget-exceeded');
    expect(server.batches).toEqual([]);
    expect(await stores.keyValue.keys('gateway:batches:')).toEqual([]);
  });

  it('are made at once shortly before their deadline, and charged for both where the batch answers later', async () => {
    const { gateway, runtime, rows, server } = world();
    server.takesMs = 2 * HOUR_MS;
    const asked = gateway.generate({ ...CHAT, ...user(), limits: { ms: HOUR_MS } }, { ...BATCHED, id: 'a' });
    await runtime.clock.advance(HOUR_MS - 130_000);
    expect(await rows()).toEqual([]);
    await runtime.clock.advance(20_000);
    const answer = await asked;
    expect(answer).toMatchObject({ text: 'live', costNanoUsd: LIVE_COST, warnings: [{ code: 'batch-live' }] });
    await runtime.clock.advance(3 * HOUR_MS);
    // Nobody was left who waited, so the batch was cancelled and cost nothing.
    expect((await rows()).map(({ key, costNanoUsd }) => [key, costNanoUsd]).sort()).toEqual([
      ['a/1', 0],
      ['a/2', LIVE_COST],
    ]);
    expect(server.batches[0]?.cancelled).toBe(true);
  });

  it('are made at once where a batch is impossible, with the reason', async () => {
    const none = harness({ providers: (runtime) => [batchProvider(fakeServer(), runtime)] });
    const unconfigured = await none.run(none.gateway.generate(user(), BATCHED));
    expect(unconfigured.warnings).toMatchObject([
      { code: 'batch-live', message: expect.stringContaining('"batches"') },
    ]);
    expect(none.gateway.batches).toBeUndefined();
    const { gateway, run } = world();
    const late = await run(gateway.generate({ ...user(), limits: { ms: 60_000 } }, BATCHED));
    expect(late.warnings[0]?.message).toContain('deadline');
  });

  it('go on as live calls where the provider refuses, forgets or does not finish them', async () => {
    const { gateway, runtime, server, rows } = world();
    server.answers = ({ asked }) =>
      asked.requests.slice(1).map(({ id }) => ({ id, error: new PolyphonyError('overloaded', 'told to fail') }));
    const answers = ['a', 'b'].map((id) => gateway.generate({ ...CHAT, ...user(id) }, { ...BATCHED, id }));
    await runtime.clock.advance(2 * HOUR_MS);
    expect((await Promise.all(answers)).map(({ text }) => text)).toEqual(['live', 'live']);
    expect((await rows()).map(({ key, costNanoUsd, outcome }) => [key, costNanoUsd, outcome]).sort()).toEqual([
      ['a/1', 0, 'error'],
      ['a/2', LIVE_COST, 'ok'],
      ['b/1', 0, 'error'],
      ['b/2', LIVE_COST, 'ok'],
    ]);
  });

  it('count the first answer where the provider sends several, and none that nobody asked', async () => {
    const { gateway, runtime, server, rows } = world();
    server.answers = ({ asked }) => [
      { id: 'unknown', events: said('lost') },
      ...asked.requests.flatMap(({ id }) => [
        { id, events: said('first') },
        { id, events: said('second') },
      ]),
    ];
    const answer = gateway.generate({ ...CHAT, ...user() }, { ...BATCHED, id: 'a' });
    await runtime.clock.advance(2 * HOUR_MS);
    expect((await answer).text).toBe('first');
    expect(await rows()).toHaveLength(1);
  });
});

describe('batches of a gateway', () => {
  it('give an answer by its id, also to the next process', async () => {
    const first = world();
    const { runtime, stores, server } = first;
    const id = (await first.gateway.batches?.queue({ ...CHAT, ...user() }, { id: 'a' })) ?? '';
    expect(await first.gateway.batches?.list()).toMatchObject([{ id, state: 'queued', batch: null }]);
    await runtime.clock.advance(5000);
    expect(await first.gateway.batches?.list()).toMatchObject([{ id, state: 'sent' }]);
    expect(await first.gateway.batches?.result(id)).toBeUndefined();
    await first.gateway.close();
    const next = harness({
      providers: [batchProvider(server, runtime)],
      config: { batches: {} },
      stores: () => ({ ...stores, keyValue: { ...stores.keyValue, lasting: true } }),
    });
    // Its clock is another one, but the store holds what the first one wrote.
    const again = next.gateway.batches;
    await again?.list();
    await next.runtime.clock.advance(5 * HOUR_MS);
    await runtime.clock.advance(2 * HOUR_MS);
    await next.runtime.clock.advance(5 * HOUR_MS);
    expect(await again?.result(id)).toMatchObject({ costNanoUsd: BATCH_COST, finishReason: 'stop' });
    expect(server.batches).toHaveLength(1);
    await expect(again?.result('other')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('are listed by batch without a look at their calls, and calls no further than asked', async () => {
    let reads = 0;
    const counted = (stores: Stores): Stores => {
      const get: KeyValueStore['get'] = (key) => {
        if (key.startsWith('gateway:batches:call:')) reads += 1;
        return stores.keyValue.get(key);
      };
      return { ...stores, keyValue: { ...stores.keyValue, get } };
    };
    const { gateway, runtime } = world({}, counted);
    for (let index = 0; index < 40; index += 1)
      await gateway.batches?.queue({ ...CHAT, ...user(`${index}`) }, { id: `${index}`, priority: 'background' });
    await runtime.clock.advance(5000);
    await gateway.batches?.queue({ ...CHAT, ...user('last') }, { id: 'last' });
    reads = 0;
    const groups = await gateway.batches?.waiting();
    expect(groups).toMatchObject([
      { calls: 40, target: { provider: 'fake' }, deadline: null },
      { calls: 1, batch: null },
    ]);
    expect(reads).toBe(1);
    const few = await gateway.batches?.list(3);
    expect(few?.map(({ batch }) => batch)).toEqual(Array(3).fill(groups?.[0]?.batch));
    expect(reads).toBe(1 + 3);
    expect(await gateway.batches?.list()).toHaveLength(41);
  });

  it('answer a call that is asked again with the same id, and refuse another request with it', async () => {
    const { gateway, runtime, server } = world();
    const ask = (text: string) => gateway.generate({ ...CHAT, ...user(text) }, { ...BATCHED, id: 'a' });
    const [one, two] = [ask('hi'), ask('hi')];
    const other = errorOf(ask('ho'));
    await runtime.clock.advance(2 * HOUR_MS);
    expect((await one).text).toBe((await two).text);
    expect((await other).code).toBe('invalid-request');
    expect((await ask('hi')).text).toBe((await one).text);
    expect(server.batches).toHaveLength(1);
  });

  it('cancel one call before it is sent, and a whole batch afterwards', async () => {
    const { gateway, runtime, server, rows, stores } = world();
    const [one, two, three] = ['a', 'b', 'c'].map((id) =>
      errorOf(gateway.generate({ ...CHAT, ...user(id) }, { ...BATCHED, id })),
    );
    await runtime.clock.advance(1);
    expect(await gateway.batches?.cancel('a')).toBe(true);
    expect((await one)?.code).toBe('cancelled');
    await runtime.clock.advance(5000);
    expect(server.batches[0]?.asked.requests).toHaveLength(2);
    const [sent] = (await gateway.batches?.list()) ?? [];
    expect(await gateway.batches?.cancel(sent?.batch ?? '')).toBe(true);
    await runtime.clock.advance(HOUR_MS / 2);
    expect([(await two)?.code, (await three)?.code]).toEqual(['cancelled', 'cancelled']);
    expect((await rows()).map(({ costNanoUsd }) => costNanoUsd)).toEqual([0, 0]);
    expect(await gateway.batches?.cancel('nobody')).toBe(false);
    expect(await stores.keyValue.keys('gateway:batches:batch:')).toEqual([]);
  });

  it('end the wait of a caller that aborts, without a charge before it is sent', async () => {
    const { gateway, runtime, server, rows } = world();
    const controller = new AbortController();
    const asked = errorOf(gateway.generate({ ...CHAT, ...user() }, { ...BATCHED, signal: controller.signal }));
    await runtime.clock.advance(1);
    controller.abort();
    expect((await asked).code).toBe('cancelled');
    await runtime.clock.advance(HOUR_MS);
    expect([server.batches, await rows()]).toEqual([[], []]);
  });

  it.each([
    ['it is written down', ':call:', 10],
    ['its batch is made', ':batch:', 1500],
  ])('are not sent for a caller that aborts while %s, and leave the id free', async (_, slowKey, abortAtMs) => {
    const gate = slowWrites(slowKey);
    const { gateway, runtime, server } = world({}, gate.around);
    const controller = new AbortController();
    const asked = errorOf(gateway.generate({ ...CHAT, ...user() }, { ...BATCHED, id: 'a', signal: controller.signal }));
    await runtime.clock.advance(abortAtMs);
    controller.abort();
    await runtime.clock.advance(10);
    gate.open();
    await runtime.clock.advance(HOUR_MS);
    expect([(await asked).code, server.batches]).toEqual(['cancelled', []]);
    const again = gateway.generate({ ...CHAT, ...user() }, { ...BATCHED, id: 'a' });
    await runtime.clock.advance(2 * HOUR_MS);
    expect((await again).warnings).toEqual([]);
  });

  it('are not sent by a process that takes them over while their caller leaves', async () => {
    const { gateway, runtime, server, stores } = world();
    const controller = new AbortController();
    const options = { ...BATCHED, id: 'a', signal: controller.signal };
    const config = { batches: { flushMs: 8 * HOUR_MS } };
    gateway.reconfigure(config);
    const asked = errorOf(gateway.generate({ ...CHAT, ...user() }, options));
    await runtime.clock.advance(4 * HOUR_MS);
    const gate = slowWrites(':batch:');
    const other = createGateway({
      providers: [batchProvider(server, runtime)],
      config: { batches: { flushMs: 1000 } },
      runtime,
      transport: noTransport,
      ledger: stores.ledger,
      keyValue: gate.around(stores).keyValue,
    });
    await other.batches?.list();
    await runtime.clock.advance(10);
    controller.abort();
    await runtime.clock.advance(10);
    gate.open();
    await runtime.clock.advance(10_000);
    expect([(await asked).code, server.batches]).toEqual(['cancelled', []]);
    expect(await stores.keyValue.keys('gateway:batches:')).toEqual([]);
    await Promise.all([gateway.close(), other.close()]);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('keep their answer though the id is asked again with another request, and have none that were refused', async () => {
    const { gateway, runtime } = world({ budgets: [{ scope: 'tenant', usd: 1e-9 }] });
    const first = { ...CHAT, ...user('one') };
    await gateway.batches?.queue(first, { id: 'a' });
    const other = { ...CHAT, ...user('two') };
    // While it waits, and after it was answered.
    await expect(gateway.batches?.queue(other, { id: 'a' })).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await gateway.batches?.result('a')).toBeUndefined();
    await runtime.clock.advance(2 * HOUR_MS);
    await expect(gateway.batches?.queue(other, { id: 'a' })).rejects.toMatchObject({ code: 'invalid-request' });
    expect(await gateway.batches?.result('a')).toMatchObject({ costNanoUsd: BATCH_COST });
    const poor = { id: 'b', scopes: [{ kind: 'tenant', id: 't' }] } as const;
    await expect(gateway.batches?.queue(first, poor)).rejects.toMatchObject({ code: 'budget-exceeded' });
    await expect(gateway.batches?.result('b')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('keep a process alive only while somebody waits', async () => {
    const { gateway, runtime } = world();
    const asked: (boolean | undefined)[] = [];
    const { schedule } = runtime.clock;
    (runtime.clock as { schedule: Clock['schedule'] }).schedule = (delayMs, callback, options) => {
      asked.push(options?.background);
      return schedule(delayMs, callback);
    };
    await gateway.batches?.queue({ ...CHAT, ...user() });
    await runtime.clock.advance(1);
    expect(new Set(asked)).toEqual(new Set([true]));
    void gateway.generate({ ...CHAT, ...user('b') }, BATCHED).catch(ignore);
    await runtime.clock.advance(1);
    expect(asked.at(-1)).toBe(false);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('embed at once the texts that need several requests', async () => {
    const embeds = fakeCard({
      id: 'words',
      operations: ['embed'],
      capabilities: ['embeddings'],
      embeddingBatch: { texts: 2 },
    });
    const takesAll = (endpoint: BatchEndpoint): BatchEndpoint => ({ ...endpoint, takes: () => true });
    const { gateway } = harness({
      providers: (runtime) => [{ ...batchProvider(fakeServer(), runtime, takesAll), models: [embeds] }],
      config: { batches: {} },
    });
    const placed = (input: readonly string[]) => gateway.explain({ operation: 'embed', input }, BATCHED).batched;
    expect(placed(['a', 'b'])).toEqual({ target: { provider: 'fake', model: 'words' } });
    expect(placed(['a', 'b', 'c'])).toEqual({ live: 'no model that can serve it answers batches' });
  });

  it('do nothing for a call without urgency, and explain the place of one with it', async () => {
    const { gateway, runtime } = world();
    const stream = (async function* () {})();
    const layer = batch({ config: () => ({}), batches: {} as never });
    expect(layer({} as never, () => stream)).toBe(stream);
    expect(gateway.explain({ ...CHAT, ...user() }, BATCHED).batched).toEqual({
      target: { provider: 'fake', model: 'one' },
    });
    expect(gateway.explain({ ...CHAT, ...user() }).batched).toBeUndefined();
    const { events } = await drain(gateway.stream(user()));
    expect(events.at(-1)?.type).toBe('finish');
    expect(runtime.clock.pending()).toBe(0);
  });
});

function ignore(): void {}
