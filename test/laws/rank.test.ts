/**
 * Plugins order what the request leaves open.
 *
 * Whatever plugins return: every target that is tried satisfies the request, none stands twice, the last plugin's order is
 * the one that is tried, and what is explicit (a chain, a tier, a session's own target) stays first.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../src/core/errors.ts';
import type { Candidate } from '../../src/core/gateway.ts';
import type { Attempt, Call, Handler, Target } from '../../src/core/model/model.ts';
import type { RequestLayer } from '../../src/core/plugin.ts';
import type { GatewayPlugin } from '../../src/gateway/gateway-plugin.ts';
import { fakeCard, fakeProvider } from '../../src/testing/fakes.ts';
import { drain, errorOf, fault, harness, user } from '../gateway/harness.ts';

const TIERS = ['fast', 'balanced', 'premium'] as const;
const nameOf = ({ provider, model }: Target): string => `${provider}/${model}`;
const names = (candidates: readonly { readonly target: Target }[]): string[] =>
  candidates.map(({ target }) => nameOf(target));

/** Twelve models of three tiers, half of which read images; all of them fail, so that every one is tried. */
function twelve(
  plugins: readonly GatewayPlugin[],
  options: { readonly works?: boolean; readonly config?: object } = {},
) {
  const tried: string[] = [];
  const made = harness({
    plugins,
    config: { retry: { retries: 0 }, ...options.config },
    providers: ['a', 'b'].map((id) =>
      fakeProvider({
        id,
        models: [0, 1, 2, 3, 4, 5].map((index) =>
          fakeCard({
            id: `m${index}`,
            tier: TIERS[index % 3] ?? 'fast',
            strengths: { general: 0.9 - index / 10 },
            capabilities: index % 2 === 0 ? ['text', 'streaming', 'image-in'] : ['text', 'streaming'],
          }),
        ),
        script({ target }) {
          tried.push(nameOf(target));
          return options.works === true ? 'yes' : [fault('overloaded')];
        },
      }),
    ),
  });
  return { ...made, tried };
}

const ranking = (name: string, rank: NonNullable<GatewayPlugin['rank']>): GatewayPlugin => ({ name, rank });
const reversed = ranking('reversed', (candidates) => [...candidates].reverse());

/** An order and a choice by numbers: position of each, and whether it stays. */
const byKeys = (name: string, keys: readonly number[]): GatewayPlugin =>
  ranking(name, (candidates) => {
    const keyOf = (candidate: Candidate): number => keys[candidates.indexOf(candidate) % keys.length] ?? 0;
    return candidates.filter((one) => keyOf(one) % 4 !== 3).sort((a, b) => keyOf(a) - keyOf(b));
  });

describe('law: rank', () => {
  it('tries exactly the order of the last plugin, at most eight, and never what the request excludes', async () => {
    const keys = fc.array(fc.nat(1000), { minLength: 1, maxLength: 12 });
    const request = fc.record({
      images: fc.boolean(),
      model: fc.constantFrom(undefined, ...TIERS.map((tier) => ({ tier })), 'm2', 'a/m4'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(keys, { maxLength: 3 }), request, async (all, { images, model }) => {
        const picture = { type: 'image' as const, source: { type: 'url' as const, url: 'https://e.example/i.png' } };
        const asked = {
          ...(images ? { messages: [{ role: 'user' as const, content: [picture] }] } : user()),
          ...(model === undefined ? {} : { model }),
        };
        const routed = twelve([]);
        const able = new Set(names(routed.gateway.explain({ operation: 'chat', ...asked }).candidates));
        const made = twelve(all.map((one, index) => byKeys(`p${index}`, one)));
        const { candidates, rankedBy = [] } = made.gateway.explain({ operation: 'chat', ...asked });
        expect(names(candidates).filter((name) => !able.has(name))).toEqual([]);
        expect(new Set(names(candidates)).size).toBe(candidates.length);
        if (rankedBy.length === 0) expect(new Set(names(candidates))).toEqual(able);
        const { error } = await made.run(drain(made.gateway.stream(asked)));
        expect(made.tried).toEqual(names(candidates).slice(0, 8));
        if (candidates.length === 0) expect(error?.code).toBe('no-route');
        const tier = typeof model === 'object' ? model.tier : undefined;
        if (tier !== undefined && candidates.length > 0) expect(candidates[0]?.card.tier).toBe(tier);
      }),
      { numRuns: 80 },
    );
  });

  it('gives each plugin the order of the one before, and says which changed it', () => {
    const seen: string[][] = [];
    const spy = ranking('spy', (candidates) => {
      seen.push(names(candidates));
      return candidates;
    });
    const drop = ranking('drop', (candidates) => candidates.filter(({ target }) => target.provider === 'a'));
    const { gateway } = twelve([spy, reversed, spy, drop]);
    const { candidates, rankedBy, rejected } = gateway.explain({ operation: 'chat', ...user() });
    const plain = twelve([]).gateway.explain({ operation: 'chat', ...user() });
    expect(seen).toEqual([names(plain.candidates), names(plain.candidates).reverse()]);
    expect(rankedBy).toEqual(['reversed', 'drop']);
    expect(plain.rankedBy).toBeUndefined();
    expect(names(candidates)).toEqual(seen[1]?.filter((name) => name.startsWith('a/')));
    expect(rejected.filter(({ failed }) => failed.includes('was dropped by the plugin "drop"'))).toHaveLength(6);
  });

  it('gives the call, with its scopes and its session', async () => {
    const calls: Call[] = [];
    const spy = ranking('spy', (candidates, call) => {
      calls.push(call);
      return candidates;
    });
    const { gateway, run } = twelve([spy], { works: true });
    await run(gateway.generate(user(), { id: 'x', session: 's', scopes: [{ kind: 'team', id: 't' }] }));
    expect(calls).toMatchObject([{ id: 'x', session: 's', scopes: [{ kind: 'team', id: 't' }] }]);
  });

  it('keeps the order of a chain, and a session at its target unless that was left out', async () => {
    const config = { routes: { main: { chain: ['b/m5', 'a/m0', 'b/m1'] } } };
    const chained = twelve([reversed], { config });
    await chained.run(drain(chained.gateway.stream({ ...user(), model: { route: 'main' } })));
    expect(chained.tried).toEqual(['b/m5', 'a/m0', 'b/m1']);

    const calls: Call[] = [];
    const without = ranking('without', (candidates, call) => {
      calls.push(call);
      return [...candidates].reverse().filter(({ target }) => nameOf(target) !== 'a/m0');
    });
    const left = twelve([without], {
      config: { ...config, tasks: { main: {} }, fallbacks: { contextWindow: ['a/m0', 'a/m3'] } },
    });
    await left.run(drain(left.gateway.stream({ ...user(), model: { task: 'main' } })));
    expect(left.tried).toEqual(['b/m5', 'b/m1']);
    expect(calls[0]).toMatchObject({ task: 'main', request: { model: { route: 'main' } } });
    const { candidates, rejected, rankedBy } = left.gateway.explain({
      operation: 'chat',
      ...user(),
      model: { route: 'main' },
    });
    expect([names(candidates), rankedBy]).toEqual([['b/m5', 'b/m1'], undefined]);
    expect(rejected).toContainEqual({
      target: { provider: 'a', model: 'm0' },
      failed: ['was dropped by the plugin "without"'],
    });

    let dropped = '';
    const choosy = ranking('choosy', (candidates) =>
      [...candidates].reverse().filter(({ target }) => nameOf(target) !== dropped),
    );
    const { gateway, run } = twelve([choosy], { works: true });
    const ask = async (request: object = {}): Promise<string> =>
      nameOf((await run(gateway.generate({ ...user(), ...request }, { session: 's' }))).target);
    expect(await ask({ model: 'a/m2' })).toBe('a/m2');
    expect(await ask()).toBe('a/m2');
    dropped = 'a/m2';
    expect(await ask()).not.toBe('a/m2');
  });

  it('leaves out also what would answer in the place of another: a fallback, a replacement', async () => {
    const forbids = ranking('forbids', (candidates) => candidates.filter(({ target }) => target.model !== 'forbidden'));
    const models = [
      fakeCard({ id: 'first', contextTokens: 1000, strengths: { general: 0.9 } }),
      fakeCard({ id: 'forbidden' }),
      fakeCard({ id: 'other', strengths: { general: 0.1 } }),
    ];
    const tried: string[] = [];
    const script = ({ target }: Attempt) => {
      tried.push(target.model);
      return target.model === 'first' ? [fault('context-window')] : 'yes';
    };
    const config = { fallbacks: { contextWindow: ['forbidden', 'other'] }, optimise: 'quality' as const };
    const failing = harness({ providers: [fakeProvider({ models, script })], plugins: [forbids], config });
    await failing.run(failing.gateway.generate(user()));
    expect(tried).toEqual(['first', 'other']);

    const lifecycle = { stage: 'deprecated', replacedBy: 'fake/forbidden' } as const;
    const ending = [fakeCard({ id: 'ending', strengths: { general: 0.9 }, lifecycle }), ...models.slice(1)];
    const moved = harness({ providers: [fakeProvider({ models: ending })], plugins: [forbids] });
    const { target } = await moved.run(moved.gateway.generate({ ...user(), model: 'fake/ending' }));
    expect(target.model).toBe('ending');
  });

  const made: Candidate = { ...fakeCandidate(), target: { provider: 'z', model: 'made-up' } };
  it.each<[string, GatewayPlugin['rank'], RegExp]>([
    [
      'throws',
      () => {
        throw new TypeError('oh');
      },
      /The plugin "bad" failed: oh$/,
    ],
    [
      'throws an error of ours',
      () => {
        throw new PolyphonyError('blocked', 'no');
      },
      /The plugin "bad" failed: no$/,
    ],
    ['adds a target', (candidates) => [...candidates, made], /returned z\/made-up, which was not among the candidates/],
    ['returns one twice', (candidates) => [...candidates, ...candidates], /which is in the list twice/],
    [
      'returns a promise',
      (() => Promise.resolve([])) as unknown as GatewayPlugin['rank'],
      /returned a promise: return a list/,
    ],
    ['returns nothing', (() => undefined) as unknown as GatewayPlugin['rank'], /returned undefined: return a list/],
    [
      'returns null in a list',
      (() => [null]) as unknown as GatewayPlugin['rank'],
      /returned null, which was not among/,
    ],
  ])('names the plugin that %s', async (_, rank, message) => {
    const { gateway, run, tried } = twelve([{ name: 'bad', ...(rank === undefined ? {} : { rank }) }]);
    const error = await errorOf(run(gateway.generate(user())));
    expect(error).toMatchObject({ code: 'plugin-failed', details: { plugin: 'bad' } });
    expect(error.message).toMatch(message);
    expect(tried).toEqual([]);
  });

  it('says that a plugin left nobody', async () => {
    const { gateway, run } = twelve([ranking('none', () => [])]);
    const error = await errorOf(run(gateway.generate(user())));
    expect(error.code).toBe('no-route');
    expect(error.message).toContain('a/m0 was dropped by the plugin "none"');
  });
});

describe('several layers of one plugin', () => {
  it('stand each in its place, in both rings', async () => {
    const seen: string[] = [];
    const at = (place: RequestLayer) => ({
      place,
      handle: (call: Call, next: Handler) => {
        seen.push(place);
        return next(call);
      },
    });
    const plugin: GatewayPlugin = {
      name: 'both',
      request: [at('hedge'), at('cache')],
      attempt: [
        { place: { before: 'retry' }, handle: (attempt, next) => next(attempt) },
        { place: 'adapt', handle: (attempt, next) => next(attempt) },
      ],
    };
    const { gateway, run } = harness({ providers: [fakeProvider({})], plugins: [plugin] });
    const { requestRing, attemptRing } = gateway.explain({ operation: 'chat', ...user() });
    expect(requestRing).toEqual(['plugin:both', 'affinity', 'hedge', 'plugin:both', 'batch', 'failover']);
    expect(attemptRing.filter((name) => name === 'plugin:both')).toHaveLength(2);
    expect(attemptRing[0]).toBe('plugin:both');
    await run(gateway.generate(user()));
    expect(seen).toEqual(['cache', 'hedge']);
  });
});

function fakeCandidate(): Candidate {
  return {
    target: { provider: 'z', model: 'm' },
    card: fakeCard({ id: 'm' }),
    score: 1,
    parts: {},
    estimatedNanoUsd: 0,
  };
}
