/** What a caller says of a call besides its request. */
import type { CallTrace, Priority, Purpose, Scope, Target } from '../model/model.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly session?: string;
  /**
   * `batch`: the answer may take a day and then costs less, where the config has `batches` and the provider can; else the call is
   * made at once, with a warning. With `limits.ms` it is also made at once shortly before its deadline. @default it is made at once
   */
  readonly urgency?: 'batch';
  /** Who pays, besides the request itself. */
  readonly scopes?: readonly Scope[];
  /** @default 'answer' */
  readonly purpose?: Purpose;
  /** Which calls go first where calls have to wait. @default 'normal' */
  readonly priority?: Priority;
  /** For calls that a layer makes for another call: their attempts are charged to it and listed in its trace. */
  readonly trace?: CallTrace;
  /** Targets that must not be used: see `Call.exclude`. @default none */
  readonly exclude?: readonly Target[];
  /** The only targets that may answer, tried in this order: see `Call.order`. @default the router's choice */
  readonly order?: readonly Target[];
  /** See `Call.isAwaited`; asked only where a call is slow. @default it is awaited */
  readonly isAwaited?: () => boolean;
  /**
   * The caller's own id of what the call is for, 1 to 512 printable ASCII characters without spaces: in the log line of each attempt,
   * and sent to providers that take one. @default none
   */
  readonly requestId?: string;
  /** Give one so that a repeated call writes the same ledger rows again. @default a new id */
  readonly id?: string;
}
