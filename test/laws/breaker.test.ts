import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCircuit, type Verdict } from '../../src/gateway/attempt-ring/breaker/circuit.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { errorOf, fault, harness, user } from '../gateway/harness.ts';

const POLICY = { rateLimits: 3, failureRatio: 0.5, minimumAttempts: 4, cooldownMs: 1000 };

describe('law: circuit', () => {
  it('admits nobody before the latest deadline it was given, and one probe at a time after it', () => {
    const step = fc.record({
      after: fc.integer({ min: 0, max: 1500 }),
      verdict: fc.constantFrom<Verdict>('ok', 'failed', 'rate-limited', 'none'),
      retryAfterMs: fc.integer({ min: 0, max: 5000 }),
      late: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const circuit = createCircuit(() => POLICY);
        let now = 0;
        let openUntil = 0;
        let probing = false;
        for (const { after, verdict, retryAfterMs, late } of steps) {
          now += after;
          const admission = circuit.admit(now);
          if (admission.allowed) {
            expect(now).toBeGreaterThanOrEqual(openUntil);
            expect(admission.probe && probing).toBe(false);
            // A probe that has not reported keeps the next one out.
            probing ||= admission.probe;
            if (late) continue;
            circuit.report(verdict, now, { probe: admission.probe, retryAfterMs });
            if (admission.probe) probing = false;
            if (admission.probe && (verdict === 'failed' || verdict === 'rate-limited')) {
              openUntil = now + Math.max(POLICY.cooldownMs, verdict === 'rate-limited' ? retryAfterMs : 0);
            }
          } else {
            expect(admission.until).toBeGreaterThanOrEqual(openUntil);
            // A straggler's failure never brings the deadline forward.
            circuit.report(verdict, now, { probe: false, retryAfterMs });
            const again = circuit.admit(now);
            if (!again.allowed) expect(again.until).toBeGreaterThanOrEqual(Math.min(admission.until, openUntil));
          }
        }
      }),
    );
  });

  it('opens at the third 429 within a minute, not at three in more than one', () => {
    const circuit = createCircuit(() => POLICY);
    for (const at of [0, 30_000, 61_000]) circuit.report('rate-limited', at, { probe: false });
    expect(circuit.admit(61_000).allowed).toBe(true);
    circuit.report('rate-limited', 62_000, { probe: false });
    expect(circuit.admit(62_000)).toEqual({ allowed: false, until: 63_000 });
  });

  it('opens at the ratio, and only with enough attempts', () => {
    const circuit = createCircuit(() => POLICY);
    for (const verdict of ['failed', 'failed', 'ok'] as const) circuit.report(verdict, 0, { probe: false });
    expect(circuit.admit(0).allowed).toBe(true);
    circuit.report('failed', 1, { probe: false });
    expect(circuit.admit(1).allowed).toBe(false);
  });

  it('lets the later deadline win', () => {
    const circuit = createCircuit(() => ({ ...POLICY, rateLimits: 1 }));
    circuit.report('rate-limited', 0, { probe: false, retryAfterMs: 9000 });
    circuit.report('rate-limited', 10, { probe: false, retryAfterMs: 1 });
    expect(circuit.admit(5000)).toEqual({ allowed: false, until: 9000 });
  });

  it('reads a cooldown of 0 as 0', () => {
    const circuit = createCircuit(() => ({ ...POLICY, rateLimits: 1, cooldownMs: 0 }));
    circuit.report('rate-limited', 5, { probe: false });
    expect(circuit.admit(5)).toEqual({ allowed: true, probe: true });
  });

  it('frees the place of a probe that was cancelled', () => {
    const circuit = createCircuit(() => ({ ...POLICY, rateLimits: 1 }));
    circuit.report('rate-limited', 0, { probe: false });
    expect(circuit.admit(1000)).toEqual({ allowed: true, probe: true });
    expect(circuit.admit(1000).allowed).toBe(false);
    circuit.report('none', 1001, { probe: true });
    expect(circuit.admit(1001)).toEqual({ allowed: true, probe: true });
  });
});

describe('law: breaker', () => {
  const config = { routes: { main: { chain: ['a/m', 'b/m'] } }, retry: { retries: 0 }, breaker: { rateLimits: 3 } };
  const routed = { ...user(), model: { route: 'main' } };

  function two(code: () => Parameters<typeof fault>[0] | 'ok') {
    const a = fakeProvider({
      id: 'a',
      models: [fakeCard({ id: 'm' }), fakeCard({ id: 'n' })],
      script: () => {
        const told = code();
        return told === 'ok' ? 'a' : [fault(told)];
      },
    });
    const b = fakeProvider({ id: 'b', models: [fakeCard({ id: 'm' })] });
    return { a, b, ...harness({ providers: [a, b], config }) };
  }

  it('leaves a target alone after three 429s, probes it after the cooldown, and closes on success', async () => {
    let told: 'rate-limited' | 'ok' = 'rate-limited';
    const { a, gateway, run, runtime } = two(() => told);
    for (let call = 0; call < 5; call += 1) expect((await run(gateway.generate(routed))).target.provider).toBe('b');
    expect(a.seen).toHaveLength(3);
    told = 'ok';
    await runtime.clock.advance(30_000);
    expect((await run(gateway.generate(routed))).target.provider).toBe('a');
    expect((await run(gateway.generate(routed))).target.provider).toBe('a');
  });

  it('opens for the provider as a whole too: another model of it is left alone', async () => {
    const { a, gateway, run } = two(() => 'rate-limited');
    for (let call = 0; call < 3; call += 1) await run(gateway.generate(routed));
    const other = { ...user(), model: { route: 'other' } };
    gateway.reconfigure({ ...config, routes: { other: { chain: ['a/n', 'b/m'] } } });
    expect((await run(gateway.generate(other))).target.provider).toBe('b');
    expect(a.seen).toHaveLength(3);
  });

  it.each([
    'context-window',
    'content-policy',
    'invalid-request',
    'unsupported',
    'cancelled',
    'invalid-credential',
  ] as const)('is not tripped by %s', async (code) => {
    const { a, gateway, run } = two(() => code);
    for (let call = 0; call < 12; call += 1) await run(gateway.generate(routed)).catch(() => undefined);
    const { rejected } = gateway.explain({ ...routed, operation: 'chat' });
    expect(rejected).toEqual([]);
    // A dead credential stops the sending, everything else goes on being sent.
    expect(a.seen).toHaveLength(code === 'invalid-credential' ? 1 : 12);
  });

  it('probes the lone target that is left instead of refusing it', async () => {
    let told: 'rate-limited' | 'ok' = 'rate-limited';
    const { a, gateway, run } = two(() => told);
    const lone = { ...user(), model: 'a/m' };
    for (let call = 0; call < 4; call += 1)
      expect((await errorOf(run(gateway.generate(lone)))).code).toBe('rate-limited');
    expect(a.seen).toHaveLength(4);
    told = 'ok';
    expect((await run(gateway.generate(lone))).target.provider).toBe('a');
  });

  it('comes back to an open target when every other one has failed', async () => {
    let told: 'rate-limited' | 'ok' = 'rate-limited';
    const a = fakeProvider({
      id: 'a',
      models: [fakeCard({ id: 'm' })],
      script: () => (told === 'ok' ? 'a' : [fault(told)]),
    });
    const b = fakeProvider({
      id: 'b',
      models: [fakeCard({ id: 'm' })],
      script: () => (told === 'ok' ? [fault('network')] : 'b'),
    });
    const { gateway, run } = harness({ providers: [a, b], config });
    for (let call = 0; call < 3; call += 1) await run(gateway.generate(routed));
    told = 'ok';
    const response = await run(gateway.generate(routed));
    expect(response.target.provider).toBe('a');
    expect(response.attempts.map(({ target }) => target.provider)).toEqual(['b', 'a']);
  });
});
