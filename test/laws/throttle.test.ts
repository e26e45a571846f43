/** Law: nothing is sent that an announced limit cannot take, and no more is waited than that needs. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abortError, PolyphonyError } from '../../src/core/errors.ts';
import type { GatewayEvent } from '../../src/core/gateway.ts';
import type { Attempt, ModelEvent } from '../../src/core/model/model.ts';
import type { Provider, ProviderContext } from '../../src/core/model/provider.ts';
import { parseRateLimits } from '../../src/kit/http/rate-limits.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeClock, type FakeRuntime, fakeCard, finish } from '../../src/testing/fakes.ts';
import { errorOf, harness, text, user } from '../gateway/harness.ts';

interface State {
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
  readonly now: number;
}
type Dialect = (state: State) => Readonly<Record<string, string>>;

const wholeSeconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000);
const text1 = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds}ms` : `${Math.floor(milliseconds / 60_000)}m${(milliseconds % 60_000) / 1000}s`;

const DIALECTS: Readonly<Record<string, Dialect>> = {
  'durations in words': ({ limit, remaining, resetMs }) => ({
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests': text1(resetMs),
  }),
  'RFC 3339, the kind first': ({ limit, remaining, resetMs, now }) => ({
    'some-ratelimit-requests-limit': String(limit),
    'some-ratelimit-requests-remaining': String(remaining),
    'some-ratelimit-requests-reset': new Date(Math.ceil(now + resetMs)).toISOString(),
  }),
  seconds: ({ limit, remaining, resetMs }) => ({
    'ratelimit-limit': `${limit}, ${limit};w=10`,
    'ratelimit-remaining': String(remaining),
    'ratelimit-reset': String(wholeSeconds(resetMs)),
  }),
  'epoch milliseconds': ({ limit, remaining, resetMs, now }) => ({
    'x-ratelimit-limit': String(limit),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-reset': String(now + resetMs),
  }),
  'one field with a policy': ({ limit, remaining, resetMs }) => ({
    ratelimit: `"default";r=${remaining};t=${wholeSeconds(resetMs)}`,
    'ratelimit-policy': `"default";q=${limit};w=10`,
  }),
  'one field without names': ({ limit, remaining, resetMs }) => ({
    ratelimit: `limit=${limit}, remaining=${remaining}, reset=${wholeSeconds(resetMs)}`,
  }),
};

type Kind = 'fixed' | 'first-use' | 'bucket';

interface Quota {
  readonly limit: number;
  readonly periodMs: number;
  readonly kind: Kind;
}

/** What is left of a quota, exactly as an endpoint counts it. */
function counter({ limit, periodMs, kind }: Quota, clock: FakeClock) {
  let left = limit;
  let since = clock.now();
  let isIdle = kind === 'first-use';
  const renew = (): void => {
    const now = clock.now();
    if (kind === 'bucket') {
      left = Math.min(limit, left + ((now - since) * limit) / periodMs);
      since = now;
    } else if (!isIdle && now - since >= periodMs) {
      left = limit;
      since += kind === 'fixed' ? Math.floor((now - since) / periodMs) * periodMs : 0;
      isIdle = kind === 'first-use';
    }
  };
  return {
    take(): boolean {
      renew();
      if (isIdle) since = clock.now();
      isIdle = false;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    state(): State {
      renew();
      const now = clock.now();
      const resetMs = kind === 'bucket' ? ((limit - left) * periodMs) / limit : since + periodMs - now;
      return { limit, remaining: Math.floor(left), resetMs: Math.ceil(resetMs), now };
    },
  };
}

interface Sent {
  readonly at: number;
  readonly attempt: Attempt;
  readonly ok: boolean;
}

interface Upstream {
  readonly provider: Provider;
  readonly sent: Sent[];
  /** When the first answer that announces a limit arrived. */
  announcedAt(): number;
}

/** A provider over a network: the request takes a while to arrive, and the answer to come back. */
function upstream(
  runtime: FakeRuntime,
  options: {
    readonly quota: Quota;
    readonly dialect: Dialect;
    readonly delays?: () => readonly [number, number];
    readonly rest?: Partial<Provider>;
  },
): Upstream {
  const { clock } = runtime;
  const { quota, dialect, delays = () => [0, 25], rest } = options;
  const counters = new Map<string, ReturnType<typeof counter>>();
  const sent: Sent[] = [];
  let announced = Number.POSITIVE_INFINITY;
  async function* stream(attempt: Attempt, context: ProviderContext): AsyncGenerator<ModelEvent> {
    const at = clock.now();
    const [there, back] = delays();
    if (there > 0) await sleep(clock, there, attempt.signal);
    const key = `${attempt.target.model} ${attempt.target.credential}`;
    const mine = counters.get(key) ?? counter(quota, clock);
    counters.set(key, mine);
    const ok = mine.take();
    const headers = dialect(mine.state());
    sent.push({ at, attempt, ok });
    await sleep(clock, back, attempt.signal);
    if (attempt.signal.aborted) throw abortError(attempt.signal);
    context.report({ rateLimits: parseRateLimits(headers, clock.now()) });
    announced = Math.min(announced, clock.now());
    if (!ok) throw new PolyphonyError('rate-limited', 'too many requests');
    yield text('a');
    yield finish();
  }
  const provider = { id: 'fake', models: [fakeCard({ id: 'one' })], ...rest, stream };
  return { provider, sent, announcedAt: () => announced };
}

function world(
  options: Omit<Parameters<typeof upstream>[1], 'delays'> & {
    readonly delays?: (random: () => number) => readonly [number, number];
    readonly seed?: number;
    readonly others?: readonly Provider[];
  },
) {
  let made: Upstream | undefined;
  const { delays, seed = 1, others = [], ...rest } = options;
  const host = harness({
    seed,
    config: { retry: { retries: 0 }, breaker: { rateLimits: 1000 } },
    providers(runtime) {
      made = upstream(runtime, { ...rest, ...(delays === undefined ? {} : { delays: () => delays(runtime.random) }) });
      return [made.provider, ...others];
    },
  });
  if (made === undefined) throw new Error('no upstream');
  return { ...host, ...made, start: host.runtime.clock.now() };
}

/** Advances until all have settled. */
async function settleAll(clock: FakeClock, calls: readonly Promise<unknown>[]): Promise<void> {
  let open = calls.length;
  const done = (): void => {
    open -= 1;
  };
  for (const call of calls) call.then(done, done);
  for (let step = 0; step < 100_000 && open > 0; step += 1) await clock.runAll(1);
}

const refusedAfterAnnouncement = ({ sent, announcedAt }: Upstream): number =>
  sent.filter(({ at, ok }) => !ok && at >= announcedAt()).length;

describe('law: throttle', () => {
  it.each(['fixed', 'first-use', 'bucket'] as const)(
    'of 1,000 requests none meets a 429 after the first answer, and the last answer comes within a twentieth of the bound: %s',
    async (kind) => {
      const quota = { limit: 100, periodMs: 10_000, kind };
      const here = world({ quota, dialect: DIALECTS['durations in words'] as Dialect });
      const { clock } = here.runtime;
      const first = here.gateway.generate(user());
      await settleAll(clock, [first]);
      const calls = Array.from({ length: 999 }, () => here.gateway.generate(user()));
      await settleAll(clock, calls);
      const answers = await Promise.allSettled([first, ...calls]);
      expect(answers.filter(({ status }) => status === 'rejected')).toEqual([]);
      expect(here.sent.filter(({ ok }) => !ok)).toEqual([]);
      const tookMs = clock.now() - here.start;
      const boundMs = 9 * quota.periodMs;
      expect(tookMs).toBeGreaterThanOrEqual(boundMs);
      expect(tookMs).toBeLessThanOrEqual(boundMs * 1.05);
      expect(clock.pending()).toBe(0);
    },
  );

  it('holds for random dialects, limits, windows, delays and tenants', async () => {
    const quota = fc.record({
      limit: fc.integer({ min: 1, max: 40 }),
      periodMs: fc.integer({ min: 1, max: 30 }).map((seconds) => seconds * 1000),
      kind: fc.constantFrom<Kind>('fixed', 'first-use', 'bucket'),
    });
    await fc.assert(
      fc.asyncProperty(
        quota,
        fc.constantFrom(...Object.values(DIALECTS)),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 3000 }),
        fc.integer(),
        async (given, dialect, count, slowMs, seed) => {
          const delays = (random: () => number): readonly [number, number] => [random() * 50, random() * slowMs];
          const here = world({ quota: given, dialect, delays, seed });
          const tenants = ['a', 'b', 'c'];
          const { clock, random } = here.runtime;
          const calls = Array.from({ length: count }, async (_, index) => {
            await sleep(clock, index === 0 ? 0 : random() * 20_000);
            return here.gateway.generate(user(), { scopes: [{ kind: 'tenant', id: tenants[index % 3] ?? 'a' }] });
          });
          await settleAll(here.runtime.clock, calls);
          await Promise.allSettled(calls);
          expect(refusedAfterAnnouncement(here)).toBe(0);
          expect(here.runtime.clock.pending()).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  const words = DIALECTS['durations in words'] as Dialect;
  const other = (): Provider => ({
    id: 'other',
    models: [fakeCard({ id: 'two', price: { input: 90, output: 90 } })],
    async *stream() {
      yield text('b');
      yield finish();
    },
  });
  const spent = async (here: ReturnType<typeof world>, count: number): Promise<void> => {
    for (let call = 0; call < count; call += 1) await settleAll(here.runtime.clock, [here.gateway.generate(order())]);
  };
  const order = () => ({ ...user(), model: 'fake/one' });

  it('goes to the next target at once where the wait would break the deadline, and no breaker counts it', async () => {
    const here = world({ quota: { limit: 2, periodMs: 10_000, kind: 'fixed' }, dialect: words, others: [other()] });
    const seen: string[] = [];
    here.gateway.onEvent?.(({ type }) => seen.push(type));
    await spent(here, 2);
    const before = here.runtime.clock.now();
    const targets = [
      { provider: 'fake', model: 'one' },
      { provider: 'other', model: 'two' },
    ];
    const hasty = here.gateway.generate({ ...user(), limits: { ms: 1000 } }, { order: targets });
    await settleAll(here.runtime.clock, [hasty]);
    expect((await hasty).target.provider).toBe('other');
    expect(here.runtime.clock.now() - before).toBe(0);
    expect(here.gateway.health().map(({ breaker }) => breaker.state)).toEqual(['closed', 'closed']);
    expect(here.gateway.explain({ operation: 'chat', ...order() }).candidates[0]?.pace?.waitMs).toBeGreaterThan(9000);
    const patient = here.gateway.generate(user(), { order: targets });
    await settleAll(here.runtime.clock, [patient]);
    expect((await patient).target.provider).toBe('fake');
    expect(seen).toEqual(['throttled']);
  });

  it('says so with the wait where there is no other target', async () => {
    const here = world({ quota: { limit: 1, periodMs: 10_000, kind: 'fixed' }, dialect: words });
    await spent(here, 1);
    const hasty = here.gateway.generate({ ...user(), limits: { ms: 1000 } });
    await settleAll(here.runtime.clock, [hasty]);
    expect(await errorOf(hasty)).toMatchObject({ code: 'rate-limited', retryable: true, unsent: true });
    expect((await errorOf(hasty)).retryAfterMs).toBeGreaterThan(9000);
    expect(here.runtime.clock.pending()).toBe(0);
  });

  it('uses a key with room before it waits for another', async () => {
    const rest = { credentials: ['a', 'b', 'c'] };
    const here = world({ quota: { limit: 5, periodMs: 10_000, kind: 'fixed' }, dialect: words, rest });
    await spent(here, 15);
    expect(here.runtime.clock.now() - here.start).toBeLessThan(1000);
    expect(here.sent.every(({ ok }) => ok)).toBe(true);
    await spent(here, 1);
    expect(here.runtime.clock.now() - here.start).toBeGreaterThanOrEqual(10_000);
  });

  it('shares out by tenant and priority', async () => {
    const here = world({ quota: { limit: 10, periodMs: 10_000, kind: 'fixed' }, dialect: words });
    await spent(here, 10);
    const call = (tenant: string, priority: 'critical' | 'normal' | 'background') =>
      here.gateway.generate(user(), {
        id: `${tenant} ${priority}`,
        priority,
        scopes: [{ kind: 'tenant', id: tenant }],
      });
    const calls = [
      call('c', 'background'),
      ...Array.from({ length: 30 }, () => call('a', 'normal')),
      call('b', 'normal'),
      call('a', 'critical'),
    ];
    await settleAll(here.runtime.clock, calls);
    await Promise.all(calls);
    const order = here.sent.slice(10).map(({ attempt }) => attempt.id);
    expect(order.slice(0, 3).sort()).toEqual(['a critical', 'a normal', 'b normal']);
    expect(order.at(-1)).toBe('c background');
    expect(here.sent.every(({ ok }) => ok)).toBe(true);
  });

  it('counts the tokens of prompts and answers', async () => {
    const here = world({
      quota: { limit: 1000, periodMs: 10_000, kind: 'fixed' },
      dialect: ({ resetMs }) => ({
        'x-ratelimit-limit-tokens': '2000',
        'x-ratelimit-remaining-tokens': '2000',
        'x-ratelimit-reset-tokens': `${resetMs}ms`,
      }),
    });
    await spent(here, 1);
    const calls = Array.from({ length: 5 }, () => here.gateway.generate({ ...user(), maxOutputTokens: 900 }));
    await here.runtime.clock.advance(20);
    expect(here.sent).toHaveLength(3);
    await settleAll(here.runtime.clock, calls);
  });

  it('does not slow an endpoint that announces nothing, nor one whose limits the config ignores', async () => {
    const here = world({ quota: { limit: 1000, periodMs: 10_000, kind: 'fixed' }, dialect: () => ({}) });
    await settleAll(
      here.runtime.clock,
      Array.from({ length: 64 }, () => here.gateway.generate(user())),
    );
    expect(here.runtime.clock.now() - here.start).toBe(25);
    const ignoring = world({ quota: { limit: 1, periodMs: 10_000, kind: 'fixed' }, dialect: words });
    ignoring.gateway.reconfigure({ throttle: { announced: false }, retry: { retries: 0 } });
    await spent(ignoring, 2);
    expect(ignoring.sent.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it('leaves nothing that waits when the gateway is closed or the caller goes', async () => {
    const here = world({ quota: { limit: 1, periodMs: 10_000, kind: 'fixed' }, dialect: words });
    await spent(here, 1);
    const stop = new AbortController();
    const gone = errorOf(here.gateway.generate(user(), { signal: stop.signal }));
    const waiting = errorOf(here.gateway.generate(user()));
    await here.runtime.clock.advance(0);
    stop.abort();
    expect(await gone).toMatchObject({ code: 'cancelled' });
    const closing = here.gateway.close();
    expect(await waiting).toMatchObject({ code: 'cancelled' });
    await closing;
    expect(here.runtime.clock.pending()).toBe(0);
  });

  it('sends fewer at the same time after an overload, and more again as they succeed', async () => {
    let isDown = true;
    const provider: Provider = {
      id: 'fake',
      models: [fakeCard({ id: 'one' })],
      async *stream() {
        await Promise.resolve();
        if (isDown) throw new PolyphonyError('overloaded', 'too much');
        yield text('a');
        yield finish();
      },
    };
    const here = harness({
      providers: [provider],
      config: { retry: { retries: 0 }, breaker: { minimumAttempts: 1000 } },
    });
    const seen: GatewayEvent[] = [];
    here.gateway.onEvent?.((event) => seen.push(event));
    const slots = () => here.gateway.explain({ operation: 'chat', ...order() }).candidates[0]?.pace?.concurrency;
    const all = Array.from({ length: 40 }, () => here.gateway.generate(user()));
    await here.run(Promise.allSettled(all));
    expect(seen.filter(({ type }) => type !== 'outage')).toMatchObject([
      { type: 'concurrency-reduced', what: 'fake', slots: 20 },
    ]);
    expect(slots()).toBe(20);
    isDown = false;
    for (let call = 0; call < 21; call += 1) await here.run(here.gateway.generate(user()));
    expect(slots()).toBe(21);
    await here.runtime.clock.advance(300_000);
    expect(slots()).toBe(64);
  });
});
