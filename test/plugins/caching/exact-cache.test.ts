import { type ModelEvent, type ModelRequest, PolyphonyError } from 'polyphony';
import { textOf } from 'polyphony/kit';
import { fakeProvider, fakeRuntime, finish, type ScriptStep } from 'polyphony/testing';
import { describe, expect, it } from 'vitest';
import { type ExactCacheOptions, exactCache } from '../../../plugins/caching/exact-cache.ts';
import { memoryStores } from '../../../src/stores/memory.ts';
import { chat, eventsOf, partsOf, pluginRing, requestLayer } from '../plugin-ring.ts';

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

  it.each([
    ['', { ttlMs: 100_000, timeSensitiveMs: 10_000 }],
    [', by the older names of the options', { ttlSeconds: 100, timeSensitiveSeconds: 10 }],
  ])('ends when its time is over, sooner for questions about the present%s', async (_, options) => {
    const { ask, provider, runtime } = await ring(options);
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
    'how long one waits': { limits: { ms: 5, retries: 1 } },
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
      const { plugin, call, context } = await ring();
      const stream = eventStream();
      const parts = await partsOf(plugin, context);
      expect(requestLayer(parts)?.handle(call(chat('q', fields as Partial<ModelRequest>)), () => stream)).toBe(stream);
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

async function* eventStream(): AsyncGenerator<ModelEvent> {
  yield finish();
}
