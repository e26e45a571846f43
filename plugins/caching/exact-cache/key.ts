/** The key under which equal calls share an answer. */
import { createHash } from 'node:crypto';
import type { Call, Message, ModelRequest, Part } from 'polyphony/kit';

/** Who may get an answer that was made for another caller. */
export type CacheSharing = 'user' | 'tenant' | 'everyone';

/** Increased when the meaning of a key or the shape of an entry changes, so that older entries are never found. */
const VERSION = 1;

/**
 * SHA-256 in hex over the whole request, except fields that cannot change the answer. These are excluded by name, so that a
 * new field is part of the key by default. The key order inside schemas, tool arguments and provider options is kept,
 * because models see it.
 */
export function cacheKey(call: Call, sharing: CacheSharing): string {
  const text = JSON.stringify([VERSION, answerOf(call.request), audienceOf(call, sharing)]);
  return createHash('sha256').update(text).digest('hex');
}

function answerOf(request: ModelRequest): unknown {
  const { cache: _cache, onStreamFailure: _failure, limits, model, ...rest } = request;
  const { ms: _ms, attemptMs: _attemptMs, retries: _retries, ...choosing } = limits ?? {};
  const fields: Record<string, unknown> = {
    model: typeof model === 'string' ? { id: model } : model,
    limits: sorted(choosing),
    ...rest,
  };
  // The audience covers who asks; providers use this id only to trace abuse.
  delete fields.user;
  delete fields.hedge;
  if (request.operation === 'chat') fields.messages = request.messages.map(messageOf);
  return sorted(fields);
}

function messageOf(message: Message): unknown {
  const { content } = message;
  const parts: readonly Part[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return sorted({ ...message, content: parts.map((part) => sorted({ ...part })) });
}

function audienceOf(call: Call, sharing: CacheSharing): readonly (string | null)[] {
  // The answer to a personal request is for its user only.
  const narrow = sharing === 'user' || call.request.sensitivity === 'personal';
  const asked = call.request.operation === 'chat' ? (call.request.user ?? null) : null;
  const tenant = sharing === 'everyone' ? null : scopeOf(call, 'tenant');
  return narrow ? [tenant, scopeOf(call, 'user'), asked] : [tenant];
}

const scopeOf = (call: Call, kind: 'tenant' | 'user'): string | null =>
  call.scopes.find((scope) => scope.kind === kind)?.id ?? null;

/** The same object with its own keys sorted; nested objects keep their order. */
function sorted(value: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
