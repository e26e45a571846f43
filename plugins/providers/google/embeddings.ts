/** Embeddings in this wire format: one text or a batch, and the older form that Vertex keeps for some models. */
import {
  asCount,
  asList,
  asRecord,
  asText,
  asVector,
  defined,
  type EmbeddingRequest,
  type JsonRecord,
  type ModelEvent,
  PolyphonyError,
  readJson,
  type TransportResponse,
  usageMissing,
  type WireContext,
} from 'polyphony/kit';
import type { Body } from './encode.ts';
import { errorInside } from './errors.ts';
import { factsOf } from './facts.ts';
import { usageOf } from './usage.ts';

export interface EmbeddingCall {
  readonly method: 'embedContent' | 'batchEmbedContents' | 'predict';
  readonly body: Body;
}

const TASKS = { query: 'RETRIEVAL_QUERY', document: 'RETRIEVAL_DOCUMENT' } as const;

/** `model` is the resource name, which every item of a batch repeats. */
export function encodeEmbedding(request: EmbeddingRequest, model: string, context: WireContext): EmbeddingCall {
  const one = (text: string): Body => contentBody(request, text, context);
  const [only] = request.input;
  if (request.input.length === 1 && only !== undefined) return { method: 'embedContent', body: one(only) };
  return { method: 'batchEmbedContents', body: { requests: request.input.map((text) => ({ model, ...one(text) })) } };
}

function contentBody({ purpose, dimensions }: EmbeddingRequest, text: string, { card }: WireContext): Body {
  const named = factsOf(card).taskInText;
  return defined({
    content: { parts: [{ text: named ? withTask(text, purpose) : text }] },
    taskType: named || purpose === undefined ? undefined : TASKS[purpose],
    outputDimensionality: dimensions,
  });
}

function withTask(text: string, purpose: EmbeddingRequest['purpose']): string {
  if (purpose === undefined) return text;
  return purpose === 'query' ? `task: search result | query: ${text}` : `title: none | text: ${text}`;
}

export function encodePrediction({ input, purpose, dimensions }: EmbeddingRequest): EmbeddingCall {
  const task_type = purpose === undefined ? undefined : TASKS[purpose];
  return {
    method: 'predict',
    body: defined({
      instances: input.map((content) => defined({ content, task_type })),
      parameters: dimensions === undefined ? undefined : { outputDimensionality: dimensions },
    }),
  };
}

/** @throws invalid-output when the answer contains no vector */
export async function* decodeEmbedding(
  response: TransportResponse,
  request: EmbeddingRequest,
): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  if (body.error !== undefined) throw errorInside(body);
  const found = vectorsOf(body);
  if (found.length === 0 || found.some((vector) => vector.length === 0)) {
    throw new PolyphonyError('invalid-output', 'The answer contains no embedding: check the model and the base URL.');
  }
  yield { type: 'output', output: { operation: 'embed', vectors: found } };
  const usage = usageOf(asRecord(body.usageMetadata)) ?? predictionUsage(body);
  if (usage === undefined) yield usageMissing;
  yield {
    type: 'finish',
    reason: 'stop',
    usage: usage ?? { input: 0, output: 0 },
    ...defined({ model: asText(body.modelVersion), raw: request.includeRaw === true ? body : undefined }),
  };
}

function vectorsOf(body: JsonRecord): readonly (readonly number[])[] {
  const predictions = asList(body.predictions)?.map((item) => asRecord(item)?.embeddings);
  const listed = predictions ?? asList(body.embeddings) ?? (body.embedding === undefined ? [] : [body.embedding]);
  return listed.map((item) => asVector(asRecord(item)?.values));
}

function predictionUsage(body: JsonRecord): { readonly input: number; readonly output: number } | undefined {
  const counts = (asList(body.predictions) ?? []).flatMap((item) => {
    const statistics = asRecord(asRecord(asRecord(item)?.embeddings)?.statistics);
    return asCount(statistics?.token_count) ?? [];
  });
  return counts.length === 0 ? undefined : { input: counts.reduce((sum, count) => sum + count, 0), output: 0 };
}
