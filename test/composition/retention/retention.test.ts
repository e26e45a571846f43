import { expect, test, vi } from 'vitest';
import { keepRetention } from '../../../src/composition/retention/retention.ts';
import type { Config } from '../../../src/core/config.ts';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { RunEvent } from '../../../src/core/run/engine.ts';
import type { Stores } from '../../../src/core/stores.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { silentLogger } from '../../../src/system/logger.ts';
import { type FakeClock, fakeClock, fakeRuntime } from '../../../src/testing/fakes.ts';
import { ledgerRow } from '../../../src/testing/ledger-suite.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 2, 20);

const ended = (runId: string, at: number): readonly RunEvent[] => [
  { type: 'run-started', seq: 0, at, runId, plan: { version: 1, nodes: [] }, planHash: 'h', input: {} },
  { type: 'run-cancelled', seq: 1, at, runId, reason: 'asked', usage: { input: 0, output: 0 }, costNanoUsd: 0, ms: 1 },
];

async function kept(clock: FakeClock, config: Config, stores: Stores = memoryStores({ clock })) {
  let current = config;
  const warn = vi.fn();
  const logger = { ...silentLogger, warn };
  const retention = keepRetention({ stores, clock, config: () => current, logger });
  const runs = async (): Promise<readonly string[]> => (await stores.journal.list()).map(({ runId }) => runId).sort();
  return {
    stores,
    retention,
    warn,
    runs,
    replace(next: Config) {
      current = next;
      retention.refresh();
    },
  };
}

/** The module that removes is loaded when it is first needed, which takes real time. */
const soon = (check: () => unknown): Promise<unknown> => vi.waitFor(check, { timeout: 60_000 });

test('what is older is removed soon after the start, and then day by day', async () => {
  const clock = fakeClock(START);
  const config = { retention: { runsDays: 10, ledgerDays: 10 } };
  const { stores, retention, runs } = await kept(clock, config);
  for (const days of [20, 9, 8])
    await stores.journal.append(`${days} days`, ended(`${days} days`, START - days * DAY_MS));
  await stores.ledger.append([20, 9].map((days) => ledgerRow({ key: `${days}`, startedAt: START - days * DAY_MS })));
  await clock.advance(2000);
  await soon(async () => expect(await runs()).toEqual(['8 days', '9 days']));
  await soon(() => expect(clock.pending()).toBe(1));
  expect((await stores.ledger.totals('model'))[0]).toMatchObject({ attempts: 1 });
  await clock.advance(DAY_MS / 2);
  await soon(() => expect(clock.pending()).toBe(1));
  expect(await runs()).toEqual(['8 days', '9 days']);
  for (let hour = 0; hour < 26; hour += 1) {
    await clock.advance(3_600_000);
    await soon(() => expect(clock.pending()).toBe(1));
  }
  expect(await runs()).toEqual(['8 days']);
  await retention.close();
  expect(clock.pending()).toBe(0);
});

test('without the field no timer runs; a new config starts and stops it', async () => {
  const clock = fakeClock(START);
  const { stores, retention, runs, replace } = await kept(clock, {});
  expect(clock.pending()).toBe(0);
  await stores.journal.append('old', ended('old', START - 20 * DAY_MS));
  replace({ retention: { runsDays: 1 } });
  expect(clock.pending()).toBe(1);
  await clock.advance(2000);
  await soon(async () => expect(await runs()).toEqual([]));
  await soon(() => expect(clock.pending()).toBe(1));
  replace({});
  expect(clock.pending()).toBe(0);
  await retention.close();
});

test('a store that fails is told once an hour, and does not end the process', async () => {
  const clock = fakeClock(START);
  const stores = memoryStores({ clock });
  const prune = async () => Promise.reject(new PolyphonyError('store-full', 'The disk is full.'));
  const failing: Stores = { ...stores, journal: { ...stores.journal, prune } };
  const { retention, warn } = await kept(clock, { retention: { runsDays: 1 } }, failing);
  await clock.advance(2000);
  await soon(() => expect(clock.pending()).toBe(1));
  await clock.advance(3_600_000);
  await soon(() => expect(warn).toHaveBeenCalledTimes(2));
  expect(warn.mock.calls[0]?.[0]).toMatchObject({ error: { code: 'store-full' } });
  await retention.close();
});

test('rows that the cap of this month counts stay, and counters of the months before go', async () => {
  const runtime = { ...fakeRuntime(), clock: fakeClock(START) };
  const stores = memoryStores({ clock: runtime.clock });
  const config = { budgets: [{ scope: 'user', usd: 1, period: 'month' }] } as const;
  const polyphony = await createPolyphony({ plugins: [], stores, runtime, config });
  const days = [40, 25, 15, 5];
  await stores.ledger.append(days.map((ago) => ledgerRow({ key: `${ago}`, startedAt: START - ago * DAY_MS })));
  const keys = ['budget@2026-02:user:ann', 'budget@2026-03:user:ann', 'budget@2026-02-27:user:ann', 'budget:user:ann'];
  await stores.keyValue.change(keys.map((key) => ({ key, by: 1 })));
  const before = { ledger: START - DAY_MS, values: START - DAY_MS };
  const found = { runs: 0, ledgerRows: 2, values: 2 };
  expect(await polyphony.prune({ before, dryRun: true })).toMatchObject({ values: 2 });
  expect(await stores.keyValue.keys('budget')).toHaveLength(4);
  expect(await polyphony.prune({ before })).toEqual(found);
  expect(await stores.keyValue.keys('budget')).toEqual(['budget:user:ann', 'budget@2026-03:user:ann']);
  expect((await stores.ledger.totals('model'))[0]).toMatchObject({ attempts: 2 });
  await polyphony.close();
  await expect(polyphony.prune({ before })).rejects.toMatchObject({ code: 'invalid-request' });
});

test('the counters of a removed run go with it', async () => {
  const clock = fakeClock(START);
  const stores = memoryStores({ clock });
  const polyphony = await createPolyphony({ plugins: [], stores, runtime: { ...fakeRuntime(), clock } });
  await stores.journal.append('old', ended('old', START - 20 * DAY_MS));
  const keys = ['budget:run:old', 'budget:node:old/a', 'budget:run:older', 'budget:node:older/a'];
  await stores.keyValue.change(keys.map((key) => ({ key, by: 1 })));
  expect(await polyphony.prune({ before: { runs: START } })).toEqual({ runs: 1, ledgerRows: 0, values: 0 });
  expect(await stores.keyValue.keys('budget')).toEqual(['budget:node:older/a', 'budget:run:older']);
  await polyphony.close();
});

test('indexes that were not used go, by the config or when told to', async () => {
  const clock = fakeClock(START);
  const stores = memoryStores({ clock });
  const keep = (index: string) => stores.passages.put({ index, source: 'a', digest: '', passages: [] });
  await keep('old');
  await clock.advance(20 * DAY_MS);
  await keep('new');
  const config = { retention: { indexesDays: 10 } };
  const polyphony = await createPolyphony({ plugins: [], stores, runtime: { ...fakeRuntime(), clock }, config });
  await clock.advance(2000);
  await soon(async () => expect((await stores.passages.list()).map(({ index }) => index)).toEqual(['new']));
  const before = { indexes: clock.now() + DAY_MS };
  expect(await polyphony.prune({ before })).toEqual({ runs: 0, ledgerRows: 0, values: 0, indexes: 1 });
  await polyphony.close();
});

test('threads in which nothing was said go, by the config or when told to', async () => {
  const clock = fakeClock(START);
  const stores = memoryStores({ clock });
  const said = (key: string) => stores.threads.append({ key, writer: 'run/chat', question: 'Hi', answer: 'ho' });
  await said('old');
  await clock.advance(20 * DAY_MS);
  await said('new');
  const config = { retention: { threadsDays: 10 } };
  const polyphony = await createPolyphony({ plugins: [], stores, runtime: { ...fakeRuntime(), clock }, config });
  await clock.advance(2000);
  await soon(async () => expect((await stores.threads.list()).map(({ key }) => key)).toEqual(['new']));
  const before = { threads: clock.now() + 1 };
  expect(await polyphony.prune({ before })).toEqual({ runs: 0, ledgerRows: 0, values: 0, threads: 1 });
  await polyphony.close();
});
