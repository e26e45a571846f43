/** What went wrong below HTTP, in words of the house: which host, why, and what to do. */
import { abortError, PolyphonyError, unsentError } from '../../core/errors.ts';
import type { TransportRequest } from '../../core/model/provider.ts';

/** Only the host, because paths and queries may contain keys. */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'The server';
}

/** `unsent`: nothing of the request was sent. */
export function closedError(url: string, unsent = false): PolyphonyError {
  const message = `The request to ${hostOf(url)} ended because the transport was closed.`;
  return new PolyphonyError('cancelled', message, { unsent });
}

/** `unsent`: nothing of the request was sent. */
export function transportError(error: unknown, request: TransportRequest, unsent = false): PolyphonyError {
  if (error instanceof PolyphonyError && error.unsent) return error;
  const known = knownError(error, request);
  return unsent ? unsentError(known) : known;
}

function knownError(error: unknown, request: TransportRequest): PolyphonyError {
  if (request.signal.aborted) return abortError(request.signal);
  if (error instanceof PolyphonyError) return error;
  const host = hostOf(request.url);
  const code = codeOf(error);
  if (code === 'ERR_INVALID_URL') {
    return new PolyphonyError('invalid-config', 'The base URL is not a valid URL: write it as https://host/path.');
  }
  // The transport was closed while the answer was read.
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return closedError(request.url);
  const timeout = TIMEOUTS[code];
  if (timeout !== undefined) {
    const unconnected = code === 'UND_ERR_CONNECT_TIMEOUT' ? { details: { timeout: 'connect' } } : {};
    return new PolyphonyError('timeout', `${host} ${timeout}`, { cause: error, ...unconnected });
  }
  const reason = REASONS[code] ?? (error instanceof Error && error.message !== '' ? error.message : code);
  return new PolyphonyError('network', `The connection to ${host} failed: ${reason}`, { cause: error });
}

/** The same error of a connection, with how much of the body had arrived: what was generated is billed. */
export function withReceived(error: PolyphonyError, receivedBytes: number): PolyphonyError {
  if (error.code !== 'network' || receivedBytes === 0) return error;
  const { code, message, cause, retryable, details } = error;
  return new PolyphonyError(code, message, { cause, retryable, details: { ...details, receivedBytes } });
}

/** The connection was lost, for no reason of ours. */
export const isLost = (error: unknown): boolean => LOSSES.has(codeOf(error));
const LOSSES: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : '';
}

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'did not accept a connection in time: check the address, or raise connectTimeoutMs.',
  UND_ERR_HEADERS_TIMEOUT: 'did not answer in time: try again, or raise headersTimeoutMs.',
  UND_ERR_BODY_TIMEOUT: 'stopped sending before its answer was complete: try again, or raise idleTimeoutMs.',
  ETIMEDOUT: 'did not answer in time: check the address and the network.',
};

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at this address. Check the address, and that the server is running.',
  ENOTFOUND: 'the host name is unknown. Check the address.',
  EAI_AGAIN: 'the host name could not be looked up. Check the network.',
  ECONNRESET: 'the other side closed it before the answer was complete. Try again.',
  UND_ERR_SOCKET: 'the other side closed it before the answer was complete. Try again.',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are larger than maxHeaderBytes. Raise this limit.',
};
