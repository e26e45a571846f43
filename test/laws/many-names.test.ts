/** Law: however many names callers make up, of models, sessions, tenants, tags or texts, a gateway keeps a bounded part of them. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { CallOptions } from '../../src/core/gateway.ts';
import type { KeyValueStore } from '../../src/core/stores.ts';
import { fairQueue, newTurns } from '../../src/gateway/attempt-ring/limiter/fair-queue.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { fakeCard, fakeProvider, fakeRuntime } from '../../src/testing/fakes.ts';
import { noTransport, user } from '../gateway/harness.ts';

/** NAMES=100000 plays as many. Whatever grows with names grows with these too. */
const NAMES = Number(process.env.NAMES ?? 12_000);
/** What was kept of half of them, when it was not bounded, was four times as much and more. */
const MOST_BYTES = 12_000_000;

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;
function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Takes everything and keeps nothing, so that only the gateway remembers. */
const forgetful: KeyValueStore = {
  get: async () => undefined,
  set: async () => {},
  delete: async () => {},
  keys: async () => [],
  change: async (changes) => ({ ok: true, values: changes.map(() => 0) }),
  close: async () => {},
};

function world(config: Config, fails: () => boolean = () => false) {
  const runtime = fakeRuntime();
  const provider = fakeProvider({
    models: [fakeCard({ id: 'listed' })],
    unlisted: (id) => fakeCard({ id }),
    countTokens: async () => 1_000_000,
  });
  // The fake keeps each attempt, which is not to be measured.
  const seen = provider.seen as unknown[];
  return createGateway({
    providers: [
      {
        ...provider,
        stream(attempt, context) {
          seen.length = 0;
          if (fails()) throw new TypeError('broken');
          return provider.stream(attempt, context);
        },
      },
    ],
    ...{ plugins: [], config, runtime, keyValue: forgetful, transport: noTransport },
  });
}

/** How much more is kept after the last half of the names than after the first. */
async function growth(use: (index: number) => Promise<unknown>): Promise<number> {
  for (let index = 0; index < NAMES / 2; index += 1) await use(index).catch(() => {});
  const before = heapBytes();
  for (let index = NAMES / 2; index < NAMES; index += 1) await use(index).catch(() => {});
  return heapBytes() - before;
}

describe('law: names', () => {
  it.each([
    ['models that answer', () => false],
    ['models that fail', () => true],
  ])('of %s', async (_, fails) => {
    const gateway = world({ claims: { share: 1 }, retry: { retries: 0 } }, fails);
    const ask = (index: number) => gateway.generate({ ...user(), model: `fake/model-${index}` });
    expect(await growth(ask)).toBeLessThan(MOST_BYTES);
    expect(gateway.statistics().length).toBeLessThan(4096);
    expect(gateway.health().length).toBeLessThan(4096);
  });

  it('of models that are only asked about', async () => {
    const gateway = world({});
    const ask = async (index: number) =>
      gateway.explain({ operation: 'chat', ...user(), model: `fake/model-${index}` });
    expect(await growth(ask)).toBeLessThan(MOST_BYTES);
  });

  it('of sessions, tenants, tags, ids and texts', async () => {
    const gateway = world({
      budgets: [{ scope: 'tenant', usd: 1, alerts: [0.5] }],
      health: { alerts: true },
      routes: { code: { chain: ['listed'] } },
      tasks: { code: { examples: ['write code'] } },
      classify: { model: 'listed' },
    });
    const ask = (index: number) => {
      const scopes: CallOptions['scopes'] = [
        { kind: 'tenant', id: `tenant-${index}` },
        { kind: 'tag', id: `workflow=${index}` },
      ];
      return gateway.generate(user(`text ${index}`), { session: `session-${index}`, id: `call-${index}`, scopes });
    };
    expect(await growth(ask)).toBeLessThan(MOST_BYTES);
  });

  it('of tenants, while somebody always waits', () => {
    const turns = newTurns();
    const queue = fairQueue(turns);
    const waiter = (tenant: string) =>
      ({ tenant, rank: 1, cost: 1, weight: { requests: 1, tokens: 1 }, attempt: {}, since: 0 }) as never;
    queue.push(waiter('first'));
    for (let index = 0; index < NAMES; index += 1) {
      queue.push(waiter(`tenant-${index}`));
      queue.shift();
    }
    expect(queue.length).toBe(1);
    expect(turns[1]?.tenants.size).toBeLessThanOrEqual(4096);
  });
});
