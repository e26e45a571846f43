/** The calls that wait for a batch of their provider. */

import type { ErrorCode } from '../errors.ts';
import type { ModelRequest, ModelResponse, Target } from '../model/model.ts';
import type { NanoUsd } from '../money/money.ts';
import type { CallOptions } from './call-options.ts';

/** A call that was asked with `urgency: 'batch'`. Plain JSON. */
export interface BatchedCall {
  /** The id of the call. */
  readonly id: string;
  /** `queued`: not sent yet. `sent`: part of a batch. `cancelled`: part of one that has not ended, so its cost is not known yet. */
  readonly state: 'queued' | 'sent' | 'cancelled';
  readonly target: Target;
  /** Our id of its batch; null while it is queued. */
  readonly batch: string | null;
  /** Epoch milliseconds. */
  readonly queuedAt: number;
  /** Epoch milliseconds; null for none. */
  readonly deadline: number | null;
  /** What it holds of the budgets that cap it until it is answered, in nano-dollars; 0 where none does. */
  readonly heldNanoUsd: NanoUsd;
  /** Who pays for it. */
  readonly scopes: readonly { readonly kind: string; readonly id: string }[];
}

/** What waits together: the calls of a batch, or those for one model that are not sent yet. Plain JSON. */
export interface WaitingBatch {
  /** Our id of it; null while its calls are queued. */
  readonly batch: string | null;
  readonly target: Target;
  /** How many. */
  readonly calls: number;
  /** What they hold together, in nano-dollars. */
  readonly heldNanoUsd: NanoUsd;
  /** Epoch milliseconds: when the oldest came. */
  readonly queuedAt: number;
  /** Epoch milliseconds, of the first that ends; null for none. */
  readonly deadline: number | null;
}

/** A call whose answer can be fetched by its id. Plain JSON. */
export interface AnsweredCall {
  readonly id: string;
  /** The code of its error; null for an answer. */
  readonly error: ErrorCode | null;
  /** Null: unknown, also for one that was cancelled after it was sent. */
  readonly costNanoUsd: NanoUsd | null;
}

export interface Batches {
  /**
   * Takes a call without waiting for its answer, and returns its id once it is kept: also another process can then send it and
   * fetch its answer. A process does not stay alive for it.
   *
   * @throws what `call` throws before an answer, such as budget-exceeded
   */
  queue(request: ModelRequest, options?: CallOptions): Promise<string>;
  /**
   * Calls that have no answer yet, the oldest first, those of other processes included. @param limit of their number: those of the oldest
   * batches are read, and then those that are not sent. @default all
   */
  list(limit?: number): Promise<readonly BatchedCall[]>;
  /** The same by batch, the oldest first; reads no call that is in a batch. */
  waiting(): Promise<readonly WaitingBatch[]>;
  /** Calls whose answer is still kept, in no order. @param limit of their number. @default 1000 */
  answered(limit?: number): Promise<readonly AnsweredCall[]>;
  /**
   * The answer to a call; undefined while there is none.
   *
   * @throws not-found for an id that was never queued, or whose answer is no longer kept; what the call failed with
   */
  result(id: string): Promise<ModelResponse | undefined>;
  /**
   * Cancels a call by its id, or all calls of a batch by ours. What the provider has answered by then is charged. False: there is
   * nothing to cancel.
   */
  cancel(id: string): Promise<boolean>;
}
