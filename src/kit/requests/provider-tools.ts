/** Tools that a provider runs itself, as fields that are merged into the body like `providerOptions`. */
import { PolyphonyError } from '../../core/errors.ts';
import type { JsonSchema, ModelRequest, ProviderTool, Target } from '../../core/model/model.ts';
import type { BilledSearches, ModelCard, WireContext, WireFormat } from '../../core/model/provider.ts';
import { systemClock } from '../../system/clock.ts';
import { asRecord } from '../json/json-shape.ts';
import { mergeFields } from './provider-options.ts';

/**
 * The request with its provider's own tools among its options; itself where it has none.
 *
 * @throws unsupported for a tool that the provider does not have, so that another target is asked
 */
export function withOwnTools<Request extends ModelRequest>(
  request: Request,
  wire: Pick<WireFormat, 'ownTool'>,
  context: WireContext,
): Request {
  if (request.operation !== 'chat' || request.providerTools === undefined) return request;
  const { provider: id } = context.target;
  let options: JsonSchema = {};
  for (const tool of request.providerTools) {
    const fields = tool.provider === undefined || tool.provider === id ? wire.ownTool?.(tool, context) : undefined;
    if (fields === undefined) throw missing(tool, id);
    options = mergeFields(options, fields);
  }
  // What the caller gave for the body itself comes last.
  const given = asRecord(request.providerOptions?.[id]);
  const merged = given === undefined ? options : mergeFields(options, given);
  return { ...request, providerOptions: { ...request.providerOptions, [id]: merged } };
}

/** The searches that a request asks for, by its options as well as by tools of the provider among its own. */
export function countingOwnTools(
  { fee, most }: BilledSearches,
  wire: Pick<WireFormat, 'ownTool'>,
  provider: string,
  cardOf: (target: Target) => ModelCard,
): BilledSearches {
  return {
    fee,
    most(request, model) {
      if (request.operation !== 'chat' || request.providerTools === undefined) return most(request, model);
      try {
        const target = { provider, model };
        return most(withOwnTools(request, wire, { ...UNSENT, card: cardOf(target), target }), model);
      } catch {
        // A tool or a model that the provider does not have: the request is refused before it is sent.
        return most(request, model);
      }
    },
  };
}

const ignore = (): void => {};
const UNSENT = { baseURL: '', apiKey: undefined, streaming: false, clock: systemClock, warn: ignore, report: ignore };

function missing({ name, provider }: ProviderTool, id: string): PolyphonyError {
  const remedy =
    provider === undefined ? 'choose a model of a provider that has it' : `choose a model of "${provider}"`;
  return new PolyphonyError('unsupported', `The provider "${id}" has no tool "${name}" of its own: ${remedy}.`);
}

/** A tool that is an object with its name as `type`, as several APIs write it: `web-search` is `{ type: 'web_search' }`. */
export function typedTool({ name, options = {} }: ProviderTool, known: JsonSchema = {}): JsonSchema {
  return { tools: [mergeFields({ type: name.replaceAll('-', '_'), ...known }, options)] };
}
