/**
 * Stability AI: images by Stable Diffusion 3.5 and Stable Image (multipart requests) and by SDXL (JSON). Key:
 * STABILITY_API_KEY, read at each request. Prices per image, in credits of one cent:
 * developer.puter.com/tutorials/stability-ai-api-pricing (June 2026); SDXL is charged per step, so its price is not known in advance.
 */
import {
  apiKeysOf,
  asList,
  asNumber,
  aspectRatioOf,
  asRecord,
  asText,
  cardsOf,
  defined,
  definePlugin,
  httpProvider,
  type ImageRequest,
  imageWire,
  inlineMedia,
  type MediaSource,
  type ModelCard,
  type ModelCardFields,
  type ModelEvent,
  modelCard,
  nearestShape,
  PolyphonyError,
  type Provider,
  readJson,
  type TransportResponse,
  type VendorOptions,
  type WireContext,
  type WireRequest,
  withProviderOptions,
} from 'polyphony/kit';

export interface StabilityOptions extends VendorOptions {
  /** URL without the version. @default 'https://api.stability.ai' */
  readonly baseURL?: string;
}

const IMAGES = {
  operations: ['image'],
  capabilities: ['image-out', 'image-edit', 'seed'],
  // A prompt may have up to 10,000 characters.
  contextTokens: 2500,
  maxOutputTokens: 0,
} as const satisfies Partial<ModelCardFields>;

const source = 'https://developer.puter.com/tutorials/stability-ai-api-pricing (June 2026), a reseller: assumed';
const made = (
  id: string,
  tier: ModelCard['tier'],
  image: number,
  fields: Partial<ModelCardFields> = {},
): ModelCardFields => ({
  id,
  tier,
  ...IMAGES,
  price: { input: 0, output: 0, image, source },
  ...fields,
});
const fromText = { capabilities: ['image-out', 'seed'] } as const;

/** One model a service has the alias of the third generation, so that a plan that names it moves on to another service. */
const MODELS: readonly ModelCardFields[] = [
  made('stable-image-ultra', 'premium', 0.08),
  made('sd3.5-large', 'premium', 0.065, { aliases: ['stable-diffusion-3'] }),
  made('sd3.5-large-turbo', 'balanced', 0.04),
  made('sd3.5-medium', 'balanced', 0.035),
  made('stable-image-core', 'fast', 0.03, fromText),
  { id: 'stable-diffusion-xl-1024-v1-0', tier: 'fast', ...IMAGES, ...fromText },
];

const undescribed = (id: string): ModelCard => modelCard({ id, ...IMAGES });

// ---------------------------------------------------------------------------------------------------- requests

const RATIOS = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'];
const SDXL_SIZES = [
  ...['1536x640', '1344x768', '1216x832', '1152x896', '1024x1024'],
  ...['896x1152', '832x1216', '768x1344', '640x1536'],
];
/** Models with an endpoint of their own; every other model is named in the form. */
const SERVICES: Readonly<Record<string, string>> = { 'stable-image-ultra': 'ultra', 'stable-image-core': 'core' };
const STRENGTH = 0.7;

function encode(request: ImageRequest, context: WireContext): WireRequest | Promise<WireRequest> {
  if (request.quality !== undefined) dropped('quality', context);
  return /^(stable-diffusion-xl|stable-diffusion-v1)/.test(context.card.id)
    ? encodeJson(request, context)
    : encodeForm(request, context);
}

async function encodeForm(request: ImageRequest, context: WireContext): Promise<WireRequest> {
  const { prompt, negativePrompt, seed, image, count = 1 } = request;
  if (count > 1) {
    const message = `${context.card.id} generates one image per call, so 1 image was requested instead of ${count}.`;
    context.warn({ code: 'parameter-changed', message });
  }
  const service = SERVICES[context.card.id];
  const fields = {
    prompt,
    negative_prompt: negativePrompt,
    model: service === undefined ? context.card.id : undefined,
    mode: service === undefined ? (image === undefined ? 'text-to-image' : 'image-to-image') : undefined,
    // An edit keeps the aspect ratio of its image.
    aspect_ratio: image === undefined ? shapeOf(request, RATIOS, context) : undefined,
    strength: image === undefined ? undefined : STRENGTH,
    seed,
    output_format: 'png',
  };
  const form = new FormData();
  for (const [name, value] of Object.entries(defined(withProviderOptions(fields, request, context))))
    form.append(name, String(value));
  if (image !== undefined) form.append('image', blobOf(image), 'image');
  // The platform encodes the multipart body.
  const written = new Response(form);
  return {
    url: `/v2beta/stable-image/generate/${service ?? 'sd3'}`,
    headers: { ...headersOf(context), 'content-type': written.headers.get('content-type') ?? '' },
    body: new Uint8Array(await written.arrayBuffer()),
  };
}

function encodeJson(request: ImageRequest, context: WireContext): WireRequest {
  const { prompt, negativePrompt, seed, count, image } = request;
  if (image !== undefined) {
    throw new PolyphonyError(
      'unsupported',
      `${context.card.id} cannot edit images: use a model that lists "image-edit".`,
    );
  }
  const [width, height] = (shapeOf(request, SDXL_SIZES, context) ?? '1024x1024').split('x').map(Number);
  const negative = negativePrompt === undefined ? [] : [{ text: negativePrompt, weight: -1 }];
  const text_prompts = [{ text: prompt, weight: 1 }, ...negative];
  return {
    url: `/v1/generation/${encodeURIComponent(context.card.id)}/text-to-image`,
    headers: { ...headersOf(context), 'content-type': 'application/json' },
    body: JSON.stringify(
      withProviderOptions(defined({ text_prompts, width, height, samples: count, seed }), request, context),
    ),
  };
}

const headersOf = ({ apiKey }: WireContext): Record<string, string> => ({
  accept: 'application/json',
  authorization: `Bearer ${apiKey ?? ''}`,
});

function shapeOf({ size }: ImageRequest, shapes: readonly string[], context: WireContext): string | undefined {
  const shape = size === undefined ? undefined : nearestShape(size, shapes);
  if (size !== undefined && (shape === undefined || aspectRatioOf(shape) !== aspectRatioOf(size))) {
    const message = `${context.card.id} does not support the size ${size}, so ${shape ?? 'its default size'} was requested instead.`;
    context.warn({ code: 'parameter-changed', message });
  }
  return shape;
}

function blobOf(image: MediaSource): Blob {
  const inline = inlineMedia(image);
  if (inline !== undefined) return new Blob([Buffer.from(inline.data, 'base64')], { type: inline.mediaType });
  throw new PolyphonyError(
    'unsupported',
    'This provider accepts an image to edit only inline, not as a URL: send it as base64.',
  );
}

function dropped(name: string, { card, warn }: WireContext): void {
  warn({ code: 'parameter-dropped', message: `"${name}" was dropped, because ${card.id} does not support it.` });
}

// ---------------------------------------------------------------------------------------------------- answers

/** @throws invalid-output when the answer contains no image */
async function* decode(response: TransportResponse, request: ImageRequest): AsyncGenerator<ModelEvent> {
  const body = asRecord(await readJson(response)) ?? {};
  const mediaType = /type=(image\/\w+)/.exec(response.headers['content-type'] ?? '')?.[1] ?? 'image/png';
  const items = asList(body.artifacts)?.map((item) => asRecord(item) ?? {}) ?? [body];
  const images = items.flatMap((item): MediaSource[] => {
    const data = asText(item.image) ?? asText(item.base64);
    return data === undefined ? [] : [{ type: 'base64', data, mediaType }];
  });
  if (images.length === 0) {
    throw new PolyphonyError('invalid-output', 'The answer contains no image: check the model and the base URL.');
  }
  yield { type: 'output', output: { operation: 'image', images } };
  // A filtered image arrives blurred, and is charged.
  const filtered = items.some((item) => (item.finish_reason ?? item.finishReason) === 'CONTENT_FILTERED');
  const usage = { input: 0, output: 0, images: images.length };
  const raw = request.includeRaw === true ? body : undefined;
  const id = asText(response.headers['x-request-id']) ?? asNumber(items[0]?.seed)?.toString();
  yield { type: 'finish', reason: filtered ? 'content-filter' : 'stop', usage, ...defined({ id, raw }) };
}

const wire = imageWire(encode, decode);

/** @throws invalid-config when an option is malformed */
export function stability(options: StabilityOptions = {}): Provider {
  const { id = 'stability', baseURL = 'https://api.stability.ai', models = MODELS, apiKey, apiKeys, ...rest } = options;
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    models: cardsOf(models, IMAGES, undescribed),
    unlisted: undescribed,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'STABILITY_API_KEY'),
    missingKey: 'set STABILITY_API_KEY, or pass apiKey.',
    probe: (context) => ({
      url: `${context.baseURL}/v1/user/balance`,
      headers: { authorization: `Bearer ${context.apiKey ?? ''}` },
    }),
  });
}

export default definePlugin({ name: 'stability', providers: [stability()] });
