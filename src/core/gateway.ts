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
import type { EndpointReport, ModelCard, RateLimit } from './model/provider.ts';

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

/** What was observed of one target. Every observation halves in weight every five minutes. */
export interface TargetFigures {
  readonly target: Target;
  /** Good attempts, by their weight: not a whole number. */
  readonly attempts: number;
  /** The weighted share of attempts that failed by the target's own fault, 0 to 1, as if four good ones had come before. */
  readonly errorRate: number;
  /** Milliseconds from sending to the end of good attempts, median and 95th percentile; null before the first. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Milliseconds from sending to the first token of streamed attempts; null before the first. */
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP95Ms: number | null;
}

/** Whether one target can be asked now, and with which credentials. */
export interface TargetHealth {
  /** Without a credential. */
  readonly target: Target;
  /** Of the circuits of its provider in the region and of its model, the one that holds it back more. */
  readonly breaker: BreakerHealth;
  /** As in the statistics, 0 to 1. */
  readonly errorRate: number;
  /** One per credential of its provider, in the provider's order. */
  readonly credentials: readonly CredentialHealth[];
}

export interface BreakerHealth {
  /** `open`: not asked. `half-open`: the next attempt is let through as a trial. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Epoch milliseconds when it turns half-open; null where it is not open. */
  readonly until: number | null;
}

export interface CredentialHealth {
  /** Its label; null for the only, unnamed one. Never the key. */
  readonly label: string | null;
  /** `waiting`: it was told to wait. `refused`: it was not accepted, and is left alone for a while. */
  readonly state: 'ready' | 'waiting' | 'refused';
  /** Epoch milliseconds when it is used again; null where it is ready. */
  readonly until: number | null;
  /** Why it was refused; null where it was not. */
  readonly reason: string | null;
  /** The limits that the endpoint stated last for this target and credential, until they are reset. */
  readonly limits: readonly StatedLimit[];
  /** What it stated last besides its limits; null before anything. */
  readonly stated: StatedFacts | null;
}

/** A limit as the endpoint stated it. */
export interface StatedLimit {
  readonly kind: RateLimit['kind'];
  /** Requests or tokens per window; null where not stated. */
  readonly limit: number | null;
  /** Requests or tokens that were left; null where not stated. */
  readonly remaining: number | null;
  /** Epoch milliseconds when the window is full again; null where not stated. */
  readonly resetsAt: number | null;
  /** Epoch milliseconds when it was stated. */
  readonly statedAt: number;
}

/** The last that was stated of each: a request may state some of it only. */
export interface StatedFacts extends Omit<EndpointReport, 'rateLimits'> {
  /** Epoch milliseconds of the last statement. */
  readonly statedAt: number;
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
  /** What was observed of each target in the last minutes. Plain JSON; a copy as of now. */
  statistics(): readonly TargetFigures[];
  /** Which targets and credentials can be used now, and what their endpoints stated last. Plain JSON without keys; a copy as of now. */
  health(): readonly TargetHealth[];
}
