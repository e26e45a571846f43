/** Exact counts of plugins: where they count, what is not believed of them, and how much they are asked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PolyphonyError } from '../../../src/core/errors.ts';
import type { Attempt } from '../../../src/core/model/model.ts';
import { TokenCounter } from '../../../src/gateway/calls/size.ts';
import type { GatewayPlugin } from '../../../src/gateway/gateway-plugin.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../../src/testing/fakes.ts';
import { batchProvider, fakeServer, said } from '../batches/vendor.ts';
import { drain, errorOf, harness, text, user } from '../harness.ts';

type Tokenizers = NonNullable<GatewayPlugin['tokenizers']>;

function world(tokenizers: Tokenizers, card: object = {}, config: object = {}) {
  const warned: string[] = [];
  const logger = {
    debug() {},
    info() {},
    warn: (_: object, message: string) => void warned.push(message),
    error() {},
  };
  const models = [fakeCard({ id: 'acme-large', price: { input: 1, output: 0 }, ...card })];
  const provider = fakeProvider({ models, script: () => 'Yes.' });
  const made = harness({ providers: [provider], plugins: [{ name: 'counts', tokenizers }], logger, config });
  const cost = (prompt = 'one two three four') =>
    made.gateway.explain({ operation: 'chat', ...user(prompt) }).candidates[0]?.estimatedNanoUsd;
  return { ...made, provider, warned, cost };
}

/** 12 are the message and the request around it. */
const AROUND = 12;
const words = (text: string): number => text.split(' ').length;

describe('the tokenizer of a model', () => {
  it.each<[string, Tokenizers, number]>([
    ['by its id', { 'acme-large': words }, 4],
    ['with its provider', { 'fake/acme-large': words }, 4],
    ['by a pattern', { 'acme-*': words }, 4],
    ['whose name says most', { '*': () => 1, 'acme-*': words, 'acme-l*': () => 2 }, 2],
  ])('is found %s, and decides what a call is expected to cost', (_, tokenizers, tokens) => {
    expect(world(tokenizers).cost()).toBe((tokens + AROUND) * 1000);
  });

  it('is found at once, however many stars its name has', () => {
    const stars = '*a'.repeat(30);
    const card = { id: 'a'.repeat(200) };
    expect(world({ [`${stars}b`]: words }, card).cost()).toBe(world({}, card).cost());
    expect(world({ [stars]: words }, card).cost()).toBe((4 + AROUND) * 1000);
  });

  it.each(['*', '**', 'acme*', '*large', 'a*-*e', 'fake/*', '*/acme-large', 'acme-large*', '*acme-large', 'a*large'])(
    'is found by the pattern %s',
    (name) => expect(world({ [name]: words }).cost()).toBe((4 + AROUND) * 1000),
  );

  it.each(['acme-larg', '*larg', 'cme*', 'acme*acme', 'acme-l*large', 'acme-large*e', 'fake*acme-large-*'])(
    'is not found by the pattern %s',
    (name) => expect(world({ [name]: words }).cost()).toBe(world({}).cost()),
  );

  it('is that of no other model, and its name is no expression', () => {
    const usual = world({}).cost();
    expect(world({ 'acme-small': words, 'acme.large': words, '(': words }).cost()).toBe(usual);
  });

  it.each<[string, (text: string) => unknown, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('no table');
      },
      /"acme-large" of the plugin "counts" failed \(.*no table/,
    ],
    ['returns no number', () => '4', /returned "4" for 18 characters/],
    ['returns a promise', () => Promise.resolve(4), /returned a promise, but has to count at once, for 18 characters/],
    [
      'rejects',
      () => Promise.reject(new Error('no table')),
      /returned a promise, but has to count at once, for 18 characters/,
    ],
    ['returns NaN', () => Number.NaN, /returned NaN/],
    ['counts nothing', () => 0, /returned 0/],
    ['counts more than bytes', () => 19, /returned 19/],
  ])('that %s is not believed, and that is told once', async (_, count, message) => {
    const usual = world({}).cost();
    const { cost, warned, run, gateway } = world({ 'acme-large': count as never });
    expect(cost()).toBe(usual);
    await run(gateway.generate(user('one two three four')));
    gateway.reconfigure({});
    expect(cost()).toBe(usual);
    expect(warned.filter((text) => text.includes('estimates count instead'))).toEqual([expect.stringMatching(message)]);
  });

  it('decides what fits a window', async () => {
    const card = { contextTokens: 100, maxOutputTokens: 10 };
    const prompt = 'word '.repeat(60);
    const long = world({ 'acme-large': (text) => text.length }, card);
    expect(await errorOf(long.run(long.gateway.generate(user(prompt))))).toMatchObject({ code: 'no-route' });
    const short = world({ 'acme-large': () => 1 }, card);
    await short.run(short.gateway.generate(user(prompt)));
    expect(short.provider.seen).toHaveLength(1);
  });

  it('decides what is held where the bound by bytes does not fit a cap', async () => {
    const prompt = 'word '.repeat(1000);
    const request = user(prompt);
    const config = { budgets: [{ scope: 'tenant', usd: 0.003 }] };
    const options = { scopes: [{ kind: 'tenant', id: 'press' }] } as const;
    const held = world({ 'acme-large': (text) => text.length }, {}, config);
    expect(await errorOf(held.run(held.gateway.generate(request, options)))).toMatchObject({ code: 'budget-exceeded' });
    const fits = world({ 'acme-large': (text) => text.length / 5 }, {}, config);
    await fits.run(fits.gateway.generate(request, options));
    expect(fits.provider.seen).toHaveLength(1);
  });
});

/** Of a provider that states no usage. */
describe('what is charged by a tokenizer', () => {
  const unstated = (finishing: object = { usage: { input: 0, output: 0 } }): ScriptStep[] => [
    { type: 'text-delta', text: 'Unbe' },
    { type: 'text-delta', text: 'lievable nevertheless' },
    finish(finishing),
  ];
  const priced = { price: { input: 1, output: 10 } };
  const charged = async (count: Tokenizers[string] | undefined, script = unstated()) => {
    const providers = [fakeProvider({ models: [fakeCard({ id: 'acme-large', ...priced })], script: () => script })];
    const plugins = count === undefined ? [] : [{ name: 'counts', tokenizers: { 'acme-*': count } }];
    const { run, gateway, rows } = harness({ providers, plugins });
    const { costNanoUsd, usage } = await run(gateway.generate(user('one two three four')));
    expect(await rows()).toMatchObject([{ usage, costNanoUsd }]);
    return { usage, costNanoUsd };
  };
  const byWords = { usage: { input: 4 + AROUND, output: 2 }, costNanoUsd: (4 + AROUND) * 1000 + 2 * 10_000 };

  it('are the prompt and the whole answer, whose pieces end within words', async () => {
    expect(await charged(words)).toEqual(byWords);
    expect(await charged(undefined)).not.toEqual(byWords);
  });

  it('is nothing of what the provider states', async () => {
    const stated = { input: 7, output: 3 };
    expect(await charged(words, unstated({ usage: stated }))).toMatchObject({ usage: stated });
  });

  it('stands in for a count that cannot be', async () => {
    const { usage } = await charged(words, unstated({ usage: { input: -1, output: Number.NaN } }));
    expect(usage).toEqual(byWords.usage);
  });

  it.each<[string, (text: string) => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no table');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no table'))],
  ])('is the estimate where it %s', async (_, count) => {
    expect(await charged(count as never)).toEqual(await charged(undefined));
  });

  it('is what had arrived of an answer that broke', async () => {
    const fail = new PolyphonyError('network', 'The connection ended.');
    const script: ScriptStep[] = [{ type: 'text-delta', text: 'It is' }, { type: 'text-delta', text: 'n’t' }, { fail }];
    const providers = [fakeProvider({ models: [fakeCard({ id: 'acme-large', ...priced })], script: () => script })];
    const config = { retry: { retries: 0 } };
    const { run, gateway, rows } = harness({
      providers,
      config,
      plugins: [{ name: 'counts', tokenizers: { '*': words } }],
    });
    await run(drain(gateway.stream(user('one two three four'))));
    expect(await rows()).toMatchObject([{ usage: { input: 4 + AROUND, output: 2 }, estimated: true }]);
  });

  it('are the texts of an embedding in several requests', async () => {
    const card = fakeCard({ id: 'acme-large', operations: ['embed'], ...priced, embeddingBatch: { texts: 1 } });
    const script = (attempt: Attempt): ScriptStep[] => {
      const { request } = attempt;
      const isFirst = request.operation === 'embed' && request.input[0] === 'Unbelievable nevertheless';
      const vectors = [[1, 0]];
      return [
        { type: 'output', output: { operation: 'embed', vectors } },
        finish({ usage: { input: isFirst ? 0 : 50, output: 0 } }),
      ];
    };
    const providers = [fakeProvider({ models: [card], script })];
    const { run, gateway } = harness({ providers, plugins: [{ name: 'counts', tokenizers: { '*': words } }] });
    const { usage } = await run(gateway.embed({ input: ['Unbelievable nevertheless', 'three four five'] }));
    expect(usage.input).toBe(50 + 2 + 32 / 4);
  });

  it('is the answer of a batched call', async () => {
    const server = fakeServer();
    const text = 'Unbelievable nevertheless';
    server.answers = ({ asked }) =>
      asked.requests.map(({ id }) => ({ id, events: said(text, { input: 0, output: 0 }) }));
    const { gateway, runtime } = harness({
      providers: (made) => [batchProvider(server, made)],
      config: { batches: { flushMs: 1000, pollMs: 60_000 } },
      plugins: [{ name: 'counts', tokenizers: { '*': words } }],
    });
    const answer = gateway.generate(user('one two three four'), { urgency: 'batch' });
    await runtime.clock.advance(7_200_000);
    expect((await answer).usage).toEqual({ input: 4 + AROUND, output: 2 });
  });
});

describe('what a tokenizer is asked', () => {
  it('are pieces of at most 2,048 characters, which are all of the text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ maxLength: 6000, unit: fc.constantFrom('a', ' ', 'ü') }), { maxLength: 4 }),
        (texts) => {
          const asked: string[] = [];
          const counter = new TokenCounter(
            (text) => asked.push(text) && text.length,
            () => {},
          );
          expect(counter.count(texts)).toBe(texts.join('').length);
          expect(asked.join('')).toBe(texts.join(''));
          expect(Math.max(0, ...asked.map(({ length }) => length))).toBeLessThanOrEqual(2048);
        },
      ),
    );
  });

  it('are some of very many, for all of them', () => {
    let seen = 0;
    const count = (text: string): number => {
      seen += text.length;
      return text.length / 4;
    };
    const texts = Array.from({ length: 500 }, () => 'word '.repeat(800));
    const counted = new TokenCounter(count, () => {}).count(texts);
    expect(counted).toBeCloseTo(500_000, -3);
    expect(seen).toBeLessThan(300_000);
  });

  it('is each text once for a request, and nothing where nothing depends on it', async () => {
    let asked = 0;
    const count = (text: string): number => {
      asked += 1;
      return words(text);
    };
    const sure = world({ '*': count });
    await sure.run(sure.gateway.generate(user('one two')));
    expect(asked).toBe(0);
    const providers = ['one', 'two'].map((id) =>
      fakeProvider({ id, models: [fakeCard({ id: 'm' })], script: () => 'Yes.' }),
    );
    const { run, gateway } = harness({ providers, plugins: [{ name: 'counts', tokenizers: { '*': count } }] });
    await run(gateway.generate(user('one two')));
    expect(asked).toBe(1);
  });

  it('is each text once for a request that has to fit an announced limit, too', async () => {
    let asked = 0;
    const count = (text: string): number => {
      asked += 1;
      return words(text);
    };
    const report = { rateLimits: [{ kind: 'tokens', limit: 100_000, remaining: 90_000, resetMs: 60_000 }] } as const;
    const providers = ['one', 'two'].map((id) =>
      fakeProvider({ id, models: [fakeCard({ id: 'm' })], script: () => [{ report }, text('Yes.'), finish()] }),
    );
    const { run, gateway } = harness({ providers, plugins: [{ name: 'counts', tokenizers: { '*': count } }] });
    await run(gateway.generate(user('first one')));
    asked = 0;
    await run(gateway.generate(user('one two')));
    expect(asked).toBe(1);
  });
});
