/**
 * Law: where the wall clock is set back or forward by a day while calls run, nothing waits longer than its own interval, and nothing that
 * waits is skipped more than once.
 */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import { createCredentials } from '../../src/gateway/attempt-ring/credentials.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { createRevivals } from '../../src/gateway/health/revivals.ts';
import { createEndpointReports } from '../../src/gateway/routing/endpoint-reports.ts';
import { targetStatistics } from '../../src/gateway/routing/statistics.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider, fakeRuntime, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { batchProvider, fakeServer } from '../gateway/batches/vendor.ts';
import { fault, noTransport, text, user } from '../gateway/harness.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const CHAT = { operation: 'chat', maxOutputTokens: 50 } as const;
type Script = string | readonly ScriptStep[];

/** A clock of which the test sets what it says of the day; servers and stores go by another, `elsewhere`. */
function settable() {
  const given = fakeRuntime();
  let setByMs = 0;
  const runtime = { ...given, clock: { ...given.clock, now: () => given.clock.now() + setByMs } };
  const set = (byMs: number): void => {
    setByMs += byMs;
  };
  return { runtime, set, elsewhere: given, stores: memoryStores({ clock: given.clock }) };
}

function world(config: Config, script: (provider: string) => Script, more: Partial<Provider> = {}) {
  const made = settable();
  const { runtime, stores } = made;
  const reads: string[] = [];
  const keyValue = {
    ...stores.keyValue,
    get: (key: string) => {
      reads.push(key);
      return stores.keyValue.get(key);
    },
  };
  const provider = (id: string, general: number, options: Partial<Provider> = {}) =>
    fakeProvider({
      ...{ id, runtime, script: () => script(id), models: [fakeCard({ id: `${id}-model`, strengths: { general } })] },
      ...options,
    });
  const best = provider('best', 0.9, more);
  const gateway = createGateway({
    providers: [best, provider('other', 0.1)],
    config: { optimise: 'quality', retry: { retries: 0 }, ...config },
    ...{ plugins: [], runtime, keyValue, ledger: stores.ledger, transport: noTransport },
  });
  const events: GatewayEvent[] = [];
  gateway.onEvent?.((event) => events.push(event));
  const ask = async (options: object = {}, session?: string): Promise<string> => {
    const given = session === undefined ? {} : { session };
    const answer = gateway.generate({ ...user(), ...options }, given).then(({ target }) => target.provider);
    await runtime.clock.advance(2000);
    return answer;
  };
  return { ...made, gateway, best, events, reads, ask };
}

describe.each([
  ['back', -DAY_MS],
  ['forward', DAY_MS],
])('law: a wall clock that is set %s by a day', (_, byMs) => {
  it('changes nothing of the deadline of a call', async () => {
    const steps: Script = [{ waitMs: 300 }, fault('overloaded')];
    const { gateway, runtime, set, best } = world(
      { retry: { retries: 100, baseMs: 100, maxMs: 200 }, breaker: { minimumAttempts: 1000 } },
      () => steps,
    );
    let endedMs: number | undefined;
    const asked = gateway.generate({ ...user(), model: 'best-model', limits: { ms: 2000 } });
    void asked.catch(() => {
      endedMs = runtime.clock.monotonic();
    });
    await runtime.clock.advance(1000);
    const before = best.seen.length;
    set(byMs);
    await runtime.clock.advance(10_000);
    expect(best.seen.length).toBeGreaterThan(before);
    expect(endedMs).toBeGreaterThan(1500);
    expect(endedMs).toBeLessThanOrEqual(2000);
  });

  it('changes nothing of how long a call waits for its turn', async () => {
    const { gateway, runtime, set } = world({ concurrency: { best: 1 } }, () => [{ waitMs: HOUR_MS / 60 }, text('a')]);
    void gateway.generate({ ...user(), model: 'best-model' }).catch(() => {});
    await runtime.clock.advance(10);
    let endedMs: number | undefined;
    const waiting = gateway.generate({ ...user(), model: 'best-model', limits: { ms: 5000 } });
    void waiting.catch(() => {
      endedMs = runtime.clock.monotonic();
    });
    await runtime.clock.advance(1000);
    set(byMs);
    await runtime.clock.advance(20_000);
    expect(endedMs).toBe(5010);
  });

  it('has a binding read again after five seconds, and no more often', async () => {
    const { ask, set, reads, runtime } = world({}, () => 'ok');
    await ask({}, 'dialogue');
    await ask({}, 'dialogue');
    set(byMs);
    const before = reads.length;
    for (let call = 0; call < 10; call += 1) {
      await runtime.clock.advance(1000);
      await ask({}, 'dialogue');
    }
    expect(reads.length - before).toBeGreaterThan(0);
    expect(reads.length - before).toBeLessThanOrEqual(10);
  });

  it('asks a free endpoint every thirty seconds, until ten minutes after the last call', async () => {
    let probes = 0;
    const { ask, set, runtime } = world({}, () => 'ok', {
      async probe() {
        probes += 1;
      },
    });
    await ask();
    set(byMs);
    await runtime.clock.advance(120_000);
    expect(probes).toBeGreaterThanOrEqual(3);
    expect(probes).toBeLessThanOrEqual(4);
    await runtime.clock.advance(600_000);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('revives a key as long after the last time as ever', async () => {
    const { runtime, set } = settable();
    const revivals = createRevivals({ clock: runtime.clock, credentials: createCredentials() });
    const provider = fakeProvider({});
    revivals.revive(provider, 'a');
    set(byMs);
    expect(revivals.isDue(provider.id, 'a')).toBe(false);
    await runtime.clock.advance(30_000);
    expect(revivals.isDue(provider.id, 'a')).toBe(true);
  });

  it('has the ledger looked at within a minute', async () => {
    const budget = { scope: 'provider', id: 'best', usd: 1, shiftAt: 0.5 } as const;
    const { ask, set, runtime, stores, best } = world({ budgets: [budget] }, () => 'ok');
    expect(await ask()).toBe('best');
    set(byMs);
    for await (const booked of stores.ledger.rows()) {
      await stores.ledger.append([{ ...booked, key: 'of another process', costNanoUsd: 900_000_000 }]);
      break;
    }
    await runtime.clock.advance(60_000);
    await ask();
    expect(await ask()).toBe('other');
    expect(best.seen.length).toBe(2);
  });

  it('polls a batch when it was due, and no more often', async () => {
    const { runtime, set, stores, elsewhere } = settable();
    const server = fakeServer();
    server.takesMs = 2 * HOUR_MS;
    const gateway = createGateway({
      ...{ providers: [batchProvider(server, elsewhere)], plugins: [], runtime, ...stores, transport: noTransport },
      config: { batches: { flushMs: 60_000, pollMs: 60_000, maxPollMs: 60_000 } },
    });
    const ask = (id: string): Promise<unknown> => gateway.generate({ ...CHAT, ...user(id) }, { urgency: 'batch', id });
    const answers = [ask('a')];
    await runtime.clock.advance(30_000);
    set(byMs);
    await runtime.clock.advance(29_000);
    expect(server.batches).toHaveLength(0);
    await runtime.clock.advance(1000);
    expect(server.batches).toHaveLength(1);
    await runtime.clock.advance(630_000);
    const polls = server.polls;
    expect(polls).toBe(10);
    set(byMs);
    await runtime.clock.advance(600_000);
    expect(server.polls - polls).toBe(10);
    answers.push(ask('b'));
    await runtime.clock.advance(61_000);
    expect(server.batches).toHaveLength(2);
    await runtime.clock.advance(3 * HOUR_MS);
    await Promise.all(answers);
    await gateway.close();
    expect(runtime.clock.pending()).toBe(0);
  });

  it('has a batched call made at once as long before its deadline as ever', async () => {
    const { runtime, set, stores, elsewhere } = settable();
    const server = fakeServer();
    server.takesMs = 5 * HOUR_MS;
    const gateway = createGateway({
      ...{ providers: [batchProvider(server, elsewhere)], plugins: [], runtime, ...stores, transport: noTransport },
      config: { batches: { flushMs: 1000, liveMs: 120_000 } },
    });
    let answeredMs = 0;
    const limits = { ms: HOUR_MS };
    void gateway.generate({ ...CHAT, ...user(), limits }, { urgency: 'batch' }).then(() => {
      answeredMs = runtime.clock.monotonic();
    });
    await runtime.clock.advance(10_000);
    set(byMs);
    await runtime.clock.advance(2 * HOUR_MS);
    expect(answeredMs).toBeGreaterThanOrEqual(HOUR_MS - 120_000);
    expect(answeredMs).toBeLessThan(HOUR_MS - 110_000);
  });

  it('asks a model that its provider did not know in its place again after a quarter of an hour', async () => {
    let isGone = true;
    const { ask, set, runtime } = world({}, (id) => (isGone && id === 'best' ? [fault('model-not-found')] : 'ok'));
    await ask();
    isGone = false;
    set(byMs);
    expect(await ask()).toBe('other');
    await runtime.clock.advance(900_000);
    expect(await ask()).toBe('best');
  });

  it('keeps a model warm as often as ever', async () => {
    const warm = { 'best-model': { everyMs: 60_000, usdPerDay: 1 } };
    const { ask, set, runtime, best } = world({ warm }, () => 'ok');
    await ask({ model: 'other-model' });
    await runtime.clock.advance(90_000);
    set(byMs);
    const before = best.seen.length;
    await runtime.clock.advance(240_000);
    expect(best.seen.length - before).toBe(4);
    await runtime.clock.advance(900_000);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('forgets failures as fast as ever, and does not keep a percentile for a day', async () => {
    const { runtime, set } = settable();
    const observed = targetStatistics();
    const record = (outcome: 'ok' | 'failed', totalMs: number): void =>
      observed.record({ totalMs, firstTokenMs: null, outcome, outputTokens: 1, nowMs: runtime.clock.now() } as never);
    for (let attempt = 0; attempt < 50; attempt += 1) {
      record('failed', 10);
      record('ok', 9000);
    }
    set(byMs);
    for (let attempt = 0; attempt < 50; attempt += 1) record('ok', 100);
    expect(observed.errorRate(runtime.clock.now())).toBeLessThan(0.4);
    await runtime.clock.advance(2 * HOUR_MS);
    for (let attempt = 0; attempt < 50; attempt += 1) record('ok', 100);
    expect(observed.errorRate(runtime.clock.now())).toBeLessThan(0.01);
    expect(observed.total.quantile(0.95, runtime.clock.now())).toBeLessThan(200);
    await runtime.clock.advance(2 * HOUR_MS);
    expect(observed.total.quantile(0.95, runtime.clock.now())).toBeUndefined();
  });

  it('shows the limits of an endpoint until their reset', async () => {
    const { runtime, set } = settable();
    const reports = createEndpointReports(runtime.clock);
    const target = { provider: 'a', model: 'b' };
    reports.record(target, { rateLimits: [{ kind: 'requests', limit: 10, remaining: 1, resetMs: 30_000 }] }, () => 0);
    set(byMs);
    await runtime.clock.advance(29_000);
    expect(reports.of(target).limits).toHaveLength(1);
    await runtime.clock.advance(1000);
    expect(reports.of(target).limits).toEqual([]);
  });

  it('tells a change of a figure within minutes', async () => {
    let waitMs = 100;
    const { ask, set, events } = world({ health: { alerts: true } }, () => [{ waitMs }, text('a'), finish()]);
    const calls = async (count: number): Promise<void> => {
      for (let call = 0; call < count; call += 1) await ask();
    };
    await calls(45 * 31);
    set(byMs);
    waitMs = 1900;
    await calls(10 * 31);
    expect(events.map(({ type }) => type)).toContain('change-detected');
  });
});
