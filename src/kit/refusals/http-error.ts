/**
 * Classifies error responses.
 *
 * E1. The status decides first, then the codes and types of the body, and words last: only whole sentences of servers, never
 *     what a message may repeat of the request (error-sentences.ts).
 * E2. A 5xx is never a credential's fault, and reads nothing but that a prompt is too long.
 * E3. A 429 is a spent account only if a code says so and no delay is told.
 * E4. A 403 without a code is about this key and this model (`details.refused: 'model'`), a 401 or a code about the key.
 */

import { defined } from '../../core/defined.ts';
import { type ErrorCode, PolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import type { ErrorMeaning } from './error-meaning.ts';
import { meaningOfNames } from './error-meaning.ts';
import { isAboveLimit, meaningOfSentences } from './error-sentences.ts';

export interface HttpFailure {
  /** The status of the response, or the one that an error inside a successful answer implies. */
  readonly status: number;
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  /** Further structured words of the body, such as the reasons in its details. @default none */
  readonly reasons?: readonly string[];
  /** The field of the request that is at fault, as the server names it. */
  readonly param?: string;
  /** What the server behind a router said. It is no judgement on our key. @default none */
  readonly upstream?: Pick<HttpFailure, 'message' | 'reasons'>;
  /** The body is a web page, so something in front of the API answered. @default false */
  readonly isPage?: boolean;
  readonly retryAfterMs?: number;
  /** The response tells a delay in its headers. @default false */
  readonly tellsDelay?: boolean;
  /** @default what the code says */
  readonly retryable?: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

const CODES: Readonly<Record<ErrorMeaning, ErrorCode>> = {
  context: 'context-window',
  policy: 'content-policy',
  spent: 'invalid-credential',
  key: 'invalid-credential',
  forbidden: 'invalid-credential',
  model: 'model-not-found',
  rate: 'rate-limited',
  'too-large': 'rate-limited',
  overloaded: 'overloaded',
  timeout: 'timeout',
  unsupported: 'unsupported',
  'model-failure': 'invalid-output',
  page: 'overloaded',
  invalid: 'invalid-request',
};

const REMEDIES: Readonly<Record<ErrorMeaning, string>> = {
  rate: 'Wait, send fewer requests at the same time, or add a credential.',
  'too-large': 'Shorten the request, raise the limit of the account, or use another provider.',
  overloaded: 'Try again, or use another provider.',
  timeout: 'Try again, or use another provider.',
  spent: 'Check the key, its rights and the credit of the account.',
  key: 'Check the key, its rights and the credit of the account.',
  forbidden: 'Check the key, its rights and the credit of the account.',
  context: 'Shorten the input, or use a model with a larger context window.',
  policy: 'Rephrase the input, or use another model.',
  model: 'Check the name of the model and whether the account may use it.',
  unsupported: 'Leave that feature out, or use a model that supports it.',
  'model-failure': 'Try again, or use another model.',
  page: 'A web page answered instead of the API: check baseURL and what stands before the server.',
  invalid: 'Correct the request.',
};

/** Whether trying again can help, where the code alone would say the opposite. */
const RETRYABLE: Readonly<Partial<Record<ErrorMeaning, boolean>>> = {
  'too-large': false,
  page: false,
  'model-failure': true,
};

/** Most characters of a server's message that are told. */
const MAX_TOLD = 1000;

/** The error of an error response. Its message has the status, the server's message and the remedy. */
export function httpError(failure: HttpFailure): PolyphonyError {
  const meaning = meaningOf(failure);
  const details = meaning === 'forbidden' ? { ...failure.details, refused: 'model' } : failure.details;
  return new PolyphonyError(CODES[meaning], `${toldBy(failure)} ${REMEDIES[meaning]}`, {
    status: failure.status,
    ...defined({
      retryable: failure.retryable ?? RETRYABLE[meaning],
      retryAfterMs: failure.retryAfterMs,
      details,
    }),
  });
}

/** The status and the message, with the code unless the message or the status says it already. */
function toldBy({ status, message, upstream, code, type }: HttpFailure): string {
  const whole = upstream === undefined ? message : `${message} ${upstream.message}`;
  const said = whole.trim() === '' ? 'no reason given' : firstOf(whole.trim(), MAX_TOLD);
  const named = (code ?? type)?.slice(0, 200);
  const isSaid = named === undefined || named === String(status) || said.includes(`(${named})`);
  const told = `HTTP ${status}: ${said}${isSaid ? '' : ` (${named})`}`;
  return /[.!?)]$/.test(told) ? told : `${told}.`;
}

function meaningOf(failure: HttpFailure): ErrorMeaning {
  const { status } = failure;
  if (status >= 500) return serverMeaning(failure);
  if (status === 429) return limitMeaning(failure);
  if (status === 402) return /^this request requires more credits\b/i.test(failure.message) ? 'too-large' : 'spent';
  if (status === 408) return 'timeout';
  if (status === 401) return refusedMeaning(failure, AT_401) ?? 'key';
  if (failure.isPage === true) return 'page';
  if (status === 413) return sizeMeaning(failure);
  return refusedMeaning(failure) ?? statusMeaning(failure);
}

const AT_SERVER: readonly ErrorMeaning[] = ['context'];

function serverMeaning(failure: HttpFailure): ErrorMeaning {
  const { status, message } = failure;
  if (status === 501) return 'unsupported';
  if (status === 504 || status === 524) return 'timeout';
  if (status !== 500 || failure.isPage === true) return 'overloaded';
  return meaningOfNames(namesOf(failure), OF_CONTEXT) ?? meaningOfSentences(message, AT_SERVER) ?? 'overloaded';
}

const OF_CONTEXT: ReadonlySet<ErrorMeaning> = new Set(AT_SERVER);
const OF_LIMITS: ReadonlySet<ErrorMeaning> = new Set(['spent', 'rate', 'overloaded']);

function limitMeaning(failure: HttpFailure): ErrorMeaning {
  const named = meaningOfNames(namesOf(failure), OF_LIMITS);
  const { message, retryAfterMs, tellsDelay = false } = failure;
  if (named === 'spent') return tellsDelay || retryAfterMs !== undefined ? 'rate' : 'spent';
  if (isAboveLimit(message)) return 'too-large';
  return meaningOfSentences(message, ['too-large']) ?? named ?? meaningOfSentences(message, ['overloaded']) ?? 'rate';
}

/** A 413 is a prompt that is too long, or a request above a limit per minute. */
function sizeMeaning(failure: HttpFailure): ErrorMeaning {
  const isLimit = meaningOfNames(namesOf(failure), OF_LIMITS) === 'rate' || isAboveLimit(failure.message);
  return isLimit ? 'too-large' : 'context';
}

/** Names at a 401 that are about something else than the key. */
const AT_401: ReadonlySet<ErrorMeaning> = new Set(['model', 'policy', 'rate', 'forbidden', 'spent', 'key']);
/** What the server behind a router can say of the request, but not of our key. */
const OF_UPSTREAM: ReadonlySet<ErrorMeaning> = new Set(['context', 'policy', 'unsupported', 'model-failure']);

const SAID: readonly ErrorMeaning[] = [
  ...(['context', 'policy', 'spent', 'key', 'forbidden', 'model', 'unsupported', 'overloaded', 'rate'] as const),
];
const SAID_UPSTREAM = SAID.filter((meaning) => OF_UPSTREAM.has(meaning));

/** What the codes, else the sentences say; undefined if they say nothing that is known. */
function refusedMeaning(failure: HttpFailure, among?: ReadonlySet<ErrorMeaning>): ErrorMeaning | undefined {
  const { message, param, upstream } = failure;
  const named = meaningOfNames(namesOf(failure), among) ?? meaningOfParameter(failure);
  if (named !== undefined) return named;
  const said = among === undefined ? SAID : SAID.filter((meaning) => among.has(meaning));
  const own = param === 'model' ? 'model' : meaningOfSentences(message, said);
  if (own !== undefined || upstream === undefined || among !== undefined) return own;
  const { reasons = [] } = upstream;
  return meaningOfNames(reasons, OF_UPSTREAM) ?? meaningOfSentences(upstream.message, SAID_UPSTREAM);
}

/** A text above its greatest length is a prompt that is too long only where the field is one of the prompt's. */
function meaningOfParameter({ code, param = '' }: HttpFailure): ErrorMeaning | undefined {
  if (code !== 'string_above_max_length') return undefined;
  return /^(input|prompt)\b|^messages\b.{0,80}content/.test(param) ? 'context' : 'invalid';
}

function namesOf({ code, type, reasons = [] }: HttpFailure): readonly string[] {
  const names = type === undefined ? reasons : [type, ...reasons];
  return code === undefined ? names : [code, ...names];
}

function statusMeaning({ status }: HttpFailure): ErrorMeaning {
  switch (status) {
    case 403:
      return 'forbidden';
    case 404:
    case 410:
      return 'model';
    case 405:
      return 'unsupported';
    case 451:
      return 'policy';
    case 409:
    case 424:
    case 425:
    case 498:
      return 'overloaded';
    default:
      return 'invalid';
  }
}
