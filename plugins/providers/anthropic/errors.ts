/** Maps errors of this wire format, both answers and events of a stream. */
import { asRecord, asText, failureOf, httpError, impliedStatus, type PolyphonyError, readFailure } from 'polyphony/kit';

const STATUS: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

export const classify = (status: number, headers: Readonly<Record<string, string>>, body: string): PolyphonyError =>
  httpError(readFailure(status, body, headers));

/** An `error` event, or an error in the body of a successful answer. */
export function errorInside(body: unknown): PolyphonyError {
  const fields = asRecord(asRecord(body)?.error) ?? asRecord(body);
  const status = STATUS[asText(fields?.type) ?? ''] ?? impliedStatus(fields);
  return httpError(failureOf(body, status) ?? { status, message: '' });
}
