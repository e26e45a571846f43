/** The gateway as everyone else sees it: executor, planner, plugins, server. */
import type {
  CallTrace,
  ChatRequest,
  EmbeddingRequest,
  ImageRequest,
  ModelEvent,
  ModelRequest,
  ModelResponse,
  ModerationRequest,
  Purpose,
  RerankRequest,
  Scope,
  Target,
} from './model/model.ts';
import type { ModelCard } from './model/provider.ts';

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly session?: string;
  /** Who pays, besides the request itself. */
  readonly scopes?: readonly Scope[];
  /** @default 'answer' */
  readonly purpose?: Purpose;
  /** For calls that a layer makes on behalf of another call: their attempts are charged and listed there. */
  readonly trace?: CallTrace;
  /** Targets that must not be asked: see `Call.exclude`. @default none */
  readonly exclude?: readonly Target[];
  /** @default a fresh id; give one to make ledger rows of a repeated call the same rows */
  readonly id?: string;
}

/** A request without its discriminant: `gateway.generate({ messages })`. */
export type Without<R, K extends PropertyKey> = R extends unknown ? Omit<R, K> : never;

export interface Candidate {
  readonly target: Target;
  readonly card: ModelCard;
  readonly score: number;
  /** The parts of the score, each 0 (worst) to 1 (best). */
  readonly parts: Readonly<Record<string, number>>;
  readonly estimatedNanoUsd: number | null;
}
export interface Rejection {
  readonly target: Target;
  /** The requirement or limit that failed, as a sentence with its value. */
  readonly failed: readonly string[];
}
export interface Explanation {
  readonly requestRing: readonly string[];
  readonly attemptRing: readonly string[];
  /** Best first: the order in which they would be tried, at most eight of them. */
  readonly candidates: readonly Candidate[];
  /** The plugins whose `rank` changed the router's order, in the order in which they did. @default none */
  readonly rankedBy?: readonly string[];
  readonly rejected: readonly Rejection[];
}

export interface Gateway {
  generate(request: Without<ChatRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  stream(request: Without<ChatRequest, 'operation'>, options?: CallOptions): AsyncIterable<ModelEvent>;
  embed(request: Without<EmbeddingRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  image(request: Without<ImageRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  moderate(request: Without<ModerationRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  rerank(request: Without<RerankRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  /** Any operation. */
  call(request: ModelRequest, options?: CallOptions): Promise<ModelResponse>;
  /** The rings and the routing decision, as far as the session's own target does not change it; sends nothing. */
  explain(request: ModelRequest, options?: CallOptions): Explanation;
  models(): readonly { readonly provider: string; readonly card: ModelCard }[];
}
