/** Results that are not what was asked: of every operation, from any provider. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ModelRequest, OperationOutput } from '../../../src/core/model/model.ts';
import { fakeCard, fakeProvider, finish } from '../../../src/testing/fakes.ts';
import { errorOf, harness } from '../harness.ts';

const OPERATIONS = ['embed', 'rerank', 'moderate', 'image'] as const;

function answering(output: unknown, warnings: readonly string[] = []) {
  const provider = fakeProvider({
    models: [fakeCard({ id: 'one', operations: OPERATIONS })],
    script: () => [
      ...warnings.map((message) => ({ type: 'warning' as const, warning: { code: 'parameter-dropped', message } })),
      { type: 'output', output: output as OperationOutput },
      finish(),
    ],
  });
  return { provider, ...harness({ providers: [provider] }) };
}

const embed = (texts: number, dimensions?: number): ModelRequest => ({
  operation: 'embed',
  input: Array.from({ length: texts }, (_, index) => `text ${index}`),
  ...(dimensions === undefined ? {} : { dimensions }),
});
const rerank = (documents: number, top?: number): ModelRequest => ({
  operation: 'rerank',
  query: 'q',
  documents: Array.from({ length: documents }, (_, index) => `document ${index}`),
  ...(top === undefined ? {} : { top }),
});
const moderate = (texts: number): ModelRequest => ({
  operation: 'moderate',
  input: Array.from({ length: texts }, () => ({ type: 'text' as const, text: 'x' })),
});
const vectors = (...list: unknown[]) => ({ operation: 'embed', vectors: list });
const ranks = (...list: readonly (readonly [unknown, unknown])[]) => ({
  operation: 'rerank',
  results: list.map(([index, score]) => ({ index, score })),
});
const verdicts = (...results: unknown[]) => ({ operation: 'moderate', results });
const clean = { flagged: false, categories: {}, scores: {} };

const WRONG: readonly (readonly [string, ModelRequest, unknown])[] = [
  ['no vector', embed(2), vectors()],
  ['fewer vectors than texts', embed(2), vectors([1])],
  ['more vectors than texts', embed(1), vectors([1], [2])],
  ['an empty vector', embed(2), vectors([1], [])],
  ['no list as a vector', embed(1), vectors(null)],
  ['vectors of two lengths', embed(2), vectors([1, 2], [1])],
  ['a coordinate that is none', embed(1), vectors([1, Number.NaN])],
  ['a coordinate in words', embed(1), vectors([1, '2'])],
  ['vectors of another length than asked', embed(1, 3), vectors([1, 2])],
  ['a result of another operation', embed(1), verdicts(clean)],
  ['an index behind the documents', rerank(2), ranks([2, 0.5], [0, 0.1])],
  ['a negative index', rerank(2), ranks([-1, 0.5], [0, 0.1])],
  ['half an index', rerank(2), ranks([0.5, 0.5], [0, 0.1])],
  ['a document twice', rerank(2), ranks([1, 0.5], [1, 0.1])],
  ['a rank without a score', rerank(1), ranks([0, Number.NaN])],
  ['a document without a rank', rerank(3), ranks([1, 0.5], [0, 0.1])],
  ['fewer ranks than asked', rerank(3, 2), ranks([1, 0.5])],
  ['no verdict', moderate(1), verdicts()],
  ['fewer verdicts than texts', moderate(2), verdicts(clean)],
  ['nothing as a verdict', moderate(1), verdicts(null)],
  ['a verdict that does not say', moderate(1), verdicts({ categories: {}, scores: {} })],
  ['a verdict without categories', moderate(1), verdicts({ flagged: false })],
  ['a category that does not say', moderate(1), verdicts({ ...clean, categories: { hate: 'yes' } })],
  ['a score that is none', moderate(1), verdicts({ ...clean, scores: { hate: Number.NaN } })],
  ['no image', { operation: 'image', prompt: 'p' }, { operation: 'image', images: [] }],
];

describe('a result that is not what was asked', () => {
  it.each(WRONG)('%s is an error that names the model', async (_name, request, output) => {
    const { gateway, run } = answering(output);
    const error = await errorOf(run(gateway.call(request)));
    expect(error).toMatchObject({ code: 'invalid-output', retryable: false });
    expect(error.message).toContain('fake/one');
  });

  it('is charged, and another target is asked', async () => {
    const model = { operations: OPERATIONS };
    const wrong = fakeProvider({
      id: 'wrong',
      models: [fakeCard({ id: 'm', ...model })],
      script: () => [{ type: 'output', output: { operation: 'embed', vectors: [] } }, finish()],
    });
    const right = fakeProvider({
      id: 'right',
      models: [fakeCard({ id: 'm', ...model })],
      script: () => [{ type: 'output', output: { operation: 'embed', vectors: [[1]] } }, finish()],
    });
    const { gateway, run } = harness({
      providers: [wrong, right],
      config: { routes: { embeddings: { chain: ['wrong/m', 'right/m'] } } },
    });
    const response = await run(gateway.embed({ input: ['a'], model: { route: 'embeddings' } }));
    expect(response.attempts.map(({ outcome }) => outcome)).toEqual(['error', 'ok']);
    expect(response.attempts[0]?.costNanoUsd).toBeGreaterThan(0);
  });
});

describe('a result that is what was asked', () => {
  it.each<readonly [string, ModelRequest, unknown]>([
    ['ranks in any order', rerank(3), ranks([2, 3], [0, 2], [1, -1])],
    ['as many ranks as asked', rerank(3, 1), ranks([2, 3])],
    ['all documents, for more than there are', rerank(1, 5), ranks([0, 1])],
    ['vectors of the asked length', embed(2, 1), vectors([1], [2])],
    ['a verdict per text', moderate(2), verdicts(clean, clean)],
  ])('%s', async (_name, request, output) => {
    const { gateway, run } = answering(output);
    expect((await run(gateway.call(request))).output).toEqual(output);
  });

  it('is one verdict for all parts where a picture is among them', async () => {
    const { gateway, run, provider } = answering(verdicts(clean));
    const image = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } } as const;
    const guard = fakeProvider({
      id: 'guard',
      models: [fakeCard({ id: 'm', operations: OPERATIONS, capabilities: ['image-in'] })],
      script: () => [{ type: 'output', output: { operation: 'moderate', results: [clean] } }, finish()],
    });
    gateway.register({ providers: [guard] });
    const response = await run(gateway.moderate({ input: [{ type: 'text', text: 'x' }, image] }));
    expect(response.output).toMatchObject({ results: [clean] });
    expect(provider.seen).toHaveLength(0);
  });

  it('has the best of a ranking that is longer than asked', async () => {
    const { gateway, run } = answering(ranks([0, 0.1], [1, 0.9], [2, 0.5]));
    expect((await run(gateway.call(rerank(3, 2)))).output).toEqual(ranks([1, 0.9], [2, 0.5]));
  });

  it('may have vectors of any one length where the wire told that it could not ask for one', async () => {
    const { gateway, run } = answering(vectors([1, 2]), ['"dimensions" was dropped, because m does not support it.']);
    expect((await run(gateway.call(embed(1, 3)))).output).toEqual(vectors([1, 2]));
  });
});

it('vectors pass exactly if there is one per text, and all have the same length and only numbers', async () => {
  const number = fc.oneof({ weight: 9, arbitrary: fc.double() }, { weight: 1, arbitrary: fc.constant('1') });
  const list = fc.array(fc.array(number, { maxLength: 2 }), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(list, fc.integer({ min: 1, max: 3 }), async (answer, texts) => {
      const { gateway, run } = answering(vectors(...answer));
      const passed = await run(gateway.call(embed(texts))).then(
        () => true,
        () => false,
      );
      const sound =
        answer.length === texts &&
        answer.every((one) => one.length > 0 && one.length === answer[0]?.length && one.every(Number.isFinite));
      expect(passed).toBe(sound);
    }),
    { numRuns: 200 },
  );
});
