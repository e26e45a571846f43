/** The generateContent wire format, for any base URL. */
import {
  asNumber,
  asRecord,
  type ChatRequest,
  PolyphonyError,
  type WireContext,
  type WireFormat,
  type WireRequest,
  withProviderOptions,
} from 'polyphony/kit';
import { decodeChat } from './decode.ts';
import { decodeEmbedding, type EmbeddingCall, encodeEmbedding } from './embeddings.ts';
import { type Body, encodeChat } from './encode.ts';
import { classify } from './errors.ts';

export interface GeminiWireOptions {
  readonly headers: (context: WireContext) => Promise<Record<string, string>> | Record<string, string>;
  /** The body of a token count, in the form that the endpoint expects. */
  readonly counted: (model: string, body: Body) => Body;
  /** Throws for a chat that the endpoint does not take. @default it takes all */
  readonly check?: (request: ChatRequest, context: WireContext) => void;
  /** How embeddings are requested. @default as at the vendor's own address */
  readonly embedding?: (
    call: EmbeddingCall,
    request: Parameters<typeof encodeEmbedding>[0],
    context: WireContext,
  ) => EmbeddingCall;
}

/** `providerOptions` under the provider's id are merged into the body last. */
export function geminiWire(options: GeminiWireOptions): WireFormat {
  return {
    endpoints: ENDPOINTS,
    // Ids of our own are never sent.
    requests: { callIdLength: 1000, imageTypes: IMAGE_TYPES },
    async encode(request, context) {
      if (request.operation === 'chat') options.check?.(request, context);
      const { path, body } = encodeRequest(request, options, context);
      const headers = { 'content-type': 'application/json', ...(await options.headers(context)) };
      return { url: path, headers, body: JSON.stringify(withProviderOptions(body, request, context)) };
    },
    decode(response, request, context) {
      if (request.operation === 'chat') return decodeChat(response, request, context);
      if (request.operation === 'embed') return decodeEmbedding(response, request);
      throw unknownOperation(request.operation);
    },
    // The first character is a letter or an underscore.
    toolNames: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/,
    // `web-search` is `googleSearch`, `web-fetch` is `urlContext`; another name is the field, in its own spelling.
    ownTool: ({ name, options = {} }) => ({ tools: [{ [OWN_TOOLS.get(name) ?? camelCase(name)]: options }] }),
    returnsMedia: ({ source, family }, { target }) =>
      family === target.provider || source.type === 'base64' || source.url.includes(':'),
    classify,
    counting: {
      async encode(request, context) {
        if (request.operation !== 'chat') throw unknownOperation(request.operation);
        const model = resourceOf(context);
        const body = withProviderOptions(encodeChat(request, context), request, context);
        const headers = { 'content-type': 'application/json', ...(await options.headers(context)) };
        return { url: `/${model}:countTokens`, headers, body: JSON.stringify(options.counted(model, body)) };
      },
      decode: (body) => asNumber(asRecord(body)?.totalTokens),
    },
  };
}

const IMAGE_TYPES = ['png', 'jpeg', 'webp', 'gif', 'heic', 'heif', 'bmp'].map((type) => `image/${type}`);
const METHODS = ['generateContent', 'streamGenerateContent', 'embedContent', 'batchEmbedContents', 'countTokens'];
const ENDPOINTS = [
  ...METHODS.flatMap((method) => [`/publishers/*/models/*:${method}`, `/models/*:${method}`]),
  '/models',
];
const OWN_TOOLS: ReadonlyMap<string, string> = new Map([
  ['web-search', 'googleSearch'],
  ['web-fetch', 'urlContext'],
]);

const camelCase = (name: string): string => name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());

// The id of a tuned model contains its collection.
const resourceOf = ({ card }: WireContext): string => (card.id.includes('/') ? card.id : `models/${card.id}`);

function encodeRequest(
  request: Parameters<WireFormat['encode']>[0],
  options: GeminiWireOptions,
  context: WireContext,
): { readonly path: WireRequest['url']; readonly body: Body } {
  const { card } = context;
  const model = resourceOf(context);
  if (request.operation === 'chat') {
    const streams = context.streaming && card.capabilities.includes('streaming');
    const method = streams ? 'streamGenerateContent?alt=sse' : 'generateContent';
    return { path: `/${model}:${method}`, body: encodeChat(request, context) };
  }
  if (request.operation !== 'embed') throw unknownOperation(request.operation);
  const usual = encodeEmbedding(request, model, context);
  const { method, body } = options.embedding?.(usual, request, context) ?? usual;
  return { path: `/${model}:${method}`, body };
}

const unknownOperation = (operation: string): PolyphonyError =>
  new PolyphonyError(
    'unsupported',
    `This provider supports only chat and embeddings, not "${operation}": use a model that lists it.`,
  );
