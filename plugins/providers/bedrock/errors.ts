/** Maps errors of this wire format, both answers and exceptions inside a stream. */
import {
  asNumber,
  asRecord,
  asText,
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

const MAX_MESSAGE = 4096;

export function classify(status: number, headers: Readonly<Record<string, string>>, body: string): PolyphonyError {
  const failure = readFailure(status, body, headers);
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

/** `ValidationException:http://…` and `com.amazon#ValidationException` as `ValidationException`. */
const plainType = (type: string): string => type.replace(/:.*$/, '').replace(/^.*#/, '');

const nameOf = (type: string): string => plainType(type).toLowerCase();

/** The type is the code: it says what is wrong before any word of the message. */
function refusal(failure: HttpFailure, type: string): PolyphonyError {
  return httpError(type === '' ? failure : { ...failure, code: plainType(type) });
}
