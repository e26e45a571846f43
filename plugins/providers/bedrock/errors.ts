/** Maps errors of this wire format, both answers and exceptions inside a stream. */
import {
  asNumber,
  asRecord,
  asText,
  defined,
  type HttpFailure,
  httpError,
  type PolyphonyError,
  readFailure,
  tryParseJson,
} from 'polyphony/kit';

const STATUS: Readonly<Record<string, number>> = {
  validationexception: 400,
  accessdeniedexception: 403,
  resourcenotfoundexception: 404,
  modeltimeoutexception: 504,
  modelerrorexception: 424,
  modelstreamerrorexception: 424,
  throttlingexception: 429,
  modelnotreadyexception: 429,
  servicequotaexceededexception: 429,
  internalserverexception: 500,
  serviceunavailableexception: 503,
};

/** Error types and phrases of this provider, with the common error code. */
const TYPES: Readonly<Record<string, string>> = {
  servicequotaexceededexception: 'rate_limit',
  throttlingexception: 'rate_limit',
  // The model is loading or failed: a retry or another model may succeed.
  modelnotreadyexception: 'overloaded',
  modelerrorexception: 'overloaded',
  modelstreamerrorexception: 'overloaded',
};
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/access to the model|model identifier is invalid|model (id|arn)\b.*invalid/i, 'model_not_found'],
  [/marked by provider as legacy|reached the end of its life/i, 'model_not_found'],
];

const MAX_MESSAGE = 4096;

export function classify(status: number, headers: Readonly<Record<string, string>>, body: string): PolyphonyError {
  const failure = readFailure(status, body);
  return refusal(failure, headers['x-amzn-errortype'] ?? asText(asRecord(tryParseJson(body))?.__type) ?? '');
}

/** An exception that arrives as a message of the stream. */
export function exceptionInside(type: string, payload: string): PolyphonyError {
  const body = asRecord(tryParseJson(payload));
  const status = asNumber(body?.originalStatusCode) ?? STATUS[nameOf(type)] ?? 500;
  const message = asText(body?.originalMessage) ?? asText(body?.message) ?? asText(body?.Message) ?? payload;
  // A message of the stream may have megabytes, and it is searched for words.
  return refusal({ status, message: message.slice(0, MAX_MESSAGE) }, type.slice(0, MAX_MESSAGE));
}

/** `ValidationException:http://…` and `com.amazon#ValidationException` as `validationexception`. */
const nameOf = (type: string): string => type.replace(/:.*$/, '').replace(/^.*#/, '').toLowerCase();

function refusal(failure: HttpFailure, type: string): PolyphonyError {
  const code = WORDS.find(([words]) => words.test(failure.message))?.[1] ?? TYPES[nameOf(type)];
  const named = type === '' ? {} : { type: type.replace(/:.*$/, '').replace(/^.*#/, '') };
  return httpError({ ...failure, ...named, ...defined({ code }) });
}
