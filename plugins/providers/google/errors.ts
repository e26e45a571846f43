/**
 * Maps errors of this wire format. Its 429 reports an exceeded quota, which is a rate limit; where the limit is zero, waiting
 * does not help. `details` state how long to wait and whether the key is at fault.
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
  type PolyphonyError,
  parseReset,
  readFailure,
  tryParseJson,
} from 'polyphony/kit';

/** Waiting does not help for these: the account has no quota for this model, or spent what it may spend. */
const NO_QUOTA =
  /^(?:quota exceeded for metric: \S+, limit: 0\b|your project has exceeded its monthly spending cap\b)/i;

export function classify(status: number, headers: Readonly<Record<string, string>>, body: string): PolyphonyError {
  return refusal(readFailure(status, body, headers), errorOf(tryParseJson(body)));
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
  const details = (asList(error?.details) ?? []).slice(0, MAX_DETAILS).map((item) => asRecord(item) ?? {});
  const retryable = failure.status === 429 && hasNoQuota(failure, details) ? false : undefined;
  return httpError({ ...failure, ...defined({ retryable, retryAfterMs: delayOf(details) }) });
}

const MAX_DETAILS = 16;

/** Of several lines of a message, each may state a quota. */
function hasNoQuota({ message }: HttpFailure, details: readonly JsonRecord[]): boolean {
  const violations = details.flatMap((detail) => asList(detail.violations)?.slice(0, MAX_DETAILS) ?? []);
  if (violations.some((violation) => asRecord(violation)?.quotaValue === '0')) return true;
  return message.split('\n', MAX_DETAILS).some((line) => NO_QUOTA.test(line.replace(/^[* ]+/, '')));
}

function delayOf(details: readonly JsonRecord[]): number | undefined {
  const info = details.find((detail) => asText(detail['@type'])?.includes('RetryInfo') === true);
  const delay = asText(info?.retryDelay);
  // A duration, for which the current time does not matter.
  return delay === undefined ? undefined : parseReset(delay, 0);
}
