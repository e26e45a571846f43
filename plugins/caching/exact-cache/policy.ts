/** Which calls the cache answers, and which answers it keeps. */
import { type Call, type ChatRequest, type ModelEvent, type ModelResponse, textOf } from 'polyphony/kit';

export interface CachePolicy {
  readonly cacheSampled: boolean;
  readonly cacheTools: boolean;
}

/**
 * False for calls that must reach a model every time: those that ask for it, regulated ones, images and sampling above
 * temperature 0 without a seed (the caller wants variety), requests that offer tools (a tool call has effects, so each one
 * needs a new decision), requests for the provider's raw body, and calls that exclude targets, whose answers may be stored.
 */
export function cacheable(call: Call, policy: CachePolicy): boolean {
  const { request, purpose } = call;
  if (purpose !== 'answer' && purpose !== 'planner') return false;
  if (call.exclude !== undefined && call.exclude.length > 0) return false;
  if (request.cache === 'skip' || request.sensitivity === 'regulated' || request.includeRaw === true) return false;
  if (request.operation === 'image') return policy.cacheSampled || request.seed !== undefined;
  if (request.operation !== 'chat') return true;
  if (!policy.cacheTools && (request.tools?.length ?? 0) > 0) return false;
  return policy.cacheSampled || (request.temperature ?? 0) <= 0 || request.seed !== undefined;
}

/** Only complete answers: not truncated, filtered, refused, paused, failed or empty ones; tool calls only where allowed. */
export function storable(response: ModelResponse, policy: CachePolicy): boolean {
  const { finishReason } = response;
  if (finishReason !== 'stop' && !(finishReason === 'tool-calls' && policy.cacheTools)) return false;
  if (response.refusal !== undefined || response.cached === true) return false;
  return response.output !== undefined || textOf(response).trim() !== '' || finishReason === 'tool-calls';
}

const OF_TIME =
  /\b(?:today|tonight|now|current(?:ly)?|latest|newest|recent(?:ly)?|yesterday|tomorrow|this (?:week|month|year|morning)|breaking|weather|heute|jetzt|aktuell\w*|gestern|aujourd.hui|maintenant|actuel\w*|hoy|ahora|oggi|adesso)\b/i;

/** True when the question sounds as if its answer changes over time: a guess that only shortens the storage time. */
export function timeSensitive(call: Call): boolean {
  const { request } = call;
  return request.operation === 'chat' && OF_TIME.test(lastQuestion(request).slice(-8000));
}

function lastQuestion({ messages }: ChatRequest): string {
  const last = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return typeof last === 'string' ? last : last.map((part) => (part.type === 'text' ? part.text : '')).join(' ');
}

/** The event as a cache hit: free of charge and marked as cached. */
export const asHit = (event: ModelEvent): ModelEvent =>
  event.type === 'finish' ? { ...event, cached: true, costNanoUsd: 0 } : event;

/** True for events with content, after which an answer cannot be restarted unnoticed. */
export const shows = (event: ModelEvent): boolean => event.type !== 'route' && event.type !== 'warning';
