/**
 * The only error class of polyphony. `code` is stable and says what happened, `retryable` and `retryAfterMs` say what to do,
 * and the message names the value, the rule that it broke and the remedy. Message, details and cause contain no secret: they are
 * cleaned when the error is made, whoever makes it.
 */

import { scrubCause, scrubDetails, scrubText } from './secrets.ts';

/** Every code, and whether trying again can help. docs/reference/errors.md says who acts on which code. */
export const ERROR_CODES = {
  'rate-limited': true,
  overloaded: true,
  timeout: true,
  network: true,
  truncated: true,
  'invalid-credential': false,
  'context-window': false,
  'content-policy': false,
  unsupported: false,
  'model-not-found': false,
  'invalid-request': false,
  'invalid-output': false,
  'invalid-plan': false,
  'invalid-config': false,
  'no-route': false,
  'budget-exceeded': false,
  'limit-exceeded': false,
  blocked: false,
  cancelled: false,
  'not-found': false,
  'tool-failed': false,
  'plugin-failed': false,
  'store-full': false,
  'store-corrupt': false,
  'store-newer': false,
  'store-busy': true,
} as const satisfies Record<string, boolean>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface PolyphonyErrorOptions {
  readonly cause?: unknown;
  /** @default the value of the code in ERROR_CODES */
  readonly retryable?: boolean;
  /** How long the other side asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The HTTP status that caused the error, if any. */
  readonly status?: number;
  /** Nothing reached the other side, so it charges nothing (a connection that never opened). @default false */
  readonly unsent?: boolean;
  /** Facts for programs: issues of a plan, the failed requirement of each target, the scope of a budget. JSON only. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class PolyphonyError extends Error {
  override readonly name = 'PolyphonyError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly unsent: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: PolyphonyErrorOptions = {}) {
    super(scrubText(message), options.cause === undefined ? undefined : { cause: scrubCause(options.cause) });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code];
    this.retryAfterMs = options.retryAfterMs;
    this.status = options.status;
    this.unsent = options.unsent ?? false;
    this.details = scrubDetails(options.details);
  }
}

/** An error as journals, ledgers, events and HTTP answers store it: without stack and cause. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
}

export function errorRecord(error: unknown): ErrorRecord {
  const known = asPolyphonyError(error);
  const { code, message, retryable, details } = known;
  return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
}

/** Converts any error to a PolyphonyError: aborts become `cancelled`, all others `code`, with their message kept. */
export function asPolyphonyError(error: unknown, code: ErrorCode = 'plugin-failed'): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new PolyphonyError('cancelled', 'The call was cancelled by its caller.', { cause: error });
  }
  return new PolyphonyError(code, messageOf(error), { cause: error });
}

/** Anything can be thrown: an error with another message than a text, a symbol, an object that has no text. */
function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something that has no text was thrown';
  }
}

/** The error of an aborted signal: its reason if that is a PolyphonyError (a timeout, a budget), else `cancelled`. */
export function abortError(signal: AbortSignal): PolyphonyError {
  const reason: unknown = signal.reason;
  if (reason instanceof PolyphonyError) return reason;
  return new PolyphonyError('cancelled', 'The call was cancelled by its caller.', { cause: reason });
}
