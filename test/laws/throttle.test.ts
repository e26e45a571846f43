/** Law: nothing is sent that an announced limit cannot take, and no more is waited than that needs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abortError, PolyphonyError } from '../../src/core/errors.ts';
import type { Attempt, ModelEvent } from '../../src/core/model/model.ts';
import type { Provider, ProviderContext } from '../../src/core/model/provider.ts';
import { parseRateLimits } from '../../src/kit/http/rate-limits.ts';
import { sleep } from '../../src/system/clock.ts';
import { type FakeClock, type FakeRuntime, fakeCard, finish } from '../../src/testing/fakes.ts';
import { harness, text, user } from '../gateway/harness.ts';

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
    'some-ratelimit-requests-reset': new Date(now + resetMs).toISOString(),
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
          const calls = Array.from({ length: count }, (_, index) =>
            here.gateway.generate(user(), { scopes: [{ kind: 'tenant', id: tenants[index % 3] ?? 'a' }] }),
          );
          await settleAll(here.runtime.clock, calls);
          await Promise.allSettled(calls);
          expect(refusedAfterAnnouncement(here)).toBe(0);
          expect(here.runtime.clock.pending()).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });
});
