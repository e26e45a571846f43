/** The wire format of the Messages API. */
import {
  asNumber,
  asRecord,
  defined,
  type ModelRequest,
  mergeFields,
  PolyphonyError,
  parseRateLimits,
  USUAL_TOOL_NAMES,
  type WireContext,
  type WireFormat,
  type WireRequest,
} from 'polyphony/kit';
import { decodeChat } from './decode.ts';
import { type Body, encodeChat } from './encode.ts';
import { classify } from './errors.ts';
import { ownTool } from './own-tools.ts';

const VERSION = '2023-06-01';

/**
 * `providerOptions` under the provider's id are merged into the body last; `betas`, a list,
 * becomes the header that enables previews.
 */
export const messagesWire: WireFormat = {
  endpoints: ['/messages/count_tokens', '/messages', '/models'],
  requests: { callIdCharacters: 'word' },
  encode(request, context) {
    const { headers, body } = messageOf(request, context);
    return { url: '/messages', headers, body: JSON.stringify(body) };
  },
  decode(response, request, context) {
    if (request.operation !== 'chat') throw notChat(request.operation);
    return decodeChat(response, request, context);
  },
  classify,
  rateLimits: parseRateLimits,
  toolNames: USUAL_TOOL_NAMES,
  // An assistant message holds no media.
  returnsMedia: () => false,
  ownTool,
  requestIdHeaders: ['request-id', 'cf-ray'],
  counting: {
    encode(request, context) {
      const { headers, body } = messageOf(request, context);
      const counted = defined(Object.fromEntries(COUNTED.map((name) => [name, body[name]])));
      return { url: '/messages/count_tokens', headers, body: JSON.stringify(counted) };
    },
    decode: (body) => asNumber(asRecord(body)?.input_tokens),
  },
};

function messageOf(
  request: ModelRequest,
  context: WireContext,
): Pick<WireRequest, 'headers'> & { readonly body: Body } {
  if (request.operation !== 'chat') throw notChat(request.operation);
  const { betas, ...options } = asRecord(request.providerOptions?.[context.target.provider]) ?? {};
  const headers: Record<string, string> = { 'content-type': 'application/json', ...authorisation(context.apiKey) };
  if (Array.isArray(betas) && betas.length > 0) headers['anthropic-beta'] = betas.join(',');
  return { headers, body: mergeFields(encodeChat(request, context), options) };
}

/** The fields that determine the input tokens; the counting endpoint rejects all others. */
const COUNTED = ['model', 'system', 'messages', 'tools', 'tool_choice', 'thinking', 'output_config'] as const;

export const authorisation = (apiKey: string | undefined): Record<string, string> => ({
  'anthropic-version': VERSION,
  ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
});

const notChat = (operation: string): PolyphonyError =>
  new PolyphonyError('unsupported', `This provider supports only chat, not "${operation}": use a model that lists it.`);
