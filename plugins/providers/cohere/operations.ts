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
  type ModelRequest,
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
  const told = asCount(billed?.search_units);
  const units = told !== undefined && told >= 0 ? told : leastUnits(request);
  yield {
    type: 'finish',
    reason: 'stop',
    // The first unit is in the price of the request.
    usage: { input: input ?? 0, output: 0, ...(units > 1 ? { searches: units - 1 } : {}) },
    ...defined({ id: asText(body.id), raw: request.includeRaw === true ? body : undefined }),
  };
}

const DOCUMENTS_PER_UNIT = 100;
/** Longer documents are split, the query counted with each piece. A token covers at least one byte. */
const TOKENS_PER_DOCUMENT = 500;

/** What is billed at least for a request, where the answer does not say. */
const leastUnits = (request: ModelRequest): number =>
  request.operation === 'rerank' ? Math.ceil(request.documents.length / DOCUMENTS_PER_UNIT) : 1;

/** The most search units that a request can be billed for; 1 for what does not rank. */
export function mostUnits(request: ModelRequest): number {
  if (request.operation !== 'rerank') return 1;
  const room = Math.max(100, TOKENS_PER_DOCUMENT - Buffer.byteLength(request.query));
  let pieces = 0;
  for (const document of request.documents) pieces += Math.max(1, Math.ceil(Buffer.byteLength(document) / room));
  return Math.max(1, Math.ceil(pieces / DOCUMENTS_PER_UNIT));
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
