/** Embeddings and reranking. */
import {
  asCount,
  asList,
  asNumber,
  asRecord,
  asText,
  asVector,
  defined,
  type EmbeddingRequest,
  type JsonRecord,
  type ModelEvent,
  type OperationOutput,
  PolyphonyError,
  type RerankRequest,
  readJson,
  type TransportResponse,
  usageMissing,
  type WireContext,
} from 'polyphony/kit';
import type { Body } from './encode.ts';

export function encodeEmbedding({ input, purpose, dimensions }: EmbeddingRequest, { card }: WireContext): Body {
  return defined({
    model: card.id,
    texts: input,
    // The wire format requires a type; a text to store is a document.
    input_type: purpose === 'query' ? 'search_query' : 'search_document',
    embedding_types: ['float'],
    output_dimension: dimensions,
  });
}

export function encodeRerank({ query, documents, top }: RerankRequest, { card }: WireContext): Body {
  return defined({ model: card.id, query, documents, top_n: top });
}

/** @throws invalid-output when the answer contains no result */
export async function* decodeOperation(
  response: TransportResponse,
  request: EmbeddingRequest | RerankRequest,
): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  const output = request.operation === 'embed' ? vectorsOf(body) : rankingOf(body);
  if (output === undefined) {
    throw new PolyphonyError('invalid-output', 'The answer contains no result: check the model and the base URL.');
  }
  yield { type: 'output', output };
  const billed = asRecord(asRecord(body.meta)?.billed_units);
  const input = asCount(billed?.input_tokens);
  if (request.operation === 'embed' && input === undefined) yield usageMissing;
  const units = asCount(billed?.search_units) ?? 1;
  if (units > 1) {
    const message = `${units} search units were billed, but the price on the card covers only one, so the cost is too low.`;
    yield { type: 'warning', warning: { code: 'cost-understated', message } };
  }
  yield {
    type: 'finish',
    reason: 'stop',
    usage: { input: input ?? 0, output: 0 },
    ...defined({ id: asText(body.id), raw: request.includeRaw === true ? body : undefined }),
  };
}

/** Vectors by type, as in this version, or one plain list, as in the previous one. */
function vectorsOf(body: JsonRecord): OperationOutput | undefined {
  const vectors = asList(body.embeddings) ?? asList(asRecord(body.embeddings)?.float);
  return vectors && { operation: 'embed', vectors: vectors.map(asVector) };
}

function rankingOf(body: JsonRecord): OperationOutput | undefined {
  // Other rerank servers name the field `data`.
  const results = (asList(body.results) ?? asList(body.data))?.map((item) => {
    const record = asRecord(item);
    return { index: asNumber(record?.index) ?? Number.NaN, score: asNumber(record?.relevance_score) ?? Number.NaN };
  });
  return results && { operation: 'rerank', results };
}
