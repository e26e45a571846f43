/** The Messages wire. */
import { PolyphonyError, type WireFormat } from 'polyphony';
import { parseRateLimits } from 'polyphony/kit';
import { decodeChat } from './decode.ts';
import { encodeChat } from './encode.ts';
import { classify } from './errors.ts';

const VERSION = '2023-06-01';

/**
 * `providerOptions` under the provider's id are merged into the body last, field by field; `betas` among them, a list,
 * becomes the header that switches previews on.
 */
export const messagesWire: WireFormat = {
  encode(request, context) {
    if (request.operation !== 'chat') throw notChat(request.operation);
    const { betas, ...options } = request.providerOptions?.[context.target.provider] ?? {};
    const headers: Record<string, string> = { 'content-type': 'application/json', ...authorisation(context.apiKey) };
    if (Array.isArray(betas) && betas.length > 0) headers['anthropic-beta'] = betas.join(',');
    return { url: '/messages', headers, body: JSON.stringify({ ...encodeChat(request, context), ...options }) };
  },
  decode(response, request, context) {
    if (request.operation !== 'chat') throw notChat(request.operation);
    return decodeChat(response, request, context);
  },
  classify: (status, _headers, body) => classify(status, body),
  rateLimits: parseRateLimits,
};

export const authorisation = (apiKey: string | undefined): Record<string, string> => ({
  'anthropic-version': VERSION,
  ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
});

const notChat = (operation: string): PolyphonyError =>
  new PolyphonyError('unsupported', `This wire knows chat alone, not "${operation}": ask a model that lists it.`);
