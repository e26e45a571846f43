/** Requests for more embeddings than one request may hold. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt, ModelResponse, Usage } from '../../../src/core/model/model.ts';
import type { EmbeddingBatch } from '../../../src/core/model/provider.ts';
import { batchesOf } from '../../../src/gateway/attempt-ring/embedding-batches.ts';
import { fakeCard, fakeProvider, finish, type ScriptStep } from '../../../src/testing/fakes.ts';
import { errorOf, fault, harness } from '../harness.ts';

const textsOf = ({ request }: Attempt): readonly string[] => (request.operation === 'embed' ? request.input : []);
const vectorOf = (text: string): number[] => [Number(text.replace(/\D/g, '')), 1];
const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `text ${index}`);

/** Each text of a request counts ten tokens, at a price of one dollar per million. */
const answer = (input: readonly string[], usage: Usage = { input: input.length * 10, output: 0 }): ScriptStep[] => [
  { type: 'output', output: { operation: 'embed', vectors: input.map(vectorOf) } },
  finish({ usage }),
];
const NANO_PER_TEXT = 10_000;

function embedder(
  batch: EmbeddingBatch,
  script: (input: readonly string[], request: number) => readonly ScriptStep[] = (input) => answer(input),
) {
  let requests = 0;
  const provider = fakeProvider({
    models: [fakeCard({ id: 'one', operations: ['embed'], contextTokens: 100, embeddingBatch: batch })],
    script: (attempt) => {
      requests += 1;
      return script(textsOf(attempt), requests);
    },
  });
  const sizes = (): number[] => provider.seen.map((attempt) => textsOf(attempt).length);
  return { provider, sizes, ...harness({ providers: [provider] }) };
}

const vectors = ({ output }: ModelResponse) => (output?.operation === 'embed' ? output.vectors : undefined);

describe('a request that is too large', () => {
  it('is sent in several and answered as one, in order, with the sum of what was used', async () => {
    const { gateway, run, sizes, rows } = embedder({ texts: 4 });
    const response = await run(gateway.embed({ input: texts(10) }));
    expect(sizes()).toEqual([4, 4, 2]);
    expect(vectors(response)).toEqual(texts(10).map(vectorOf));
    expect(response.usage).toEqual({ input: 100, output: 0 });
    expect(response.costNanoUsd).toBe(10 * NANO_PER_TEXT);
    expect(await rows()).toMatchObject([{ costNanoUsd: 10 * NANO_PER_TEXT, outcome: 'ok' }]);
  });

  it('is one request up to the limit', async () => {
    const { gateway, run, sizes } = embedder({ texts: 4 });
    await run(gateway.embed({ input: texts(4) }));
    expect(sizes()).toEqual([4]);
  });

  it('is split by tokens too, and only the longest text has to fit into the window', async () => {
    const { gateway, run, sizes } = embedder({ tokens: 100 });
    const input = Array.from({ length: 30 }, (_, index) => `some more words in text number ${index}`);
    const response = await run(gateway.embed({ input }));
    expect(vectors(response)).toEqual(input.map(vectorOf));
    expect(sizes().length).toBeGreaterThan(2);
    expect(Math.max(...sizes())).toBeGreaterThan(1);
    const error = await errorOf(run(gateway.embed({ input: ['word '.repeat(500)] })));
    expect(error).toMatchObject({ code: 'no-route' });
  });

  it('takes the limit of the card before that of the provider', async () => {
    const limits = { embeddingBatch: () => ({ texts: 3 }) };
    const script = (attempt: Attempt) => answer(textsOf(attempt));
    const own = fakeCard({ id: 'own', operations: ['embed'], embeddingBatch: { texts: 2 } });
    const provider = fakeProvider({
      ...limits,
      models: [own, fakeCard({ id: 'other', operations: ['embed'] })],
      script,
    });
    const { gateway, run } = harness({ providers: [provider] });
    await run(gateway.embed({ model: 'own', input: texts(6) }));
    expect(provider.seen).toHaveLength(3);
    await run(gateway.embed({ model: 'other', input: texts(6) }));
    expect(provider.seen).toHaveLength(5);
  });

  it('tells a warning of several answers once', async () => {
    const warning = { code: 'w', message: 'the same' };
    const { gateway, run } = embedder({ texts: 1 }, (input) => [{ type: 'warning', warning }, ...answer(input)]);
    expect((await run(gateway.embed({ input: texts(3) }))).warnings).toEqual([warning]);
  });

  it('has an estimate for the answers without usage, and for the whole if none has any', async () => {
    const none = { input: 0, output: 0 };
    const some = embedder({ texts: 2 }, (input, request) => answer(input, request === 1 ? none : undefined));
    const counted = await some.run(some.gateway.embed({ input: texts(4) }));
    expect(counted.usage.input).toBeGreaterThan(20);
    const { gateway, run } = embedder({ texts: 2 }, (input) => answer(input, none));
    const guessed = await run(gateway.embed({ input: texts(4) }));
    expect(guessed.attempts).toMatchObject([{ estimated: true }]);
    expect(guessed.usage.input).toBeGreaterThan(0);
  });
});

describe('a request of several that fails', () => {
  it('fails the call, which is charged for the ones before it', async () => {
    const { gateway, run, rows, sizes } = embedder({ texts: 2 }, (input, request) =>
      request === 3 ? [fault('invalid-request')] : answer(input),
    );
    expect(await errorOf(run(gateway.embed({ input: texts(8) })))).toMatchObject({ code: 'invalid-request' });
    expect(sizes()).toEqual([2, 2, 2]);
    expect(await rows()).toMatchObject([{ costNanoUsd: 4 * NANO_PER_TEXT, usage: { input: 40 }, outcome: 'error' }]);
  });

  it('is charged by an estimate if it may have been answered', async () => {
    const { gateway, run, rows } = embedder({ texts: 2 }, (input, request) =>
      request === 2 ? [fault('truncated', { retryable: false })] : answer(input),
    );
    await errorOf(run(gateway.embed({ input: texts(4) })));
    const [row] = await rows();
    expect(row?.estimated).toBe(true);
    expect(row?.costNanoUsd).toBeGreaterThan(2 * NANO_PER_TEXT);
  });

  it('is tried again alone: what was answered is neither sent nor paid for twice', async () => {
    const { gateway, run, rows, provider } = embedder({ texts: 2 }, (input, request) =>
      request === 3 ? [fault('rate-limited')] : answer(input),
    );
    const response = await run(gateway.embed({ input: texts(7) }));
    expect(vectors(response)).toEqual(texts(7).map(vectorOf));
    expect(provider.seen.map((attempt) => textsOf(attempt)[0])).toEqual([
      'text 0',
      'text 2',
      'text 4',
      'text 4',
      'text 6',
    ]);
    expect(response.costNanoUsd).toBe(7 * NANO_PER_TEXT);
    expect(response.attempts.map((one) => one.costNanoUsd)).toEqual([4 * NANO_PER_TEXT, 3 * NANO_PER_TEXT]);
    expect(await rows()).toHaveLength(2);
  });

  it('fails if an answer is not that of its texts, and is charged for it', async () => {
    const { gateway, run, rows } = embedder({ texts: 2 }, (input, request) =>
      answer(request === 2 ? input.slice(1) : input, { input: 20, output: 0 }),
    );
    expect(await errorOf(run(gateway.embed({ input: texts(6) })))).toMatchObject({ code: 'invalid-output' });
    expect(await rows()).toMatchObject([{ costNanoUsd: 4 * NANO_PER_TEXT }]);
  });

  it('goes on at no other model with the vectors of the first', async () => {
    const script = (attempt: Attempt) => {
      const input = textsOf(attempt);
      if (attempt.target.model === 'b') return answer(input.map((text) => `9${text}`));
      return input[0] === 'text 2' ? [fault('model-not-found')] : answer(input);
    };
    const models = ['a', 'b'].map((id) => fakeCard({ id, operations: ['embed'], embeddingBatch: { texts: 2 } }));
    const { gateway, run } = harness({
      providers: [fakeProvider({ models, script })],
      config: { routes: { both: { chain: ['fake/a', 'fake/b'] } } },
    });
    const response = await run(gateway.embed({ model: { route: 'both' }, input: texts(4) }));
    expect(vectors(response)).toEqual(texts(4).map((text) => vectorOf(`9${text}`)));
    expect(response.costNanoUsd).toBe(6 * NANO_PER_TEXT);
  });

  it('ends with the caller', async () => {
    const caller = new AbortController();
    const { gateway, run, provider } = embedder({ texts: 1 }, (input, request) => {
      if (request === 2) caller.abort();
      return request === 2 ? [{ hang: true }] : answer(input);
    });
    const error = await errorOf(run(gateway.embed({ input: texts(4) }, { signal: caller.signal })));
    expect(error).toMatchObject({ code: 'cancelled' });
    expect(provider.open()).toBe(0);
    expect(provider.seen).toHaveLength(2);
  });
});

it('every batch keeps to the limit, and together they are the texts', () => {
  const limit = fc.record({
    texts: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constant(undefined)),
    tokens: fc.oneof(fc.integer({ min: 10, max: 60 }), fc.constant(undefined)),
  });
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 40 }), { maxLength: 20 }), limit, (input, given) => {
      const batch = { ...(given.texts && { texts: given.texts }), ...(given.tokens && { tokens: given.tokens }) };
      const ends = batchesOf({ operation: 'embed', input }, batch);
      if (ends === undefined) {
        expect(input.length).toBeLessThanOrEqual(given.texts ?? input.length);
        return;
      }
      expect(ends.at(-1)).toBe(input.length);
      expect(ends.length).toBeGreaterThan(1);
      let from = 0;
      for (const end of ends) {
        expect(end).toBeGreaterThan(from);
        expect(end - from).toBeLessThanOrEqual(given.texts ?? input.length);
        from = end;
      }
    }),
  );
});
