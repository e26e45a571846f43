/** The port of the gateway, for the executor, the planner, plugins and the server. */
import type { Batches } from './gateway/batches.ts';
import type { CallOptions } from './gateway/call-options.ts';
import type { CandidateReport } from './gateway/candidates.ts';
import type { ExplainedRoute } from './gateway/explained-route.ts';
import type { GatewayEvent } from './gateway/gateway-events.ts';
import type { ModelReport } from './gateway/model-report.ts';
import type { ProbeReport } from './gateway/probe-report.ts';
import type { AskedTool, GenerateOutput, GenerateRequest, GenerateResponse, StreamEvent } from './model/generate.ts';
import type {
  EmbeddingRequest,
  ImageRequest,
  ModelRequest,
  ModelResponse,
  ModerationRequest,
  RequestLimits,
  RerankRequest,
  Target,
  Warning,
} from './model/model.ts';
import type { EndpointReport, ModelCard, RateLimit } from './model/provider.ts';

/** A request without its discriminant: `gateway.embed({ input })`. */
export type Without<R, K extends PropertyKey> = R extends unknown ? Omit<R, K> : never;

export interface Candidate {
  readonly target: Target;
  readonly card: ModelCard;
  readonly score: number;
  /** The parts of the score, each 0 (worst) to 1 (best). */
  readonly parts: Readonly<Record<string, number>>;
  readonly estimatedNanoUsd: number | null;
  /** How its quality, latency and reliability came about. @default only where the routing is explained */
  readonly figures?: readonly CorrectedFigure[];
  /** What else moved it, such as that it ends. @default only where the routing is explained, and something did */
  readonly notes?: readonly string[];
  /** What would be changed in the request for it. @default only where the routing is explained, and something would */
  readonly adaptations?: readonly string[];
  /** How its endpoint is used now. @default only where the routing is explained */
  readonly pace?: Pace;
}

export interface Pace {
  /** Milliseconds that the request would wait for room in the limits that the endpoint announced; 0: none, or none is announced. */
  readonly waitMs: number;
  /** The most requests at the same time at the endpoint now: fewer than configured after overloads. */
  readonly concurrency: number;
  /** Requests that wait for it now. */
  readonly waiting: number;
  /** The longest time until the first token of a stream, and until the end of an answer that is not streamed, in milliseconds. */
  readonly firstTokenMs: number;
  readonly answerMs: number;
}

/** A figure that was known before, corrected by what was observed: (priorWeight × prior + observations × observed) ÷ their sum. */
export interface CorrectedFigure {
  /** A field of work such as `code`, `latency` in milliseconds, or `reliability`. */
  readonly of: string;
  /** null: unknown */
  readonly prior: number | null;
  /** How the prior is known: `own`, `card`, `measured`, `derived`, `assumed`, `unknown`, or how a speed was measured. */
  readonly basis: string;
  /** The names of its sources in the catalogue of models. */
  readonly sources: readonly string[];
  /** Observations that the prior counts as. */
  readonly priorWeight: number;
  /** The mean of what was observed; null before the first observation. */
  readonly observed: number | null;
  /** Each counted by its remaining weight: not a whole number. */
  readonly observations: number;
  /** What counts; null: unknown */
  readonly used: number | null;
}
export interface Rejection {
  readonly target: Target;
  /** Each requirement or limit that the target fails, as a sentence with its value. */
  readonly failed: readonly string[];
}
export interface Explanation {
  readonly requestRing: readonly string[];
  readonly attemptRing: readonly string[];
  /** In the order in which they would be tried, best first, at most eight. */
  readonly candidates: readonly Candidate[];
  /** The plugins whose `rank` changed the router's order, in the order in which they ran. @default none */
  readonly rankedBy?: readonly string[];
  /** Providers whose models come last, because so much of their budget is spent. @default none */
  readonly shifted?: readonly string[];
  readonly rejected: readonly Rejection[];
  /** The route that it takes, and why. @default the config has neither tasks nor limits of routes */
  readonly routed?: ExplainedRoute;
  /** The limits in force, where an intent or a route set some. @default those of the request */
  readonly limits?: RequestLimits;
  /** When a second target would be asked too, and which. @default none ever is */
  readonly hedge?: ExplainedHedge;
  /** Of a call with `urgency: 'batch'`: the target of its batch, or why it is made at once. @default the call is made at once */
  readonly batched?: { readonly target: Target } | { readonly live: string };
  /** What the response would say of the choice: another tier than the asked one answers. @default none */
  readonly warnings?: readonly Warning[];
}

export interface ExplainedHedge {
  /** Milliseconds without a word of the first target; null while too few of its answers are known. */
  readonly afterMs: number | null;
  /** null: no other target is left. */
  readonly second: Target | null;
}

/** Observed figures of one target. The weight of an observation halves every five minutes. */
export interface TargetFigures {
  readonly target: Target;
  /** The sum of the weights of successful attempts: not a whole number. */
  readonly attempts: number;
  /** The weighted share of attempts that failed because of the target, 0 to 1, smoothed by four successful attempts. */
  readonly errorRate: number;
  /** Milliseconds from sending to the end of successful attempts, median and 95th percentile; null before the first. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Milliseconds from sending to the first token of streamed attempts; null before the first. */
  readonly firstTokenP50Ms: number | null;
  readonly firstTokenP95Ms: number | null;
  /** Prompt tokens that its provider counts for one of our own estimate, a quarter of the bytes; null before the first. */
  readonly tokenRatio: number | null;
}

/** Whether one target can be used now, and with which credentials. */
export interface TargetHealth {
  /** Without a credential. */
  readonly target: Target;
  /** The stricter of two breakers: the provider's in this region, and the model's. */
  readonly breaker: BreakerHealth;
  /** As in `TargetFigures`, 0 to 1. */
  readonly errorRate: number;
  /** One per credential of its provider, in the provider's order. */
  readonly credentials: readonly CredentialHealth[];
}

export interface BreakerHealth {
  /** `open`: not used. `half-open`: the next attempt is a trial. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Epoch milliseconds when it turns half-open; null where it is not open. */
  readonly until: number | null;
}

export interface CredentialHealth {
  /** Its label; null for a single credential without a label. Never the key. */
  readonly label: string | null;
  /** `waiting`: the endpoint asked to wait. `refused`: the endpoint rejected it, and it is not used for a while. */
  readonly state: 'ready' | 'waiting' | 'refused';
  /** Epoch milliseconds when it is used again; null where it is ready. */
  readonly until: number | null;
  /** Why it was refused; null unless it was. */
  readonly reason: string | null;
  /** The last limits that the endpoint stated for this target and credential, until they are reset. */
  readonly limits: readonly StatedLimit[];
  /** Other facts that the endpoint stated last; null before the first. */
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

/** The last statement of each fact: one request may state only some of them. */
export interface StatedFacts extends Omit<EndpointReport, 'rateLimits'> {
  /** Epoch milliseconds of the last statement. */
  readonly statedAt: number;
}

export type * from './gateway/batches.ts';
export type * from './gateway/call-options.ts';
export type * from './gateway/candidates.ts';
export type * from './gateway/explained-route.ts';
export type * from './gateway/gateway-events.ts';
export type * from './gateway/model-report.ts';
export type * from './gateway/probe-report.ts';
export type * from './model/generate.ts';

export interface Gateway {
  /**
   * Asks a language model: `generate({ prompt: 'Name a fruit.' })`. With a schema as `output` (zod, JSON Schema, shorthand) the
   * response has a checked and typed `object`, with `tools` it has checked and typed `toolCalls`.
   *
   * @throws invalid-request for a field, a role or a part that does not exist, and when nothing is asked
   * @throws invalid-output when the answer does not fit the schema; `details` has the issues and what it cost
   */
  generate<const Output extends GenerateOutput = never, const Tools extends readonly AskedTool[] = never>(
    request: GenerateRequest<Output, Tools>,
    options?: CallOptions,
  ): Promise<GenerateResponse<Output, Tools>>;
  /** The same as events; with a schema as `output` also the object as it grows. Throws, while it is read, what `generate` throws. */
  stream<const Output extends GenerateOutput = never>(
    request: GenerateRequest<Output>,
    options?: CallOptions,
  ): AsyncIterable<StreamEvent<Output>>;
  embed(request: Without<EmbeddingRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  image(request: Without<ImageRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  moderate(request: Without<ModerationRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  rerank(request: Without<RerankRequest, 'operation'>, options?: CallOptions): Promise<ModelResponse>;
  /** Any operation. */
  call(request: ModelRequest, options?: CallOptions): Promise<ModelResponse>;
  /** The layers and the routing decision, without the effect of a session's own target. Sends nothing. */
  explain(request: ModelRequest, options?: CallOptions): Explanation;
  /** The calls that wait for a batch. @default the config has no `batches` */
  readonly batches?: Batches | undefined;
  models(): readonly { readonly provider: string; readonly card: ModelCard; readonly isOwn?: boolean }[];
  /**
   * Tells how good an answer of a target was in a field of work, 0 to 1, such as `structured` with 1 for an answer that had the
   * asked form. It corrects what is known of the target: see docs/reference/models.md. Unknown targets are ignored.
   *
   * @throws invalid-request for a score outside 0 to 1
   */
  rate?(target: Target, field: string, score: number): void;
  /**
   * Reads what earlier processes observed of targets, where the stores outlive a process; otherwise the first call begins to, and
   * nothing waits for it. A second time does nothing. Waits for what is read and written of candidates too.
   */
  recall?(): Promise<void>;
  /**
   * False: the model that gave this answer has moved to another version since, by what its endpoint states, so a stored answer
   * is out of date. @default nobody knows: it is current
   */
  isCurrent?(answer: Pick<ModelResponse, 'target' | 'model' | 'fingerprint'>): boolean;
  /**
   * Tells how good the answer of a call was, 0 to 1, such as by the word of a user. It corrects what is known of the model, counts for a
   * candidate that is tried, and for alerts. The id of a call is that of its options, or stands before the `/` in `attempts[0].key`.
   * Returns false for a call that is not one of the last 4096 that were answered.
   *
   * @throws invalid-request for a score outside 0 to 1
   */
  report?(callId: string, said: { readonly score: number }): boolean;
  /**
   * What was observed of the candidates of the config, by all processes with the same store as far as this one has read it. Plain JSON; a
   * copy as of now.
   */
  candidates?(): readonly CandidateReport[];
  /**
   * Decides on a candidate by hand: `promoted` answers all calls of the model that it stands beside, `dismissed` none, `trying` its share.
   *
   * @throws invalid-request for a name that the config does not have, and for another state
   */
  decideCandidate?(name: string, state: CandidateReport['state']): void;
  /** Asks the free endpoint of each provider now, at most 10 seconds. A refused key that it takes is used again. Never rejects. */
  probe?(): Promise<readonly ProbeReport[]>;
  /**
   * Asks each hosted model a question of a few tokens now, for at most so many US dollars. Servers of the user's own are not asked. Never
   * rejects for what models do.
   */
  sweep?(options: { readonly usd: number }): Promise<readonly ModelReport[]>;
  /** Observed figures of each target in the last minutes. Plain JSON; a copy as of now. */
  statistics(): readonly TargetFigures[];
  /** Which targets and credentials can be used now, and the last facts that their endpoints stated. Plain JSON without keys; a copy as of now. */
  health(): readonly TargetHealth[];
  /**
   * Gets what the gateway decides or notices by itself from now on, such as a model that is not asked for a while. What the
   * listener throws is logged. Returns what ends the listening.
   */
  onEvent?(listener: (event: GatewayEvent) => unknown): () => void;
  /**
   * Prices from now on, over those of the config, until the next update: the text of an update as it arrived, with its
   * `polyphony-signature`. It lasts as long as this gateway.
   *
   * @throws invalid-config without `priceUpdates` in the config, invalid-credential for a signature that does not fit,
   * invalid-request for a text that is no list of prices
   */
  updatePrices?(body: string, signature: string): Promise<void>;
  /**
   * Uses refused credentials again at once, of the provider with this id or of all: call it when an account was topped up or
   * its rights were changed. Sends nothing. Returns how many were out of use. What an endpoint asked to wait is still waited.
   */
  reviveCredentials(provider?: string): number;
}
