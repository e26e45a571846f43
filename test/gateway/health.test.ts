/** What `gateway.health()` and `gateway.statistics()` say: plain figures of what the layers decide by, and no keys. */
import { describe, expect, test } from 'vitest';
import type { CredentialHealth, Gateway, TargetHealth } from '../../src/core/gateway.ts';
import type { EndpointReport, Provider } from '../../src/core/model/provider.ts';
import { rememberSecret } from '../../src/core/scrub.ts';
import { createEndpointReports } from '../../src/gateway/routing/endpoint-reports.ts';
import { fakeCard, fakeClock, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, user } from './harness.ts';

const healthOf = (gateway: Gateway, name = 'fake/one'): TargetHealth => {
  const found = gateway.health().find(({ target: { provider, model } }) => `${provider}/${model}` === name);
  if (found === undefined) throw new Error(`no health of ${name}`);
  return found;
};

const credentialOf = (gateway: Gateway, index = 0): CredentialHealth => {
  const found = healthOf(gateway).credentials[index];
  if (found === undefined) throw new Error(`no credential ${index}`);
  return found;
};

const noRetry = { retry: { retries: 0 } };

/** A provider that reports this before it answers. */
const reporting = (...reports: readonly unknown[]) =>
  fakeProvider({
    script: () => [...reports.map((report) => ({ report: report as EndpointReport })), text('a'), finish()],
  });

describe('before anything was sent', () => {
  test('every target is there, closed and ready, in plain JSON', () => {
    const { gateway } = harness({
      providers: [
        fakeProvider({ id: 'a', regions: ['eu', 'us'], credentials: ['a#1', 'a#2'] }),
        fakeProvider({ id: 'b', models: [fakeCard({ id: 'one' }), fakeCard({ id: 'two' })] }),
      ],
    });
    const health = gateway.health();
    expect(health.map(({ target }) => target)).toEqual([
      { provider: 'a', model: 'one', region: 'eu' },
      { provider: 'a', model: 'one', region: 'us' },
      { provider: 'b', model: 'one' },
      { provider: 'b', model: 'two' },
    ]);
    const ready = { state: 'ready', until: null, reason: null, limits: [], stated: null };
    expect(health[0]).toEqual({
      target: { provider: 'a', model: 'one', region: 'eu' },
      breaker: { state: 'closed', until: null },
      errorRate: 0,
      credentials: [
        { label: 'a#1', ...ready },
        { label: 'a#2', ...ready },
      ],
    });
    expect(health[3]?.credentials).toEqual([{ label: null, ...ready }]);
    expect(JSON.parse(JSON.stringify(health))).toEqual(health);
    expect(JSON.parse(JSON.stringify(gateway.statistics()))).toEqual(gateway.statistics());
  });

  test('what a caller does to the answer changes nothing inside', () => {
    const { gateway } = harness({ providers: [fakeProvider({})] });
    for (const { target } of [...gateway.health(), ...gateway.statistics()]) Object.assign(target, { model: 'x' });
    expect(gateway.explain({ operation: 'chat', ...user() }).candidates[0]?.target.model).toBe('one');
    expect(healthOf(gateway).target).toEqual({ provider: 'fake', model: 'one' });
  });
});

describe('the breaker', () => {
  test('is open until its cooldown is over, then half-open, then closed', async () => {
    let code: 'rate-limited' | 'ok' = 'rate-limited';
    const { gateway, run, runtime } = harness({
      providers: [fakeProvider({ script: () => (code === 'ok' ? 'a' : [fault(code)]) })],
      config: { ...noRetry, breaker: { rateLimits: 2, cooldownMs: 5000 } },
    });
    for (let call = 0; call < 2; call += 1) await run(errorOf(gateway.generate(user())));
    expect(healthOf(gateway).breaker).toEqual({ state: 'open', until: runtime.clock.now() + 5000 });
    await runtime.clock.advance(5000);
    expect(healthOf(gateway).breaker).toEqual({ state: 'half-open', until: null });
    code = 'ok';
    await run(gateway.generate(user()));
    expect(healthOf(gateway).breaker).toEqual({ state: 'closed', until: null });
  });

  test('of a provider holds all of its models back, one of a model that model only', async () => {
    const models = [fakeCard({ id: 'one' }), fakeCard({ id: 'two' })];
    const { gateway, run } = harness({
      providers: [fakeProvider({ models, script: () => [fault('rate-limited')] })],
      config: { ...noRetry, breaker: { rateLimits: 1 } },
    });
    await run(errorOf(gateway.generate({ ...user(), model: 'fake/one' })));
    expect(healthOf(gateway, 'fake/two').breaker.state).toBe('open');
    expect(gateway.health()).toHaveLength(2);
  });

  test('asking for it makes no circuit and takes no trial away', async () => {
    let fails = true;
    const { gateway, run, runtime } = harness({
      providers: [fakeProvider({ script: () => (fails ? [fault('rate-limited')] : 'a') })],
      config: { ...noRetry, breaker: { rateLimits: 1 } },
    });
    await run(errorOf(gateway.generate(user())));
    fails = false;
    await runtime.clock.advance(30_000);
    for (let look = 0; look < 3; look += 1) expect(healthOf(gateway).breaker.state).toBe('half-open');
    expect((await run(gateway.generate(user()))).content).toEqual([{ type: 'text', text: 'a' }]);
  });
});

describe('a credential', () => {
  const two = (script: NonNullable<Parameters<typeof fakeProvider>[0]['script']>): Provider =>
    fakeProvider({ credentials: ['fake#1', 'fake#2'], script });

  test('that was refused is out of use for 15 minutes, and says why', async () => {
    const script = ({ target }: { target: { credential?: string } }) =>
      target.credential === 'fake#1' ? [fault('invalid-credential')] : 'a';
    const { gateway, run, runtime } = harness({ providers: [two(script)] });
    await run(gateway.generate(user()));
    expect(credentialOf(gateway, 0)).toMatchObject({
      label: 'fake#1',
      state: 'refused',
      until: runtime.clock.now() + 900_000,
      reason: 'fake#1: told to fail: invalid-credential',
    });
    expect(credentialOf(gateway, 1)).toMatchObject({ label: 'fake#2', state: 'ready', until: null, reason: null });
    await runtime.clock.advance(900_000);
    expect(credentialOf(gateway, 0)).toMatchObject({ state: 'ready', until: null, reason: null });
  });

  test('that was told to wait is waiting until then', async () => {
    const { gateway, run, runtime } = harness({
      providers: [fakeProvider({ script: () => [fault('rate-limited', { retryAfterMs: 7000 })] })],
      config: noRetry,
    });
    await run(errorOf(gateway.generate(user())));
    expect(credentialOf(gateway)).toMatchObject({ label: null, state: 'waiting', until: runtime.clock.now() + 7000 });
  });

  test('shows no key, whoever put it into an error or a report', async () => {
    const key = 'very-odd-key-of-a-vendor';
    rememberSecret(key);
    const report = { requestId: `id ${key}`, model: key, serviceTier: key };
    const { fail } = fault('invalid-credential');
    fail.message = `The key ${key} was refused.`;
    const { gateway, run } = harness({ providers: [fakeProvider({ script: () => [{ report }, { fail }] })] });
    await run(errorOf(gateway.generate(user())));
    expect(credentialOf(gateway).state).toBe('refused');
    expect(JSON.stringify([gateway.health(), gateway.statistics()])).not.toContain(key);
  });
});

describe('what an endpoint stated', () => {
  test('stands beside the target and the credential that it was stated of', async () => {
    const rateLimits = [
      { kind: 'requests', limit: 50, remaining: 49, resetMs: 1500 },
      { kind: 'tokens', remaining: 0 },
    ] as const;
    const { gateway, run, runtime } = harness({
      providers: [
        fakeProvider({
          credentials: ['fake#1', 'fake#2'],
          models: [fakeCard({ id: 'one' }), fakeCard({ id: 'two' })],
          script: () => [
            { report: { rateLimits, requestId: 'r-1' } },
            text('a'),
            { report: { model: 'one-2026', serviceTier: 'flex', costNanoUsd: 12 } },
            finish(),
          ],
        }),
      ],
    });
    const at = runtime.clock.now();
    await run(gateway.generate({ ...user(), model: 'fake/one' }));
    expect(credentialOf(gateway)).toMatchObject({
      limits: [
        { kind: 'requests', limit: 50, remaining: 49, resetsAt: at + 1500, statedAt: at },
        { kind: 'tokens', limit: null, remaining: 0, resetsAt: null, statedAt: at },
      ],
      stated: { requestId: 'r-1', model: 'one-2026', serviceTier: 'flex', costNanoUsd: 12, statedAt: at },
    });
    expect(credentialOf(gateway, 1)).toMatchObject({ limits: [], stated: null });
    expect(healthOf(gateway, 'fake/two').credentials[0]).toMatchObject({ limits: [], stated: null });
    await runtime.clock.advance(1500);
    expect(credentialOf(gateway).limits.map(({ kind }) => kind)).toEqual(['tokens']);
    await runtime.clock.advance(58_500);
    expect(credentialOf(gateway)).toMatchObject({ limits: [], stated: { requestId: 'r-1' } });
  });

  test('is heard of a model that no list names, too', async () => {
    const provider = fakeProvider({
      unlisted: (id) => fakeCard({ id }),
      script: () => [{ report: { requestId: 'r-9' } }, text('a'), finish()],
    });
    const { gateway, run } = harness({ providers: [provider] });
    await run(gateway.generate({ ...user(), model: 'fake/other' }));
    expect(healthOf(gateway, 'fake/other').credentials[0]?.stated).toMatchObject({ requestId: 'r-9' });
  });

  test.each([
    ['nothing at all', null],
    ['a text', 'limits'],
    ['limits that are no list', { rateLimits: 'many' }],
    ['limits of no kind', { rateLimits: [null, 7, {}, { kind: 'images', limit: 1 }] }],
    ['figures that are none', { costNanoUsd: Number.NaN, requestId: 7, model: '', serviceTier: {} }],
    [
      'a field that throws',
      {
        get requestId() {
          throw new Error('never mind');
        },
      },
    ],
  ])('changes no answer where it is %s', async (_, report) => {
    const { gateway, run } = harness({ providers: [reporting(report)] });
    expect((await run(gateway.generate(user()))).content).toEqual([{ type: 'text', text: 'a' }]);
    expect(credentialOf(gateway)).toMatchObject({ limits: [], stated: null });
  });

  test('of impossible figures leaves out only those', async () => {
    const limits = [{ kind: 'tokens', limit: -1, remaining: Number.POSITIVE_INFINITY, resetMs: 10 }];
    const { gateway, run } = harness({ providers: [reporting({ rateLimits: limits })] });
    await run(gateway.generate(user()));
    expect(credentialOf(gateway).limits).toMatchObject([{ kind: 'tokens', limit: null, remaining: null }]);
  });

  test("that cannot be read hides nobody's health", async () => {
    const unreadable = {
      get kind(): never {
        throw new Error('no');
      },
    };
    for (const rateLimits of [[unreadable], [null, 5, 'x'], null, 'x']) {
      const { gateway, run } = harness({ providers: [reporting({ requestId: 'r1', rateLimits })] });
      await run(gateway.generate(user()));
      expect(credentialOf(gateway)).toMatchObject({ limits: [], stated: { requestId: 'r1' } });
    }
  });

  test('stands of an attempt that failed, and is heard after its end', async () => {
    let late: (() => void) | undefined;
    const provider: Provider = {
      ...fakeProvider({}),
      async *stream(_attempt, { report }) {
        report({ requestId: 'r-1' });
        late = () => report({ requestId: 'r-2' });
        yield* [];
        throw fault('invalid-request').fail;
      },
    };
    const { gateway, run } = harness({ providers: [provider] });
    await run(errorOf(gateway.generate(user())));
    expect(credentialOf(gateway).stated).toMatchObject({ requestId: 'r-1' });
    late?.();
    expect(credentialOf(gateway).stated).toMatchObject({ requestId: 'r-2' });
  });

  test('is kept of so many targets and no more, those that were heard of last', async () => {
    const clock = fakeClock();
    const reports = createEndpointReports(clock);
    for (let index = 0; index < 10_000; index += 1) {
      reports.record({ provider: 'p', model: `m${index}` }, { requestId: `r${index}` }, () => 0);
      await (index % 1000 === 0 ? clock.advance(1) : undefined);
    }
    const kept = Array.from({ length: 10_000 }, (_, index) => reports.of({ provider: 'p', model: `m${index}` }));
    const known = kept.filter(({ stated }) => stated !== null);
    expect(known.length).toBeLessThanOrEqual(4096);
    expect(known.length).toBeGreaterThanOrEqual(2048);
    expect(kept.at(-1)?.stated).toMatchObject({ requestId: 'r9999' });
  });
});

test('statistics are what the router goes by', async () => {
  const { gateway, run, runtime } = harness({
    providers: [fakeProvider({ script: () => [text('a'), finish()] })],
  });
  await run(drain(gateway.stream(user())));
  expect(gateway.statistics()).toEqual([
    {
      target: { provider: 'fake', model: 'one' },
      attempts: 1,
      errorRate: 0,
      p50Ms: expect.any(Number),
      p95Ms: expect.any(Number),
      firstTokenP50Ms: expect.any(Number),
      firstTokenP95Ms: expect.any(Number),
      tokenRatio: null,
    },
  ]);
  await runtime.clock.advance(300_000);
  expect(gateway.statistics()[0]?.attempts).toBeCloseTo(0.5);
});
