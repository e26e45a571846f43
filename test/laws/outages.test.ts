/** Outages are found soon and rarely by mistake; probes run only where they may, and bring back what is well again. */
import { describe, expect, it } from 'vitest';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import { createOutages } from '../../src/gateway/health/outages.ts';
import {
  type FakeProvider,
  fakeCard,
  fakeClock,
  fakeProvider,
  type ScriptStep,
  seededRandom,
} from '../../src/testing/fakes.ts';
import { errorOf, fault, type Harness, harness, user } from '../gateway/harness.ts';

const BEST = fakeCard({ id: 'one', strengths: { general: 0.9 } });
const config = { retry: { retries: 0 }, breaker: { minimumAttempts: 1_000_000 } };

const listening = ({ gateway }: Harness): GatewayEvent[] => {
  const events: GatewayEvent[] = [];
  gateway.onEvent?.((event) => events.push(event));
  return events;
};

interface World extends Harness {
  readonly events: GatewayEvent[];
  readonly provider: FakeProvider;
  /** The credential of each probe. */
  readonly probes: (string | undefined)[];
  failing: boolean;
  probeFails: boolean;
}

function world(
  options: Partial<Provider> = {},
  more: object = {},
  failWith: () => readonly ScriptStep[] = () => [fault('overloaded')],
): World {
  const made = { failing: false, probeFails: false, probes: [] as (string | undefined)[] };
  const provider = fakeProvider({
    id: 'a',
    models: [BEST],
    script: () => (made.failing ? failWith() : 'ok'),
    async probe(_context, _signal, credential) {
      made.probes.push(credential);
      if (made.probeFails) throw fault('network').fail;
    },
    ...options,
  });
  const other = fakeProvider({ id: 'b', models: [fakeCard({ id: 'two' })] });
  const house = harness({ providers: [provider, other], config: { ...config, ...more } });
  return Object.assign(made, house, { provider, events: listening(house) });
}

const best = { ...user(), optimise: 'quality' } as const;

describe('law: an outage', () => {
  it('is found within 2 seconds at 10 requests a second, whatever answered before, and ends with two answers', async () => {
    for (const before of [0, 20, 5000]) {
      const clock = fakeClock();
      const events: GatewayEvent[] = [];
      const outages = createOutages(clock, {
        tell: (draft) => events.push({ ...draft, at: clock.now() } as GatewayEvent),
        listen: () => () => {},
      });
      const end = (isOk: boolean): void =>
        outages.ended({ target: { provider: 'a', model: 'm' } } as Attempt, {
          outcome: isOk ? 'ok' : 'blamed',
          error: undefined,
          finish: undefined,
          totalMs: 1,
        });
      for (let attempt = 0; attempt < before; attempt += 1) end(true);
      const begun = clock.now();
      for (let attempt = 0; attempt < 20 && events.length === 0; attempt += 1) {
        await clock.advance(100);
        end(false);
      }
      expect(events).toMatchObject([{ type: 'outage', what: 'a', since: begun + 100 }]);
      expect(clock.now() - begun).toBeLessThanOrEqual(600);
      end(true);
      expect(events).toHaveLength(1);
      end(true);
      expect(events[1]).toMatchObject({ type: 'recovered', what: 'a', outageMs: 500 });
    }
  });

  it('is a false alarm less than once a week at 10 requests a second of which 2 % fail', () => {
    const random = seededRandom(11);
    let alarms = 0;
    const outages = createOutages(
      { now: () => 0, monotonic: () => 0 },
      {
        tell({ type }) {
          if (type === 'outage') alarms += 1;
        },
        listen: () => () => {},
      },
    );
    const attempt = { target: { provider: 'a', model: 'm' } } as Attempt;
    const ok = { outcome: 'ok', error: undefined, finish: undefined, totalMs: 1 } as const;
    const failed = { ...ok, outcome: 'blamed' } as const;
    const week = 7 * 86_400 * 10;
    for (let call = 0; call < 2 * week; call += 1) outages.ended(attempt, random() < 0.02 ? failed : ok);
    expect(alarms).toBeLessThan(2);
  });

  it('moves traffic away for 30 seconds after each failure, and no limit, key or caller makes one', async () => {
    const it = world();
    await it.gateway.generate(best);
    it.failing = true;
    for (let call = 0; call < 20; call += 1) expect((await it.gateway.generate(best)).target.provider).toBe('b');
    expect(it.provider.seen).toHaveLength(1 + 6);
    expect(it.events.map(({ type }) => type)).toEqual(['outage']);
    expect(it.gateway.explain({ operation: 'chat', ...best }).candidates[1]?.notes?.[0]).toContain('fails now');
    for (const code of ['rate-limited', 'invalid-credential', 'invalid-request', 'content-policy'] as const) {
      const other = world({}, {}, () => [fault(code)]);
      other.failing = true;
      for (let call = 0; call < 20; call += 1) {
        await other.gateway.generate({ ...best, model: 'a/one' }).catch(() => undefined);
        await other.gateway.reviveCredentials();
      }
      expect(other.events.filter(({ type }) => type === 'outage')).toEqual([]);
    }
  });
});

describe('law: probes', () => {
  it('run in no process that makes no call, end ten minutes after the last one, and leave nothing at close', async () => {
    const it = world();
    await it.runtime.clock.advance(3_600_000);
    expect([it.probes.length, it.runtime.clock.pending()]).toEqual([0, 0]);
    await it.gateway.generate(best);
    expect(it.runtime.clock.pending()).toBe(1);
    await it.runtime.clock.advance(3_600_000);
    expect(it.probes.length).toBeGreaterThanOrEqual(18);
    expect(it.probes.length).toBeLessThanOrEqual(20);
    expect(it.runtime.clock.pending()).toBe(0);
    await it.gateway.generate(best);
    await it.gateway.close();
    expect(it.runtime.clock.pending()).toBe(0);
  });

  it('run from the start or never where the config says so, and only for what is idle or unwell', async () => {
    const always = world({}, { health: { probe: true, probeMs: 1000 } });
    await always.runtime.clock.advance(3_600_000);
    expect(always.probes).toHaveLength(3600);
    await always.gateway.close();
    const never = world({}, { health: { probe: false } });
    await never.gateway.generate(best);
    expect(never.runtime.clock.pending()).toBe(0);
    const busy = world();
    for (let second = 0; second < 300; second += 1) {
      await busy.gateway.generate(best);
      await busy.runtime.clock.advance(1000);
    }
    expect(busy.probes).toHaveLength(0);
    await busy.gateway.close();
  });

  it('bring a provider back as soon as its free endpoint answers', async () => {
    const it = world();
    it.failing = true;
    it.probeFails = true;
    for (let call = 0; call < 8; call += 1) await it.gateway.generate(best);
    await it.runtime.clock.advance(89_000);
    it.failing = false;
    const served = async (): Promise<string> => (await it.gateway.generate(best)).target.provider;
    expect(await served()).toBe('b');
    it.probeFails = false;
    await it.runtime.clock.advance(1000);
    expect([await served(), await served()]).toEqual(['a', 'a']);
    expect(it.events.map(({ type }) => type)).toEqual(['outage', 'recovered']);
    await it.gateway.close();
  });

  it('find out that an idle provider fails before a caller does, wherever it runs', async () => {
    const regions = ['eu', 'us'];
    const it = world({ regions, models: [fakeCard({ ...BEST, regions })] });
    await it.gateway.generate(best);
    await it.runtime.clock.advance(30_000);
    it.failing = true;
    it.probeFails = true;
    await it.runtime.clock.advance(240_000);
    expect(it.events.map((event) => [event.type, 'what' in event && event.what])).toEqual([
      ['outage', 'a@eu'],
      ['outage', 'a@us'],
    ]);
    const { target, attempts } = await it.gateway.generate(best);
    expect([target.provider, attempts.length]).toEqual(['b', 1]);
    await it.gateway.close();
  });

  it('take whatever a provider of the user throws for its failure', async () => {
    let probes = 0;
    const probe = () => {
      probes += 1;
      return probes === 1 ? Promise.resolve() : Promise.reject(new TypeError('fetch failed'));
    };
    const it = world({ probe });
    await it.gateway.generate(best);
    await it.runtime.clock.advance(240_000);
    expect(it.events.map(({ type }) => type)).toEqual(['outage']);
    await it.gateway.close();
  });

  it('say nothing of a provider that answers calls while its free endpoint fails, as it always did or since a while', async () => {
    for (const hasAnswered of [false, true]) {
      const it = world({}, { health: { probe: true } });
      await it.gateway.generate(best);
      if (hasAnswered) await it.runtime.clock.advance(30_000);
      it.probeFails = true;
      for (let call = 0; call < 10; call += 1) {
        // Six probes in a row would be an outage: an endpoint that has answered is believed until a call is answered too.
        await it.runtime.clock.advance(call === 0 && hasAnswered ? 120_000 : 1_800_000);
        expect((await it.gateway.generate(best)).target.provider).toBe('a');
      }
      expect(it.events).toEqual([]);
      it.probeFails = false;
      await it.runtime.clock.advance(30_000);
      it.probeFails = true;
      await it.runtime.clock.advance(240_000);
      expect(it.events.map(({ type }) => type)).toEqual(['outage']);
      await it.gateway.close();
    }
  });

  it('alone keep calls away for five minutes at most, so that what answers again is found', async () => {
    for (const found of ['by probes', 'by calls']) {
      const it = world({}, { health: { probe: true } });
      await it.runtime.clock.advance(30_000);
      it.probeFails = true;
      it.failing = found === 'by calls';
      if (it.failing) for (let call = 0; call < 6; call += 1) await it.gateway.generate(best);
      it.failing = false;
      await it.runtime.clock.advance(240_000);
      const served = async (): Promise<string> => (await it.gateway.generate(best)).target.provider;
      expect(it.events.map(({ type }) => type)).toEqual(['outage']);
      expect(await served()).toBe('b');
      // Its free endpoint is gone for good, and its models answer.
      await it.runtime.clock.advance(300_000);
      expect([found, await served(), await served()]).toEqual([found, 'a', 'a']);
      expect(it.events.map(({ type }) => type)).toEqual(['outage', 'recovered']);
      await it.runtime.clock.advance(3_600_000);
      expect(await served()).toBe('a');
      await it.gateway.close();
    }
  });

  it('try what still fails once every five minutes, by one call', async () => {
    const it = world({}, { health: { probe: true } });
    await it.runtime.clock.advance(30_000);
    it.failing = true;
    it.probeFails = true;
    await it.runtime.clock.advance(180_000);
    const tried = async (): Promise<number> => (await it.gateway.generate(best)).attempts.length - 1;
    let failures = 0;
    for (let second = 0; second < 3600; second += 5) {
      failures += await tried();
      await it.runtime.clock.advance(5000);
    }
    expect(failures).toBeGreaterThanOrEqual(11);
    expect(failures).toBeLessThanOrEqual(13);
    await it.gateway.close();
  });

  it('that nobody believes end no outage later than calls do', async () => {
    const it = world();
    it.failing = true;
    it.probeFails = true;
    for (let call = 0; call < 6; call += 1) await it.gateway.generate(best);
    it.failing = false;
    const ask = async () => (await it.gateway.generate({ ...best, model: 'a/one' })).target.provider;
    expect(await ask()).toBe('a');
    await it.runtime.clock.advance(60_000);
    expect(await ask()).toBe('a');
    expect(it.events.map(({ type }) => type)).toEqual(['outage', 'recovered']);
    await it.gateway.close();
  });

  it.each(['model-not-found', 'invalid-request', 'rate-limited', 'invalid-credential'] as const)(
    'take a free endpoint that answers %s for no failure of its provider',
    async (code) => {
      const probe = () => Promise.reject(fault(code).fail);
      const it = world({ probe });
      it.failing = true;
      await it.gateway.generate(best);
      it.failing = false;
      await it.runtime.clock.advance(540_000);
      expect(it.events).toEqual([]);
      expect((await it.gateway.generate(best)).target.provider).toBe('a');
      await it.gateway.close();
    },
  );

  it('bring a refused key back, and try again ever later while it is refused again', async () => {
    const it = world({ credentials: ['a#1', 'a#2'] }, {}, () => [fault('invalid-credential')]);
    it.failing = true;
    const ask = () => it.gateway.generate({ ...best, model: 'a/one' }).catch(() => undefined);
    await ask();
    expect(it.provider.seen).toHaveLength(2);
    for (let step = 0; step < 60; step += 1) {
      await it.runtime.clock.advance(15_000);
      await ask();
    }
    // Without probes 2 more after 15 minutes; with one at each probe 60 more.
    expect(it.provider.seen.length).toBeGreaterThan(4);
    expect(it.provider.seen.length).toBeLessThanOrEqual(2 + 2 * 6);
    expect(new Set(it.probes)).toEqual(new Set([undefined, 'a#1', 'a#2']));
    it.failing = false;
    await it.runtime.clock.advance(900_000);
    expect((await it.gateway.generate({ ...best, model: 'a/one' })).target.provider).toBe('a');
    await it.gateway.close();
  });

  it('that cost are sent to what fails only, from a cap of their own, and only where the config allows it', async () => {
    for (const paidUsd of [0, 0.5]) {
      const { probe: _probe, ...bare } = fakeProvider({});
      const it = world({ ...bare, id: 'a', models: [BEST] }, { health: { paidUsd } });
      const provider = fakeProvider({ id: 'c', models: [BEST], script: () => [fault('overloaded')] });
      it.gateway.register({ providers: [provider] });
      for (let call = 0; call < 8; call += 1) await errorOf(it.gateway.generate({ ...user(), model: 'c/one' }));
      const before = provider.seen.length;
      await it.runtime.clock.advance(60_000);
      expect(provider.seen.length - before).toBe(paidUsd === 0 ? 0 : 2);
      const paid = (await it.rows()).filter(({ purpose }) => purpose === 'probe');
      expect(paid).toHaveLength(paidUsd === 0 ? 0 : 2);
      for (const { scopes } of paid) expect(scopes).toEqual([{ kind: 'tag', id: 'health-probes:2023-11-14' }]);
      await it.gateway.close();
    }
  });

  it('are reported, by provider, with the reason', async () => {
    const it = world();
    it.probeFails = true;
    const reports = await it.gateway.probe?.();
    expect(reports).toEqual([
      { provider: 'a', ok: false, ms: 0, error: { code: 'network', message: 'told to fail: network' } },
      { provider: 'b', ok: null, ms: 0 },
    ]);
    expect(it.runtime.clock.pending()).toBe(0);
  });
});
