/**
 * Laws of what a provider says about itself, which is a claim about money by the one who is paid.
 *
 * 1. Whatever it reports, the answer that was paid for arrives, and its cost is a whole amount, never negative, and no more
 *    than four times what the model could cost at all.
 * 2. Response, record, ledger and counter state the same cost, and no reservation is left.
 * 3. A usage that is possible is charged as it is, without a warning; any other is changed with one.
 * 4. A store that throws when money is settled fails no answer.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatRequest, ModelEvent, ModelRequest, ModelResponse, Scope, Usage } from '../../src/core/model/model.ts';
import { collect } from '../../src/core/model/response.ts';
import { possibleUsage } from '../../src/core/money/possible-usage.ts';
import { memoryStores } from '../../src/stores/memory.ts';
import { fakeCard, fakeProvider, finish } from '../../src/testing/fakes.ts';
import { harness, text, user } from '../gateway/harness.ts';

const hostileCount: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0, -1, -1e9, 1e308, 5e-324, 0.5, 2 ** 53],
    ...['12', '', 'NaN', null, undefined, true, [], {}, 7n],
  ),
  fc.double(),
  fc.integer(),
  fc.nat(2000),
);

const KINDS = [
  ...['input', 'output', 'cacheRead', 'cacheWrite', 'cacheWriteLong', 'reasoning', 'audioInput'],
  ...['audioCacheRead', 'audioOutput', 'imageInput', 'imageOutput', 'images', 'searches', 'somethingElse'],
] as const;

const hostileUsage: fc.Arbitrary<Usage> = fc
  .oneof(
    { weight: 20, arbitrary: fc.dictionary(fc.constantFrom(...KINDS), hostileCount, { maxKeys: KINDS.length }) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, undefined, 5, 'usage', []) },
  )
  .map((usage) => usage as Usage);

interface Exchanged {
  readonly request: ModelRequest;
  readonly answer: ModelEvent;
}

const CHAT: Exchanged = { request: { operation: 'chat', ...user() }, answer: text('an answer') };
const OPERATIONS: readonly Exchanged[] = [
  CHAT,
  {
    request: { operation: 'embed', input: ['a', 'b'] },
    answer: { type: 'output', output: { operation: 'embed', vectors: [[1], [2]] } },
  },
  {
    request: { operation: 'image', prompt: 'a cat', count: 2 },
    answer: { type: 'output', output: { operation: 'image', images: [{ type: 'url', url: 'https://a.b/c' }] } },
  },
  {
    request: { operation: 'moderate', input: [{ type: 'text', text: 'a' }] },
    answer: {
      type: 'output',
      output: { operation: 'moderate', results: [{ flagged: false, categories: {}, scores: {} }] },
    },
  },
  {
    request: { operation: 'rerank', query: 'a', documents: ['b'] },
    answer: { type: 'output', output: { operation: 'rerank', results: [{ index: 0, score: 1 }] } },
  },
];

const card = fakeCard({
  id: 'one',
  operations: ['chat', 'embed', 'image', 'moderate', 'rerank'],
  contextTokens: 1000,
  maxOutputTokens: 500,
  price: {
    input: 1,
    output: 2,
    cacheRead: 0.1,
    cacheWriteLong: 3,
    reasoning: 4,
    audioOutput: 9,
    image: 0.01,
    search: 0.01,
  },
});
/** Four times the window and the longest answer at the dearest rates, a vector or picture for each that was asked for, and what arrived. */
const MOST_NANO_USD = 4 * (1000 * 3000 + 500 * 9000) + 4 * 16_384 * 9000 + 2 * 10_000_000 + 100_000;
/** A dollar is believed in any case. */
const MOST_STATED = 1_000_000_000;
const scopes: readonly Scope[] = [{ kind: 'tenant', id: 't', capNanoUsd: 5_000_000_000 }];

async function answered(usage: Usage, operation: number, streamed: boolean, costNanoUsd?: unknown) {
  const { request, answer } = OPERATIONS[operation] ?? CHAT;
  const cost = costNanoUsd as number;
  const stated = costNanoUsd === undefined ? {} : { costNanoUsd: cost, statedCostNanoUsd: cost };
  const provider = fakeProvider({ models: [card], script: () => [answer, { ...finish(), usage, ...stated }] });
  const { gateway, stores, rows, run } = harness({ providers: [provider], config: { retry: { retries: 0 } } });
  const trace = { attempts: [] };
  const response: ModelResponse = await run(
    streamed && request.operation === 'chat'
      ? collect(gateway.stream(request, { scopes, trace }), { trace, signal: new AbortController().signal })
      : gateway.call(request, { scopes, trace }),
  );
  const counter = await stores.keyValue.get('budget:tenant:t');
  await gateway.close();
  return { response, counter, rows: await rows() };
}

const isWhole = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

describe('what a provider reports', () => {
  it('never costs less than nothing, nor the answer that was paid for', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        hostileUsage,
        fc.nat(OPERATIONS.length - 1),
        fc.boolean(),
        fc.option(hostileCount),
        async (usage, operation, streamed, costNanoUsd) => {
          const { response, counter, rows } = await answered(usage, operation, streamed, costNanoUsd ?? undefined);
          expect(response.content.length + (response.output === undefined ? 0 : 1)).toBe(1);
          expect(response.costNanoUsd).toSatisfy(isWhole);
          const most = costNanoUsd === null ? MOST_NANO_USD : Math.max(MOST_NANO_USD, MOST_STATED);
          expect(response.costNanoUsd).toBeLessThanOrEqual(most);
          expect(rows.map((row) => row.costNanoUsd)).toEqual([response.costNanoUsd]);
          expect(counter).toBe(response.costNanoUsd);
          for (const count of Object.values(response.usage)) expect(count).toSatisfy(isWhole);
          expect(response.usage).toEqual(rows[0]?.usage);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is charged as it is where it is possible, and with a warning where it is not', async () => {
    const honest: Usage = { input: 900, output: 400, cacheRead: 300, cacheWrite: 600, reasoning: 400 };
    const { response } = await answered(honest, 0, true);
    expect(response.usage).toEqual(honest);
    expect(response.warnings).toEqual([]);
    for (const streamed of [true, false]) {
      const lie = await answered({ input: -5, output: Number.NaN, cacheRead: 9 }, 0, streamed);
      expect(lie.response.usage).toEqual({ input: expect.any(Number), output: 3, cacheRead: 9 });
      expect(lie.response.warnings).toMatchObject([{ code: 'usage-corrected' }]);
      expect(lie.response.warnings[0]?.message).toContain('input -5 to');
    }
  });

  it('is the estimate where it cannot be read, of every operation', async () => {
    const unread: readonly unknown[] = [
      { input: -1, output: -1 },
      { input: Number.NaN, output: Number.NaN },
      {},
      null,
      'x',
      [],
    ];
    for (const [operation, { request }] of OPERATIONS.entries()) {
      const honest = await answered({ input: 0, output: 0 }, operation, false);
      for (const usage of unread) {
        const { response, rows, counter } = await answered(usage as Usage, operation, false);
        expect(response.costNanoUsd, request.operation).toBe(honest.response.costNanoUsd);
        expect(response.costNanoUsd).toBeGreaterThan(request.operation === 'image' ? 10_000_000 : 0);
        expect(rows.map((row) => row.costNanoUsd)).toEqual([response.costNanoUsd]);
        expect(counter).toBe(response.costNanoUsd);
      }
    }
  });

  it('counts searches only as far as they were asked for', async () => {
    const counts = { input: 5, output: 3 };
    const ten = {
      fee: () => 0.01,
      most: ({ providerOptions }: ModelRequest) => (providerOptions === undefined ? 0 : 3),
    };
    const asked = { fake: { tools: [{ type: 'web_search' }] } };
    const cases = [
      [ten, undefined, 1e308, 0],
      // The settings of an account may search.
      [ten, undefined, 8, 8],
      [ten, undefined, 9, 0],
      [undefined, undefined, 7, 0],
      [ten, asked, 1e308, 3],
      [ten, asked, 2, 2],
      [ten, asked, Number.NaN, 1],
      [undefined, asked, 7, 7],
      [undefined, asked, 1e308, 1000],
    ] as const;
    for (const [searches, providerOptions, told, expected] of cases) {
      const script = () => [text('ok'), finish({ usage: { ...counts, searches: told } })];
      const provider = { ...fakeProvider({ models: [card], script }), ...(searches === undefined ? {} : { searches }) };
      const { gateway, stores, rows, run } = harness({ providers: [provider] });
      const request = providerOptions === undefined ? user() : { ...user(), providerOptions };
      const response = await run(gateway.generate(request, { scopes }));
      await gateway.close();
      expect(response.usage.searches).toBe(expected);
      expect(response.warnings.map(({ code }) => code)).toEqual(told === expected ? [] : ['usage-corrected']);
      expect(response.costNanoUsd).toBe(11_000 + expected * 10_000_000);
      expect((await rows()).map((row) => row.costNanoUsd)).toEqual([response.costNanoUsd]);
      expect(await stores.keyValue.get('budget:tenant:t')).toBe(response.costNanoUsd);
    }
  });

  it('counts no search of a model without a fee for them that nobody asked for', async () => {
    const models = [fakeCard({ id: 'one' })];
    const script = () => [text('ok'), finish({ usage: { input: 5, output: 3, searches: 9 } })];
    const { gateway, stores, rows, run } = harness({ providers: [fakeProvider({ models, script })] });
    const response = await run(gateway.generate(user(), { scopes }));
    await gateway.close();
    expect(response.costNanoUsd).toBe(11_000);
    expect((await rows()).map((row) => row.costNanoUsd)).toEqual([11_000]);
    expect(await stores.keyValue.get('budget:tenant:t')).toBe(11_000);
  });

  it('costs nothing at a store that throws, and arrives', async () => {
    const stores = memoryStores();
    let changes = 0;
    const keyValue = {
      ...stores.keyValue,
      change(given: Parameters<typeof stores.keyValue.change>[0]) {
        changes += 1;
        if (changes > 1) throw new RangeError('the store is gone');
        return stores.keyValue.change(given);
      },
    };
    const ledger = {
      ...stores.ledger,
      append: () => {
        throw new RangeError('the ledger is gone');
      },
    };
    const { gateway, run } = harness({
      providers: [fakeProvider({})],
      stores: () => ({ ...stores, keyValue, ledger }),
    });
    await expect(run(gateway.generate(user(), { scopes }))).resolves.toMatchObject({ finishReason: 'stop' });
    expect(changes).toBe(2);
  });
});

describe('what a request of texts alone may cost', () => {
  const wide = fakeCard({
    id: 'one',
    contextTokens: 1_000_000,
    maxOutputTokens: 64_000,
    price: { input: 1, output: 20 },
  });
  const provider = (usage: Usage, of = wide) =>
    fakeProvider({ models: [of], script: () => [text('an answer'), { ...finish(), usage }] });
  const told = async (usage: Usage, request: Partial<ChatRequest> = {}, of = wide) => {
    const { gateway, run } = harness({ providers: [provider(usage, of)] });
    const response = await run(gateway.generate({ ...user(), ...request }, {}));
    await gateway.close();
    return response;
  };

  it.each([
    [{ input: 1e308, output: 3 }, 20_000_000],
    [{ input: 3, output: 1e308 }, 25_000_000],
  ])('is bounded by the request, so that one lie locks no tenant (%#)', async (usage, most) => {
    const { gateway, run } = harness({ providers: [provider(usage)] });
    const dollar = [{ kind: 'tenant', id: 't', capNanoUsd: 1_000_000_000 }] as const;
    for (let call = 0; call < 5; call += 1) {
      const response = await run(gateway.generate({ ...user(), maxOutputTokens: 10 }, { scopes: dollar }));
      expect(response.costNanoUsd).toBeLessThan(most);
      expect(response.warnings).toMatchObject([{ code: 'usage-corrected' }]);
    }
    await gateway.close();
  });

  it('is believed up to what the bytes, the hidden prompt and the limits allow', async () => {
    const prompt = '字 and words '.repeat(2000);
    const tools = [{ name: 'look', description: 'x'.repeat(9000), inputSchema: { type: 'object' } }];
    const bytes = Buffer.byteLength(prompt) + 9000;
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes + 16_384), fc.nat(700 + 1024), async (input, output) => {
        const usage = { input, output: Math.max(1, output) };
        const response = await told(usage, { ...user(prompt), tools, maxOutputTokens: 700 });
        expect(response.usage).toEqual(usage);
        expect(response.warnings).toEqual([]);
      }),
      { numRuns: 60 },
    );
    // What is told within the window may be true; what is not counts as what the request explains.
    expect((await told({ input: 184_457, output: 1 })).usage.input).toBe(184_457);
    expect((await told({ input: 1_000_001, output: 1 })).usage.input).toBeLessThan(16_384 + 200);
    const limited = fakeCard({ ...wide, contextTokens: 20_000 });
    expect((await told({ input: 30_000, output: 1 }, user('x'.repeat(30_000)), limited)).usage.input).toBe(20_000);
  });

  const image = { type: 'image', source: { type: 'url', url: 'https://a.b/c' } } as const;
  const asked = { role: 'user', content: 'a' } as const;
  const many = { input: 3_000_000, output: 200_000 };
  it.each<readonly [string, Partial<ChatRequest>, Usage]>([
    ['options of the provider', { providerOptions: { fake: { previous_response_id: 'r1' } } }, many],
    ['tools of the provider', { providerTools: [{ type: 'provider', name: 'web-search' }] }, many],
    ['an image', { messages: [{ role: 'user', content: [image] }] }, { input: 3_000_000, output: 9 }],
    [
      'thoughts that the provider keeps',
      { messages: [asked, { role: 'assistant', content: [{ type: 'reasoning', text: '', raw: { id: 'r' } }] }, asked] },
      { input: 3_000_000, output: 9 },
    ],
  ])('is not known with %s', async (_, { providerTools, ...request }, usage) => {
    const of = fakeCard({ ...wide, capabilities: [...wide.capabilities, 'image-in', 'reasoning'] });
    const tools = providerTools === undefined ? {} : { tools: providerTools };
    const response = await told(usage, { ...request, ...tools } as Partial<ChatRequest>, of);
    expect(response.usage).toEqual(usage);
  });

  it('is not known of a model that searches by itself', async () => {
    expect((await told(many, {}, fakeCard({ ...wide, id: 'sonar-pro' }))).usage).toEqual(many);
  });

  it('has room for reasoning beside the limit of the answer', async () => {
    const of = fakeCard({ ...wide, capabilities: [...wide.capabilities, 'reasoning'] });
    const thought = { input: 3, output: 30_000, reasoning: 29_990 };
    expect((await told(thought, { maxOutputTokens: 10 }, of)).usage).toEqual(thought);
    const budget = { maxOutputTokens: 10, reasoning: { budgetTokens: 2000 } };
    expect((await told(thought, budget, of)).usage.output).toBe(2010 + 1024);
  });

  it('is not below what arrived', async () => {
    const long = fakeProvider({
      models: [wide],
      script: () => [text('x'.repeat(9000)), { ...finish(), usage: { input: 3, output: 9000 } }],
    });
    const { gateway, run } = harness({ providers: [long] });
    const response = await run(gateway.generate({ ...user(), maxOutputTokens: 10 }, {}));
    expect(response.usage.output).toBe(9000);
    await gateway.close();
  });
});

describe('the correction', () => {
  const most = { input: 1000, output: 500, images: 3, searches: 2 };
  const correct = (usage: Usage) =>
    possibleUsage(usage, most, () => ({ most, estimate: () => ({ input: 9, output: 8, images: 1, searches: 1 }) }));

  it('has nothing left to correct', () => {
    fc.assert(
      fc.property(hostileUsage, (usage) => {
        const { usage: once, changes } = correct(usage);
        const again = correct(once);
        expect(again.usage).toBe(once);
        expect(again.changes).toEqual([]);
        expect(changes.length === 0).toBe(once === usage);
      }),
      { numRuns: 2000 },
    );
  });
});
