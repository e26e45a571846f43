/**
 * The port of providers that answer many requests together, later and for less. The gateway keeps what is pending, polls, and
 * settles each call; a provider only translates.
 */
import type { PolyphonyError } from '../errors.ts';
import type { ModelEvent, ModelRequest, Target } from './model.ts';
import type { ProviderContext } from './provider-context.ts';

/** One request of a batch. */
export interface BatchedRequest {
  /** 1 to 64 letters, digits, `_` and `-`; unique in its batch. The provider names it beside the answer. */
  readonly id: string;
  readonly request: ModelRequest;
}

export interface NewBatch {
  /** Ours, of letters, digits, `_` and `-`: the provider keeps it with the batch where it can. */
  readonly key: string;
  /** Provider, model and region of every request. */
  readonly requests: readonly BatchedRequest[];
}

export interface BatchContext extends ProviderContext {
  readonly target: Target;
  readonly signal: AbortSignal;
}

export interface BatchStatus {
  /** `ended`: there will be no more answers, whatever the reason; `results` has those that there are. */
  readonly state: 'running' | 'ended';
  /** The provider's own word for it, such as `expired`. */
  readonly said: string;
  /** Requests that were answered. @default unknown */
  readonly answered?: number;
}

/** The answer to one request. The events end with `finish` or throw, as those of `Provider.stream`. */
export type BatchAnswer = { readonly id: string } & (
  | { readonly events: AsyncIterable<ModelEvent> }
  | { readonly error: PolyphonyError }
);

/** Every method throws a PolyphonyError; its `status` and `unsent` say whether the provider may have acted. */
export interface BatchEndpoint {
  /** The most that one batch may hold. */
  readonly most: { readonly requests: number; readonly bytes: number };
  /** Whether such a request can be part of a batch. */
  takes(request: ModelRequest): boolean;
  /** Sends the batch and returns the provider's id of it. */
  submit(batch: NewBatch, context: BatchContext): Promise<string>;
  /**
   * The provider's id of a batch whose submission was interrupted, looked for among those that were made since `since` (epoch
   * milliseconds); undefined: there is none. Throws while nobody can tell.
   */
  find(batch: NewBatch, since: number, context: BatchContext): Promise<string | undefined>;
  poll(id: string, context: BatchContext): Promise<BatchStatus>;
  /**
   * The answers of a batch that has ended, in any order; ids may be missing, unknown or repeated. Throws if they could not all be
   * read.
   */
  results(id: string, requests: ReadonlyMap<string, ModelRequest>, context: BatchContext): AsyncIterable<BatchAnswer>;
  /** Asks to stop; what is answered already stays so. */
  cancel(id: string, context: BatchContext): Promise<void>;
}
