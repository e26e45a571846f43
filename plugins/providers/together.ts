/**
 * Together over chat completions, embeddings and images. Key: TOGETHER_API_KEY, read at each request.
 * Prices are those of @pydantic/genai-prices 0.1.8, none where it has none: images are paid per megapixel, which no
 * answer reports. Windows, which prompt and answer share, are those of docs.together.ai/docs/serverless-models. The catalogue
 * is large: any other model is available as `together/<id>`.
 */
import {
  CHAT_CAPABILITIES,
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  type ModelCardFields,
  type Provider,
} from 'polyphony/kit';

const source = '@pydantic/genai-prices 0.1.8';
const CAN = [...CHAT_CAPABILITIES, 'seed', 'logprobs', 'penalties'] as const;

/** By LiteLLM's copy of the vendor's list, of November 2026. */
const ended = (endsOn: string) => ({ stage: 'retired', endsOn }) as const;

const MODELS: readonly ModelCardFields[] = [
  {
    id: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
    tier: 'fast',
    lifecycle: ended('2026-10-22'),
    contextTokens: 131_072,
    maxOutputTokens: 131_072,
    capabilities: CAN,
    price: { input: 0.88, output: 0.88, source },
  },
  {
    id: 'meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8',
    tier: 'fast',
    contextTokens: 524_288,
    maxOutputTokens: 524_288,
    capabilities: [...CAN, 'image-in'],
    price: { input: 0.27, output: 0.85, source },
  },
  {
    id: 'meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo',
    tier: 'fast',
    lifecycle: ended('2026-03-06'),
    contextTokens: 131_072,
    maxOutputTokens: 131_072,
    capabilities: CAN,
    price: { input: 0.18, output: 0.18, source },
  },
  {
    id: 'intfloat/multilingual-e5-large-instruct',
    operations: ['embed'],
    capabilities: ['embeddings'],
    contextTokens: 514,
    maxOutputTokens: 0,
    wire: { omit: ['dimensions', 'encoding_format'] } satisfies ChatCompletionsQuirks,
  },
  {
    id: 'black-forest-labs/FLUX.1-schnell',
    operations: ['image'],
    capabilities: ['image-out'],
    contextTokens: 4096,
  },
  {
    id: 'stabilityai/stable-diffusion-3-medium',
    aliases: ['stable-diffusion-3'],
    operations: ['image'],
    capabilities: ['image-out'],
    contextTokens: 4096,
  },
  {
    id: 'black-forest-labs/FLUX.1-kontext-pro',
    operations: ['image'],
    capabilities: ['image-out', 'image-edit'],
    contextTokens: 4096,
  },
];

const quirks: ChatCompletionsQuirks = {
  omit: ['user', 'service_tier', 'quality'],
  imageFormat: 'base64',
  imageSize: 'width-height',
  imageField: 'image_url',
  // Edits use the endpoint for new images.
  paths: { imageEdit: '/images/generations' },
};

/** @throws invalid-config when an option is malformed */
export function together(options: ChatCompletionsVendorOptions = {}): Provider {
  return chatCompletionsProvider({
    id: 'together',
    baseURL: 'https://api.together.xyz/v1',
    keyVariable: 'TOGETHER_API_KEY',
    // Unless the organisation says otherwise: docs.together.ai/docs/zero-data-retention.
    models: MODELS.map((card) => ({ ...card, retention: 'provider' })),
    quirks,
    ...options,
  });
}

export default definePlugin({ name: 'together', providers: [together()] });
