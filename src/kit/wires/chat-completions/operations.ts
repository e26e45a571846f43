/** Embeddings, images and moderation on the same servers. */
import { PolyphonyError } from '../../../core/errors.ts';
import type {
  EmbeddingRequest,
  FinishEvent,
  ImageRequest,
  MediaSource,
  ModelEvent,
  ModelRequest,
  ModerationRequest,
  ModerationResult,
  OperationOutput,
  TextPart,
  Usage,
} from '../../../core/model/model.ts';
import type { TransportResponse, WireContext } from '../../../core/model/provider.ts';
import { readJson } from '../../http/answer.ts';
import { usageMissing } from '../../http/decode-answer.ts';
import { asList, asRecord, asText, defined, type JsonRecord } from '../../json/json-shape.ts';
import { type CostStatement, settledCost, statedCost } from '../stated-cost.ts';
import { asVector, inOrderOfIndex } from '../vectors.ts';
import type { WireBody } from './encode-chat.ts';
import { mediaURL } from './encode-messages.ts';
import { frameError } from './frame-error.ts';
import type { ChatCompletionsQuirks } from './quirks.ts';
import { usageOf } from './usage.ts';

// ---------------------------------------------------------------------------------------------------- requests

export function encodeEmbedding(
  { input, dimensions }: EmbeddingRequest,
  quirks: ChatCompletionsQuirks,
  { card }: WireContext,
): WireBody {
  return defined({ model: card.id, input, dimensions, encoding_format: quirks.embeddingEncoding ?? 'float' });
}

export function encodeImage(request: ImageRequest, quirks: ChatCompletionsQuirks, { card }: WireContext): WireBody {
  const { prompt, negativePrompt, count, size, quality, seed, image } = request;
  const format = quirks.imageFormat ?? (answersWithBytes(card.id) ? 'none' : 'b64_json');
  return defined({
    model: card.id,
    prompt,
    negative_prompt: negativePrompt,
    n: count,
    ...sizeFields(size, quirks),
    quality,
    seed,
    ...imageFields(image, quirks),
    response_format: format === 'none' ? undefined : format,
  });
}

/** Models of this family always answer with bytes and refuse the field, whoever serves them under whatever prefix. */
const answersWithBytes = (model: string): boolean => /gpt-image/i.test(model);

function sizeFields(size: string | undefined, quirks: ChatCompletionsQuirks): WireBody {
  const [, width, height] = /^(\d+)x(\d+)$/.exec(size ?? '') ?? [];
  if (quirks.imageSize !== 'width-height' || width === undefined) return { size };
  return { width: Number(width), height: Number(height) };
}

function imageFields(image: MediaSource | undefined, { imageField = 'images' }: ChatCompletionsQuirks): WireBody {
  if (image === undefined) return {};
  return imageField === 'images' ? { images: [{ image_url: mediaURL(image) }] } : { [imageField]: mediaURL(image) };
}

export function encodeModeration({ input }: ModerationRequest, { card }: WireContext): WireBody {
  // The server checks each string separately, but all parts together. Only a mixture is sent as parts.
  const texts = input.filter((part): part is TextPart => part.type === 'text').map((part) => part.text);
  if (texts.length === input.length) return { model: card.id, input: texts };
  return {
    model: card.id,
    input: input.map((part) =>
      part.type === 'text'
        ? { type: 'text', text: part.text }
        : { type: 'image_url', image_url: { url: mediaURL(part.source) } },
    ),
  };
}

// ---------------------------------------------------------------------------------------------------- answers

/** @throws invalid-output when the answer contains no result */
export async function* decodeOperation(
  response: TransportResponse,
  request: ModelRequest,
  { report }: Pick<WireContext, 'report'>,
  costs: CostStatement,
): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response));
  if (body === undefined) throw noResult(request.operation);
  const error = frameError(body);
  if (error !== undefined) throw error;
  const output = outputOf(request, body);
  if (output === undefined) throw noResult(request.operation);
  yield { type: 'output', output };
  const usage = usageOf(body.usage);
  // Moderation is not charged per token, and images not always, so only embeddings need a count.
  if (usage === undefined && request.operation === 'embed') yield usageMissing;
  const costNanoUsd = statedCost(body.usage);
  if (costNanoUsd !== undefined) report({ costNanoUsd });
  yield {
    ...finishOf(request, body, usage, output),
    ...defined({ statedCostNanoUsd: settledCost(body.usage, costs) }),
  };
}

const noResult = (operation: string): PolyphonyError =>
  new PolyphonyError(
    'invalid-output',
    `The answer contains no result of "${operation}", so the server does not use this wire format. Check baseURL.`,
  );

function outputOf(request: ModelRequest, body: JsonRecord): OperationOutput | undefined {
  const data = asList(body.data);
  switch (request.operation) {
    case 'embed':
      return data && { operation: 'embed', vectors: vectorsOf(data) };
    case 'image':
      return data && imageOutput(data, body);
    case 'moderate': {
      const results = asList(body.results);
      return results && { operation: 'moderate', results: results.map(moderationResult) };
    }
    default:
      return undefined;
  }
}

function finishOf(
  request: ModelRequest,
  body: JsonRecord,
  usage: Usage | undefined,
  output: OperationOutput,
): FinishEvent {
  // Images with token usage are charged by tokens; a count besides would charge them twice. No picture takes no token.
  const byTokens = usage !== undefined && usage.output > 0;
  const images = output.operation === 'image' && !byTokens ? output.images.length : undefined;
  return {
    type: 'finish',
    reason: 'stop',
    usage: defined({ ...(usage ?? { input: 0, output: 0 }), images }),
    ...defined({ model: asText(body.model), id: asText(body.id), raw: request.includeRaw === true ? body : undefined }),
  };
}

const vectorsOf = (data: readonly unknown[]): number[][] =>
  inOrderOfIndex(data).map((item) => asVector(asRecord(item)?.embedding));

function imageOutput(data: readonly unknown[], body: JsonRecord): OperationOutput {
  const format = asText(body.output_format) ?? 'png';
  const items = data.map((item) => asRecord(item) ?? {});
  const revisedPrompt = asText(items[0]?.revised_prompt);
  const images = items.map((item) => imageOf(item, format)).filter((image) => image !== undefined);
  return { operation: 'image', images, ...defined({ revisedPrompt }) };
}

function imageOf(item: JsonRecord, format: string): MediaSource | undefined {
  const data = asText(item.b64_json);
  if (data !== undefined) return { type: 'base64', data, mediaType: `image/${format}` };
  const url = asText(item.url);
  return url === undefined ? undefined : { type: 'url', url };
}

/** @throws invalid-output for a result that says neither whether the text is flagged nor for which categories */
function moderationResult(value: unknown): ModerationResult {
  const { flagged, categories: hits, category_scores: numbers } = asRecord(value) ?? {};
  const categories = known(hits, (hit) => typeof hit === 'boolean') as Record<string, boolean> | undefined;
  const scores = known(numbers, Number.isFinite) as Record<string, number> | undefined;
  const said = typeof flagged === 'boolean' || (flagged == null && Object.keys(categories ?? {}).length > 0);
  if (categories === undefined || scores === undefined || !said) {
    const remedy = 'Use a model and a server that moderate.';
    throw new PolyphonyError('invalid-output', `A result of moderation is malformed, so it judges nothing. ${remedy}`);
  }
  return { flagged: flagged === true || Object.values(categories).includes(true), categories, scores };
}

/** The fields of a record without those that are null; none if it is absent, undefined if one is not as it must be. */
function known(value: unknown, isValid: (field: unknown) => boolean): JsonRecord | undefined {
  const fields = value == null ? {} : asRecord(value);
  const given = fields && Object.entries(fields).filter(([, field]) => field !== null);
  return given?.every(([, field]) => isValid(field)) === true ? Object.fromEntries(given) : undefined;
}
