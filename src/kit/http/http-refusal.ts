/** Converts an error response to an error that names the target and contains no key. */

import type { Clock } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import type { Target } from '../../core/model/model.ts';
import type { TransportResponse, WireFormat } from '../../core/model/provider.ts';
import { SCRUBBED, scrubText } from '../../system/scrub.ts';
import { parseRetryAfter } from './rate-limits.ts';

/** Most bytes of an error body that are read. */
const ERROR_BODY_BYTES = 65_536;

/** The keys that must not appear in an error, and the clock that dates in headers are compared with. */
export interface ErrorContext {
  readonly secrets: readonly string[];
  readonly clock: Clock;
}

/** The error of an error response or a redirect. */
export async function refusal(wire: WireFormat, response: TransportResponse): Promise<PolyphonyError> {
  if (response.status < 400) {
    const to = response.headers.location;
    const host = to !== undefined && URL.canParse(to) ? ` to ${new URL(to).origin}` : '';
    return new PolyphonyError(
      'invalid-config',
      `HTTP ${response.status}: the server redirects${host}, but redirects are not followed. Set baseURL to the final address.`,
      { status: response.status },
    );
  }
  return wire.classify(response.status, response.headers, await headOf(response));
}

/** The beginning of the body; if the connection breaks, what arrived before. */
async function headOf(response: TransportResponse): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of response.body) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= ERROR_BODY_BYTES) break;
    }
  } catch {
    // The status is known in any case; the signal shows whether the call was cancelled.
  }
  return Buffer.concat(chunks).toString('utf8', 0, ERROR_BODY_BYTES);
}

/** The error with the name of the target, the wait that the headers state, and without keys. */
export function describeError(
  error: unknown,
  target: Target,
  { secrets, clock }: ErrorContext,
  response: TransportResponse | undefined,
): PolyphonyError {
  const known = asPolyphonyError(error);
  const bad = response !== undefined && response.status >= 400;
  const retryAfterMs = known.retryAfterMs ?? (bad ? parseRetryAfter(response.headers, clock.now()) : undefined);
  const { details } = known;
  return new PolyphonyError(known.code, scrub(`${target.provider}/${target.model}: ${known.message}`, secrets), {
    retryable: known.retryable,
    unsent: known.unsent,
    ...defined({ retryAfterMs, status: known.status }),
    ...(details === undefined
      ? {}
      : { details: JSON.parse(scrub(JSON.stringify(details), secrets)) as typeof details }),
    ...(known.cause === undefined || holds(known.cause, secrets) ? {} : { cause: known.cause }),
  });
}

function scrub(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) if (secret !== '') clean = clean.replaceAll(secret, SCRUBBED);
  return scrubText(clean);
}

function holds(cause: unknown, secrets: readonly string[]): boolean {
  const text = cause instanceof Error ? `${cause.message} ${cause.stack ?? ''}` : String(cause);
  return scrub(text, secrets) !== text;
}
