/** A second target beside a slow one: never the same, one winner, both paid once, within caps, few of them (H1 to H6). */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/core/config.ts';
import type { GatewayEvent, Hedged } from '../../src/core/gateway.ts';
import type { Attempt, Target } from '../../src/core/model/model.ts';
import type { Provider } from '../../src/core/model/provider.ts';
import { createGateway } from '../../src/gateway/create-gateway.ts';
import { createTransport } from '../../src/gateway/transport/transport.ts';
import { chatCompletionsProvider } from '../../src/kit/index.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { systemRuntime } from '../../src/system/clock.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, text, textOfEvents, user } from '../gateway/harness.ts';

type Script = (attempt: Attempt) => readonly ScriptStep[] | string;

const ON: Config = {
  hedge: { afterMs: 100, share: 1 },
  retry: { retries: 0 },
  routes: { main: { chain: ['a/m', 'b/m', 'c/m'] } },
};
const routed = { ...user(), model: { route: 'main' } };

function three(scripts: Readonly<Record<string, Script>>, config: Config = {}, more: Partial<Provider> = {}) {
  const seen: string[] = [];
  const made = harness({
    config: { ...ON, ...config },
    providers: (runtime) =>
      ['a', 'b', 'c'].map((id) =>
        fakeProvider({
          id,
          runtime,
          models: [fakeCard({ id: 'm' })],
          ...more,
          script(attempt) {
            seen.push(id);
            return scripts[id]?.(attempt) ?? id;
          },
        }),
      ),
  });
  const told: Hedged[] = [];
  made.gateway.onEvent?.((event: GatewayEvent) => {
    if (event.type === 'hedged') told.push(event);
  });
  return { ...made, seen, told };
}

const slow = (ms: number, words: string): readonly ScriptStep[] => [{ waitMs: ms }, text(words), finish()];

describe('law: hedge', () => {
  it('does nothing unless it is configured or asked for, and then for a chat only', async () => {
    const scripts = { a: () => slow(5000, 'a') };
    const off = three(scripts, { hedge: undefined } as unknown as Config);
    expect((await off.run(off.gateway.generate(routed))).target.provider).toBe('a');
    expect(off.seen).toEqual(['a']);
    const refused = three(scripts);
    expect((await refused.run(refused.gateway.generate({ ...routed, hedge: false }))).target.provider).toBe('a');
    const asked = three(scripts, { hedge: undefined } as unknown as Config);
    const one = () => asked.run(asked.gateway.generate({ ...routed, hedge: { afterMs: 50 } }));
    const served: string[] = [];
    for (let call = 0; call < 10; call += 1) served.push((await one()).target.provider);
    // The share of the operator is a tenth, whatever a request asks.
    expect(served).toEqual([...Array.from({ length: 9 }, () => 'a'), 'b']);
    const search = { type: 'provider', name: 'web-search' } as const;
    const own = three(scripts);
    await own.run(own.gateway.generate({ ...routed, tools: [search] }));
    expect(own.seen).toEqual(['a']);
    expect((await errorOf(own.run(own.gateway.generate({ ...routed, hedge: { afterMs: 0 } })))).code).toBe(
      'invalid-request',
    );
  });

  it('lets the first that speaks answer, and shows nothing of the other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 400 }),
        fc.boolean(),
        async (firstMs, secondMs, streaming) => {
          const warning = { type: 'warning', warning: { code: 'w', message: 'w' } } as const;
          const made = three({ a: () => [warning, ...slow(firstMs, 'a')], b: () => [warning, ...slow(secondMs, 'b')] });
          const { gateway, run, rows, told, runtime } = made;
          // At the same moment, either may have spoken.
          fc.pre(firstMs !== 100 && firstMs !== 100 + secondMs);
          const winner = firstMs < 100 + secondMs ? 'a' : 'b';
          if (streaming) {
            const { events } = await run(drain(gateway.stream(routed)));
            expect(textOfEvents(events)).toBe(winner);
            expect(events.filter(({ type }) => type === 'route')).toHaveLength(1);
            expect(events.filter(({ type }) => type === 'finish')).toHaveLength(1);
          } else {
            const response = await run(gateway.generate(routed));
            expect(response.content).toEqual([{ type: 'text', text: winner }]);
            expect(response.attempts.map(({ key }) => key.slice(-2)).sort()).toEqual(
              firstMs < 100 ? ['/1'] : ['/1', '/2'],
            );
            const paid = response.attempts.reduce((sum, { costNanoUsd }) => sum + (costNanoUsd ?? Number.NaN), 0);
            expect(response.costNanoUsd).toBe(paid);
          }
          const kept = await rows();
          expect(new Set(kept.map(({ key }) => key)).size).toBe(kept.length);
          expect(kept.map(({ outcome }) => outcome).sort()).toEqual(firstMs < 100 ? ['ok'] : ['cancelled', 'ok']);
          expect(told.map((event) => event.winner)).toEqual(firstMs < 100 ? [] : [winner === 'a' ? 'first' : 'second']);
          expect(runtime.clock.pending()).toBe(0);
        },
      ),
      { numRuns: 80 },
    );
  });

  it('asks nobody twice, whatever fails in which lane', async () => {
    const step = fc.constantFrom('fail', 'slow', 'later', 'hang');
    const play: Readonly<Record<string, readonly ScriptStep[]>> = {
      fail: [{ waitMs: 30 }, fault('overloaded')],
      later: [{ waitMs: 250 }, fault('network')],
      slow: slow(300, 'slow'),
      hang: [{ hang: true }],
    };
    await fc.assert(
      fc.asyncProperty(step, step, step, fc.boolean(), async (a, b, c, streaming) => {
        fc.pre([a, b, c].some((one) => one !== 'hang'));
        const made = three(
          { a: () => play[a] ?? [], b: () => play[b] ?? [], c: () => play[c] ?? [] },
          { timeouts: { totalMs: 2000, answerMs: 1500, firstTokenMs: 1500 } },
        );
        const { events, error } = await made.run(
          drain(made.gateway.stream({ ...routed, ...(streaming ? {} : { onStreamFailure: 'restart' }) })),
        );
        expect(new Set(made.seen).size).toBe(made.seen.length);
        const answered = [a, b, c].includes('slow');
        if (answered) expect(textOfEvents(events)).toBe('slow');
        else expect(error?.code).toBeDefined();
        const kept = await made.rows();
        expect(kept).toHaveLength(made.seen.length);
        expect(made.runtime.clock.pending()).toBe(0);
      }),
      { numRuns: 80 },
    );
  });

  it('takes a second of another provider and region where there is one', async () => {
    const regions = ['eu', 'us'];
    const tried: Target[] = [];
    const world = (ids: readonly string[], more: Config = {}) =>
      harness({
        config: { hedge: { afterMs: 100, share: 1 }, ...more },
        providers: (runtime) =>
          ids.map((id) => ({
            ...fakeProvider({
              id,
              runtime,
              models: [fakeCard({ id: 'm' }), fakeCard({ id: 'n' })],
              script(attempt) {
                tried.push(attempt.target);
                return tried.length === 1 ? [{ hang: true }] : 'ok';
              },
            }),
            regions,
          })),
      });
    for (const ids of [['a'], ['a', 'b']]) {
      tried.length = 0;
      const { gateway, run } = world(ids);
      await run(gateway.generate(user()));
      const [first, second] = tried;
      expect([first?.provider, first?.region]).not.toEqual([second?.provider, second?.region]);
    }
    tried.length = 0;
    const chained = world(['a', 'b'], { routes: { main: { chain: ['a/m', 'a/n', 'b/m'] } } });
    await chained.run(chained.gateway.generate({ ...routed, requires: { regions: ['eu'] } }));
    expect(tried.map(({ provider, model }) => `${provider}/${model}`)).toEqual(['a/m', 'b/m']);
    // With one region left, another model of it is better than none; the same model is not.
    tried.length = 0;
    const { gateway, run } = world(['a']);
    await run(gateway.generate({ ...user(), requires: { regions: ['eu'] } }));
    expect(tried.map(({ region }) => region)).toEqual(['eu', 'eu']);
    expect(tried[0]?.model).not.toBe(tried[1]?.model);
    tried.length = 0;
    const pinned = world(['a']);
    const only = { ...user(), model: 'm', requires: { regions: ['eu'] }, limits: { ms: 500 } };
    expect((await errorOf(pinned.run(pinned.gateway.generate(only)))).code).toBe('timeout');
    expect(tried).toHaveLength(1);
  });

  it('charges the loser for what it sent, else for what such an answer usually is, and says that it is an estimate', async () => {
    const words = 'These are the words of an answer that was half said. '.repeat(8);
    const { gateway, run } = three({
      a: () => [{ type: 'reasoning-delta', text: '' }, { hang: true }],
      b: () => slow(50, words),
    });
    const { attempts } = await run(gateway.generate(routed));
    const [lost] = attempts.filter(({ outcome }) => outcome === 'cancelled');
    expect(lost).toMatchObject({ target: { provider: 'a' }, estimated: true, error: { code: 'cancelled' } });
    expect(lost?.usage?.output).toBeGreaterThan(0);
    expect(lost?.costNanoUsd).toBeGreaterThan(0);
  });

  it('sends a second only where every cap holds both, and a whole answer of it', async () => {
    // 2000 tokens of answer at 2 dollars a million, and 50 of prompt at one.
    const worst = 2000 * 2000 + 50 * 1000;
    for (const [times, expected] of [
      [1.5, ['a']],
      [2.5, ['a', 'b']],
    ] as const) {
      const made = three({ a: () => slow(400, 'a'), b: () => slow(50, 'b') });
      const scopes = [{ kind: 'user', id: 'u', capNanoUsd: Math.ceil(worst * times) }] as const;
      const response = await made.run(made.gateway.generate({ ...routed, maxOutputTokens: 2000 }, { scopes }));
      expect(made.seen).toEqual(expected);
      expect(response.warnings).toEqual([]);
      expect(made.told).toHaveLength(expected.length - 1);
      expect(response.costNanoUsd).toBeLessThanOrEqual(scopes[0].capNanoUsd);
    }
  });

  it('reaches both sockets with a cancel, and the reader who leaves reaches them too', async () => {
    const cancelled = three({ a: () => [{ hang: true }], b: () => [{ hang: true }] });
    const controller = new AbortController();
    cancelled.runtime.clock.schedule(150, () => controller.abort());
    const error = await errorOf(cancelled.run(cancelled.gateway.generate(routed, { signal: controller.signal })));
    expect(error.code).toBe('cancelled');
    expect((await cancelled.rows()).map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
    const left = three({ a: () => [{ hang: true }], b: () => [{ hang: true }] });
    const reader = left.gateway.stream(routed)[Symbol.asyncIterator]();
    const reading = reader.next().catch(() => undefined);
    await left.runtime.clock.advance(150);
    await left.run(Promise.all([reader.return?.(), reading]));
    expect(await left.rows()).toHaveLength(2);
    expect(left.runtime.clock.pending()).toBe(0);
  });

  it('keeps to the share of calls, whatever their number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 60 }), async (tenths, count) => {
        const made = three({ a: () => slow(150, 'a') }, { hedge: { afterMs: 100, share: tenths / 10 } });
        for (let call = 1; call <= count; call += 1) {
          await made.run(made.gateway.generate(routed));
          expect(made.told.length).toBeLessThanOrEqual((tenths / 10) * call + 1e-9);
        }
        expect(made.told).toHaveLength(Math.floor((tenths / 10) * count + 1e-9));
      }),
      { numRuns: 20 },
    );
  });

  it('waits for what nearly all waits of the target stay below, once twenty answers are known, and remembers waits that it ended', async () => {
    let ms = 0;
    const made = three({ a: () => slow(ms, 'a') }, { hedge: { share: 1 } });
    const ask = async (): Promise<string> => textOfEvents((await made.run(drain(made.gateway.stream(routed)))).events);
    ms = 5000;
    expect(await ask()).toBe('a');
    for (ms of Array.from({ length: 40 }, (_, index) => 60 - index)) expect(await ask()).toBe('a');
    const before = made.gateway.explain({ operation: 'chat', ...routed }).hedge;
    expect(before?.second).toMatchObject({ provider: 'b' });
    ms = 9000;
    expect(await ask()).toBe('b');
    expect(made.told[0]?.afterMs).toBe(Math.round(before?.afterMs ?? 0));
    for (let call = 0; call < 3; call += 1) await ask();
    expect(made.gateway.explain({ operation: 'chat', ...routed }).hedge?.afterMs).toBeGreaterThan(before?.afterMs ?? 0);
  });

  it.each([1, 29, 60.4, 61.9, 64, 997])('asks no second beside a target that always takes %d ms', async (ms) => {
    const made = three({ a: () => slow(ms, 'a') }, { hedge: { share: 1 } });
    for (let call = 0; call < 40; call += 1) await made.run(drain(made.gateway.stream(routed)));
    expect(made.told).toEqual([]);
  });

  it('knows that waits which it ended would have been longer', async () => {
    let ms = 100;
    const made = three({ a: () => slow(ms, 'a'), b: () => slow(10, 'b') }, { hedge: { share: 1 } });
    const ask = (hedge: boolean | { afterMs: number }) => made.run(drain(made.gateway.stream({ ...routed, hedge })));
    for (let call = 0; call < 40; call += 1) await ask(false);
    ms = 1000;
    for (let call = 0; call < 2; call += 1) await ask(false);
    for (let call = 0; call < 30; call += 1) await ask({ afterMs: 200 });
    expect(made.told).toHaveLength(30);
    // By the waits as they ended, nearly all stay below 210.
    expect(made.gateway.explain({ operation: 'chat', ...routed }).hedge?.afterMs).toBeGreaterThanOrEqual(1000);
  });

  it('asks no second for a call that nothing waits for, and moves no session', async () => {
    const made = three({ a: () => slow(150, 'a'), b: () => slow(10, 'b') });
    const idle = await made.run(made.gateway.generate(routed, { isAwaited: () => false }));
    expect(idle.target.provider).toBe('a');
    const broken = await made.run(
      made.gateway.generate(routed, {
        isAwaited: () => {
          throw new Error('no');
        },
      }),
    );
    expect(broken.target.provider).toBe('a');
    let stalls = false;
    const bound = three({ a: () => (stalls ? slow(500, 'a') : 'a') });
    const ask = async (): Promise<string> =>
      (await bound.run(bound.gateway.generate(routed, { session: 's' }))).target.provider;
    expect(await ask()).toBe('a');
    stalls = true;
    expect(await ask()).toBe('b');
    stalls = false;
    expect(await ask()).toBe('a');
  });

  it('closes the socket of the loser at once', async () => {
    let closed = 0;
    const server = createServer((request, response) => {
      response.on('close', () => {
        if (!response.writableEnded) closed += 1;
      });
      request.resume();
      request.on('end', async () => {
        const body = JSON.stringify({
          choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 1, completion_tokens: 1 },
        });
        if (request.url?.startsWith('/slow') === true) return;
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const stores = memoryStores();
    const gateway = createGateway({
      providers: ['slow', 'fast'].map((id) =>
        chatCompletionsProvider({ id, baseURL: `${base}/${id}`, apiKey: 'k', models: [fakeCard({ id: 'm' })] }),
      ),
      config: { hedge: { afterMs: 30, share: 1 }, routes: { main: { chain: ['slow/m', 'fast/m'] } } },
      runtime: systemRuntime,
      keyValue: stores.keyValue,
      ledger: stores.ledger,
      transport: createTransport(),
    });
    const response = await gateway.generate(routed);
    expect(response.target.provider).toBe('fast');
    expect(response.attempts.map(({ outcome }) => outcome).sort()).toEqual(['cancelled', 'ok']);
    for (let turn = 0; turn < 100 && closed === 0; turn += 1) await wait(5);
    expect(closed).toBe(1);
    await gateway.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
