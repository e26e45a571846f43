/**
 * The only error class of polyphony. `code` is stable and says what happened, `retryable` and `retryAfterMs` say what to do,
 * and the message names the value, the rule that it broke and the remedy. Message, details and cause contain no secret: they are
 * cleaned when the error is made, whoever makes it, and bounded in length.
 */

import { defined } from './defined.ts';
import { scrubCause, scrubDetails, scrubMessage } from './scrub.ts';
import { thrownText } from './user-code/thrown-text.ts';

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
  'output-cut': false,
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

/** The longest delay that is believed, in milliseconds: a day, because quotas are given anew each day at the latest. */
const LONGEST_DELAY_MS = 86_400_000;

/**
 * A delay that the other side names, in whole milliseconds, from 0 to a day: nobody outside may park a credential or a run for
 * ever. Undefined for what is no number.
 */
export function boundedDelayMs(value: unknown): number | undefined {
  if (typeof value !== 'number' || Number.isNaN(value)) return undefined;
  return Math.min(LONGEST_DELAY_MS, Math.max(0, Math.ceil(value)));
}

export interface PolyphonyErrorOptions {
  readonly cause?: unknown;
  /** @default the value of the code in ERROR_CODES */
  readonly retryable?: boolean;
  /** How long the other side asked to wait, in milliseconds; more than a day counts as a day. */
  readonly retryAfterMs?: number;
  /** The HTTP status that caused the error, if any. */
  readonly status?: number;
  /**
   * Nothing of the request was sent, so the other side charges nothing: no connection was opened or free. A request that was
   * sent and whose answer was lost is charged by an estimate. @default false
   */
  readonly unsent?: boolean;
  /** Facts for programs: issues of a plan, the failed requirement of each target, the scope of a budget. JSON only. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const IS_OURS = Symbol.for('polyphony.error');

/**
 * Also true of an error from another copy of this package, such as that of a plugin that is loaded beside a bundled program: its code
 * decides whether a call is tried again. A class that extends ours knows its own as any class does.
 */
function isOurs(this: unknown, value: unknown): boolean {
  if (this !== PolyphonyError) return Function.prototype[Symbol.hasInstance].call(this, value);
  if (typeof value !== 'object' || value === null || !(IS_OURS in value)) return false;
  return 'code' in value && typeof value.code === 'string' && Object.hasOwn(ERROR_CODES, value.code);
}

export class PolyphonyError extends Error {
  static override readonly [Symbol.hasInstance] = isOurs;
  override readonly name = 'PolyphonyError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;
  readonly unsent: boolean;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: PolyphonyErrorOptions = {}) {
    super(scrubMessage(message), options.cause === undefined ? undefined : { cause: scrubCause(options.cause) });
    this.code = code;
    this.retryable = options.retryable ?? ERROR_CODES[code];
    this.retryAfterMs = boundedDelayMs(options.retryAfterMs);
    this.status = options.status;
    this.unsent = options.unsent ?? false;
    this.details = scrubDetails(options.details);
  }

  get [IS_OURS](): true {
    return true;
  }
}

/** The same error, of a request of which nothing was sent. */
export function unsentError(error: PolyphonyError): PolyphonyError {
  return error.unsent ? error : sameError(error, true);
}

/** An equal error that is an object of its own: what is noted of it is not noted of whoever else throws the first one. */
export function sameError(error: PolyphonyError, unsent = error.unsent): PolyphonyError {
  const { code, message, cause, retryable, retryAfterMs, status, details } = error;
  return new PolyphonyError(code, message, {
    retryable,
    unsent,
    ...defined({ cause, retryAfterMs, status, details }),
  });
}

/** An error as journals, ledgers, events and HTTP answers store it: without stack and cause. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: Readonly<Record<string, unknown>>;
  /**
   * Only in the result of a run that this process drove: where code of the user threw, with the stacks of its causes, at most
   * 4096 characters. No journal holds it.
   */
  readonly stack?: string;
}

export function errorRecord(error: unknown): ErrorRecord {
  const known = asPolyphonyError(error);
  const { code, message, retryable, details } = known;
  return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
}

/** Converts anything thrown to a PolyphonyError: aborts become `cancelled`, all others `code`, with their message kept. */
export function asPolyphonyError(error: unknown, code: ErrorCode = 'plugin-failed'): PolyphonyError {
  if (isPolyphonyError(error)) return error;
  if (isAbort(error)) {
    return new PolyphonyError('cancelled', 'The call was cancelled by its caller.', { cause: error });
  }
  return new PolyphonyError(code, thrownText(error), { cause: error });
}

/** A proxy may throw even when it is asked for its class. */
function isPolyphonyError(error: unknown): error is PolyphonyError {
  try {
    return error instanceof PolyphonyError;
  } catch {
    return false;
  }
}

function isAbort(error: unknown): boolean {
  try {
    return error instanceof Error && error.name === 'AbortError';
  } catch {
    return false;
  }
}

/** The error of an aborted signal: its reason if that is a PolyphonyError (a timeout, a budget), else `cancelled`. */
/** Why a call was stopped that whoever goes on with its run asks again, by its id: what waits for it elsewhere may stay. */
export const leftForNow = (message: string): PolyphonyError =>
  new PolyphonyError('cancelled', message, { details: { isLeft: true } });

export const isLeftForNow = ({ reason }: AbortSignal): boolean =>
  reason instanceof PolyphonyError && reason.code === 'cancelled' && reason.details?.isLeft === true;

export function abortError(signal: AbortSignal): PolyphonyError {
  const reason: unknown = signal.reason;
  if (reason instanceof PolyphonyError) return reason;
  return new PolyphonyError('cancelled', 'The call was cancelled by its caller.', { cause: reason });
}
