/** What other gateways suffered from, each a regression test: the name cites the report. */
import { describe, expect, it } from 'vitest';
import type { Scope } from '../../src/core/model/model.ts';
import { type FakeProvider, fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, textOfEvents, user } from './harness.ts';

/** Providers a, b, … in this order of preference, each playing its script. */
function row(scripts: readonly (readonly ScriptStep[] | string)[], config: object = {}) {
  const names = scripts.map((_script, index) => String.fromCharCode(97 + index));
  const fakes: FakeProvider[] = [];
  const made = harness({
    providers: (runtime) =>
      names.map((id, index) => {
        const fake = fakeProvider({
          id,
          runtime,
          models: [fakeCard({ id: 'm' })],
          script: () => scripts[index] ?? 'ok',
        });
        fakes.push(fake);
        return fake;
      }),
    config: { retry: { retries: 0 }, routes: { main: { chain: names.map((id) => `${id}/m`) } }, ...config },
  });
  return { ...made, fakes, request: { ...user(), model: { route: 'main' } } };
}

describe("peers' open wounds", () => {
  it('Portkey #1797: a stream that is cut after some chunks is no clean end', async () => {
    const { gateway, run, request } = row([[text('half an '), text('ans')]]);
    const { events, error } = await run(drain(gateway.stream(request)));
    expect(textOfEvents(events)).toBe('half an ans');
    expect(error?.code).toBe('truncated');
  });

  it('Bifrost #5395: an error after the first frames, but before a token, falls over', async () => {
    const frame: ScriptStep = { type: 'warning', warning: { code: 'started', message: 'response created' } };
    const { gateway, run, request } = row([[frame, { type: 'text-delta', text: '' }, fault('overloaded')], 'b']);
    expect((await run(gateway.generate(request))).target.provider).toBe('b');
  });

  it('LiteLLM #40404: a target that stalls is left for the next one', async () => {
    const { gateway, run, runtime, request, fakes } = row([[{ hang: true }], 'b'], {
      timeouts: { firstTokenMs: 5000 },
    });
    expect(textOfEvents((await run(drain(gateway.stream(request)))).events)).toBe('b');
    expect(runtime.clock.monotonic()).toBe(5000);
    expect(fakes.map((fake) => fake.open())).toEqual([0, 0]);
  });

  it("LiteLLM #20722: the present attempt's retry-after counts, not the first one's", async () => {
    let tries = 0;
    const provider = fakeProvider({
      script: () => {
        tries += 1;
        return tries === 1
          ? [fault('overloaded', { retryAfterMs: 10_000 })]
          : tries === 2
            ? [fault('overloaded')]
            : 'ok';
      },
    });
    const { gateway, run, runtime } = harness({ providers: [provider] });
    await run(gateway.generate(user()));
    expect(runtime.clock.monotonic()).toBeLessThan(11_001);
  });

  it('Bifrost #5876: the rotation of keys is not capped by the retries', async () => {
    const credentials = ['1', '2', '3', '4', '5', '6'];
    const provider = fakeProvider({
      credentials,
      script: ({ target }) => (target.credential === '6' ? 'ok' : [fault('rate-limited')]),
    });
    const { gateway, run } = harness({
      providers: [provider],
      config: { retry: { retries: 0 }, breaker: { rateLimits: 100 } },
    });
    expect((await run(gateway.generate(user()))).target.credential).toBe('6');
  });

  it('LiteLLM #9812: a cache write is charged once', async () => {
    const price = { input: 1, output: 2, cacheWrite: 1.25, cacheRead: 0.1 };
    const usage = { input: 1000, output: 10, cacheWrite: 800, cacheRead: 100 };
    const provider = fakeProvider({
      models: [fakeCard({ id: 'm', price })],
      script: () => [text('a'), finish({ usage })],
    });
    const { gateway, run } = harness({ providers: [provider] });
    // 100 fresh × 1,000 + 100 read × 100 + 800 written × 1,250 + 10 out × 2,000 nano-dollars.
    expect((await run(gateway.generate(user()))).costNanoUsd).toBe(100_000 + 10_000 + 1_000_000 + 20_000);
  });

  it('LiteLLM #34732: calls at the same moment do not overspend together', async () => {
    const { gateway, run, request, fakes, stores } = row([[{ wait: 10 }, text('a'), finish()]]);
    const scopes: Scope[] = [{ kind: 'tenant', id: 't', capNanoUsd: 300_000 }];
    const calls = Array.from({ length: 20 }, () => gateway.generate({ ...request, maxOutputTokens: 20 }, { scopes }));
    const results = await run(Promise.allSettled(calls));
    const served = results.filter(({ status }) => status === 'fulfilled').length;
    expect(served).toBeGreaterThan(0);
    expect(served).toBe(fakes[0]?.seen.length);
    expect(await stores.keyValue.get('budget:tenant:t')).toBe(served * 20_000);
    expect(served * 20_000).toBeLessThanOrEqual(300_000);
  });

  it('LiteLLM #36926: calls that fail or are cancelled leave nothing held', async () => {
    const { gateway, run, runtime, request, stores } = row([[{ wait: 5 }, fault('overloaded')]]);
    const scopes: Scope[] = [{ kind: 'tenant', id: 't', capNanoUsd: 20_000_000 }];
    for (let call = 0; call < 5; call += 1) {
      await errorOf(run(gateway.generate(request, { scopes })));
      const controller = new AbortController();
      runtime.clock.schedule(1, () => controller.abort());
      await errorOf(run(gateway.generate(request, { scopes, signal: controller.signal })));
    }
    const rows: number[] = [];
    for await (const { costNanoUsd } of stores.ledger.rows()) rows.push(costNanoUsd ?? 0);
    expect(await stores.keyValue.get('budget:tenant:t')).toBe(rows.reduce((sum, cost) => sum + cost, 0));
  });

  it('Bifrost #5148: the keys of a schema keep their order', async () => {
    const schema = { type: 'object', properties: { zebra: { type: 'string' }, apple: { type: 'number' }, mango: {} } };
    const { gateway, run, request, fakes } = row(['{}']);
    await run(gateway.generate({ ...request, output: { type: 'json', schema } }));
    const sent = fakes[0]?.seen[0]?.request;
    expect(JSON.stringify(sent?.operation === 'chat' && sent.output?.schema)).toBe(JSON.stringify(schema));
  });

  it('LiteLLM #33678: parallel tool calls with the same index stay apart', async () => {
    const delta = (id: string, name: string): ScriptStep => ({
      type: 'tool-call-delta',
      index: 0,
      id,
      name,
      delta: '{}',
    });
    const call = (id: string, name: string): ScriptStep => ({
      type: 'tool-call',
      call: { type: 'tool-call', id, name, arguments: {} },
    });
    const steps = [delta('1', 'f'), call('1', 'f'), delta('2', 'g'), call('2', 'g'), finish({ reason: 'tool-calls' })];
    const { gateway, run, request } = row([steps]);
    const { content } = await run(gateway.generate(request));
    expect(content.map((part) => part.type === 'tool-call' && part.id)).toEqual(['1', '2']);
  });

  it.each([
    ['before the first event', [{ hang: true }]],
    ['after it', [text('a'), { hang: true }]],
  ] as const)('LiteLLM #37140: an unstreamed call that is cancelled %s is cancelled upstream', async (_when, steps) => {
    const { gateway, run, runtime, request, fakes } = row([steps]);
    const controller = new AbortController();
    runtime.clock.schedule(10, () => controller.abort());
    expect((await errorOf(run(gateway.generate(request, { signal: controller.signal })))).code).toBe('cancelled');
    expect(fakes[0]?.seen[0]?.signal.aborted).toBe(true);
    expect(fakes[0]?.open()).toBe(0);
    expect(runtime.clock.pending()).toBe(0);
  });

  it('LiteLLM #31557: no fallback to a smaller window', async () => {
    const small = fakeProvider({
      id: 'small',
      models: [fakeCard({ id: 'm', contextTokens: 100, maxOutputTokens: 10 })],
    });
    const large = fakeProvider({ id: 'large', models: [fakeCard({ id: 'm' })], script: () => [fault('overloaded')] });
    const { gateway, run } = harness({ providers: [large, small], config: { retry: { retries: 0 } } });
    const error = await errorOf(run(gateway.generate(user('word '.repeat(500)))));
    expect(error.code).toBe('overloaded');
    expect(small.seen).toHaveLength(0);
  });

  it('Portkey #165: what is thrown instead of returned falls over as well', async () => {
    const { gateway, run, request } = row([[{ fail: new RangeError('index out of range') }], 'b']);
    expect((await run(gateway.generate(request))).target.provider).toBe('b');
  });

  it('Portkey #228: zero is a value', async () => {
    const { gateway, run, runtime } = row([[fault('overloaded')], 'b']);
    await run(gateway.generate({ ...user(), limits: { retries: 0 } }));
    expect(runtime.clock.monotonic()).toBe(0);
    const free = harness({
      providers: [fakeProvider({ models: [fakeCard({ id: 'm', price: { input: 0, output: 0 } })] })],
    });
    const scopes: Scope[] = [{ kind: 'run', id: 'r', capNanoUsd: 0 }];
    expect((await free.run(free.gateway.generate(user(), { scopes }))).costNanoUsd).toBe(0);
    const paid = harness({ providers: [fakeProvider({})] });
    expect((await errorOf(paid.run(paid.gateway.generate(user(), { scopes })))).code).toBe('budget-exceeded');
  });

  it('AI SDK #7628: an aborted stream leaves its usage', async () => {
    const { gateway, runtime, rows, request } = row([[text('x'.repeat(80)), { hang: true }]]);
    const controller = new AbortController();
    const reading = drain(gateway.stream(request, { signal: controller.signal }));
    await runtime.clock.advance(10);
    controller.abort();
    expect((await reading).error?.code).toBe('cancelled');
    const [booked] = await rows();
    expect(booked).toMatchObject({ outcome: 'cancelled', estimated: true, usage: { output: 20 } });
    expect(booked?.usage?.input).toBeGreaterThan(0);
    expect(booked?.costNanoUsd).toBeGreaterThan(40_000);
  });
});
