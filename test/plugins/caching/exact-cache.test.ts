import fc from 'fast-check';
import { type ModelEvent, type ModelRequest, PolyphonyError } from 'polyphony';
import { fakeProvider, fakeRuntime, finish, type ScriptStep, textOf } from 'polyphony/kit';
import { describe, expect, it } from 'vitest';
import { type ExactCacheOptions, exactCache } from '../../../plugins/caching/exact-cache.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { chat, eventsOf, pluginRing } from '../plugin-ring.ts';

const text = (value: string): ModelEvent => ({ type: 'text-delta', text: value });

async function ring(options: ExactCacheOptions = {}, script?: () => readonly ScriptStep[] | string) {
  const runtime = fakeRuntime();
  let answers = 0;
  const provider = fakeProvider({ runtime, script: script ?? (() => `answer ${++answers}`) });
  const plugin = exactCache(options);
  return { provider, plugin, ...(await pluginRing({ provider, plugin, runtime })) };
}

describe('a hit', () => {
  it('costs nothing, asks nobody, and names the model that answered', async () => {
    const { ask, provider, plugin } = await ring();
    const first = await ask(chat('hello'));
    const second = await ask(chat('hello'));
    expect(provider.seen).toHaveLength(1);
    expect(first).toMatchObject({ costNanoUsd: 100, target: { provider: 'fake', model: 'one' } });
    expect(first.cached).toBeUndefined();
    expect(second).toMatchObject({ cached: true, costNanoUsd: 0, attempts: [], target: first.target });
    expect(second.content).toEqual(first.content);
    expect(plugin.statistics()).toEqual({ hits: 1, coalesced: 0, misses: 1, stored: 1 });
  });

  it('replays as a stream: the same text, reasoning and finish', async () => {
    const { handle, call } = await ring({}, () => [
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'reasoning', part: { type: 'reasoning', text: 'hm', signature: 's' } },
      text('a'),
      text('b'),
      finish({ confidence: 0.5, citations: [{ url: 'https://a.example' }] }),
    ]);
    await eventsOf(handle(call(chat('q'))));
    expect(await eventsOf(handle(call(chat('q'))))).toEqual([
      { type: 'route', target: { provider: 'fake', model: 'one' } },
      { type: 'reasoning-delta', text: 'hm' },
      { type: 'reasoning', part: { type: 'reasoning', text: 'hm', signature: 's' } },
      text('ab'),
      finish({ confidence: 0.5, citations: [{ url: 'https://a.example' }], cached: true, costNanoUsd: 0 }),
    ]);
  });

  it('ends when its time is over, sooner for questions about the present', async () => {
    const { ask, provider, runtime } = await ring({ ttlSeconds: 100, timeSensitiveSeconds: 10 });
    const now = chat('What is the weather today?');
    for (const request of [chat('q'), now]) await ask(request);
    await runtime.clock.advance(10_000);
    expect((await ask(now)).cached).toBeUndefined();
    expect((await ask(chat('q'))).cached).toBe(true);
    await runtime.clock.advance(90_000);
    expect((await ask(chat('q'))).cached).toBeUndefined();
    expect(provider.seen).toHaveLength(4);
  });

  it('survives the process where the store does, personal answers excepted', async () => {
    const runtime = fakeRuntime();
    const store = memoryStores({ clock: runtime.clock }).keyValue;
    const provider = fakeProvider({ runtime });
    const before = exactCache();
    const first = await pluginRing({ provider, plugin: before, runtime, store });
    await first.ask(chat('q'));
    await first.ask(chat('q', { sensitivity: 'personal' }));
    await before.close?.();
    const second = await pluginRing({ provider, plugin: exactCache(), runtime, store });
    expect(await second.ask(chat('q'))).toMatchObject({ cached: true, costNanoUsd: 0 });
    expect((await second.ask(chat('q', { sensitivity: 'personal' }))).cached).toBeUndefined();
    expect(JSON.stringify(await store.keys(''))).not.toContain('q');
  });

  it('is a miss when the store fails or holds something else', async () => {
    const runtime = fakeRuntime();
    const provider = fakeProvider({ runtime });
    const store = memoryStores({ clock: runtime.clock }).keyValue;
    const broken = {
      ...store,
      get: () => Promise.reject(new Error('disk')),
      set: () => Promise.reject(new Error('full')),
    };
    const failing = await pluginRing({ provider, plugin: exactCache(), runtime, store: broken });
    expect(textOf(await failing.ask(chat('q')))).toBe('ok');
    const odd = { ...store, get: async () => ({ until: 9e15, response: { content: 'x' } }) };
    const confused = await pluginRing({ provider, plugin: exactCache(), runtime, store: odd });
    expect(textOf(await confused.ask(chat('q')))).toBe('ok');
  });
});

describe('the key', () => {
  const base = chat('q', { output: { type: 'json', schema: { a: 1, b: 2 } } } as Partial<ModelRequest>);
  const variants: Record<string, Partial<Record<string, unknown>>> = {
    model: { model: 'other' },
    tier: { model: { tier: 'premium' } },
    'schema key order': { output: { type: 'json', schema: { b: 2, a: 1 } } },
    temperature: { temperature: 0 },
    seed: { seed: 1 },
    'provider options': { providerOptions: { fake: { x: 1 } } },
    requirements: { requires: { retention: 'none' } },
    sensitivity: { sensitivity: 'internal' },
    'a bound on the model': { limits: { usd: 1 } },
    escalation: { escalate: { evaluator: 'v', to: ['premium'] } },
    'a field of later versions': { futureField: true },
  };
  for (const [name, fields] of Object.entries(variants)) {
    it(`tells apart: ${name}`, async () => {
      const { ask } = await ring();
      await ask(base);
      expect((await ask({ ...base, ...fields } as ModelRequest)).cached).toBeUndefined();
    });
  }

  const same: Record<string, Partial<Record<string, unknown>>> = {
    'how long one waits': { limits: { milliseconds: 5, retries: 1 } },
    'what a failed stream does': { onStreamFailure: 'restart' },
    'one text part': { messages: [{ content: [{ text: 'q', type: 'text' }], role: 'user' }] },
    'the end user': { user: 'someone' },
  };
  for (const [name, fields] of Object.entries(same)) {
    it(`does not tell apart: ${name}`, async () => {
      const { ask } = await ring();
      await ask(base);
      expect((await ask({ ...base, ...fields } as ModelRequest)).cached).toBe(true);
    });
  }

  it('keeps tenants apart, users where personal, and nobody where told so', async () => {
    const of = (tenant: string, user: string) => ({
      scopes: [{ kind: 'tenant', id: tenant } as const, { kind: 'user', id: user } as const],
    });
    const { ask } = await ring();
    await ask(chat('q'), of('a', 'x'));
    expect((await ask(chat('q'), of('a', 'y'))).cached).toBe(true);
    expect((await ask(chat('q'), of('b', 'x'))).cached).toBeUndefined();
    const personal = chat('p', { sensitivity: 'personal' });
    await ask(personal, of('a', 'x'));
    expect((await ask(personal, of('a', 'y'))).cached).toBeUndefined();
    const shared = await ring({ sharing: 'everyone' });
    await shared.ask(chat('q'), of('a', 'x'));
    expect((await shared.ask(chat('q'), of('b', 'y'))).cached).toBe(true);
  });
});

describe('what never enters', () => {
  const answers: Record<string, readonly ScriptStep[]> = {
    truncated: [text('half'), finish({ reason: 'length' })],
    filtered: [text('x'), finish({ reason: 'content-filter' })],
    refused: [text('no'), finish({ refusal: 'no' })],
    paused: [text('x'), finish({ reason: 'pause' })],
    odd: [text('x'), finish({ reason: 'error' })],
    empty: [finish()],
    broken: [text('x'), { fail: new PolyphonyError('truncated', 'cut') }],
    'without a finish': [text('x')],
  };
  for (const [name, script] of Object.entries(answers)) {
    it(`an answer that is ${name}`, async () => {
      const { ask, provider } = await ring({}, () => script);
      await ask(chat('q')).catch(() => undefined);
      await ask(chat('q')).catch(() => undefined);
      expect(provider.seen).toHaveLength(2);
    });
  }

  const requests: Record<string, Partial<Record<string, unknown>>> = {
    regulated: { sensitivity: 'regulated' },
    'one that skips': { cache: 'skip' },
    sampled: { temperature: 0.7 },
    'with tools': { tools: [{ name: 't', inputSchema: {} }] },
    'for the raw body': { includeRaw: true },
  };
  for (const [name, fields] of Object.entries(requests)) {
    it(`a request that is ${name}: the next layer's own stream is returned`, async () => {
      const { plugin, call } = await ring();
      const stream = eventStream();
      expect(plugin.request?.handle(call(chat('q', fields as Partial<ModelRequest>)), () => stream)).toBe(stream);
    });
  }

  it('an answer that its reader left at the finish, as a layer does that blocks it', async () => {
    const { handle, call, ask, provider } = await ring();
    for await (const event of handle(call(chat('q')))) if (event.type === 'finish') break;
    expect((await ask(chat('q'))).cached).toBeUndefined();
    expect(provider.seen).toHaveLength(2);
  });

  it('but does with a seed, when told so, and after a refresh', async () => {
    const seeded = await ring();
    await seeded.ask(chat('q', { temperature: 1, seed: 7 }));
    expect((await seeded.ask(chat('q', { temperature: 1, seed: 7 }))).cached).toBe(true);
    const sampled = await ring({ cacheSampled: true });
    await sampled.ask(chat('q', { temperature: 1 }));
    expect((await sampled.ask(chat('q', { temperature: 1 }))).cached).toBe(true);
    const { ask } = await ring();
    await ask(chat('q'));
    expect(textOf(await ask(chat('q', { cache: 'refresh' })))).toBe('answer 2');
    expect(await ask(chat('q'))).toMatchObject({ cached: true, content: [{ type: 'text', text: 'answer 2' }] });
  });
});

describe('identical requests in flight', () => {
  const slow = () => [text('a'), { wait: 10 }, text('b'), { wait: 10 }, finish()] as const;

  it('are asked once; followers see the stream live and pay nothing', async () => {
    const { handle, call, runtime, provider, plugin } = await ring({}, slow);
    const seen: string[][] = [[], []];
    const calls = [call(chat('q')), call(chat('q'))];
    const readers = calls.map(async (one, index) => {
      for await (const event of handle(one)) if (event.type === 'text-delta') seen[index]?.push(event.text);
    });
    await runtime.clock.advance(5);
    expect(seen).toEqual([['a'], ['a']]);
    await runtime.clock.advance(20);
    await Promise.all(readers);
    expect(provider.seen).toHaveLength(1);
    expect(calls.map(({ trace }) => trace.attempts.length)).toEqual([1, 0]);
    expect(plugin.statistics()).toEqual({ hits: 0, coalesced: 1, misses: 1, stored: 1 });
  });

  it('the follower gets cached and cost 0; the leader its own', async () => {
    const { ask, runtime } = await ring({}, slow);
    const both = Promise.all([ask(chat('q')), ask(chat('q'))]);
    await runtime.clock.runAll();
    const [leader, follower] = await both;
    expect(leader).toMatchObject({ costNanoUsd: 100 });
    expect(follower).toMatchObject({ costNanoUsd: 0, cached: true, attempts: [] });
  });

  it('a failure of the request is thrown to all; one of the leader alone makes the next one lead', async () => {
    const codes = ['content-policy', 'overloaded', 'budget-exceeded'] as const;
    for (const [index, code] of codes.entries()) {
      let asked = 0;
      const { ask, runtime, provider } = await ring({}, () =>
        ++asked === 1 ? [{ wait: 5 }, { fail: new PolyphonyError(code, 'no') }] : [text('ok'), finish()],
      );
      const both = Promise.allSettled([ask(chat('q')), ask(chat('q')), ask(chat('q'))]);
      await runtime.clock.runAll();
      const outcome = (await both).map(({ status }) => status);
      expect(outcome).toEqual(
        index < 2 ? ['rejected', 'rejected', 'rejected'] : ['rejected', 'fulfilled', 'fulfilled'],
      );
      expect(provider.seen).toHaveLength(index < 2 ? 1 : 2);
    }
  });

  it('are cancelled at the provider when the last reader leaves, and not before', async () => {
    const { ask, runtime, provider } = await ring({}, () => [text('a'), { hang: true }]);
    const aborts = [new AbortController(), new AbortController()];
    const answers = Promise.allSettled(aborts.map(({ signal }) => ask(chat('q'), { signal })));
    await runtime.clock.advance(1);
    aborts[0]?.abort();
    await runtime.clock.advance(1);
    expect(provider.open()).toBe(1);
    aborts[1]?.abort();
    await runtime.clock.advance(1);
    expect(provider.open()).toBe(0);
    expect((await answers).every(({ status }) => status === 'rejected')).toBe(true);
  });

  it('a follower keeps its own deadline', async () => {
    const { ask, runtime } = await ring({}, slow);
    const both = Promise.allSettled([ask(chat('q')), ask(chat('q'), { deadline: runtime.clock.now() + 5 })]);
    await runtime.clock.runAll();
    const [leader, follower] = await both;
    expect(leader.status).toBe('fulfilled');
    expect(follower).toMatchObject({ status: 'rejected', reason: { code: 'timeout' } });
    expect(runtime.clock.pending()).toBe(0);
  });

  it('law: whoever cancels, nobody else notices, nothing is left open', async () => {
    const caller = fc.record({
      at: fc.integer({ min: 0, max: 30 }),
      cancelAfter: fc.option(fc.integer({ min: 0, max: 30 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(caller, { minLength: 1, maxLength: 5 }), async (callers) => {
        const { ask, runtime, provider } = await ring({}, slow);
        const outcomes = callers.map(({ at, cancelAfter }) => {
          const abort = new AbortController();
          if (cancelAfter !== null) runtime.clock.schedule(at + cancelAfter, () => abort.abort());
          const started = new Promise<void>((resolve) => void runtime.clock.schedule(at, resolve));
          return started.then(() => ask(chat('q'), { signal: abort.signal })).then(textOf, (error: unknown) => error);
        });
        await runtime.clock.runAll();
        for (const [index, outcome] of (await Promise.all(outcomes)).entries()) {
          if (callers[index]?.cancelAfter === null) expect(outcome).toBe('ab');
          else if (outcome !== 'ab') expect(outcome).toMatchObject({ code: 'cancelled' });
        }
        expect(provider.open()).toBe(0);
        expect(runtime.clock.pending()).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

async function* eventStream(): AsyncGenerator<ModelEvent> {
  yield finish();
}
