/**
 * Committed usage: whatever the number of processes and of concurrent calls, exactly the amount of the period is covered, once; the rest
 * costs the usual price; a counter that fails, and a caller who has gone, never make a call cheaper than it is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CommitmentConfig, Config } from '../../src/core/config.ts';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import type { Attempt } from '../../src/core/model/model.ts';
import type { KeyValueStore, LedgerRow, Stores } from '../../src/core/stores.ts';
import { createGateway, type GatewayHandle } from '../../src/gateway/create-gateway.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { sqliteStores } from '../../src/stores/sqlite.ts';
import {
  type FakeRuntime,
  fakeCard,
  fakeProvider,
  fakeRuntime,
  finish,
  type ScriptStep,
} from '../../src/testing/fakes.ts';
import { drain, noTransport, text, user } from '../gateway/harness.ts';

/** Dollars for a million tokens, so nano-dollars for a thousandth of a token. */
const PRICE = { input: 1, output: 2 };
const listOf = (input: number, output: number): number => input * 1000 + output * 2000;

interface World {
  readonly runtime: FakeRuntime;
  readonly stores: Stores;
  readonly events: GatewayEvent[];
  process(commitments: readonly CommitmentConfig[], more?: Config, keyValue?: KeyValueStore): GatewayHandle;
  rows(): Promise<readonly LedgerRow[]>;
}

/** The prompt of a call says its usage: `10 5`. */
function steps({ request }: Attempt): readonly ScriptStep[] {
  const said = request.operation === 'chat' ? String(request.messages.at(-1)?.content) : '';
  const [input = 0, output = 0, waitMs = 0] = said.split(' ').map(Number);
  if (said.startsWith('fail')) return [text('some'), { fail: new Error('told to fail') }];
  return [text('some'), ...(waitMs === 0 ? [] : [{ waitMs }]), finish({ usage: { input, output } })];
}

function world(wrap: (store: KeyValueStore) => KeyValueStore = (store) => store): World {
  const runtime = fakeRuntime();
  const stores = memoryStores({ clock: runtime.clock });
  const events: GatewayEvent[] = [];
  return {
    runtime,
    stores,
    events,
    process(commitments, more = {}, keyValue = wrap(stores.keyValue)) {
      const models = (id: string) => [fakeCard({ id, price: PRICE })];
      const gateway = createGateway({
        providers: [
          fakeProvider({ id: 'acme', runtime, models: models('one'), script: steps }),
          fakeProvider({ id: 'other', runtime, models: models('two'), script: steps }),
        ],
        plugins: [],
        config: { commitments, retry: { retries: 0 }, ...more },
        runtime,
        keyValue,
        ledger: stores.ledger,
        transport: noTransport,
      });
      gateway.onEvent?.((event) => events.push(event));
      return gateway;
    },
    async rows() {
      const rows: LedgerRow[] = [];
      for await (const row of stores.ledger.rows()) rows.push(row);
      return rows;
    },
  };
}

const ask = (words: string, model = 'acme/one') => ({ ...user(words), model });
const MONTH: CommitmentConfig = { provider: 'acme', usd: 0.0001, period: 'month' };

/** A store over a network. */
const slow = (store: KeyValueStore): KeyValueStore => ({
  ...store,
  change: (changes) => Promise.resolve().then(() => store.change(changes)),
});

describe('a commitment', () => {
  it('covers the amount to the last nano-dollar, begins anew with its period, and tells once that it is used up', async () => {
    const { process, runtime, events, rows } = world();
    const [first, second] = [process([MONTH]), process([MONTH])];
    const costs = [];
    for (const gateway of [first, second, first, second])
      costs.push((await gateway.generate(ask('20 10'))).costNanoUsd);
    // 40,000 each at the usual price, of which 100,000 are covered.
    expect(costs).toEqual([0, 0, 20_000, 40_000]);
    expect((await rows()).map(({ costNanoUsd }) => costNanoUsd).sort()).toEqual([...costs].sort());
    await runtime.clock.advance(31 * 86_400_000);
    expect((await first.generate(ask('20 10'))).costNanoUsd).toBe(0);
    expect(events.filter(({ type }) => type === 'commitment-spent')).toMatchObject([
      {
        what: 'acme/* usd a month at 0',
        amount: { nanoUsd: 100_000 },
        message:
          'The commitment to acme of $0.0001 a month is used up for 2023-11: it covers no further calls until the next month begins.',
      },
    ]);
  });

  it('is told of in the event of the answer as it is booked', async () => {
    const { process } = world(slow);
    const { events } = await drain(process([MONTH]).stream(ask('20 10')));
    expect(events.at(-1)).toMatchObject({ type: 'finish', costNanoUsd: 0 });
  });

  it('costs its own price, rounded up, and gives the rest to the next commitment', async () => {
    const { process } = world();
    const gateway = process([
      { ...MONTH, usd: 0.00001, times: 0.333_333 },
      { ...MONTH, model: 'one', usd: 0.00002, times: 0.5 },
    ]);
    // 10,000 at a third, 20,000 at a half, 10,000 as usual.
    expect((await gateway.generate(ask('20 10'))).costNanoUsd).toBe(3334 + 10_000 + 10_000);
  });

  it('of tokens covers the share of them, in each minute anew, and only its model and provider', async () => {
    const { process, runtime } = world();
    const gateway = process([{ provider: 'acme', model: 'one', tokens: 40, period: 'minute' }]);
    const cost = async (model?: string) => (await gateway.generate(ask('20 10', model))).costNanoUsd;
    expect([await cost(), await cost(), await cost()]).toEqual([0, 26_667, 40_000]);
    expect(await cost('other/two')).toBe(40_000);
    await runtime.clock.advance(60_000);
    expect(await cost()).toBe(0);
  });

  it('leaves no counter of a minute that is long over', async () => {
    const { process, runtime, stores } = world();
    const gateway = process([{ provider: 'acme', tokens: 40, period: 'minute' }]);
    for (let hour = 0; hour < 5; hour += 1) {
      await gateway.generate(ask('20 10'));
      await runtime.clock.advance(2 * 3_600_000);
    }
    expect((await stores.keyValue.keys('commitment@')).length).toBeLessThanOrEqual(1);
  });

  it('covers exactly the amount over concurrent calls of two processes', async () => {
    const call = fc.tuple(
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 0, max: 30 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(call, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 3000 }),
        fc.boolean(),
        async (calls, thousands, isSlow) => {
          const { process, runtime, rows } = world(isSlow ? slow : undefined);
          const amount = thousands * 1000;
          const commitments = [{ ...MONTH, usd: amount / 1e9 }];
          const gateways = [process(commitments), process(commitments)];
          const answers = calls.map(([input, output, waitMs], index) =>
            gateways[index % 2]?.generate(ask(`${input} ${output} ${waitMs}`)),
          );
          await runtime.clock.advance(1000);
          await Promise.all(answers);
          const listed = calls.reduce((sum, [input, output]) => sum + listOf(input, output), 0);
          const billed = (await rows()).reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
          expect(listed - billed).toBe(Math.min(amount, listed));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('covers exactly the amount over two handles of one file', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'polyphony-commitments-')), 'store.db');
    const files = [sqliteStores({ path }), sqliteStores({ path })];
    const { process } = world();
    const gateways = files.map(({ keyValue }) => process([MONTH], {}, keyValue));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => gateways[index % 2]?.generate(ask('20 10'))),
    );
    const billed = answers.reduce((sum, answer) => sum + (answer?.costNanoUsd ?? 0), 0);
    expect(20 * 40_000 - billed).toBe(100_000);
    for (const file of files) await file.close();
    rmSync(dirname(path), { recursive: true });
  });

  it('makes nothing cheaper for who has gone, and nothing free while its counter fails', async () => {
    const { process, runtime, rows } = world(slow);
    const gateway = process([MONTH]);
    const caller = new AbortController();
    const left = gateway.generate(ask('20 10 50'), { signal: caller.signal }).catch(() => undefined);
    await runtime.clock.advance(10);
    caller.abort();
    await left;
    expect((await rows())[0]?.costNanoUsd).toBeGreaterThan(0);
    const broken = world((store) => ({
      ...store,
      change: (changes) =>
        changes.some(({ key }) => key.startsWith('commitment@'))
          ? Promise.reject(new Error('down'))
          : store.change(changes),
    }));
    expect((await broken.process([MONTH]).generate(ask('20 10'))).costNanoUsd).toBe(40_000);
  });

  it('holds the usual price of a cap, and gives back what was covered', async () => {
    const { process, stores } = world();
    const gateway = process([MONTH], { budgets: [{ scope: 'tenant', usd: 1 }] });
    await gateway.generate(ask('20 10'), { scopes: [{ kind: 'tenant', id: 'acme' }] });
    const result = await stores.keyValue.change([{ key: 'budget:tenant:acme', by: 0 }]);
    expect(result).toMatchObject({ values: [0] });
  });

  it('brings its provider first as long as it covers, and not afterwards', async () => {
    const { process } = world();
    const cheaper = { 'other/two': { input: 0.1, output: 0.2 } };
    const gateway = process([MONTH], { prices: cheaper, optimise: 'cost' });
    const served = async () => (await gateway.generate(user('20 30'))).target.provider;
    // 80,000 each: the second call uses the rest.
    expect([await served(), await served(), await served()]).toEqual(['acme', 'acme', 'other']);
    const usual = process([], { prices: cheaper, optimise: 'cost' });
    expect((await usual.generate(user('20 30'))).target.provider).toBe('other');
  });
});
