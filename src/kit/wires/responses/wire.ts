/** The Responses wire: chat in items, whose reasoning can be sent back. Other operations use another wire. */
import { PolyphonyError } from '../../../core/errors.ts';
import type { JsonSchema, MediaPart, ProviderTool } from '../../../core/model/model.ts';
import type { TokenCounting, WireContext, WireFormat } from '../../../core/model/provider.ts';
import { httpError, readFailure } from '../../http/http-errors.ts';
import { parseRateLimits } from '../../http/rate-limits.ts';
import { asNumber, asRecord, defined } from '../../json/json-shape.ts';
import { typedTool } from '../../requests/provider-tools.ts';
import { USUAL_TOOL_NAMES } from '../../requests/tool-names.ts';
import { authorisation, REQUEST_ID_HEADERS } from '../chat-completions/wire.ts';
import { decodeChat } from './decode.ts';
import { encodeChat } from './encode.ts';
import { factsOf, type ResponsesFacts } from './facts.ts';
import { drawnItem } from './input.ts';

export interface ResponsesWireOptions extends ResponsesFacts {
  /** How the key is sent: `bearer`, or the name of a header that contains only the key. @default 'bearer' */
  readonly authorisation?: string;
  /** There is an endpoint that counts input tokens. @default false */
  readonly countsTokens?: boolean;
}

/** The fields that affect the input; the endpoint accepts no others. */
const COUNTED = [
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'reasoning',
  'text',
] as const;

/** Uses one wire for chats with models whose card has `wire: { api: 'responses' }`, and the other for everything else. */
export function wireByCard(responses: WireFormat, others: WireFormat): WireFormat {
  const wireOf = ({ card }: WireContext): WireFormat => (card.wire?.api === 'responses' ? responses : others);
  return {
    ...others,
    // A model counts the same on both wires.
    ...defined({ counting: responses.counting }),
    encode: (request, context) => wireOf(context).encode(request, context),
    ownTool: (tool, context) => wireOf(context).ownTool?.(tool, context),
    returnsMedia: (part, context) => wireOf(context).returnsMedia?.(part, context) ?? true,
    decode: (response, request, context) => wireOf(context).decode(response, request, context),
  };
}

/** `code-execution` is the code interpreter in a container of the provider; every other name is the type of the tool. */
const ownTool = (tool: ProviderTool): JsonSchema => {
  if (tool.name !== 'code-execution') return typedTool(tool);
  return typedTool({ ...tool, name: 'code_interpreter' }, { container: { type: 'auto' } });
};

/** Images go back as the items that they came in. */
const returnsMedia = (part: MediaPart, { target }: WireContext): boolean =>
  drawnItem(part, target.provider) !== undefined;

/** `others` is the wire for all other operations; without it, they are refused. */
export function responsesWire(options: ResponsesWireOptions = {}, others?: WireFormat): WireFormat {
  const otherWire = (operation: string): WireFormat => {
    if (others !== undefined) return others;
    throw new PolyphonyError(
      'unsupported',
      `This wire format supports only "chat", not "${operation}": use a model that lists it.`,
    );
  };
  const headers = ({ apiKey }: WireContext): Record<string, string> => ({
    'content-type': 'application/json',
    ...authorisation(options, apiKey),
  });
  return {
    endpoints: others?.endpoints ?? ['/responses', '/chat/completions'],
    ...defined({ requests: others?.requests }),
    ...(options.countsTokens === true ? { counting: countingOf(options, headers) } : {}),
    encode(request, context) {
      if (request.operation !== 'chat') return otherWire(request.operation).encode(request, context);
      return {
        url: '/responses',
        headers: headers(context),
        body: JSON.stringify(encodeChat(request, factsOf(options, context), context)),
      };
    },
    decode(response, request, context) {
      if (request.operation !== 'chat') return otherWire(request.operation).decode(response, request, context);
      return decodeChat(response, request, factsOf(options, context), context);
    },
    classify: (status, headers, body) => httpError(readFailure(status, body, headers)),
    rateLimits: parseRateLimits,
    toolNames: USUAL_TOOL_NAMES,
    returnsMedia: (part, context) => returnsMedia(part, context),
    ownTool,
    requestIdHeaders: REQUEST_ID_HEADERS,
  };
}

function countingOf(
  options: ResponsesWireOptions,
  headers: (context: WireContext) => Record<string, string>,
): TokenCounting {
  return {
    encode(request, context) {
      if (request.operation !== 'chat') {
        throw new PolyphonyError(
          'unsupported',
          `Tokens can be counted only for "chat", not for "${request.operation}": use an estimate instead.`,
        );
      }
      const body: Readonly<Record<string, unknown>> = encodeChat(request, factsOf(options, context), context);
      const counted = defined(Object.fromEntries(COUNTED.map((name) => [name, body[name]])));
      return { url: '/responses/input_tokens', headers: headers(context), body: JSON.stringify(counted) };
    },
    decode: (body) => asNumber(asRecord(body)?.input_tokens),
  };
}
