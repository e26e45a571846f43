/**
 * Maps errors of this wire format. Its 429 reports an exceeded quota, which elsewhere means a spent account: here it is a
 * rate limit, unless the limit is zero. `details` state how long to wait and whether the key is at fault.
 */
import {
  asList,
  asNumber,
  asRecord,
  asText,
  defined,
  failureOf,
  type HttpFailure,
  httpError,
  impliedStatus,
  type JsonRecord,
  PolyphonyError,
  parseReset,
  readFailure,
  tryParseJson,
} from 'polyphony/kit';

/** Waiting does not help for these: the key has no quota for this model. */
const SPENT = /\blimit: 0\b|spending cap|depleted/i;

export function classify(status: number, body: string): PolyphonyError {
  return refusal(readFailure(status, body), errorOf(tryParseJson(body)));
}

/** An error inside the body of a successful answer. */
export function errorInside(body: JsonRecord): PolyphonyError {
  const error = errorOf(body);
  const status = asNumber(error?.code);
  const implied = status !== undefined && status >= 400 && status < 600 ? status : impliedStatus(error);
  return refusal(failureOf(body, implied) ?? { status: implied, message: '' }, error);
}

/** Streams wrap the error in a list. */
function errorOf(body: unknown): JsonRecord | undefined {
  return asRecord(asRecord(asList(body)?.[0] ?? body)?.error);
}

function refusal(failure: HttpFailure, error: JsonRecord | undefined): PolyphonyError {
  const details = (asList(error?.details) ?? []).map((item) => asRecord(item) ?? {});
  const retryAfterMs = delayOf(details);
  const withDelay = retryAfterMs === undefined ? failure : { ...failure, retryAfterMs };
  if (failure.status === 429)
    return SPENT.test(failure.message) ? httpError({ ...withDelay, code: 'billing' }) : rateLimited(withDelay);
  const reason = details.map((detail) => asText(detail.reason)).find((text) => text !== undefined);
  return httpError(reason === undefined ? withDelay : { ...withDelay, code: reason });
}

function rateLimited({ message, type, retryAfterMs }: HttpFailure): PolyphonyError {
  const reason = message.trim().slice(0, 1000) || 'no reason given';
  const named = type === undefined ? '' : ` (${type})`;
  return new PolyphonyError(
    'rate-limited',
    `HTTP 429: ${reason}${named} Wait, send fewer requests at the same time, or add a credential.`,
    { status: 429, ...defined({ retryAfterMs }) },
  );
}

function delayOf(details: readonly JsonRecord[]): number | undefined {
  const info = details.find((detail) => asText(detail['@type'])?.includes('RetryInfo') === true);
  const delay = asText(info?.retryDelay);
  // A duration, for which the current time does not matter.
  return delay === undefined ? undefined : parseReset(delay, 0);
}
