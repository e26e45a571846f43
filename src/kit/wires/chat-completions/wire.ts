/** The chat-completions wire, which most servers of language models use, each with its own quirks. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { ModelRequest } from '../../../core/model/model.ts';
import type { WireContext, WireFormat } from '../../../core/model/provider.ts';
import { httpError, readFailure, withUsualNames } from '../../http/http-errors.ts';
import { parseRateLimits } from '../../http/rate-limits.ts';
import { withProviderOptions } from '../../requests/provider-options.ts';
import { typedTool } from '../../requests/provider-tools.ts';
import { USUAL_TOOL_NAMES } from '../../requests/tool-names.ts';
import { decodeChat } from './decode-chat.ts';
import { applyQuirks, encodeChat, type WireBody } from './encode-chat.ts';
import { returnsMedia } from './media.ts';
import { decodeOperation, encodeEmbedding, encodeImage, encodeModeration } from './operations.ts';
import { type ChatCompletionsQuirks, quirksOf } from './quirks.ts';

/**
 * Chat, embeddings, images and moderation. `providerOptions` under the provider's id are merged into the body last.
 */
export function chatCompletionsWire(quirks: ChatCompletionsQuirks = {}): WireFormat {
  return {
    endpoints: endpointsOf(quirks),
    requests: {
      callIdLength: CALL_ID_LENGTH,
      ...(quirks.imageTypes === undefined ? {} : { imageTypes: quirks.imageTypes }),
    },
    encode(request, context) {
      const own = quirksOf(quirks, context);
      const { path, body } = encodeRequest(request, own, context);
      const adapted = applyQuirks(body, own, context);
      return {
        url: path.replace('{model}', encodeURIComponent(context.card.id)),
        headers: { 'content-type': 'application/json', ...authorisation(own, context.apiKey) },
        body: JSON.stringify(withProviderOptions(adapted, request, context)),
      };
    },
    decode(response, request, context) {
      return request.operation === 'chat'
        ? decodeChat(response, request, quirksOf(quirks, context), context)
        : decodeOperation(response, request, context, quirksOf(quirks, context));
    },
    classify: (status, headers, body) =>
      httpError(withUsualNames(readFailure(status, body, headers), quirks.errorNames)),
    rateLimits: parseRateLimits,
    toolNames: USUAL_TOOL_NAMES,
    // Each server has its own tools, and refuses those of others.
    ownTool: (tool) => typedTool(tool),
    returnsMedia: (part, context) => returnsMedia(part, quirksOf(quirks, context), context),
    requestIdHeaders: REQUEST_ID_HEADERS,
  };
}

/** Of the strictest server; ids of others are longer. */
const CALL_ID_LENGTH = 40;
const ENDPOINTS = [
  '/chat/completions',
  '/completions',
  '/responses',
  '/embeddings',
  '/images/generations',
  '/images/edits',
  '/moderations',
  '/models',
];

/** The usual ones, and the paths of the server's own. */
function endpointsOf({ paths = {} }: ChatCompletionsQuirks): readonly string[] {
  const own = Object.values(paths).map((path) => path.replace(/\?.*$/, '').replace('{model}', '*'));
  return [...own, ...ENDPOINTS];
}

/** Set by the server itself, a gateway before it, or the network before both. */
export const REQUEST_ID_HEADERS: readonly string[] = ['x-request-id', 'request-id', 'apim-request-id', 'cf-ray'];

/** The header with the key; none without a key. */
export function authorisation(
  quirks: Pick<ChatCompletionsQuirks, 'authorisation'>,
  apiKey: string | undefined,
): Record<string, string> {
  if (apiKey === undefined) return {};
  const { authorisation: way = 'bearer' } = quirks;
  return way === 'bearer' ? { authorization: `Bearer ${apiKey}` } : { [way]: apiKey };
}

function encodeRequest(
  request: ModelRequest,
  quirks: ChatCompletionsQuirks,
  context: WireContext,
): { path: string; body: WireBody } {
  const { paths = {} } = quirks;
  switch (request.operation) {
    case 'chat':
      return { path: paths.chat ?? '/chat/completions', body: encodeChat(request, quirks, context) };
    case 'embed':
      return { path: paths.embed ?? '/embeddings', body: encodeEmbedding(request, quirks, context) };
    case 'image': {
      const path =
        request.image === undefined ? (paths.image ?? '/images/generations') : (paths.imageEdit ?? '/images/edits');
      const { model, ...rest } = encodeImage(request, quirks, context);
      // A path that names the deployment does not want it named again.
      return { path, body: path.includes('{model}') ? rest : { model, ...rest } };
    }
    case 'moderate':
      return { path: paths.moderate ?? '/moderations', body: encodeModeration(request, context) };
    case 'rerank':
      throw new PolyphonyError('unsupported', 'This wire format does not support "rerank": use a model that lists it.');
  }
}
