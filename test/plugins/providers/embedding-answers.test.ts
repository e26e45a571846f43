/** Embeddings of every wire, through the gateway: what a request may hold, and answers that are not what was asked. */
import { PolyphonyError, type Provider } from 'polyphony';
import { describe, expect, test } from 'vitest';
import { azureOpenAI } from '../../../plugins/providers/azure-openai.ts';
import { bedrock } from '../../../plugins/providers/bedrock.ts';
import { cohere } from '../../../plugins/providers/cohere.ts';
import { google } from '../../../plugins/providers/google.ts';
import { googleVertex } from '../../../plugins/providers/google-vertex.ts';
import { mistral } from '../../../plugins/providers/mistral.ts';
import { ollama } from '../../../plugins/providers/ollama.ts';
import { openai } from '../../../plugins/providers/openai.ts';
import { openaiCompatible } from '../../../plugins/providers/openai-compatible.ts';
import { qwen } from '../../../plugins/providers/qwen.ts';
import { together } from '../../../plugins/providers/together.ts';
import { createPolyphony } from '../../../src/polyphony.ts';
import { loopback } from '../../kit/loopback.ts';

type Json = Record<string, unknown>;
type Vectors = readonly unknown[];

const apiKey = 'key-of-the-test';
const listed = (body: Json): readonly string[] => body.input as string[];
const numbered = (vectors: Vectors): Json => ({ data: vectors.map((embedding, index) => ({ index, embedding })) });
const partsOf = (content: unknown): string => (content as { parts: [{ text: string }] }).parts[0].text;
const embedded = { operations: ['embed'], capabilities: ['embeddings'] } as const;

interface Wire {
  readonly make: (url: string) => Provider;
  readonly model: string;
  /** Texts per request. */
  readonly most: number;
  readonly texts: (body: Json) => readonly string[];
  readonly answer: (vectors: Vectors) => Json;
}

const chatWire = (make: Wire['make'], model: string, most: number): Wire => ({
  make,
  model,
  most,
  texts: listed,
  answer: numbered,
});

const titan: Wire = {
  make: (baseURL) => bedrock({ baseURL, apiKey, region: 'eu-west-1' }),
  model: 'amazon.titan-embed-text-v2:0',
  most: 1,
  texts: (body) => [body.inputText as string],
  answer: ([embedding]) => ({ embedding, inputTextTokenCount: 3 }),
};

const WIRES: Readonly<Record<string, Wire>> = {
  openai: chatWire((baseURL) => openai({ baseURL, apiKey }), 'text-embedding-3-small', 2048),
  'openai, not listed': chatWire((baseURL) => openai({ baseURL, apiKey }), 'text-embedding-x', 2048),
  'azure-openai': chatWire(
    (endpoint) => azureOpenAI({ endpoint, apiKey, models: [{ id: 'd', ...embedded }] }),
    'd',
    2048,
  ),
  qwen: chatWire((baseURL) => qwen({ baseURL, apiKey }), 'text-embedding-v4', 10),
  mistral: chatWire((baseURL) => mistral({ baseURL, apiKey, embeddingBatch: { texts: 7 } }), 'mistral-embed', 7),
  together: chatWire(
    (baseURL) => together({ baseURL, apiKey, embeddingBatch: { texts: 3 } }),
    'intfloat/multilingual-e5-large-instruct',
    3,
  ),
  'openai-compatible': chatWire(
    (baseURL) => openaiCompatible({ baseURL, models: [{ id: 'm', ...embedded, embeddingBatch: { texts: 32 } }] }),
    'm',
    32,
  ),
  google: {
    make: (baseURL) => google({ baseURL, apiKey }),
    model: 'gemini-embedding-001',
    most: 100,
    texts: (body) =>
      body.requests === undefined
        ? [partsOf(body.content)]
        : (body.requests as { content: unknown }[]).map(({ content }) => partsOf(content)),
    answer: (vectors) => ({ embeddings: vectors.map((values) => ({ values })) }),
  },
  'google-vertex': {
    make: (baseURL) => googleVertex({ baseURL, project: 'p', accessToken: async () => apiKey }),
    model: 'text-embedding-005',
    most: 250,
    texts: (body) => (body.instances as { content: string }[]).map(({ content }) => content),
    answer: (vectors) => ({ predictions: vectors.map((values) => ({ embeddings: { values } })) }),
  },
  cohere: {
    make: (baseURL) => cohere({ baseURL, apiKey }),
    model: 'embed-v4.0',
    most: 96,
    texts: (body) => body.texts as string[],
    answer: (vectors) => ({ embeddings: { float: vectors } }),
  },
  ollama: {
    make: (baseURL) => ollama({ baseURL, models: ['m'], embeddingBatch: { texts: 5 } }),
    model: 'm',
    most: 5,
    texts: listed,
    answer: (vectors) => ({ embeddings: vectors }),
  },
  'bedrock, Titan': titan,
  'bedrock, Cohere': {
    make: (baseURL) => bedrock({ baseURL, apiKey, region: 'eu-west-1' }),
    model: 'cohere.embed-multilingual-v3',
    most: 96,
    texts: (body) => body.texts as string[],
    answer: (vectors) => ({ id: 'x', embeddings: vectors }),
  },
};
const TABLE = Object.entries(WIRES).map(([name, wire]) => ({ name, ...wire }));

async function embed(
  { make, model, texts, answer }: Wire,
  input: string[],
  answerOf: (texts: readonly string[]) => Vectors,
) {
  const sizes: number[] = [];
  const server = await loopback(({ body }, response) => {
    const asked = texts(JSON.parse(body) as Json);
    sizes.push(asked.length);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer(answerOf(asked))));
  });
  const provider = make(server.url);
  const polyphony = await createPolyphony({ providers: [provider], plugins: [] });
  try {
    const { output } = await polyphony.gateway.embed({ model: `${provider.id}/${model}`, input });
    return { sizes, vectors: output?.operation === 'embed' ? output.vectors : undefined };
  } catch (error) {
    if (error instanceof PolyphonyError) return { sizes, error };
    throw error;
  } finally {
    await polyphony.close();
  }
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}`);
const vectorOf = (text: string): number[] => [Number(text.slice(1)), 0.5];

describe.each(TABLE)('$name', (wire) => {
  const { most } = wire;

  test('sends more texts than a request may hold in several, and joins the vectors in order', async () => {
    const input = texts(2 * most + 1);
    const { vectors, sizes, error } = await embed(wire, input, (asked) => asked.map(vectorOf));
    expect(error).toBeUndefined();
    expect(sizes).toEqual([most, most, 1]);
    expect(vectors).toEqual(input.map(vectorOf));
  });

  const several = most > 1;
  test.each<readonly [string, string[], (asked: readonly string[]) => Vectors]>([
    ['no vector', texts(1), () => []],
    ['an empty vector', texts(1), () => [[]]],
    ['nothing instead of a vector', texts(1), () => [null]],
    ['words instead of numbers', texts(1), () => [['1', '2']]],
    ['nothing instead of a number', texts(1), () => [[1, null]]],
    ['vectors within a vector', texts(1), () => [[[1], [2]]]],
    ['truth instead of a number', texts(1), () => [[true]]],
    ['vectors of two lengths', texts(2), (asked) => asked.map((_, index) => (several ? [1, 2, 3].slice(index) : [1]))],
  ])('%s is an error', async (name, input, answerOf) => {
    const { error } = await embed(wire, input, answerOf);
    if (name === 'vectors of two lengths' && !several) expect(error).toBeUndefined();
    else expect(error?.code).toBe('invalid-output');
  });

  test.runIf(several)('fewer vectors than texts are an error, and more are', async () => {
    const fewer = await embed(wire, texts(3), () => [[1], [2]]);
    expect(fewer.error).toMatchObject({ code: 'invalid-output' });
    const more = await embed(wire, texts(2), () => [[1], [2], [3]]);
    expect(more.error).toMatchObject({ code: 'invalid-output' });
  });
});

describe('indices of vectors', () => {
  const data = (...indices: readonly unknown[]): Wire => ({
    ...chatWire((baseURL) => openaiCompatible({ baseURL, models: [{ id: 'm', ...embedded }] }), 'm', 9),
    answer: (vectors) => ({ data: vectors.map((embedding, at) => ({ index: indices[at], embedding })) }),
  });
  const three = () => [[0], [1], [2]];

  test.each([
    ['the same one twice', [0, 0, 1]],
    ['all of them 0', [0, 0, 0]],
    ['one behind the texts', [0, 1, 3]],
    ['beginning at 1', [1, 2, 3]],
    ['only some', [0, undefined, 2]],
    ['words', ['0', '1', '2']],
  ])('%s are an error', async (_name, indices) => {
    expect((await embed(data(...indices), texts(3), three)).error?.code).toBe('invalid-output');
  });

  test.each([
    ['put in order', [2, 0, 1], [[1], [2], [0]]],
    ['not needed', [undefined, undefined, undefined], [[0], [1], [2]]],
  ])('are %s', async (_name, indices, expected) => {
    expect((await embed(data(...indices), texts(3), three)).vectors).toEqual(expected);
  });
});

describe('vectors in base64', () => {
  const floats = Buffer.from(new Float32Array([0.5, -2]).buffer).toString('base64');
  const wire = WIRES.openai as Wire;

  test('are read', async () => {
    expect((await embed(wire, texts(1), () => [floats])).vectors).toEqual([[0.5, -2]]);
  });

  test.each(['', 'AAA', floats.slice(0, 7), `${floats.slice(0, 5)}-!?${floats.slice(5)}`, 'no vector at all'])(
    'are an error if they are none: %j',
    async (text) => {
      expect((await embed(wire, texts(1), () => [text])).error?.code).toBe('invalid-output');
    },
  );
});

test('what several requests of Titan used is added up', async () => {
  const server = await loopback(
    (_, response) => void response.end(JSON.stringify({ embedding: [1], inputTextTokenCount: 3 })),
  );
  const polyphony = await createPolyphony({ providers: [titan.make(server.url)], plugins: [] });
  const response = await polyphony.gateway.embed({ model: `bedrock/${titan.model}`, input: texts(4), dimensions: 1 });
  await polyphony.close();
  expect(response.usage).toEqual({ input: 12, output: 0 });
  expect(response.costNanoUsd).toBe(240);
  expect(server.received.map(({ path }) => path)).toEqual(
    Array(4).fill('/model/amazon.titan-embed-text-v2%3A0/invoke'),
  );
  expect(JSON.parse(server.received[0]?.body ?? '')).toEqual({ inputText: 't0', dimensions: 1 });
});
