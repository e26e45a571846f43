/** The law of what is told of budgets: see S1 to S3 in src/gateway/money/spending.ts. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { CallOptions, GatewayEvent } from '../../src/core/gateway.ts';
import type { ModelResponse } from '../../src/core/model/model.ts';
import type { LedgerRow } from '../../src/core/stores.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { ledgerRow } from '../../src/testing/ledger-suite.ts';
import { errorOf, type Harness, harness, user } from '../gateway/harness.ts';

const DAY_MS = 86_400_000;
/** Every answer costs a cent. */
const cent = (id: string) =>
  fakeProvider({ id, models: [fakeCard({ id: `${id}-model`, price: { input: 0, output: 0, request: 0.01 } })] });
const team = [{ kind: 'team', id: 'red' }] as const;

interface Watched extends Harness {
  readonly told: GatewayEvent[];
  ask(options?: CallOptions): Promise<ModelResponse>;
}

function watched(config: Config, stores?: Harness['stores'], providers = [cent('acme')]): Watched {
  const made = harness({ providers, config, ...(stores === undefined ? {} : { stores: () => stores }) });
  const told: GatewayEvent[] = [];
  made.gateway.onEvent?.((event) => told.push(event));
  return {
    ...made,
    told,
    async ask(options) {
      const answer = await made.run(made.gateway.generate(user(), { scopes: team, ...options }));
      await made.runtime.clock.advance(0);
      return answer;
    },
  };
}

const alertsOf = ({ told }: Watched) => told.flatMap((event) => (event.type === 'budget-alert' ? [event] : []));

describe('law: spending', () => {
  it('S1, S2: tells each share once it is spent, once for all processes', async () => {
    const config: Config = { budgets: [{ scope: 'team', usd: 0.1, alerts: [0.5, 0.8, 1] }] };
    const stores = memoryStores();
    const [one, other] = [watched(config, stores), watched(config, stores)];
    for (let call = 0; call < 5; call += 1) await (call % 2 === 0 ? one : other).ask({ id: `first${call}` });
    // Neither has spent the half by its own count, and neither has looked again yet.
    expect([...one.told, ...other.told]).toEqual([]);
    await one.runtime.clock.advance(60_000);
    await other.runtime.clock.advance(60_000);
    await one.ask({ id: 'sixth' });
    expect(alertsOf(one).map(({ share }) => share)).toEqual([0.5]);
    for (let call = 0; call < 4; call += 1) await other.ask({ id: `last${call}` });
    expect(alertsOf(one)).toHaveLength(1);
    expect(alertsOf(other).map(({ share, spentNanoUsd, capNanoUsd }) => [share, spentNanoUsd, capNanoUsd])).toEqual([
      [0.8, 80_000_000, 100_000_000],
      [1, 100_000_000, 100_000_000],
    ]);
  });

  it('tells the shares anew in the next period, with what will be spent by its end', async () => {
    const all = watched({ budgets: [{ scope: 'team', usd: 0.02, period: 'day', alerts: [1] }] });
    for (let day = 0; day < 6; day += 1) {
      await all.ask();
      await all.ask();
      await all.runtime.clock.advance(DAY_MS);
    }
    const alerts = alertsOf(all);
    expect(alerts).toHaveLength(6);
    expect(new Set(alerts.map(({ period }) => period)).size).toBe(6);
    expect(alerts[0]?.forecast).toBeNull();
    expect(alerts[5]?.forecast).toMatchObject({ lowNanoUsd: expect.any(Number), highNanoUsd: expect.any(Number) });
  });

  it('refuses nothing for a budget that is tried out, tells what would not fit, and holds the real cap', async () => {
    const all = watched({
      budgets: [
        { scope: 'team', usd: 0.01, dryRun: true },
        { scope: 'team', usd: 0.03 },
      ],
    });
    for (let call = 0; call < 3; call += 1) await all.ask();
    expect(all.told.map(({ type }) => type)).toEqual(['budget-dry-run', 'budget-dry-run']);
    expect(all.told[0]).toMatchObject({ capNanoUsd: 10_000_000, takenNanoUsd: 10_000_000, neededNanoUsd: 10_000_000 });
    const refused = all.gateway.generate(user(), { scopes: team });
    expect((await errorOf(all.run(refused))).details).toMatchObject({ capNanoUsd: 30_000_000 });
    expect(await all.stores.keyValue.get('budget:team:red')).toBe(30_000_000);
  });

  it('raises a cap until a time', async () => {
    const until = new Date(harness({ providers: [] }).runtime.clock.now() + 1000).toISOString();
    const all = watched({ budgets: [{ scope: 'team', usd: 0.01, raises: [{ usd: 0.01, until }] }] });
    await all.ask();
    await all.ask();
    await all.runtime.clock.advance(1000);
    expect((await errorOf(all.run(all.gateway.generate(user(), { scopes: team })))).details).toMatchObject({
      capNanoUsd: 10_000_000,
    });
  });

  it('shifts calls that are not critical away from a provider, and leaves its cap to the others', async () => {
    const [acme, bolt] = [cent('acme'), cent('bolt')];
    const config: Config = { budgets: [{ scope: 'provider', id: 'acme', usd: 0.05, period: 'month', shiftAt: 0.8 }] };
    const all = watched(config, undefined, [acme, bolt]);
    for (let call = 0; call < 4; call += 1) expect((await all.ask()).target.provider).toBe('acme');
    expect(all.told).toMatchObject([{ type: 'provider-shifted', provider: 'acme', spentNanoUsd: 40_000_000 }]);
    expect((await all.ask()).target.provider).toBe('bolt');
    expect((await all.ask({ priority: 'background' })).target.provider).toBe('bolt');
    expect(all.gateway.explain({ operation: 'chat', ...user() })).toMatchObject({
      shifted: ['acme'],
      candidates: [{ target: { provider: 'bolt' } }, { target: { provider: 'acme' } }],
    });
    expect((await all.ask({ priority: 'critical' })).target.provider).toBe('acme');
    // The cap is spent: nothing more is sent there, and the call is answered all the same.
    expect((await all.ask({ priority: 'critical' })).target.provider).toBe('bolt');
    expect(acme.seen).toHaveLength(5);
  });

  it('tells a drift from week to week once', async () => {
    const stores = memoryStores();
    const now = harness({ providers: [] }).runtime.clock.now();
    const rows: LedgerRow[] = Array.from({ length: 14 }, (_, index) =>
      ledgerRow({
        key: `k${index}/1`,
        scopes: team,
        startedAt: now - (14 - index) * DAY_MS,
        costNanoUsd: index < 7 ? 1000 : 1500,
      }),
    );
    await stores.ledger.append(rows);
    const config: Config = { budgets: [{ scope: 'team', usd: 100, drift: 0.4 }] };
    const [one, other] = [watched(config, stores), watched(config, stores)];
    await one.ask();
    await other.ask();
    expect([...one.told, ...other.told]).toMatchObject([
      { type: 'spend-drift', beforeNanoUsd: 7000, lastNanoUsd: 10_500, change: 0.5 },
    ]);
  });

  it('tells no drift of a scope before it has two whole weeks, and none within seven days of the last one', async () => {
    const stores = memoryStores();
    const all = watched({ budgets: [{ scope: 'team', usd: 100, drift: 0.4 }] }, stores);
    const begun = all.runtime.clock.now();
    const drifts: number[] = [];
    for (let day = 0; day < 40; day += 1) {
      // Three times as many calls from the fifteenth day on, and again from the twenty-second.
      for (let call = 0; call < (day < 14 ? 1 : day < 21 ? 3 : 9); call += 1) await all.ask({ id: `${day}-${call}` });
      if (all.told.splice(0).some(({ type }) => type === 'spend-drift')) drifts.push(day);
      await all.runtime.clock.advance(begun + (day + 1) * DAY_MS - all.runtime.clock.now());
    }
    expect(drifts[0]).toBeGreaterThan(14);
    expect(drifts.length).toBeGreaterThan(1);
    for (const [index, day] of drifts.entries()) expect(day - (drifts[index - 1] ?? 0)).toBeGreaterThanOrEqual(7);
  });

  it('S3: answers, and tells later, where the ledger fails', async () => {
    const stores = memoryStores();
    let fails = true;
    const totals: typeof stores.ledger.totals = (...query) =>
      fails ? Promise.reject(new Error('the disk is gone')) : stores.ledger.totals(...query);
    const config: Config = { budgets: [{ scope: 'team', usd: 0.1, alerts: [0.1] }] };
    const all = watched(config, { ...stores, ledger: { ...stores.ledger, totals } });
    await all.ask();
    expect(all.told).toEqual([]);
    fails = false;
    await all.ask();
    expect(alertsOf(all)).toHaveLength(1);
  });
});
