/**
 * Ollama over its own wire format: chat and embeddings by models on your own machine, or in its cloud with OLLAMA_API_KEY.
 * OLLAMA_HOST is the server's address; a local server needs no key. The server is asked for its models.
 */
import {
  apiKeysOf,
  CHAT_CAPABILITIES,
  cardsOf,
  definePlugin,
  httpError,
  httpProvider,
  type ModelCard,
  type ModelCardFields,
  modelCard,
  PolyphonyError,
  type Provider,
  parseRateLimits,
  readFailure,
  type Target,
  type VendorOptions,
  type WireFormat,
  withProviderOptions,
} from 'polyphony/kit';
import { decodeChat, decodeEmbedding } from './ollama/decode.ts';
import { encodeChat, encodeEmbedding } from './ollama/encode.ts';
import { pulledModels } from './ollama/listing.ts';

export interface OllamaOptions extends VendorOptions {
  /** Needed only by the cloud. */
  readonly apiKey?: string;
  /** Without `/api`. @default OLLAMA_HOST, else 'http://127.0.0.1:11434' */
  readonly baseURL?: string | ((target: Target) => string);
  /**
   * The models that the router may choose; any other may be requested by name. An id without more makes a card.
   * @default those that the server has, which is asked for them when the polyphony is created
   */
  readonly models?: readonly (string | ModelCardFields)[];
  /** Requests at the same time, few because a server on one machine handles few. @default 4 */
  readonly concurrency?: number;
}

/** The user's own machine costs nothing per token, and no third party retains data. */
const OWN_MACHINE = {
  operations: ['chat', 'embed'],
  capabilities: [...CHAT_CAPABILITIES.filter((name) => name !== 'tool-choice'), 'seed', 'penalties'],
  retention: 'none',
  price: { input: 0, output: 0, source: 'a server of your own' },
} as const satisfies Partial<ModelCardFields>;
const CLOUD = { ...OWN_MACHINE, retention: 'unknown', price: null } as const satisfies Partial<ModelCardFields>;

/** @throws invalid-config when an option is malformed */
export function ollama(options: OllamaOptions = {}): Provider {
  const { id = 'ollama', baseURL = addressOf, models = [], concurrency = 4, apiKey, apiKeys, ...rest } = options;
  const keys = apiKeysOf({ apiKey, apiKeys }, 'OLLAMA_API_KEY');
  const facts = (): Partial<ModelCardFields> => (inCloud(baseURL) ? CLOUD : OWN_MACHINE);
  const undescribed = (model: string): ModelCard => modelCard({ id: model, ...facts() });
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL,
    concurrency,
    models: cardsOf(models, facts(), undescribed),
    unlisted: undescribed,
    apiKeys: keys,
    ...(models.length > 0
      ? {}
      : {
          async listing(context) {
            const options = { shared: facts(), headers: authorisation(context.apiKey), describe: !inCloud(baseURL) };
            return (await pulledModels(context, options)).map(modelCard);
          },
        }),
    probe: (context) => ({ url: `${context.baseURL}/api/version`, headers: authorisation(context.apiKey) }),
  });
}

function inCloud(baseURL: NonNullable<OllamaOptions['baseURL']>): boolean {
  return typeof baseURL === 'string' ? /^https:\/\/([^/]*\.)?ollama\.com/.test(baseURL) : inCloud(addressOf());
}

/** OLLAMA_HOST as the server itself reads it: scheme and port may be missing, and 0.0.0.0 cannot be connected to. */
function addressOf(): string {
  const host = (process.env.OLLAMA_HOST ?? '').trim().replace(/\/+$/, '');
  if (host === '') return 'http://127.0.0.1:11434';
  if (/^https?:\/\//.test(host)) return host.replace('//0.0.0.0', '//127.0.0.1');
  const named = host.startsWith(':') ? `127.0.0.1${host}` : host.replace(/^0\.0\.0\.0/, '127.0.0.1');
  return `http://${/:\d+$/.test(named) ? named : `${named}:11434`}`;
}

const authorisation = (apiKey: string | undefined): Record<string, string> =>
  apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };

const wire: WireFormat = {
  // The address of the server itself, without the parts under which it has its interfaces.
  endpoints: ['/api/*', '/api', '/v1/chat/completions', '/v1'],
  encode(request, context) {
    const [url, body] = encodeOperation(request, context);
    return {
      url,
      headers: { 'content-type': 'application/json', ...authorisation(context.apiKey) },
      body: JSON.stringify(withProviderOptions(body, request, context)),
    };
  },
  decode(response, request, context) {
    if (request.operation === 'chat') return decodeChat(response, request, context);
    if (request.operation === 'embed') return decodeEmbedding(response, request);
    throw unknown(request.operation);
  },
  classify: (status, headers, body) => httpError(readFailure(status, body, headers)),
  rateLimits: parseRateLimits,
  // An assistant message holds no media.
  returnsMedia: () => false,
  // The server itself sends no id; the proxy in front of it in the cloud does.
  requestIdHeaders: ['x-request-id', 'cf-ray'],
};

function encodeOperation(...[request, context]: Parameters<WireFormat['encode']>): readonly [string, object] {
  if (request.operation === 'chat') return ['/api/chat', encodeChat(request, context)];
  if (request.operation === 'embed') return ['/api/embed', encodeEmbedding(request, context)];
  throw unknown(request.operation);
}

const unknown = (operation: string): PolyphonyError =>
  new PolyphonyError('unsupported', `This provider does not support "${operation}": use a model that lists it.`);

export default definePlugin({ name: 'ollama', providers: [ollama()] });
