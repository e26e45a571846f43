import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt, Scope } from '../../src/core/model/model.ts';
import type { KeyValueStore } from '../../src/core/stores.ts';
import { callStateOf } from '../../src/gateway/calls/call-state.ts';
import { reserveWorstCase } from '../../src/gateway/money/reserve-worst-case.ts';
import { createRegistry } from '../../src/gateway/routing/registry.ts';
import { createStatistics } from '../../src/gateway/routing/statistics.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemClock } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from '../gateway/harness.ts';

/** What one call does: how its attempts go, what it costs, and when its reader or its caller gives up. */
interface Course {
  readonly attempts: readonly ('ok' | 'fails' | 'cut' | 'breaks' | 'no usage' | 'hangs')[];
  readonly waits: readonly number[];
  readonly output: number;
  readonly leaveAfter: number;
  readonly abortAt: number;
  readonly run: number;
  readonly startAt: number;
}

const course: fc.Arbitrary<Course> = fc.record({
  attempts: fc.array(fc.constantFrom('ok', 'ok', 'fails', 'cut', 'breaks', 'no usage', 'hangs'), {
    minLength: 1,
    maxLength: 5,
  }),
  waits: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 4 }),
  output: fc.integer({ min: 1, max: 200 }),
  leaveAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 4 })),
  abortAt: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 120 })),
  run: fc.integer({ min: 0, max: 1 }),
  startAt: fc.integer({ min: 0, max: 60 }),
});

const CAPS = { run: 900_000, tenant: 1_300_000 };

function script(made: Course, index: number, allowed: number): readonly ScriptStep[] {
  const how = made.attempts[Math.min(index, made.attempts.length - 1)];
  const wait = { wait: made.waits[index % made.waits.length] ?? 0 };
  const usage = { input: 20, output: Math.min(made.output, allowed) };
  if (how === 'fails') return [wait, fault('overloaded')];
  if (how === 'hangs') return [wait, text('a'), { hang: true }];
  if (how === 'cut') return [wait, text('some'), wait];
  if (how === 'breaks') return [text('some'), wait, fault('network')];
  if (how === 'no usage') return [wait, text('some'), wait, finish({ usage: { input: 0, output: 0 } })];
  return [text('some'), wait, text('text'), wait, finish({ usage })];
}

/** The store's own counters, each change checked against the caps. */
function watched(store: KeyValueStore, asynchronous: boolean): KeyValueStore & { readonly overspent: string[] } {
  const overspent: string[] = [];
  const caps: Record<string, number> = {
    'budget:tenant:t': CAPS.tenant,
    'budget:run:0': CAPS.run,
    'budget:run:1': CAPS.run,
  };
  const check = (changes: Parameters<KeyValueStore['change']>[0]) => {
    const result = store.change(changes);
    if (result instanceof Promise) throw new Error('the memory store answers at once');
    if (result.ok) {
      changes.forEach(({ key }, index) => {
        const value = result.values[index] ?? 0;
        if (value > (caps[key] ?? Number.POSITIVE_INFINITY) || value < 0) overspent.push(`${key} = ${value}`);
      });
    }
    return result;
  };
  const change: KeyValueStore['change'] = (changes) =>
    asynchronous ? Promise.resolve().then(() => check(changes)) : check(changes);
  return { ...store, overspent, change };
}

async function world(courses: readonly Course[], asynchronous: boolean) {
  const tries = new Map<string, number>();
  let store: ReturnType<typeof watched> | undefined;
  const provider = (runtime: Parameters<typeof fakeProvider>[0]['runtime']) =>
    fakeProvider({
      ...(runtime === undefined ? {} : { runtime }),
      concurrency: 3,
      models: [fakeCard({ id: 'one', maxOutputTokens: 300 })],
      script(attempt) {
        const made = courses[Number(attempt.id.slice(1))];
        if (made === undefined) throw new Error(`unknown call ${attempt.id}`);
        const index = tries.get(attempt.id) ?? 0;
        tries.set(attempt.id, index + 1);
        const { request } = attempt;
        return script(made, index, request.operation === 'chat' ? (request.maxOutputTokens ?? 300) : 0);
      },
    });
  let fake: ReturnType<typeof fakeProvider> | undefined;
  const made = harness({
    providers: (runtime) => {
      fake = provider(runtime);
      return [fake];
    },
    config: { timeouts: { idleMs: 200 }, retry: { baseMs: 20, maxMs: 50 } },
    stores: (runtime) => {
      const stores = memoryStores({ clock: runtime.clock });
      store = watched(stores.keyValue, asynchronous);
      return { ...stores, keyValue: store };
    },
  });
  if (fake === undefined || store === undefined) throw new Error('the harness made no provider');
  return { ...made, fake, store };
}

async function play(
  { gateway, runtime }: Awaited<ReturnType<typeof world>>,
  made: Course,
  index: number,
): Promise<void> {
  const controller = new AbortController();
  await new Promise<void>((resolve) => void runtime.clock.schedule(made.startAt, resolve));
  const cancelAbort = Number.isFinite(made.abortAt)
    ? runtime.clock.schedule(made.abortAt, () => controller.abort())
    : () => undefined;
  const scopes: Scope[] = [
    { kind: 'run', id: String(made.run), capNanoUsd: CAPS.run },
    { kind: 'tenant', id: 't', capNanoUsd: CAPS.tenant },
  ];
  let seen = 0;
  try {
    const options = { id: `c${index}`, scopes, signal: controller.signal };
    for await (const _event of gateway.stream({ ...user(), onStreamFailure: 'restart' }, options)) {
      seen += 1;
      if (seen >= made.leaveAfter) break;
    }
  } catch {
    // How it ended is not this law's concern: what it cost is.
  } finally {
    cancelAbort();
  }
}

describe('law: money', () => {
  it.each([
    ['a store that answers at once', false],
    ['a store that answers later', true],
  ])(
    'no interleaving overspends a cap, and every reservation is settled exactly once, with %s',
    async (_name, asynchronous) => {
      await fc.assert(
        fc.asyncProperty(fc.array(course, { minLength: 1, maxLength: 8 }), async (courses) => {
          const all = await world(courses, asynchronous);
          const played = Promise.all(courses.map((made, index) => play(all, made, index)));
          await all.run(played);
          await all.runtime.clock.advance(0);
          expect(all.store.overspent).toEqual([]);
          const rows = await all.rows();
          // M6: one row a dispatched request, none twice.
          expect(rows.map(({ key }) => key).sort()).toEqual(
            all.fake.seen.map(({ id, number }) => `${id}/${number}`).sort(),
          );
          for (const [kind, id] of [
            ['tenant', 't'],
            ['run', '0'],
            ['run', '1'],
          ] as const) {
            const booked = rows
              .filter(({ scopes }) => scopes.some((scope) => scope.kind === kind && scope.id === id))
              .reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? 0), 0);
            expect((await all.stores.keyValue.get(`budget:${kind}:${id}`)) ?? 0).toBe(booked);
          }
          expect(all.fake.open()).toBe(0);
          expect(all.runtime.clock.pending()).toBe(0);
        }),
        { numRuns: 100 },
      );
    },
  );

  it('refuses before anything is sent, and names scope, cap, spent and needed', async () => {
    const provider = fakeProvider({});
    const { gateway, run } = harness({ providers: [provider] });
    const scopes: Scope[] = [{ kind: 'team', id: 'red', capNanoUsd: 1000, spentNanoUsd: 900 }];
    const error = await errorOf(run(gateway.generate(user(), { scopes })));
    expect(error.code).toBe('budget-exceeded');
    expect(provider.seen).toHaveLength(0);
    expect(error.message).toContain('team "red"');
    expect(error.details).toMatchObject({ scope: { kind: 'team', id: 'red' }, capNanoUsd: 1000, spentNanoUsd: 900 });
    expect(error.details?.neededNanoUsd).toBeGreaterThan(100);
  });

  it('limits the answer to what is affordable, with a warning, when the expected answer fits', async () => {
    const provider = fakeProvider({ models: [fakeCard({ id: 'one', maxOutputTokens: 100_000 })] });
    const { gateway, run } = harness({ providers: [provider] });
    const scopes: Scope[] = [{ kind: 'run', id: 'r', capNanoUsd: 2_000_000 }];
    const response = await run(gateway.generate(user(), { scopes }));
    expect(response.warnings.map(({ code }) => code)).toEqual(['output-limited-by-budget']);
    const sent = provider.seen[0]?.request;
    const limit = sent?.operation === 'chat' ? (sent.maxOutputTokens ?? 0) : 0;
    // 2 nano-dollars a token of output, 1 of input: the cap of 2,000,000 pays for fewer than 1,000.
    expect(limit).toBeGreaterThan(900);
    expect(limit).toBeLessThan(1000);
  });

  it('caps the request itself over all its attempts', async () => {
    const provider = fakeProvider({ script: () => [text('x'.repeat(400)), fault('network')] });
    const { gateway, run } = harness({ providers: [provider] });
    const request = { ...user(), maxOutputTokens: 200, limits: { usd: 0.0006, retries: 0 } };
    const error = await errorOf(run(gateway.generate(request)));
    expect(error.code).toBe('budget-exceeded');
    expect(provider.seen.length).toBeGreaterThanOrEqual(1);
    expect(provider.seen.length).toBeLessThan(3);
  });

  it('refuses an unknown price under a cap unless it is allowed, and records it as unknown', async () => {
    const provider = fakeProvider({ models: [fakeCard({ id: 'one', price: null })] });
    const scopes: Scope[] = [{ kind: 'run', id: 'r', capNanoUsd: 1_000_000_000 }];
    const strict = harness({ providers: [provider] });
    expect((await errorOf(strict.run(strict.gateway.generate(user(), { scopes })))).details).toMatchObject({
      price: null,
    });
    expect(provider.seen).toHaveLength(0);
    const lax = harness({ providers: [provider], config: { allowUnpriced: true } });
    const response = await lax.run(lax.gateway.generate(user(), { scopes }));
    expect(response.costNanoUsd).toBeNull();
    expect(response.attempts[0]?.costNanoUsd).toBeNull();
  });

  it('settles an error that the provider does not bill at 0, and a cut stream at what was streamed', async () => {
    const scopes: Scope[] = [{ kind: 'run', id: 'r', capNanoUsd: 1_000_000_000 }];
    const free = harness({ providers: [fakeProvider({ script: () => [fault('invalid-request')] })] });
    await errorOf(free.run(free.gateway.generate(user(), { scopes })));
    expect(await free.stores.keyValue.get('budget:run:r')).toBe(0);
    expect((await free.rows())[0]).toMatchObject({ outcome: 'error', costNanoUsd: 0, usage: null });
    const cut = harness({ providers: [fakeProvider({ script: () => [text('x'.repeat(400))] })] });
    expect((await drain(cut.gateway.stream(user(), { scopes }))).error?.code).toBe('truncated');
    const [row] = await cut.rows();
    expect(row).toMatchObject({ outcome: 'error', estimated: true, usage: { output: 100 } });
    expect(await cut.stores.keyValue.get('budget:run:r')).toBe(row?.costNanoUsd);
  });

  it('settles a request that was cancelled before its first token at its prompt: the provider had it', async () => {
    const { gateway, run, runtime, rows } = harness({ providers: [fakeProvider({ script: () => [{ hang: true }] })] });
    const controller = new AbortController();
    runtime.clock.schedule(5, () => controller.abort());
    await errorOf(run(gateway.generate(user('word '.repeat(100)), { signal: controller.signal })));
    const [row] = await rows();
    expect(row).toMatchObject({ outcome: 'cancelled', estimated: true, usage: { output: 0 } });
    expect(row?.costNanoUsd).toBeGreaterThan(90_000);
    expect(row?.costNanoUsd).toBeLessThan(200_000);
  });

  it('settles once, however often it is asked to', async () => {
    const keyValue = memoryStores().keyValue;
    const provider = fakeProvider({});
    const registry = createRegistry([provider], {}, createStatistics());
    const [deployment] = registry.deployments;
    if (deployment === undefined) throw new Error('no deployment');
    const trace = { attempts: [] };
    const attempt: Attempt = {
      id: 'a',
      request: { operation: 'chat', ...user(), limits: { usd: 1 } },
      signal: new AbortController().signal,
      purpose: 'answer',
      scopes: [{ kind: 'run', id: 'r', capNanoUsd: 1_000_000_000 }],
      trace,
      target: deployment.target,
      number: 1,
    };
    const { held } = await reserveWorstCase({ clock: systemClock, keyValue, config: () => ({}) }, attempt, deployment);
    expect(await keyValue.get('budget:run:r')).toBeGreaterThan(8_000_000);
    for (let time = 0; time < 3; time += 1) await held?.settle(7);
    expect(await keyValue.get('budget:run:r')).toBe(7);
    expect(callStateOf({ trace }).budget.taken).toBe(7);
  });

  it('charges a judge to the request that caused it', async () => {
    const { gateway, run, rows } = harness({ providers: [fakeProvider({})] });
    const scopes: Scope[] = [{ kind: 'run', id: 'r', capNanoUsd: 1_000_000_000 }];
    const trace = { attempts: [] };
    await run(gateway.generate(user(), { scopes, trace }));
    const response = await run(gateway.generate(user(), { scopes, trace, purpose: 'judge' }));
    expect(response.attempts.map(({ purpose }) => purpose)).toEqual(['answer', 'judge']);
    expect(response.costNanoUsd).toBe(40_000);
    expect((await rows()).map(({ purpose }) => purpose).sort()).toEqual(['answer', 'judge']);
  });

  it('holds the budgets of the config, for one id and for every id by itself', async () => {
    const config = {
      budgets: [
        { scope: 'user' as const, usd: 0.0000001 },
        { scope: 'tenant' as const, id: 'a', usd: 0 },
      ],
    };
    const { gateway, run } = harness({ providers: [fakeProvider({})], config });
    expect((await errorOf(run(gateway.generate(user(), { scopes: [{ kind: 'user', id: 'u' }] })))).code).toBe(
      'budget-exceeded',
    );
    expect((await errorOf(run(gateway.generate(user(), { scopes: [{ kind: 'tenant', id: 'a' }] })))).code).toBe(
      'budget-exceeded',
    );
    await run(gateway.generate(user(), { scopes: [{ kind: 'tenant', id: 'b' }] }));
  });
});
