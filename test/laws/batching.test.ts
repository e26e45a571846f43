/**
 * Whenever the processes that share a store die, and however often: of each call that was taken the provider gets one batch at most,
 * every such call comes to an end, it is settled once and has one row, and no money stays held.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { counterKey } from '../../src/core/counter-key.ts';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { BatchAnswer, BatchEndpoint } from '../../src/core/model/batch.ts';
import type { KeyValueStore, LedgerRow, UsageLedger } from '../../src/core/stores.ts';
import { createGateway, type GatewayHandle } from '../../src/gateway/create-gateway.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { failing } from '../../src/kit/streams/stream-head.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { type FakeRuntime, fakeRuntime } from '../../src/testing/fakes.ts';
import { batchProvider, fakeServer, type Server, said } from '../gateway/batches/vendor.ts';
import { noTransport, user } from '../gateway/harness.ts';

const TENANTS = ['red', 'blue'] as const;
const HOUR_MS = 3_600_000;
/** Longer than what a process is waited for, and a batch takes. */
const SETTLED_MS = 6 * HOUR_MS;

/** Dies at an operation, before or after that has had its effect: nothing it asks for later has any, or is answered. */
class Life {
  #left: number;
  readonly #after: boolean;
  dead = false;

  constructor(operations: number, after: boolean) {
    this.#left = operations;
    this.#after = after;
  }

  async does<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.dead) return never();
    this.#left -= 1;
    if (this.#left > 0) return work();
    this.dead = true;
    if (this.#after) await work();
    return never();
  }
}

const never = (): Promise<never> => new Promise(() => {});

const mortalStore = (store: KeyValueStore, life: Life): KeyValueStore => ({
  lasting: true,
  get: (key) => life.does(() => store.get(key)),
  set: (key, value, options) => life.does(() => store.set(key, value, options)),
  delete: (key) => life.does(() => store.delete(key)),
  keys: (prefix, limit) => life.does(() => store.keys(prefix, limit)),
  change: (changes) => life.does(() => store.change(changes)),
  close: () => Promise.resolve(),
});

const mortalLedger = (ledger: UsageLedger, life: Life): UsageLedger => ({
  append: (rows) => life.does(() => ledger.append(rows)),
  flush: () => life.does(() => ledger.flush()),
  rows: (filter) => ledger.rows(filter),
  totals: (by, filter) => ledger.totals(by, filter),
  close: () => Promise.resolve(),
});

const mortalEndpoint =
  (life: Life) =>
  (endpoint: BatchEndpoint): BatchEndpoint => ({
    ...endpoint,
    submit: (batch, context) => life.does(() => endpoint.submit(batch, context)),
    find: (batch, since, context) => life.does(() => endpoint.find(batch, since, context)),
    poll: (id, context) => life.does(() => endpoint.poll(id, context)),
    async *results(id, requests, context) {
      for await (const answer of endpoint.results(id, requests, context)) yield await life.does(() => answer);
    },
    cancel: (id, context) => life.does(() => endpoint.cancel(id, context)),
  });

/** A live call of a dying process is the concern of another law. */
const noLiveCalls: GatewayPlugin = {
  name: 'no-live-calls',
  request: { place: 'failover', handle: () => failing(new PolyphonyError('blocked', 'no live call')) },
};

interface World {
  readonly runtime: FakeRuntime;
  readonly server: Server;
  readonly stores: ReturnType<typeof memoryStores>;
}

function processOf({ runtime, server, stores }: World, life: Life): GatewayHandle {
  return createGateway({
    providers: [batchProvider(server, runtime, mortalEndpoint(life))],
    plugins: [noLiveCalls],
    config: {
      batches: { flushMs: 1000, size: 3, pollMs: 2000 },
      budgets: TENANTS.map((id) => ({ scope: 'tenant', id, usd: 10 })),
    },
    runtime,
    keyValue: mortalStore(stores.keyValue, life),
    ledger: mortalLedger(stores.ledger, life),
    transport: noTransport,
  });
}

const death = fc.record({
  operations: fc.integer({ min: 1, max: 60 }),
  after: fc.boolean(),
  livesMs: fc.nat(7_200_000),
});
const story = fc.record({
  calls: fc.integer({ min: 1, max: 7 }),
  deaths: fc.array(death, { minLength: 0, maxLength: 4 }),
  fates: fc.array(fc.constantFrom('answer', 'error', 'missing', 'twice', 'garbage'), { minLength: 7, maxLength: 7 }),
  cancels: fc.option(fc.nat(6), { nil: undefined }),
});

type Story = typeof story extends fc.Arbitrary<infer T> ? T : never;

function serve(server: Server, fates: readonly string[]): void {
  server.answers = ({ asked }) =>
    [...asked.requests].reverse().flatMap(({ id, request }): readonly BatchAnswer[] => {
      const fate = fates[indexOf(request)];
      const answer = { id, events: said('done') };
      if (fate === 'missing') return [];
      if (fate === 'error') return [{ id, error: new PolyphonyError('overloaded', 'told to fail') }];
      if (fate === 'garbage')
        return [
          { id, events: said('') },
          { id: 'nobody', events: said('lost') },
        ];
      return fate === 'twice' ? [answer, { id, events: said('again') }] : [answer];
    });
}

const indexOf = (request: unknown): number => Number(/call (\d+)/.exec(JSON.stringify(request))?.[1]);

describe('batching', () => {
  it('pays nothing twice and loses nothing, at whichever step a process dies', async () => {
    for (let operations = 1; operations <= MOST_STEPS; operations += 1) {
      for (const after of [false, true]) {
        await play({
          calls: 2,
          deaths: [{ operations, after, livesMs: SHORT_MS }],
          fates: FATES,
          cancels: undefined,
        });
      }
    }
  }, 60_000);

  it('gives back what a call held whose process died while it was given back', async () => {
    // The second process leaves a reservation, the third one dies as it gives that back.
    for (const operations of Array.from({ length: 12 }, (_, index) => index + 10)) {
      for (const after of [false, true]) {
        const deaths = [
          { operations: 9, after: true, livesMs: 0 },
          { operations: 12, after: true, livesMs: 600_000 },
          { operations, after, livesMs: 0 },
        ];
        await play({ calls: 5, deaths, fates: FATES, cancels: undefined });
      }
    }
  }, 60_000);

  it('does so however often processes die, whatever the provider says', async () => {
    await fc.assert(fc.asyncProperty(story, play), { numRuns: 40 });
  }, 60_000);
});

/** More than a process takes for two calls, from the first to the last. */
const MOST_STEPS = 64;
/** Before it looks for what others left. */
const SHORT_MS = 50_000;
const FATES: Story['fates'] = ['answer', 'error', 'answer', 'answer', 'answer', 'answer', 'answer'];

async function play({ calls, deaths, fates, cancels }: Story): Promise<void> {
  const runtime = fakeRuntime();
  const world: World = { runtime, server: fakeServer(), stores: memoryStores({ clock: runtime.clock }) };
  serve(world.server, fates);
  // Some batches end before their process does.
  world.server.takesMs = calls % 2 === 0 ? 1000 : HOUR_MS;
  const accepted = new Set<string>();
  for (const [round, { operations, after, livesMs }] of deaths.entries()) {
    const life = new Life(operations, after);
    const gateway = processOf(world, life);
    for (let index = round; index < calls; index += deaths.length) queue(gateway, index, accepted);
    await runtime.clock.advance(livesMs);
    life.dead = true;
  }
  const last = processOf(world, new Life(Number.POSITIVE_INFINITY, false));
  if (deaths.length === 0) for (let index = 0; index < calls; index += 1) queue(last, index, accepted);
  await runtime.clock.advance(1);
  await last.batches?.list();
  if (cancels !== undefined) await last.batches?.cancel(`call-${cancels}`);
  await runtime.clock.advance(SETTLED_MS);
  await assertSettled(world, last, accepted);
  await last.close();
}

function queue(gateway: GatewayHandle, index: number, accepted: Set<string>): void {
  const scopes = [{ kind: 'tenant', id: TENANTS[index % 2] ?? 'red' }] as const;
  const id = `call-${index}`;
  const request = { operation: 'chat', ...user(`call ${index}`), maxOutputTokens: 50 } as const;
  gateway.batches?.queue(request, { id, scopes }).then(
    () => accepted.add(id),
    () => undefined,
  );
}

async function assertSettled(
  { server, stores }: World,
  last: GatewayHandle,
  accepted: ReadonlySet<string>,
): Promise<void> {
  const sent = server.batches.flatMap(({ asked }) => asked.requests.map(({ id }) => id));
  expect(new Set(sent).size).toBe(sent.length);
  expect(await last.batches?.list()).toEqual([]);
  for (const id of accepted) {
    const outcome = await last.batches?.result(id).then(
      (answer) => answer?.finishReason,
      (error: { readonly code: string }) => error.code,
    );
    expect(outcome, id).toBeTypeOf('string');
    expect(outcome, id).not.toBe('not-found');
  }
  const rows: LedgerRow[] = [];
  for await (const row of stores.ledger.rows()) rows.push(row);
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  expect(rows).toHaveLength(sent.length);
  for (const id of TENANTS) {
    const paid = rows.filter(({ scopes }) => scopes.some((scope) => scope.id === id));
    const counter = await stores.keyValue.change([{ key: counterKey({ kind: 'tenant', id }), by: 0 }]);
    const cost = paid.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
    expect(counter.ok && counter.values[0], id).toBe(cost);
  }
}
