/**
 * fal: images by models of many vendors, over its synchronous endpoint. Key: FAL_KEY, read at each request. A model is the path of
 * its endpoint, such as `fal-ai/flux/schnell`. Paid per megapixel, which no answer reports, so no price is known:
 * fal.ai/models/fal-ai/stable-diffusion-v35-large.
 */
import {
  apiKeysOf,
  asList,
  asRecord,
  asText,
  cardsOf,
  defined,
  definePlugin,
  httpProvider,
  type ImageRequest,
  imageWire,
  inlineMedia,
  type JsonRecord,
  type MediaSource,
  type ModelCard,
  type ModelCardFields,
  type ModelEvent,
  modelCard,
  PolyphonyError,
  type Provider,
  readJson,
  type TransportResponse,
  type VendorOptions,
  type WireContext,
  type WireRequest,
  withProviderOptions,
} from 'polyphony/kit';

export interface FalOptions extends VendorOptions {
  /** @default 'https://fal.run' */
  readonly baseURL?: string;
}

const IMAGES = {
  operations: ['image'],
  capabilities: ['image-out', 'seed'],
  contextTokens: 2500,
  maxOutputTokens: 0,
  // fal.ai/docs/model-apis/data-retention.
  retention: 'provider',
} as const satisfies Partial<ModelCardFields>;

const MODELS: readonly ModelCardFields[] = [
  {
    id: 'fal-ai/stable-diffusion-v35-large',
    aliases: ['stable-diffusion-3'],
    tier: 'premium',
    ...IMAGES,
    wire: { negativePrompt: true },
  },
  { id: 'fal-ai/flux/schnell', tier: 'fast', ...IMAGES, wire: { negativePrompt: false } },
];

const undescribed = (id: string): ModelCard => modelCard({ id, ...IMAGES });

// ---------------------------------------------------------------------------------------------------- requests

/** Where no card says otherwise, the prompt for what must not be there is sent: a model that does not know it ignores it. */
const takesNegativePrompt = ({ wire }: ModelCard): boolean => asRecord(wire)?.negativePrompt !== false;

function encode(request: ImageRequest, context: WireContext): WireRequest {
  const { card, apiKey } = context;
  if (request.image !== undefined) {
    throw new PolyphonyError('unsupported', `${card.id} cannot edit images here: use a model that lists "image-edit".`);
  }
  return {
    url: `/${card.id.split('/').map(encodeURIComponent).join('/')}`,
    headers: { 'content-type': 'application/json', authorization: `Key ${apiKey ?? ''}` },
    body: JSON.stringify(withProviderOptions(inputOf(request, context), request, context)),
  };
}

function inputOf(request: ImageRequest, context: WireContext): JsonRecord {
  const { prompt, negativePrompt, seed, count, size, quality } = request;
  const negative = takesNegativePrompt(context.card);
  if (negativePrompt !== undefined && !negative) dropped('negativePrompt', context);
  if (quality !== undefined) dropped('quality', context);
  return defined({
    prompt,
    negative_prompt: negative ? negativePrompt : undefined,
    image_size: size === undefined ? undefined : pixelsOf(size, context),
    num_images: count,
    seed,
    // The picture itself instead of an address that ends some day.
    sync_mode: true,
  });
}

function pixelsOf(size: string, context: WireContext): JsonRecord | undefined {
  const [, width, height] = /^(\d{1,5})x(\d{1,5})$/.exec(size) ?? [];
  if (width === undefined || height === undefined) return dropped('size', context);
  return { width: Number(width), height: Number(height) };
}

function dropped(name: string, { card, warn }: WireContext): undefined {
  warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
}

// ---------------------------------------------------------------------------------------------------- answers

/** @throws invalid-output when the answer contains no image */
async function* decode(response: TransportResponse, request: ImageRequest): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  const images = (asList(body.images) ?? [body.image]).flatMap(imageOf);
  if (images.length === 0) {
    throw new PolyphonyError('invalid-output', 'The answer contains no image: choose a model that generates images.');
  }
  yield { type: 'output', output: { operation: 'image', images } };
  // A picture that the safety check found is black, and is charged.
  const filtered = asList(body.has_nsfw_concepts)?.includes(true) === true;
  const usage = { input: 0, output: 0, images: images.length };
  const raw = request.includeRaw === true ? body : undefined;
  const id = asText(response.headers['x-fal-request-id']);
  yield { type: 'finish', reason: filtered ? 'content-filter' : 'stop', usage, ...defined({ id, raw }) };
}

function imageOf(value: unknown): MediaSource[] {
  const { url: address, content_type: type } = asRecord(value) ?? {};
  const url = asText(address);
  if (url === undefined) return [];
  const inline = inlineMedia({ type: 'url', url });
  return [
    inline === undefined
      ? { type: 'url', url, ...defined({ mediaType: asText(type) }) }
      : { type: 'base64', ...inline },
  ];
}

const wire = imageWire(encode, decode);

/** @throws invalid-config when an option is malformed */
export function fal(options: FalOptions = {}): Provider {
  const { id = 'fal', baseURL = 'https://fal.run', models = MODELS, apiKey, apiKeys, ...rest } = options;
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    models: cardsOf(models, IMAGES, undescribed),
    unlisted: undescribed,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'FAL_KEY'),
    missingKey: 'set FAL_KEY, or pass apiKey.',
  });
}

export default definePlugin({ name: 'fal', providers: [fal()] });
