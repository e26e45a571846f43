/**
 * Azure OpenAI: model ids are the names of your deployments. Key: AZURE_OPENAI_API_KEY with AZURE_OPENAI_ENDPOINT, both read
 * at each request, or a function that gets a token of Microsoft Entra ID. Requests go to `/openai/v1`; with an
 * `apiVersion`, to the older API with a path per deployment. Prices are those of your contract: give them in `models`.
 */
import {
  type ChatCompletionsQuirks,
  type ChatCompletionsVendorOptions,
  chatCompletionsProvider,
  definePlugin,
  PolyphonyError,
  type Provider,
  rememberSecret,
  responsesWire,
  type WireFormat,
} from 'polyphony/kit';

export type AzureOpenAIOptions = ChatCompletionsVendorOptions & {
  /** The first half of `provider/model`. @default 'azure-openai' */
  readonly id?: string;
  /** `https://<resource>.openai.azure.com`. @default AZURE_OPENAI_ENDPOINT */
  readonly endpoint?: string;
  /** A dated version, for paths per deployment. @default none: `/openai/v1` */
  readonly apiVersion?: string;
  /** Gets a token of Microsoft Entra ID. Called before each request, so it should cache. @default the key */
  readonly token?: () => string | Promise<string>;
  /** The wire format of chats; `responses` needs the undated version. @default 'chat-completions' */
  readonly api?: 'chat-completions' | 'responses';
};

/** @throws invalid-config when an option is malformed, or `responses` is combined with a dated version */
export function azureOpenAI(given: AzureOpenAIOptions = {}): Provider {
  const { endpoint, apiVersion, token, api = 'chat-completions', ...options } = given;
  if (api === 'responses' && apiVersion !== undefined) {
    const remedy = 'leave apiVersion out to use /openai/v1, or use chat completions.';
    throw new PolyphonyError('invalid-config', `The Responses API does not support "apiVersion": ${remedy}`);
  }
  const quirks: ChatCompletionsQuirks = {
    authorisation: 'api-key',
    maxTokensField: 'max_completion_tokens',
    strictSchemas: true,
    omit: ['top_k'],
    // The name of a deployment does not show its model, and most of today's image models refuse the field.
    imageFormat: 'none',
    ...(apiVersion === undefined ? {} : { paths: datedPaths(apiVersion) }),
  };
  return chatCompletionsProvider({
    id: 'azure-openai',
    baseURL: () => baseOf(endpoint ?? process.env.AZURE_OPENAI_ENDPOINT, apiVersion),
    keyVariable: 'AZURE_OPENAI_API_KEY',
    requiresKey: token === undefined,
    listsModels: token === undefined && apiVersion === undefined,
    // A deployment may have the name of a model that it does not run.
    listedPrices: false,
    embeddingBatch: { texts: 2048 },
    quirks,
    wire: (chatCompletions) => {
      const facts = { authorisation: 'api-key', strictSchemas: true, leastOutputTokens: 16 };
      const chosen = api === 'responses' ? responsesWire(facts, chatCompletions) : chatCompletions;
      const wire: WireFormat = { ...chosen, callerIdHeader: 'x-ms-client-request-id' };
      return token === undefined ? wire : withToken(wire, token);
    },
    ...options,
  });
}

function baseOf(endpoint: string | undefined, apiVersion: string | undefined): string {
  if (!endpoint) {
    const remedy = 'set AZURE_OPENAI_ENDPOINT, such as https://name.openai.azure.com, or pass endpoint.';
    throw new PolyphonyError('invalid-config', `There is no Azure endpoint: ${remedy}`);
  }
  // The portal shows the address of one deployment, with its version.
  const address = endpoint.trim().replace(/[?#].*$/s, '');
  const api = address.search(/\/openai(\/|$)/);
  const host = (api === -1 ? address : address.slice(0, api)).replace(/\/+$/, '');
  return apiVersion === undefined ? `${host}/openai/v1` : `${host}/openai`;
}

function datedPaths(apiVersion: string): NonNullable<ChatCompletionsQuirks['paths']> {
  const path = (operation: string): string =>
    `/deployments/{model}/${operation}?api-version=${encodeURIComponent(apiVersion)}`;
  return {
    chat: path('chat/completions'),
    embed: path('embeddings'),
    image: path('images/generations'),
    imageEdit: path('images/edits'),
  };
}

/** Sends the token instead of the key. */
const withToken = (wire: WireFormat, token: () => string | Promise<string>): WireFormat => ({
  ...wire,
  async encode(request, context) {
    const encoded = await wire.encode(request, { ...context, apiKey: undefined });
    const bearer = (await token()).trim();
    rememberSecret(bearer);
    return { ...encoded, headers: { ...encoded.headers, authorization: `Bearer ${bearer}` } };
  },
});

export default definePlugin({ name: 'azure-openai', providers: [azureOpenAI()] });
