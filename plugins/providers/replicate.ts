/**
 * Replicate: images by models of many vendors. A request waits up to a minute for its image and is then polled until it is
 * done. Key: REPLICATE_API_TOKEN, read at each request. A model is `owner/name`, or `owner/name:version`.
 */
import {
  apiKeysOf,
  asList,
  asRecord,
  asText,
  cardsOf,
  defined,
  definePlugin,
  httpError,
  httpProvider,
  type ImageRequest,
  imageWire,
  inlineMedia,
  type JsonRecord,
  type MediaSource,
  type ModelCard,
  type ModelCardFields,
  type ModelEvent,
  mediaURL,
  modelCard,
  nearestShape,
  PolyphonyError,
  type Provider,
  readJson,
  type TransportResponse,
  type VendorOptions,
  type WireContext,
  type WireFormat,
  withProviderOptions,
} from 'polyphony/kit';
import { pollingTransport } from './replicate/polling.ts';

export interface ReplicateOptions extends VendorOptions {
  /** URL up to and including the version. @default 'https://api.replicate.com/v1' */
  readonly baseURL?: string;
}

/** The names of a model's inputs: data on its card, under `wire`. */
type ReplicateFacts = {
  /** The aspect ratios that it supports; empty where it takes width and height. */
  readonly ratios: readonly string[];
  /** The input for the number of images. */
  readonly count: string | null;
  /** The input for an image to edit. */
  readonly image: string;
  readonly negativePrompt: boolean;
};

const FLUX: ReplicateFacts = {
  ratios: ['21:9', '16:9', '3:2', '4:3', '5:4', '1:1', '4:5', '3:4', '2:3', '9:16', '9:21'],
  count: 'num_outputs',
  image: 'image',
  negativePrompt: false,
};
/** The shapes of the third generation of Stable Diffusion. */
const STABLE = { ratios: ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'] } as const;
const IMAGES = {
  operations: ['image'],
  capabilities: ['image-out', 'seed'],
  contextTokens: 2500,
  maxOutputTokens: 0,
  // An hour: replicate.com/docs/topics/predictions/data-retention.
  retention: 'provider',
} as const satisfies Partial<ModelCardFields>;

const priced = (image: number, source: string) => ({ input: 0, output: 0, image, source });
const listed = 'https://replicate.com/pricing';

const MODELS: readonly ModelCardFields[] = [
  { id: 'black-forest-labs/flux-schnell', tier: 'fast', ...IMAGES, price: priced(0.003, listed), wire: FLUX },
  {
    id: 'black-forest-labs/flux-dev',
    tier: 'balanced',
    ...IMAGES,
    capabilities: [...IMAGES.capabilities, 'image-edit'],
    price: priced(0.025, listed),
    wire: FLUX,
  },
  {
    id: 'black-forest-labs/flux-pro',
    tier: 'premium',
    ...IMAGES,
    price: priced(0.055, 'https://replicate.com/black-forest-labs/flux-pro'),
    wire: { ...FLUX, count: null },
  },
  {
    id: 'stability-ai/stable-diffusion-3.5-large',
    aliases: ['stable-diffusion-3'],
    tier: 'premium',
    ...IMAGES,
    capabilities: [...IMAGES.capabilities, 'image-edit'],
    price: priced(0.065, 'https://replicate.com/stability-ai/stable-diffusion-3.5-large'),
    wire: { ...STABLE, count: null, image: 'image', negativePrompt: true },
  },
  {
    id: 'stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc',
    aliases: ['sdxl'],
    tier: 'fast',
    ...IMAGES,
    // Charged per second of machine time.
    price: null,
    wire: { ratios: [], count: 'num_outputs', image: 'image', negativePrompt: true },
  },
];

const undescribed = (id: string): ModelCard => modelCard({ id, ...IMAGES });
const factsOf = (card: ModelCard): ReplicateFacts => ({
  ...FLUX,
  ...(card.wire as Partial<ReplicateFacts> | undefined),
});

// ---------------------------------------------------------------------------------------------------- requests

const DEADLINE = '10m';

function encode(request: ImageRequest, context: WireContext): ReturnType<WireFormat['encode']> {
  const { card, apiKey } = context;
  const [, name, version] = /^([^:]+)(?::(.+))?$/.exec(card.id) ?? [];
  const input = withProviderOptions(inputOf(request, context), request, context);
  return {
    url: version === undefined ? `/models/${name}/predictions` : '/predictions',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${apiKey ?? ''}`,
      prefer: 'wait=60',
      'cancel-after': DEADLINE,
    },
    body: JSON.stringify(defined({ version, input })),
  };
}

function inputOf(request: ImageRequest, context: WireContext): JsonRecord {
  const facts = factsOf(context.card);
  const { prompt, negativePrompt, seed, image, count } = request;
  const dropped = (name: string): undefined => {
    const message = `"${name}" was dropped, because ${context.card.id} does not support it.`;
    context.warn({ code: 'parameter-dropped', message });
  };
  if (negativePrompt !== undefined && !facts.negativePrompt) dropped('negativePrompt');
  if (count !== undefined && count > 1 && facts.count === null) dropped('count');
  if (request.quality !== undefined) dropped('quality');
  return defined({
    prompt,
    negative_prompt: facts.negativePrompt ? negativePrompt : undefined,
    seed,
    ...shapeOf(request.size, facts),
    ...(facts.count === null || count === undefined ? {} : { [facts.count]: count }),
    ...(image === undefined ? {} : { [facts.image]: mediaURL(image) }),
  });
}

function shapeOf(size: string | undefined, { ratios }: ReplicateFacts): JsonRecord {
  if (size === undefined) return {};
  if (ratios.length > 0) return defined({ aspect_ratio: nearestShape(size, ratios) });
  const [width, height] = size.split('x').map(Number);
  return { width, height };
}

// ---------------------------------------------------------------------------------------------------- answers

/** @throws content-policy or overloaded when the prediction failed, invalid-output when it contains no image */
async function* decode(response: TransportResponse, request: ImageRequest): AsyncGenerator<ModelEvent> {
  const prediction = asRecord(await readJson(response)) ?? {};
  const status = asText(prediction.status) ?? 'unknown';
  if (status !== 'succeeded' && status !== 'successful') throw failed(status, prediction);
  const output = asList(prediction.output) ?? [prediction.output];
  const images = output.flatMap(imageOf);
  if (images.length === 0) {
    throw new PolyphonyError(
      'invalid-output',
      'The prediction contains no image: choose a model that generates images.',
    );
  }
  yield { type: 'output', output: { operation: 'image', images } };
  const usage = { input: 0, output: 0, images: images.length };
  const raw = request.includeRaw === true ? prediction : undefined;
  const metadata = { id: asText(prediction.id), model: asText(prediction.model), raw };
  yield { type: 'finish', reason: 'stop', usage, ...defined(metadata) };
}

function imageOf(value: unknown): MediaSource[] {
  const url = asText(value) ?? asText(asRecord(value)?.url);
  if (url === undefined) return [];
  const inline = inlineMedia({ type: 'url', url });
  return [inline === undefined ? { type: 'url', url } : { type: 'base64', ...inline }];
}

function failed(status: string, prediction: JsonRecord): PolyphonyError {
  const message = asText(prediction.error) || `The prediction ended with the status "${status}".`;
  const refused = /nsfw|sensitive|flagged|safety/i.test(message);
  return refused ? httpError({ status: 400, message, code: 'content_policy' }) : httpError({ status: 500, message });
}

const wire = imageWire(encode, decode);

/** @throws invalid-config when an option is malformed */
export function replicate(options: ReplicateOptions = {}): Provider {
  const { id = 'replicate', models = MODELS, apiKey, apiKeys, ...rest } = options;
  const baseURL = (options.baseURL ?? 'https://api.replicate.com/v1').trim().replace(/\/+$/, '');
  const provider = httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    models: cardsOf(models, IMAGES, undescribed),
    unlisted: undescribed,
    apiKeys: apiKeysOf({ apiKey, apiKeys }, 'REPLICATE_API_TOKEN'),
    missingKey: 'set REPLICATE_API_TOKEN, or pass apiKey.',
    probe: (context) => ({
      url: `${context.baseURL}/account`,
      headers: { authorization: `Bearer ${context.apiKey ?? ''}` },
    }),
  });
  const { stream } = provider;
  // Defined on the provider itself, so that its getters (such as the credentials) stay getters.
  return Object.assign(provider, {
    stream(attempt, { transport, clock, report }) {
      return stream(attempt, { transport: pollingTransport(transport, baseURL, clock), clock, report });
    },
  } satisfies Pick<Provider, 'stream'>);
}

export default definePlugin({ name: 'replicate', providers: [replicate()] });
