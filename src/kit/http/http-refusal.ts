/** Converts an error response to an error that names the target and contains no key. */

import type { Clock } from '../../core/clock.ts';
import { defined } from '../../core/defined.ts';
import { asPolyphonyError, PolyphonyError } from '../../core/errors.ts';
import { firstOf } from '../../core/json/cut-text.ts';
import type { Target } from '../../core/model/model.ts';
import type { TransportResponse, WireFormat } from '../../core/model/provider.ts';
import { parseExhaustedReset, parseRetryAfter } from './rate-limits.ts';

const LONGEST_ID = 200;
/** Most bytes of an error body that are read. */
const ERROR_BODY_BYTES = 65_536;

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

/** The error with the name of the target and the wait that the headers state. */
export function describeError(
  error: unknown,
  target: Target,
  clock: Clock,
  response: TransportResponse | undefined,
  requestId?: string,
): PolyphonyError {
  const known = asPolyphonyError(error);
  const retryAfterMs =
    known.retryAfterMs ?? (response === undefined ? undefined : delayOf(known, response, clock.now()));
  const { code, message, retryable, unsent, status, cause } = known;
  // What a server answers that cannot be used is not the caller's fault: the next target is asked.
  const isAnswer = response !== undefined && (code === 'invalid-output' || code === 'invalid-config');
  const told =
    requestId === undefined ? known.details : { ...known.details, requestId: firstOf(requestId, LONGEST_ID) };
  const details = isAnswer ? { ...told, fault: 'target' } : told;
  return new PolyphonyError(code, `${target.provider}/${target.model}: ${message}`, {
    retryable,
    unsent,
    ...defined({ retryAfterMs, status, details, cause }),
  });
}

/** The delay that the headers of a refusal tell; none for what no waiting makes better. */
function delayOf(
  { code, retryable }: PolyphonyError,
  { status, headers }: TransportResponse,
  nowMs: number,
): number | undefined {
  if (status < 400 || (code === 'rate-limited' && !retryable)) return undefined;
  return parseRetryAfter(headers, nowMs) ?? (status === 429 ? parseExhaustedReset(headers, nowMs) : undefined);
}
