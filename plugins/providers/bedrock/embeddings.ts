/** Embeddings: every vendor's models have a body of their own, sent to `invoke` instead of Converse. */
import {
  asCount,
  asList,
  asRecord,
  asText,
  asVector,
  defined,
  type EmbeddingBatch,
  type EmbeddingRequest,
  type JsonRecord,
  type ModelCard,
  type ModelEvent,
  PolyphonyError,
  readJson,
  type TransportResponse,
  usageMissing,
  type WireContext,
} from 'polyphony/kit';

/** The body that a model takes; a card names it under `wire.embedding` where its id does not show it. */
type EmbeddingForm = 'titan-text-v1' | 'titan-text-v2' | 'titan-image' | 'cohere-v3' | 'cohere-v4';

/** The first matching pattern decides. */
const FORMS: readonly (readonly [RegExp, EmbeddingForm])[] = [
  [/amazon\.titan-embed-image/, 'titan-image'],
  [/amazon\.titan-embed-(?:text-v1|g1-text)/, 'titan-text-v1'],
  [/amazon\.titan-embed/, 'titan-text-v2'],
  [/cohere\.embed-(?:english|multilingual)-v3/, 'cohere-v3'],
  [/cohere\.embed/, 'cohere-v4'],
];

export function formOf({ id, wire }: Pick<ModelCard, 'id' | 'wire'>): EmbeddingForm | undefined {
  const named = FORMS.find(([, form]) => form === wire?.embedding)?.[1];
  return named ?? FORMS.find(([pattern]) => pattern.test(id))?.[1];
}

/** Titan embeds one text per request, Cohere 96. */
export function batchOf(card: ModelCard): EmbeddingBatch | undefined {
  const form = formOf(card);
  return form === undefined ? undefined : { texts: form.startsWith('titan') ? 1 : 96 };
}

/** @throws unsupported for a model that is not known to embed, and for several texts at a model that takes one */
export function encodeEmbedding(request: EmbeddingRequest, context: WireContext): JsonRecord {
  const { input, purpose, dimensions } = request;
  const { card } = context;
  const form = formOf(card);
  if (form === undefined) throw unknownForm(card.id);
  if (form === 'cohere-v3' || form === 'cohere-v4') {
    return defined({
      texts: input,
      // The wire format requires a type; a text to store is a document.
      input_type: purpose === 'query' ? 'search_query' : 'search_document',
      embedding_types: ['float'],
      output_dimension: form === 'cohere-v4' ? dimensions : withoutDimensions(dimensions, context),
    });
  }
  const [inputText, ...others] = input;
  if (inputText === undefined || others.length > 0) throw oneText(card.id, input.length);
  if (form === 'titan-text-v1') return defined({ inputText, dimensions: withoutDimensions(dimensions, context) });
  if (form === 'titan-text-v2') return defined({ inputText, dimensions });
  return defined({
    inputText,
    embeddingConfig: dimensions === undefined ? undefined : { outputEmbeddingLength: dimensions },
  });
}

function withoutDimensions(dimensions: number | undefined, { card, warn }: WireContext): undefined {
  if (dimensions === undefined) return undefined;
  const message = `"dimensions" was dropped, because ${card.id} does not support it.`;
  warn({ code: 'parameter-dropped', message });
  return undefined;
}

/** @throws invalid-output when the answer contains no vector */
export async function* decodeEmbedding(
  response: TransportResponse,
  request: EmbeddingRequest,
): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  const listed = asList(body.embeddings) ?? asList(asRecord(body.embeddings)?.float) ?? oneOf(body);
  if (listed === undefined) {
    throw new PolyphonyError('invalid-output', 'The answer contains no embedding: check the model and the base URL.');
  }
  yield { type: 'output', output: { operation: 'embed', vectors: listed.map(asVector) } };
  const input = asCount(body.inputTextTokenCount ?? response.headers['x-amzn-bedrock-input-token-count']);
  if (input === undefined) yield usageMissing;
  yield {
    type: 'finish',
    reason: 'stop',
    usage: { input: input ?? 0, output: 0 },
    ...defined({ id: asText(body.id), raw: request.includeRaw === true ? body : undefined }),
  };
}

const oneOf = ({ embedding }: JsonRecord): readonly unknown[] | undefined =>
  embedding === undefined ? undefined : [embedding];

const unknownForm = (id: string): PolyphonyError =>
  new PolyphonyError(
    'unsupported',
    `How ${id} takes texts to embed is not known: name it on its card, such as wire: { embedding: 'titan-text-v2' }.`,
  );

const oneText = (id: string, count: number): PolyphonyError =>
  new PolyphonyError(
    'unsupported',
    `${id} embeds one text per request, not ${count}: set embeddingBatch on its card to { texts: 1 }.`,
  );
