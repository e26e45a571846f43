/**
 * Classifies error responses. Statuses alone mislead (a used-up quota can be a 429, a wrong key a 400, a long prompt a 500),
 * so the words that servers use are also read; only error responses are read, never answers.
 */

import { defined } from '../../core/defined.ts';
import { type ErrorCode, PolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import { asList, asNumber, asRecord, asText, type JsonRecord, tryParseJson } from '../json/json-shape.ts';
import { withoutTags } from './without-tags.ts';

export interface HttpFailure {
  /** The status of the response, or the one that an error inside a successful answer implies. */
  readonly status: number;
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
}

const REMEDIES: Partial<Record<ErrorCode, string>> = {
  'rate-limited': 'Wait, send fewer requests at the same time, or add a credential.',
  overloaded: 'Try again, or use another provider.',
  timeout: 'Try again, or use another provider.',
  'invalid-credential': 'Check the key, its rights and the credit of the account.',
  'context-window': 'Shorten the input, or use a model with a larger context window.',
  'content-policy': 'Rephrase the input, or use another model.',
  'model-not-found': 'Check the name of the model and whether the account may use it.',
  unsupported: 'Leave that feature out, or use a model that supports it.',
  'invalid-request': 'Correct the request.',
};

const CONTEXT_WORDS =
  /context[_ ](length|window|size)|maximum context|max(imum)? (prompt|input|sequence) length|(prompt|input|messages?|request)( is| are|:)? too (long|large)|too_many_prompt_tokens|total length of all messages|exceeds? the (maximum number of tokens|model'?s? (context|maximum)|limit of \d+ tokens)|reduce the length of|too many (input |prompt )?tokens|string_above_max_length|input (token count|length) .*exceeds/;
const QUOTA_WORDS =
  /insufficient[_ ](quota|balance|credits?|funds)|exceeded your current quota|credit balance is too low|billing|payment required|out of credits|arrearage|not enough credits/;
const POLICY_WORDS =
  /content[_ ]?(filter|policy|management|moderation)|responsibleaipolicy|moderation_blocked|safety (system|setting|policy|reasons)|usage polic(y|ies)|data_inspection_failed|flagged|prohibited[_ ]content|sensitive[_ ](content|words)|inappropriate content/;
const KEY_WORDS =
  /(invalid|incorrect|missing|expired|wrong|no|bad)[_ ]?(api|access|authentication|auth)?[_ -]?(key|token|credentials?)( provided)?\b|api[_ ]key not (valid|found)|authentication[_ ](error|fails?|failed)|unauthorized|account (is )?(deactivated|suspended)/;
const MODEL_WORDS =
  /model[_ ]not[_ ](found|available|exist)|model_decommissioned|(model|engine|deployment)\b.{0,120}\b(not found|does not exist|doesn't exist|not exist|no longer (available|supported)|has been (deprecated|decommissioned|retired))|unknown model|invalid model|no such model|(access to|embeddings from this) model|not a valid model|no endpoints found for/;
const UNSUPPORTED_WORDS =
  /unsupported[_ ](parameter|value|feature|modality)|does(n't| not) support|(is|are) not supported|not supported (with|by|for)|unsupported_/;
const OVERLOAD_WORDS =
  /overloaded|capacity[_ ]?exceeded|no (healthy|available) (upstream|instances?)|service[_ ]unavailable/;
const LIMIT_WORDS = /rate[_ ]?limit|too many requests|quota exceeded|resource[_ ]exhausted|throttl/;

/** Most characters of an error that are searched for words: whoever sends more does not say it better. */
const MAX_WORDS = 4096;
/** Most characters of a message that are kept, so that every wire may search them as well. */
const MAX_MESSAGE = 4096;

/** The error of an error response. Its message has the status, the server's message and the remedy. */
export function httpError(failure: HttpFailure): PolyphonyError {
  const code = codeOf(failure);
  const said = failure.message.trim() === '' ? 'no reason given' : firstOf(failure.message.trim(), 1000);
  const named = (failure.code ?? failure.type)?.slice(0, 200);
  const remedy = REMEDIES[code];
  const whole = `HTTP ${failure.status}: ${said}${named === undefined ? '' : ` (${named})`}`;
  const message = remedy === undefined ? whole : `${/[.!?)]$/.test(whole) ? whole : `${whole}.`} ${remedy}`;
  return new PolyphonyError(code, message, {
    status: failure.status,
    ...defined({ retryAfterMs: failure.retryAfterMs, details: failure.details }),
  });
}

function codeOf({ status, message, type, code }: HttpFailure): ErrorCode {
  const words = `${type ?? ''} ${code ?? ''} ${message}`.slice(0, MAX_WORDS).toLowerCase();
  if (status === 402 || QUOTA_WORDS.test(words)) return 'invalid-credential';
  if (status === 429) return OVERLOAD_WORDS.test(words) && !LIMIT_WORDS.test(words) ? 'overloaded' : 'rate-limited';
  if (CONTEXT_WORDS.test(words) || status === 413) return 'context-window';
  if (status === 401) return 'invalid-credential';
  if (status >= 500) return serverCode(status);
  if (POLICY_WORDS.test(words)) return 'content-policy';
  if (MODEL_WORDS.test(words)) return 'model-not-found';
  if (status === 403 || KEY_WORDS.test(words)) return 'invalid-credential';
  return requestCode(status, words);
}

function serverCode(status: number): ErrorCode {
  if (status === 501) return 'unsupported';
  return status === 504 || status === 524 ? 'timeout' : 'overloaded';
}

function requestCode(status: number, words: string): ErrorCode {
  if (status === 404 || status === 410) return 'model-not-found';
  if (status === 408) return 'timeout';
  if (status === 409 || status === 425 || status === 498 || OVERLOAD_WORDS.test(words)) return 'overloaded';
  if (LIMIT_WORDS.test(words)) return 'rate-limited';
  return status === 405 || UNSUPPORTED_WORDS.test(words) ? 'unsupported' : 'invalid-request';
}

// ---------------------------------------------------------------------------------------------------- JSON errors

/** Reads the common JSON error bodies; any other body is the message itself, without tags. */
export function readFailure(status: number, body: string): HttpFailure {
  const parsed = tryParseJson(body) ?? tryParseJson(/^data: *(.*)$/m.exec(body)?.[1] ?? '');
  const failure = failureOf(parsed, status);
  if (failure !== undefined) return failure;
  const text = withoutTags(body).replace(/\s+/g, ' ');
  return { status, message: firstOf(text.trim(), 300) };
}

/**
 * The failure that a JSON value describes: `{ error: { message, type, code } }`, `{ error: "…" }`, `{ message }`,
 * `{ detail }`, `{ errors: […] }`, or a list of these; undefined if it describes none.
 */
export function failureOf(value: unknown, status: number): HttpFailure | undefined {
  const body = asRecord(asList(value)?.[0] ?? value);
  if (body === undefined) return undefined;
  const described = body.error ?? asList(body.errors)?.[0] ?? body;
  if (typeof described === 'string') return { status, message: firstOf(described, MAX_MESSAGE) };
  const error = asRecord(described);
  if (error === undefined) return undefined;
  const message = messageOf(error) ?? messageOf(body);
  const type = asText(error.type) ?? asText(error.status) ?? asText(body.type);
  const code = asText(error.code) ?? asNumber(error.code)?.toString() ?? asText(body.code);
  if (message === undefined && type === undefined && code === undefined) return undefined;
  return {
    status,
    message: message ?? '',
    ...(type === undefined || type === '' ? {} : { type }),
    ...(code === undefined || code === '' ? {} : { code }),
  };
}

function messageOf(error: JsonRecord): string | undefined {
  const stated = error.message ?? error.detail ?? error.Message ?? error.msg ?? error.error;
  const text = asText(stated) ?? (stated === undefined || stated === null ? undefined : JSON.stringify(stated));
  // Routers put the message of the upstream server into the metadata.
  const upstream = asText(asRecord(error.metadata)?.raw);
  const whole = upstream === undefined ? text : `${text ?? ''} ${firstOf(upstream, 500)}`;
  return whole === undefined ? undefined : firstOf(whole, MAX_MESSAGE);
}

/** The status that an error inside a successful answer implies; 500 if it implies none. */
export function impliedStatus(error: unknown): number {
  const fields = asRecord(error) ?? {};
  for (const value of [fields.status_code, fields.status, fields.code, fields.http_status]) {
    const status = Number(value);
    if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  const words = [fields.type, fields.code, fields.status]
    .map((word) => asText(word)?.slice(0, MAX_WORDS / 4) ?? '')
    .join(' ')
    .toLowerCase();
  if (QUOTA_WORDS.test(words)) return 402;
  if (LIMIT_WORDS.test(words) || words.includes('too_many_requests')) return 429;
  if (words.includes('auth') || words.includes('api_key')) return 401;
  if (words.includes('permission')) return 403;
  if (OVERLOAD_WORDS.test(words) || words.includes('unavailable')) return 503;
  return words.includes('invalid') || CONTEXT_WORDS.test(words) || POLICY_WORDS.test(words) ? 400 : 500;
}
