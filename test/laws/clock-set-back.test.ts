/** Law: a wall clock that is set back makes nobody wait for the time by which it was. */
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { PolyphonyError } from '../../src/core/errors.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider, fakeRuntime, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { fault, noTransport, text, user } from '../gateway/harness.ts';

const DAY_MS = 86_400_000;
type Script = (model: string) => string | readonly ScriptStep[];

/** Two providers, of which the first is the better one. */
function world(script: Script, config: Config = {}) {
  const given = fakeRuntime();
  let setBackMs = 0;
  const runtime = { ...given, clock: { ...given.clock, now: () => given.clock.now() - setBackMs } };
  const { keyValue, ledger } = memoryStores({ clock: runtime.clock });
  const provider = (id: string, general: number) =>
    fakeProvider({
      id,
      models: [fakeCard({ id: `${id}-model`, strengths: { general } })],
      script: ({ target }) => script(target.provider),
      runtime,
    });
  const gateway = createGateway({
    providers: [provider('best', 0.9), provider('other', 0.1)],
    config: { optimise: 'quality', retry: { retries: 0 }, ...config },
    ...{ plugins: [], runtime, keyValue, ledger, transport: noTransport },
  });
  const ask = async (request: object = {}): Promise<string> => {
    const answer = gateway.generate({ ...user(), ...request }).then(
      ({ target }) => target.provider,
      ({ code }: PolyphonyError) => code,
    );
    await runtime.clock.advance(5000);
    return answer;
  };
  const setBack = (): void => {
    setBackMs += DAY_MS;
  };
  return { gateway, clock: runtime.clock, ask, setBack };
}

describe('law: a clock that is set back', () => {
  it('keeps no breaker open', async () => {
    let fails = true;
    const it = world((provider) => (fails && provider === 'best' ? [fault('overloaded')] : 'ok'), {
      breaker: { minimumAttempts: 2, cooldownMs: 60_000 },
    });
    for (let call = 0; call < 3; call += 1) await it.ask();
    fails = false;
    expect(await it.ask()).toBe('other');
    it.setBack();
    expect(await it.ask()).toBe('other');
    await it.clock.advance(120_000);
    expect(await it.ask()).toBe('best');
  });

  it('keeps no key at rest, nor dead', async () => {
    for (const [failure, restMs] of [
      [fault('rate-limited', { retryAfterMs: 20_000 }), 40_000],
      [fault('invalid-credential', { status: 401 }), 2_000_000],
    ] as const) {
      let fails = true;
      const it = world((provider) => (fails && provider === 'best' ? [failure] : 'ok'));
      expect(await it.ask()).toBe('other');
      fails = false;
      it.setBack();
      const first = it.ask({ model: 'best-model' });
      await it.clock.advance(restMs);
      expect(await first).toMatch(/best|invalid-credential/);
      expect(await it.ask()).toBe('best');
    }
  });

  it('leaves no model of a route', async () => {
    let waitMs = 3000;
    const it = world((provider) => (provider === 'best' ? [{ wait: waitMs }, text('a'), finish()] : 'ok'), {
      routes: { quick: { chain: ['best-model', 'other-model'], p95Ms: 1000, windowMs: 60_000 } },
    });
    const quick = { model: { route: 'quick' } };
    for (let call = 0; call < 3; call += 1) await it.ask(quick);
    expect(await it.ask(quick)).toBe('other');
    waitMs = 0;
    it.setBack();
    await it.clock.advance(90_000);
    expect(await it.ask(quick)).toBe('best');
  });

  it('leaves no provider out for longer', async () => {
    let fails = true;
    const it = world((provider) => (fails && provider === 'best' ? [fault('overloaded')] : 'ok'), {
      breaker: { minimumAttempts: 200 },
    });
    for (let call = 0; call < 8; call += 1) await it.ask();
    fails = false;
    expect(await it.ask()).toBe('other');
    it.setBack();
    await it.clock.advance(60_000);
    expect(await it.ask()).toBe('best');
  });

  it('keeps no model for the class of requests unasked', async () => {
    let fails = true;
    const sorts = (): string | readonly ScriptStep[] => (fails ? [fault('network')] : '{"class":"other"}');
    const it = world((provider) => (provider === 'other' ? sorts() : 'ok'), {
      breaker: { minimumAttempts: 200 },
      routes: { other: { chain: ['other-model'] } },
      tasks: { other: {} },
      classify: { model: 'other-model' },
    });
    for (let call = 0; call < 3; call += 1) await it.ask();
    fails = false;
    it.setBack();
    await it.clock.advance(60_000);
    expect(await it.ask()).toBe('other');
  });
});
