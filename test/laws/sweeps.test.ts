/** Law: all hosted models are asked as often as the config says and for no more money, by all processes together, and by none that is not asked to. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';
import { fault, noTransport, user } from '../gateway/harness.ts';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

function machine(options: { readonly fails?: boolean } = {}) {
  const runtime = fakeRuntime();
  const stores = memoryStores({ clock: runtime.clock });
  const asked: string[] = [];
  const events: GatewayEvent[] = [];
  const provider = (id: string, isOwn: boolean) =>
    fakeProvider({
      ...{ id, isOwn, runtime },
      models: ['one', 'two', 'three'].map((model) => fakeCard({ id: model })),
      script({ target, purpose }) {
        if (purpose === 'probe') asked.push(`${id}/${target.model}`);
        return options.fails === true && target.model === 'two' ? [fault('model-not-found')] : 'Yes.';
      },
    });
  const start = (health: Config['health'], keyValue = stores.keyValue) => {
    const gateway = createGateway({
      providers: [provider('hosted', false), provider('mine', true)],
      config: { ...(health && { health }), retry: { retries: 0 } },
      ...{ plugins: [], runtime, ...stores, keyValue, transport: noTransport },
    });
    gateway.onEvent?.((event) => events.push(event));
    const call = async (): Promise<void> => {
      await gateway.generate({ ...user(), model: 'hosted/one' });
    };
    return { gateway, call };
  };
  return { runtime, stores, asked, events, start };
}

const sweep = { usd: 0.1 };

describe('law: a sweep', () => {
  it('asks each hosted model once a week in a process that calls, and tells what they answered', async () => {
    const { runtime, asked, events, start } = machine({ fails: true });
    const { gateway, call } = start({ sweep });
    await call();
    await runtime.clock.advance(WEEK_MS - 1000);
    expect(asked).toEqual([]);
    await runtime.clock.advance(2000);
    expect(asked.sort()).toEqual(['hosted/one', 'hosted/three', 'hosted/two']);
    expect(events.filter(({ type }) => type === 'models-swept')).toMatchObject([
      { level: 'warn', answered: 2, unasked: 0, failed: ['hosted/two'] },
    ]);
    expect(events.some(({ type }) => type === 'model-retired')).toBe(true);
    await runtime.clock.advance(3 * WEEK_MS);
    expect(asked).toHaveLength(12);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('has no timer where nobody asks for it, or nothing is called', async () => {
    for (const health of [undefined, {}, { sweep }] as const) {
      const { runtime, asked, start } = machine();
      const { call } = start(health);
      if (health?.sweep === undefined) await call();
      await runtime.clock.advance(0);
      expect(runtime.clock.pending()).toBe(0);
      await runtime.clock.advance(3 * WEEK_MS);
      expect(asked).toEqual([]);
    }
  });

  it('is made without a call where probes are wanted from the start', async () => {
    const { runtime, asked, start } = machine();
    start({ sweep, probe: true });
    await runtime.clock.advance(WEEK_MS);
    expect(asked).toHaveLength(3);
  });

  it('is one for all processes with the same store, and comes due across short ones', async () => {
    const { runtime, asked, start } = machine();
    for (let day = 0; day < 21; day += 1) {
      const [one, two] = [start({ sweep }), start({ sweep })];
      await one.call();
      await two.call();
      await runtime.clock.advance(DAY_MS / 2);
      await Promise.all([one.gateway.close(), two.gateway.close()]);
      await runtime.clock.advance(DAY_MS / 2);
    }
    expect(asked).toHaveLength(6);
    const { call, gateway } = start({ sweep });
    await call();
    await runtime.clock.advance(599_000);
    expect(asked).toHaveLength(6);
    await gateway.close();
  });

  it('spends no more than it may in the worst case, and says how many were not asked', async () => {
    const { runtime, asked, events, stores, start } = machine();
    // 64 tokens of answer at two dollars for a million, and a prompt of a few tokens: enough for one.
    const { call } = start({ sweep: { usd: 0.000_2 } });
    await call();
    await runtime.clock.advance(WEEK_MS);
    expect(asked.length).toBeGreaterThan(0);
    const spent: number[] = [];
    for await (const { purpose, costNanoUsd } of stores.ledger.rows())
      if (purpose === 'probe') spent.push(costNanoUsd ?? 0);
    expect(spent.reduce((sum, cost) => sum + cost, 0)).toBeLessThanOrEqual(200_000);
    const [told] = events.filter((event) => event.type === 'models-swept');
    expect(told).toMatchObject({ level: 'warn', answered: asked.length, unasked: 3 - asked.length, failed: [] });
  });

  it('asks those first that were asked longest ago, whatever process asked them, so that little money reaches all in turn', async () => {
    const { runtime, stores, asked, start } = machine();
    for (let round = 1; round <= 6; round += 1) {
      // Enough for one model: a new process each time.
      const { gateway } = start(undefined);
      const reports = (await gateway.sweep?.({ usd: 0.000_2 })) ?? [];
      expect(reports.filter(({ ok }) => ok === true)).toHaveLength(1);
      for (const { error } of reports.filter(({ ok }) => ok === null))
        expect(error?.message).toMatch(
          /^The sweep may cost \$0\.0002, of which .*, and this question may cost \$0\.0001\d*: allow the sweep more, or ask again, as/,
        );
      expect(new Set(asked.slice(-Math.min(3, round))).size).toBe(Math.min(3, round));
      await gateway.close();
      await runtime.clock.advance(1000);
    }
    const never = await start(undefined).gateway.sweep?.({ usd: 0.000_01 });
    expect(never?.map(({ error }) => error?.message)).toEqual(
      Array(3).fill(expect.stringMatching(/: allow the sweep more, or this model is never asked\.$/)),
    );
    expect(asked).toHaveLength(6);
    expect(Object.keys((await stores.keyValue.get('gateway:swept')) as object).sort()).toEqual([
      'hosted/one',
      'hosted/three',
      'hosted/two',
    ]);
  });

  it.each([
    ['a store that fails', () => Promise.reject(new Error('out of order'))],
    ['what is no such list', () => Promise.resolve({ 'hosted/one': 'x', 'hosted/two': Number.NaN, three: -1 })],
  ])('is not held up by %s', async (_, get) => {
    const { runtime, stores, asked, start } = machine();
    const { gateway } = start(undefined, { ...stores.keyValue, get, set: () => Promise.reject(new Error('full')) });
    const reports = await gateway.sweep?.({ usd: 0.1 });
    expect(reports?.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(asked).toHaveLength(3);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('is cancelled at close', async () => {
    const { runtime, asked, events, start } = machine();
    const { call, gateway } = start({ sweep });
    await call();
    await runtime.clock.advance(WEEK_MS - 1);
    await gateway.close();
    await runtime.clock.advance(WEEK_MS);
    expect(asked).toEqual([]);
    expect(events).toEqual([]);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('is made now by a program, as by the command', async () => {
    const { asked, start } = machine();
    const reports = await start(undefined).gateway.sweep?.({ usd: 0.1 });
    expect(reports?.map(({ model, ok }) => [model, ok])).toEqual([
      ['hosted/one', true],
      ['hosted/three', true],
      ['hosted/two', true],
    ]);
    expect(asked).toHaveLength(3);
  });

  it('are refused without an amount, in a sentence', async () => {
    const { gateway } = machine().start(undefined);
    await expect(gateway.sweep?.(undefined as never)).rejects.toMatchObject({ code: 'invalid-request' });
    await gateway.close();
  });
});
