/** Law: what is kept ready costs nobody but its own budget, and nothing in a process that makes no call. */
import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import { type FakeProvider, fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { harness, user } from '../gateway/harness.ts';

const card = (id: string, price = { input: 1, output: 2 }) => fakeCard({ id, price });

function world(usdPerDay = 1, price = { input: 1, output: 2 }) {
  let fake: FakeProvider | undefined;
  let probes = 0;
  const host = harness({
    config: { warm: { 'fake/sleepy': { everyMs: 60_000, usdPerDay } }, connect: ['fake'] },
    providers(runtime) {
      const probe = async (): Promise<void> => void (await Promise.resolve(++probes));
      fake = fakeProvider({ runtime, probe, models: [card('one'), card('sleepy', price)] });
      return [fake];
    },
  });
  const seen: GatewayEvent[] = [];
  host.gateway.onEvent?.((event) => seen.push(event));
  const sent = () => (fake?.seen ?? []).filter(({ target }) => target.model === 'sleepy');
  const call = async (model = 'fake/one') => {
    const answer = host.gateway.generate({ ...user(), model });
    await host.runtime.clock.advance(0);
    return answer;
  };
  return { ...host, seen, sent, call, probes: () => probes };
}

describe('law: warm', () => {
  it('sends nothing and has no timer in a process that makes no call', async () => {
    const { runtime, sent, probes } = world();
    await runtime.clock.advance(3_600_000);
    expect(sent()).toEqual([]);
    expect(probes()).toBe(1);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('says that a provider to connect to is not there', () => {
    const lines: string[] = [];
    const say = (_: object, line?: string) => void lines.push(line ?? '');
    harness({
      config: { connect: ['fakee'] },
      providers: () => [fakeProvider({})],
      logger: { debug: say, info: say, warn: say, error: say },
    });
    expect(lines).toEqual(['"connect" of the config names "fakee", which is no provider here.']);
  });

  it('asks an idle model for one token, until ten minutes after the last call', async () => {
    const { runtime, sent, call, rows } = world();
    await call();
    await runtime.clock.advance(59_999);
    expect(sent()).toHaveLength(0);
    await runtime.clock.advance(1);
    expect(sent()).toHaveLength(1);
    await runtime.clock.advance(3_600_000);
    expect(sent()).toHaveLength(10);
    expect(runtime.clock.pending()).toBe(0);
    expect(sent()[0]).toMatchObject({ purpose: 'probe', priority: 'background', request: { maxOutputTokens: 1 } });
    const probes = (await rows()).filter(({ purpose }) => purpose === 'probe');
    expect(probes).toHaveLength(10);
  });

  it('leaves a model alone that is used', async () => {
    const { runtime, sent, call } = world();
    for (let minute = 0; minute < 5; minute += 1) {
      await call('fake/sleepy');
      await runtime.clock.advance(50_000);
    }
    expect(sent().filter(({ purpose }) => purpose === 'probe')).toEqual([]);
  });

  it('stops at the budget of a day, says so once, and goes on the next day', async () => {
    const { runtime, call, seen, rows } = world(0.000_2);
    for (let hour = 0; hour < 30; hour += 1) {
      await call();
      await runtime.clock.advance(3_600_000);
    }
    const spent = new Map<string, number>();
    for (const { purpose, startedAt, costNanoUsd } of await rows()) {
      const day = new Date(startedAt).toISOString().slice(0, 10);
      if (purpose === 'probe') spent.set(day, (spent.get(day) ?? 0) + (costNanoUsd ?? 0));
    }
    expect([...spent.values()]).toHaveLength(3);
    for (const cost of spent.values()) expect(cost).toBeLessThanOrEqual(200_000);
    expect(seen.map(({ type }) => type)).toEqual(Array.from(spent, () => 'warming-paused'));
  });

  it('stops at close', async () => {
    const { gateway, runtime, sent, call } = world();
    await call();
    await gateway.close();
    await runtime.clock.advance(3_600_000);
    expect(sent()).toEqual([]);
    expect(runtime.clock.pending()).toBe(0);
  });
});
