/**
 * The canonical model: requests, parts, stream events and responses, whichever provider answers. Every operation takes
 * the same road: a `Call` enters the gateway's request ring, becomes an `Attempt` at one target, and comes back as a
 * stream of `ModelEvent`s.
 */
import type { PolyphonyError } from './errors.ts';
import type { NanoUsd } from './money.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
/** A JSON Schema (2020-12 or draft-07). Key order matters to models and is preserved. */
export type JsonSchema = { readonly [keyword: string]: unknown };

// ---------------------------------------------------------------------------------------------------- messages

export type Role = 'system' | 'user' | 'assistant' | 'tool';

/** Where a part's bytes are. `url` may be https:, data:, or a provider's own scheme (gs:, a file id). */
export type MediaSource =
  | { readonly type: 'base64'; readonly data: string; readonly mediaType: string }
  | { readonly type: 'url'; readonly url: string; readonly mediaType?: string };

export interface TextPart {
  readonly type: 'text';
  readonly text: string;
  /** Asks the provider to cache the prompt up to here. */
  readonly cache?: 'short' | 'long';
  readonly citations?: readonly Citation[];
}
export interface ImagePart {
  readonly type: 'image';
  readonly source: MediaSource;
  readonly detail?: 'low' | 'high' | 'auto';
}
export interface AudioPart {
  readonly type: 'audio';
  readonly source: MediaSource;
}
export interface VideoPart {
  readonly type: 'video';
  readonly source: MediaSource;
}
export interface FilePart {
  readonly type: 'file';
  readonly source: MediaSource;
  readonly name?: string;
}
/**
 * What the model thought. `signature` and `redacted` are opaque and must return unchanged to the same family of models
 * (`family`, the provider that made them); every other target drops the part.
 */
export interface ReasoningPart {
  readonly type: 'reasoning';
  readonly text: string;
  readonly signature?: string;
  readonly redacted?: string;
  readonly family?: string;
  /** The provider's own block, returned unchanged. */
  readonly raw?: JsonValue;
}
export interface ToolCallPart {
  readonly type: 'tool-call';
  readonly id: string;
  readonly name: string;
  /** The parsed arguments; `{}` when the provider's JSON was broken, with `raw` and a warning. */
  readonly arguments: JsonValue;
  /** The arguments as sent, where they could not be parsed. */
  readonly raw?: string;
  /** Opaque to everyone but the provider that made it (thought signatures). */
  readonly signature?: string;
}
export interface ToolResultPart {
  readonly type: 'tool-result';
  readonly id: string;
  readonly name?: string;
  readonly content: string | readonly (TextPart | ImagePart | FilePart)[];
  readonly isError?: boolean;
}
export type Part =
  | TextPart
  | ImagePart
  | AudioPart
  | VideoPart
  | FilePart
  | ReasoningPart
  | ToolCallPart
  | ToolResultPart;

export interface Message {
  readonly role: Role;
  /** A string is short for one text part. */
  readonly content: string | readonly Part[];
  readonly name?: string;
}

export interface Citation {
  readonly url?: string;
  readonly title?: string;
  readonly text?: string;
  readonly start?: number;
  readonly end?: number;
}

// ---------------------------------------------------------------------------------------------------- requests

/** What a model can do. A requirement of a request and a fact on a card are the same words. */
export const CAPABILITIES = [
  'text',
  'streaming',
  'tools',
  'parallel-tools',
  'tool-choice',
  'json-mode',
  'json-schema',
  'image-in',
  'audio-in',
  'video-in',
  'file-in',
  'reasoning',
  'logprobs',
  'seed',
  'stop',
  'temperature',
  'top-p',
  'penalties',
  'system',
  'prefix',
  'prompt-cache',
  'planning',
  'image-out',
  'image-edit',
  'embeddings',
  'moderation',
  'rerank',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

export const TIERS = ['fast', 'balanced', 'premium'] as const;
export type Tier = (typeof TIERS)[number];

export const SENSITIVITIES = ['public', 'internal', 'personal', 'regulated'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** Constraints from which the router chooses. A string is short for `{ id }`. */
export interface ModelChoice {
  /** A model's id (`gpt-4o-mini`), `provider/model`, or an alias of the config. Pins. */
  readonly id?: string;
  readonly tier?: Tier;
  readonly can?: readonly Capability[];
  /** Fields in which the model should be strong (`code`, `reasoning`); moves the score, excludes nobody. */
  readonly strengths?: readonly string[];
  /** A route of the config: an explicit chain. */
  readonly route?: string;
}

/** Bounds that a target must keep; one that cannot is rejected with the bound that it broke. */
export interface RequestLimits {
  readonly usd?: number;
  /** The whole call, in milliseconds. */
  readonly milliseconds?: number;
  /** The target's observed 95th percentile of total latency, in milliseconds. */
  readonly p95Milliseconds?: number;
  /** Prior quality of the target on the asked strengths, 0 to 1. */
  readonly quality?: number;
  /** Attempts at the same target after the first. @default 2 */
  readonly retries?: number;
}

export interface Requirements {
  readonly contextTokens?: number;
  readonly languages?: readonly string[];
  readonly regions?: readonly string[];
  readonly retention?: 'none';
}

export interface EscalationRule {
  readonly evaluator: string;
  /** The answer is replaced while its score is below this. @default 0.7 */
  readonly below?: number;
  readonly to: readonly (Tier | (string & {}))[];
  /** @default 'fresh' */
  readonly context?: 'fresh' | 'with-draft';
}

export type CacheMode = 'use' | 'skip' | 'refresh';

interface RequestBase {
  readonly model?: string | ModelChoice;
  readonly limits?: RequestLimits;
  readonly requires?: Requirements;
  readonly optimise?: 'cost' | 'latency' | 'quality' | 'balanced';
  readonly sensitivity?: Sensitivity;
  readonly cache?: CacheMode;
  readonly escalate?: EscalationRule | false;
  /** What happens when a stream fails after its first token. @default 'error' */
  readonly onStreamFailure?: 'error' | 'restart' | 'continue';
  /** The escape hatch: merged into the wire body, for the provider named by the key only. */
  readonly providerOptions?: Readonly<Record<string, JsonSchema>>;
  /** Keep the provider's own body on the response. @default false */
  readonly includeRaw?: boolean;
}

export interface ToolDefinition {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: JsonSchema;
  readonly strict?: boolean;
}

export interface OutputFormat {
  readonly type: 'json';
  /** Absent: any JSON. */
  readonly schema?: JsonSchema;
  /** @default 'output' */
  readonly name?: string;
  /**
   * Hold the provider to the schema where it can. False: the schema is advice (it has open maps, say) and the answer is
   * checked by whoever asked. @default true
   */
  readonly strict?: boolean;
}

export interface ChatRequest extends RequestBase {
  readonly operation: 'chat';
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolDefinition[];
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string };
  readonly parallelToolCalls?: boolean;
  readonly output?: OutputFormat;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly presencePenalty?: number;
  readonly frequencyPenalty?: number;
  readonly stop?: readonly string[];
  readonly seed?: number;
  /** How many alternatives a token; true for the chosen token alone. */
  readonly logprobs?: boolean | number;
  readonly reasoning?: {
    readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high';
    readonly budgetTokens?: number;
  };
  readonly serviceTier?: string;
  readonly user?: string;
}
export interface EmbeddingRequest extends RequestBase {
  readonly operation: 'embed';
  readonly input: readonly string[];
  readonly dimensions?: number;
  readonly purpose?: 'query' | 'document';
}
export interface ImageRequest extends RequestBase {
  readonly operation: 'image';
  readonly prompt: string;
  readonly negativePrompt?: string;
  /** `1024x1024`; a model that wants an aspect ratio derives it. */
  readonly size?: string;
  /** @default 1 */
  readonly count?: number;
  readonly seed?: number;
  /** An image to edit. */
  readonly image?: MediaSource;
  readonly quality?: string;
}
export interface ModerationRequest extends RequestBase {
  readonly operation: 'moderate';
  readonly input: readonly (TextPart | ImagePart)[];
}
export interface RerankRequest extends RequestBase {
  readonly operation: 'rerank';
  readonly query: string;
  readonly documents: readonly string[];
  readonly top?: number;
}
export type ModelRequest = ChatRequest | EmbeddingRequest | ImageRequest | ModerationRequest | RerankRequest;
export type Operation = ModelRequest['operation'];

// ---------------------------------------------------------------------------------------------------- events

/** Tokens by kind. `input` counts every prompt token (cached too); `output` every generated one (reasoning too). */
export interface Usage {
  readonly input: number;
  readonly output: number;
  /** Part of `input` read from the provider's prompt cache. */
  readonly cacheRead?: number;
  /** Part of `input` written to the provider's prompt cache, whatever its life. */
  readonly cacheWrite?: number;
  /** Part of `cacheWrite` written for an hour instead of five minutes. */
  readonly cacheWriteLong?: number;
  /** Part of `output`. */
  readonly reasoning?: number;
  readonly audioInput?: number;
  readonly audioOutput?: number;
  readonly images?: number;
}

export const FINISH_REASONS = ['stop', 'length', 'tool-calls', 'content-filter', 'pause', 'error', 'other'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

/** Something that the caller should know and that stopped nothing. `code` is stable, kebab-case. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** One deployment of one model: what the router returns, in order of preference. `credential` is a label, never a key. */
export interface Target {
  readonly provider: string;
  readonly model: string;
  readonly region?: string;
  readonly credential?: string;
}

export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly top?: readonly { readonly token: string; readonly logprob: number }[];
}

export interface ModerationResult {
  readonly flagged: boolean;
  readonly categories: Readonly<Record<string, boolean>>;
  readonly scores: Readonly<Record<string, number>>;
}

/** The result of an operation other than chat. */
export type OperationOutput =
  | { readonly operation: 'embed'; readonly vectors: readonly (readonly number[])[] }
  | { readonly operation: 'image'; readonly images: readonly MediaSource[]; readonly revisedPrompt?: string }
  | { readonly operation: 'moderate'; readonly results: readonly ModerationResult[] }
  | {
      readonly operation: 'rerank';
      readonly results: readonly { readonly index: number; readonly score: number }[];
    };

export interface FinishEvent {
  readonly type: 'finish';
  readonly reason: FinishReason;
  readonly usage: Usage;
  /** Set by the gateway's budget layer; null where no price is known. Absent as the provider yields it. */
  readonly costNanoUsd?: NanoUsd | null;
  /** The model as the provider reported it, which may be more exact than the one asked for. */
  readonly model?: string;
  /** The provider's own id of the response. */
  readonly id?: string;
  readonly logprobs?: readonly TokenLogprob[];
  /** How sure the answering engine says it is, 0 to 1, where it says so at all. */
  readonly confidence?: number;
  readonly citations?: readonly Citation[];
  readonly refusal?: string;
  /** The provider's own body, when the request asked for it. */
  readonly raw?: unknown;
  /** Filled by the layers above the attempt: see the fields of the same names on ModelResponse. */
  readonly cached?: boolean;
  readonly escalation?: EscalationReport;
}

/** Noun-verb names. `route` comes first in every attempt that speaks, `finish` is last; an error is thrown, never an event. */
export type ModelEvent =
  | { readonly type: 'route'; readonly target: Target }
  /** What was shown so far is void: a fresh stream follows. */
  | { readonly type: 'restart'; readonly notice: string }
  | { readonly type: 'text-delta'; readonly text: string }
  | { readonly type: 'reasoning-delta'; readonly text: string }
  /** A whole reasoning block, signature included, after its deltas. */
  | { readonly type: 'reasoning'; readonly part: ReasoningPart }
  | {
      readonly type: 'tool-call-delta';
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly delta: string;
    }
  | { readonly type: 'tool-call'; readonly call: ToolCallPart }
  | { readonly type: 'output'; readonly output: OperationOutput }
  | { readonly type: 'warning'; readonly warning: Warning }
  | FinishEvent;

/** Which rung of the ladder answered, and why. */
export interface EscalationReport {
  readonly rung: number;
  readonly evaluator: string;
  /** The score of the answer that was kept; null when it was not judged. */
  readonly score: number | null;
  readonly reason: string;
  readonly rungs: readonly {
    readonly target: Target;
    readonly score: number | null;
    readonly reasons: readonly string[];
    readonly costNanoUsd: NanoUsd | null;
  }[];
}

// ---------------------------------------------------------------------------------------------------- calls

export const SCOPE_KINDS = ['request', 'node', 'run', 'session', 'user', 'team', 'tenant', 'tag'] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

/** Who pays: a cap may sit on every scope, and one attempt is charged to all of them at once. */
export interface Scope {
  readonly kind: ScopeKind;
  readonly id: string;
  readonly capNanoUsd?: NanoUsd;
  /** Spent before this process knew the scope (a resumed run). @default 0 */
  readonly spentNanoUsd?: NanoUsd;
}

/** Why a call is made. The gateway never evaluates, caches or escalates anything but `answer` and `plan`. */
export type Purpose = 'answer' | 'planner' | 'judge' | 'moderation' | 'embedding' | 'probe';

export type AttemptOutcome = 'ok' | 'error' | 'cancelled';

/** One dispatched request, as response and ledger keep it. Times in milliseconds. */
export interface AttemptRecord {
  /** Idempotency key: `<call id>/<number>`. */
  readonly key: string;
  readonly target: Target;
  readonly purpose: Purpose;
  readonly startedAt: number;
  readonly queueMs: number;
  readonly firstTokenMs: number | null;
  readonly totalMs: number;
  readonly outcome: AttemptOutcome;
  readonly error?: { readonly code: PolyphonyError['code']; readonly message: string };
  readonly usage: Usage | null;
  readonly costNanoUsd: NanoUsd | null;
  /** True when the provider told no usage and the cost is our estimate of what was produced. */
  readonly estimated?: boolean;
}

/** The one thing of a call that grows: every attempt made for it, those of judges and moderators included. */
export interface CallTrace {
  readonly attempts: AttemptRecord[];
}

/** What travels through the request ring. Change it with `next({ ...call, … })`, never in place. */
export interface Call {
  readonly id: string;
  readonly request: ModelRequest;
  readonly signal: AbortSignal;
  readonly purpose: Purpose;
  readonly session?: string;
  readonly scopes: readonly Scope[];
  readonly trace: CallTrace;
  /** Epoch milliseconds after which the caller does not want the answer. */
  readonly deadline?: number;
}

/** A call with its target chosen. `number` counts from 1 over all attempts of the call. */
export interface Attempt extends Call {
  readonly target: Target;
  readonly number: number;
}

export interface ModelResponse {
  readonly target: Target;
  readonly content: readonly Part[];
  readonly output?: OperationOutput;
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** Of the whole call: every attempt, judges and lower rungs included; null when a price is unknown. */
  readonly costNanoUsd: NanoUsd | null;
  readonly attempts: readonly AttemptRecord[];
  readonly warnings: readonly Warning[];
  readonly model?: string;
  readonly id?: string;
  readonly logprobs?: readonly TokenLogprob[];
  readonly confidence?: number;
  readonly citations?: readonly Citation[];
  readonly refusal?: string;
  readonly raw?: unknown;
  readonly cached?: boolean;
  readonly escalation?: EscalationReport;
}

/** The one primitive of the gateway, and what wraps it. A layer with nothing to do returns `next(call)` itself. */
export type Handler<C extends Call = Call> = (call: C) => AsyncIterable<ModelEvent>;
export type Middleware<C extends Call = Call> = (call: C, next: Handler<C>) => AsyncIterable<ModelEvent>;

/** First middleware is outermost. */
export function compose<C extends Call>(layers: readonly Middleware<C>[], handler: Handler<C>): Handler<C> {
  return layers.reduceRight<Handler<C>>((next, layer) => (call) => layer(call, next), handler);
}
