/**
 * Amazon Bedrock: chat over the Converse API, models of many vendors behind one interface, and embeddings. A Bedrock API key is sent as a bearer
 * token (AWS_BEARER_TOKEN_BEDROCK), an access key signs every request (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY). The region
 * is that of the ARN, else the target's, else AWS_REGION.
 */
import {
  asNumber,
  asRecord,
  cardsOf,
  defined,
  definePlugin,
  httpProvider,
  type ModelCardFields,
  PolyphonyError,
  type Provider,
  sendableJson,
  type Target,
  USUAL_TOOL_NAMES,
  type VendorOptions,
  type WireContext,
  type WireFormat,
  type WireRequest,
  withProviderOptions,
} from 'polyphony/kit';
import { MODELS } from './bedrock/cards.ts';
import { authorise, type CredentialOptions, type Credentials, credentialsOf } from './bedrock/credentials.ts';
import { decodeChat } from './bedrock/decode.ts';
import { batchOf, decodeEmbedding, encodeEmbedding } from './bedrock/embeddings.ts';
import { encodeChat } from './bedrock/encode.ts';
import { classify } from './bedrock/errors.ts';
import { CHAT, regionOfArn, undescribed } from './bedrock/facts.ts';

export interface BedrockOptions extends CredentialOptions, Omit<VendorOptions, 'apiKey' | 'apiKeys'> {
  /** The region of targets that name none. @default AWS_REGION, else AWS_DEFAULT_REGION */
  readonly region?: string;
  /** Regions that the router may choose among. @default the one region */
  readonly regions?: readonly string[];
  /** @default 'https://bedrock-runtime.<region>.amazonaws.com' */
  readonly baseURL?: string | ((target: Target) => string);
  /** Replaces the built-in models; an id (also of an inference profile, or an ARN) makes a card without a price. */
  readonly models?: readonly (string | ModelCardFields)[];
}

/** @throws invalid-config when an option is malformed */
export function bedrock(options: BedrockOptions = {}): Provider {
  const {
    id = 'bedrock',
    models = MODELS,
    apiKey,
    apiKeys,
    credentials: given,
    region,
    baseURL,
    embeddingBatch = batchOf,
    ...rest
  } = options;
  const credentials = credentialsOf({
    ...defined({ apiKey, apiKeys, credentials: given }),
  });
  const regionOf = (target: Target): string =>
    regionOfArn(target.model) ?? target.region ?? region ?? regionOfEnvironment();
  return httpProvider({
    ...rest,
    id,
    wire: converseWire(credentials, regionOf),
    baseURL: baseURL ?? ((target) => `https://bedrock-runtime.${regionOf(target)}.amazonaws.com`),
    models: cardsOf(models, CHAT, undescribed),
    unlisted: undescribed,
    apiKeys: credentials.secrets,
    embeddingBatch,
  });
}

/** @throws invalid-config when neither the options nor the environment name a region */
function regionOfEnvironment(): string {
  const region = process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION;
  if (region) return region;
  throw new PolyphonyError('invalid-config', 'There is no region: set AWS_REGION, or pass region.');
}

function converseWire(credentials: Credentials, regionOf: (target: Target) => string): WireFormat {
  const signed = async (url: string, content: unknown, context: WireContext): Promise<WireRequest> => {
    const body = sendableJson(content);
    const proof = await authorise(credentials, { url, body, region: regionOf(context.target) }, context);
    return { url, headers: { 'content-type': 'application/json', ...proof }, body };
  };
  return {
    endpoints: ['/model/*/converse-stream', '/model/*/converse', '/model/*/invoke', '/model/*/count-tokens'],
    requests: { callIdCharacters: 'word' },
    encode(request, context) {
      const { card, streaming, baseURL } = context;
      const address = `${baseURL}/model/${escaped(card.id)}`;
      if (request.operation === 'embed') {
        return signed(
          `${address}/invoke`,
          withProviderOptions(encodeEmbedding(request, context), request, context),
          context,
        );
      }
      if (request.operation !== 'chat') throw unknownOperation(request.operation);
      const streams = streaming && card.capabilities.includes('streaming');
      const url = `${address}/${streams ? 'converse-stream' : 'converse'}`;
      return signed(url, withProviderOptions(encodeChat(request, context), request, context), context);
    },
    decode(response, request, context) {
      if (request.operation === 'embed') return decodeEmbedding(response, request);
      if (request.operation !== 'chat') throw unknownOperation(request.operation);
      return decodeChat(response, request, context);
    },
    classify,
    toolNames: USUAL_TOOL_NAMES,
    // Tools that the provider runs are named alone; the search of its own models is grounding.
    ownTool: ({ name, options = {} }) => ({
      toolConfig: { tools: [{ systemTool: { name: name === 'web-search' ? 'nova_grounding' : name, ...options } }] },
    }),
    returnsMedia: (part, { target }) => part.family === target.provider,
    requestIdHeaders: ['x-amzn-requestid'],
    counting: {
      encode(request, context) {
        if (request.operation !== 'chat') throw unknownOperation(request.operation);
        const { card, baseURL } = context;
        const { messages, system, toolConfig } = withProviderOptions(encodeChat(request, context), request, context);
        const url = `${baseURL}/model/${escaped(card.id.replace(PROFILE, ''))}/count-tokens`;
        return signed(url, { input: { converse: defined({ messages, system, toolConfig }) } }, context);
      },
      decode: (body) => asNumber(asRecord(body)?.inputTokens),
    },
  };
}

/** Prefixes of inference profiles, which spread calls over regions: only models can count tokens. */
const PROFILE = /^(?:global|us|eu|apac|jp|au|ca|us-gov)\./;

/** Ids contain colons, and those of profiles slashes: the whole id is one segment of the path. */
const escaped = (id: string): string =>
  encodeURIComponent(id).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

const unknownOperation = (operation: string): PolyphonyError =>
  new PolyphonyError(
    'unsupported',
    `This provider supports only chat and embeddings, not "${operation}": use a model that lists it.`,
  );

export default definePlugin({ name: 'bedrock', providers: [bedrock()] });
