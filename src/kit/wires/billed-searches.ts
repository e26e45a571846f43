/** The searches that a request asks a provider's own tools for, by the fields in its `providerOptions`. */
import type { ModelRequest } from '../../core/model/model.ts';
import { asList, asNumber, asRecord, type JsonRecord } from '../json/json-shape.ts';

/** The options of a request under the provider's id. */
export const ownOptions = (request: ModelRequest, provider: string): JsonRecord =>
  asRecord(request.providerOptions?.[provider]) ?? {};

/** The provider's own tools that a request names and `isSearch` accepts. */
export const ownTools = (request: ModelRequest, provider: string, isSearch: (tool: JsonRecord) => boolean) =>
  request.providerOptions === undefined
    ? []
    : (asList(ownOptions(request, provider).tools) ?? []).map((tool) => asRecord(tool) ?? {}).filter(isSearch);

/** A bound as it stands in a request: a number from 0; anything else sets none. */
export function boundOf(value: unknown): number {
  const bound = asNumber(value);
  return bound === undefined || bound < 0 ? Number.POSITIVE_INFINITY : Math.ceil(bound);
}

const isWebSearch = ({ type }: JsonRecord): boolean => typeof type === 'string' && /^(web|x)_search/.test(type);

/** On the Responses wire: `max_tool_calls`, if there is a tool that searches. */
export const responsesSearches = (request: ModelRequest, provider: string): number =>
  ownTools(request, provider, isWebSearch).length === 0 ? 0 : boundOf(ownOptions(request, provider).max_tool_calls);
