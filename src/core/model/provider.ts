/**
 * A provider answers attempts. Over HTTP it is a `WireFormat` (pure translations, one per wire protocol) that the kit's
 * `httpProvider` turns into a `Provider`; in process it implements `stream` itself. What a model can and cannot do is
 * data on its `ModelCard`.
 */
import type { Clock } from '../clock.ts';
import type { PolyphonyError } from '../errors.ts';
import type { TokenPrice } from '../money/token-price.ts';
import type { BatchEndpoint } from './batch.ts';
import type {
  Attempt,
  Capability,
  JsonSchema,
  JsonValue,
  MediaPart,
  ModelEvent,
  ModelRequest,
  Operation,
  ProviderTool,
  Target,
  Tier,
  Warning,
} from './model.ts';
import type { EndpointReport, ProviderContext, RateLimit, TransportResponse } from './provider-context.ts';

export type * from './provider-context.ts';

/** The most that one request for embeddings may hold. */
export interface EmbeddingBatch {
  /** Texts. @default any number */
  readonly texts?: number;
  /** Tokens of all texts together. @default any number */
  readonly tokens?: number;
}

/** What the schemas of tools may use with a model; an absent field excludes nothing. */
export interface ToolSupport {
  /** Most tools in one request. */
  readonly count?: number;
  /** Deepest nesting of objects and lists in the input of a tool; 1 for plain fields. */
  readonly depth?: number;
  /** `enum` and `const`. */
  readonly enums?: boolean;
  /** `anyOf`, `oneOf`, `allOf`, and several types of one field. */
  readonly unions?: boolean;
  /** `$ref`. */
  readonly references?: boolean;
  /** `refuse`: the model is not asked. @default 'warn' */
  readonly otherwise?: 'warn' | 'refuse';
}

export interface ModelCard {
  /** The provider's own id of the model. */
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly operations: readonly Operation[];
  readonly tier: Tier;
  /** Assumed quality by field, 0 to 1 (`general`, `reasoning`, `code`, `extraction`, …). */
  readonly strengths: Readonly<Record<string, number>>;
  /** Strengths that the user measured, on the scale of `strengths`: they go before all others. @default none */
  readonly measured?: Readonly<Record<string, number>>;
  readonly capabilities: readonly Capability[];
  /** What its tools may use; calls at the same time are the capability `parallel-tools`. @default everything */
  readonly toolSupport?: ToolSupport;
  /** The only use of the model: it gets only requests that ask for this capability. @default any */
  readonly dedicatedTo?: Capability;
  /**
   * It stands in where nothing better is there: beside a model without this that can do what a request needs, it answers only where
   * a request, a plan or the config names it. @default false
   */
  readonly standIn?: boolean;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** null: unknown; calls under a cap then skip the model unless the config allows it. */
  readonly price: TokenPrice | null;
  readonly retention: 'none' | 'provider' | 'unknown';
  readonly regions?: readonly string[];
  /** BCP 47 tags; absent: no claim. */
  readonly languages?: readonly string[];
  /** BCP 47 tags of languages in which it was measured; unlike `languages` it excludes no other. @default what the catalogue knows */
  readonly measuredLanguages?: readonly string[];
  readonly lifecycle?: {
    readonly stage: 'preview' | 'stable' | 'deprecated' | 'retired';
    readonly endsOn?: string;
    /** The model that new sessions get in its place. @default none */
    readonly replacedBy?: string;
  };
  /** Expected milliseconds of a short answer, until there are observations. @default from the two below, else as measured, else unknown */
  readonly expectedMs?: number;
  /** Expected milliseconds until the first token. @default as measured, else unknown */
  readonly firstTokenMs?: number;
  /** Expected tokens a second after the first. @default as measured, else unknown */
  readonly tokensPerSecond?: number;
  /** What one request for embeddings may hold; the gateway sends a larger one in several. @default the provider's */
  readonly embeddingBatch?: EmbeddingBatch;
  /** Facts that only the model's wire format reads, such as renamed parameters, ranges and quirks. */
  readonly wire?: Readonly<Record<string, JsonValue>>;
}

/** Searches that a provider's server makes for an answer, and bills beside the tokens. */
export interface BilledSearches {
  /** USD of one, where the price of the model names none; undefined: unknown. */
  fee(model: string): number | undefined;
  /** The most that the request allows: Infinity if it sets no bound, 0 if it asks for none. Never throws. */
  most(request: ModelRequest, model: string): number;
}

export interface Provider {
  /** `[a-z][a-z0-9-]*`; the first half of `provider/model`. */
  readonly id: string;
  readonly models: readonly ModelCard[];
  /** The card of a model that is not listed but may be requested as `provider/model`. @default none */
  readonly unlisted?: (id: string) => ModelCard | undefined;
  /**
   * What is sent to it stays with the user: a server of this machine or of a private network, or none at all. A planner on such a
   * server never gives way to one elsewhere unless that is asked for. @default false
   */
  readonly isOwn?: boolean;
  /** Labels of the credentials that the gateway rotates over; never the keys. @default one without a label */
  readonly credentials?: readonly string[];
  readonly regions?: readonly string[];
  /** Requests at the same time to this provider; the rest wait. @default 64 */
  readonly concurrency?: number;
  /** What one request for embeddings may hold, for cards that do not say. @default no limit is known */
  readonly embeddingBatch?: (card: ModelCard) => EmbeddingBatch | undefined;
  /** The searches of its own that it bills apart, which `searches` of the usage counts. @default none are known of */
  readonly searches?: BilledSearches;
  /** Yields every event except `route`. Ends with `finish` or throws a PolyphonyError. Stops when `attempt.signal` aborts. */
  stream(attempt: Attempt, context: ProviderContext): AsyncIterable<ModelEvent>;
  /**
   * Asks the server for its models, at no cost; `models` has them afterwards. Called once when a polyphony is created. Throws
   * if the server does not say: `models` then stays as it is.
   */
  listModels?(context: ProviderContext, signal: AbortSignal): Promise<void>;
  /** Asks a free endpoint whether the provider is available, with this credential or the first; throws if it is not. */
  probe?(context: ProviderContext, signal: AbortSignal, credential?: string): Promise<void>;
  /** The input tokens of the request as a free endpoint of the provider counts them. Throws like `stream`. */
  countTokens?(attempt: Attempt, context: ProviderContext): Promise<number>;
  /** Answers many requests together, later and for less. @default it cannot */
  readonly batch?: BatchEndpoint;
  close?(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------- wire format

export interface WireContext {
  readonly card: ModelCard;
  readonly target: Target;
  /** Without a trailing slash. */
  readonly baseURL: string;
  /** The key of `target.credential`; undefined if the server needs none. */
  readonly apiKey: string | undefined;
  /** Someone reads the answer as it arrives, so ask for a stream. */
  readonly streaming: boolean;
  /** The most bytes of an answer that comes as one document. @default the transport's limit, 64 MiB */
  readonly wholeBytes?: number | undefined;
  /** For the dates of signatures. */
  readonly clock: Clock;
  /** Called while encoding; the gateway adds the warnings to the response. */
  readonly warn: (warning: Warning) => void;
  /**
   * For facts that only the body of the answer states, such as its price; called while decoding, before `finish`. Limits, the
   * request id, and the model and service tier of `finish` are reported automatically.
   */
  readonly report: (report: EndpointReport) => void;
}

export interface WireRequest {
  readonly method?: 'GET' | 'POST';
  /** Absolute, or appended to the base URL. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** The pure translations of one wire protocol. */
/** What a wire's servers refuse in conversations. The kit's provider cleans every request accordingly before it is encoded. */
export interface RequestRules {
  /** The longest id of a tool call, in characters. @default 64 */
  readonly callIdLength?: number;
  /** `word`: ids of tool calls may have only letters, digits, `_` and `-`. @default 'any' */
  readonly callIdCharacters?: 'any' | 'word';
  /** Media types of inline images, lower-case. @default image/png, image/jpeg, image/webp and image/gif */
  readonly imageTypes?: readonly string[];
}

export interface WireFormat {
  /** @default the usual rules */
  readonly requests?: RequestRules;
  /**
   * Paths of its endpoints after the base URL, `*` for any text of a segment: cut off where a base URL ends with one, because
   * people paste the address of an endpoint. The first one that fits counts. @default none
   */
  readonly endpoints?: readonly string[];
  encode(request: ModelRequest, context: WireContext): WireRequest | Promise<WireRequest>;
  /** Reads a successful answer, streamed or not: the content type decides, not the request. */
  decode(response: TransportResponse, request: ModelRequest, context: WireContext): AsyncIterable<ModelEvent>;
  /** Converts an error response to an error. `body` is cut at 64 KiB. */
  classify(status: number, headers: Readonly<Record<string, string>>, body: string): PolyphonyError;
  /** The limits that the headers of an answer or a refusal state; the gateway gets them. @default none are read */
  rateLimits?(headers: Readonly<Record<string, string>>, nowMs: number): readonly RateLimit[];
  /** Lower-case names of the headers that may contain the endpoint's id of the request; the first one present counts. @default none */
  readonly requestIdHeaders?: readonly string[];
  /** Lower-case name of the header in which servers take the caller's own id of a request. @default none takes one */
  readonly callerIdHeader?: string;
  /** The names of tools that the server accepts: others are renamed there and back. @default all */
  readonly toolNames?: RegExp;
  /**
   * Whether `encode` puts this media part of an assistant message into its place. The others are moved into the user message
   * after it, or left out with a warning if the model does not take them. @default every part is left in its place
   */
  returnsMedia?(part: MediaPart, context: WireContext): boolean;
  /** The fields of the body that switch a tool of the provider's own on; undefined if it has no such tool. @default it has none */
  ownTool?(tool: ProviderTool, context: WireContext): JsonSchema | undefined;
  /** The free endpoint that counts the input tokens of a request. */
  readonly counting?: TokenCounting;
}

export interface TokenCounting {
  /** @throws unsupported for a request that the endpoint cannot count */
  encode(request: ModelRequest, context: WireContext): WireRequest | Promise<WireRequest>;
  /** Undefined if the answer contains no count. */
  decode(body: unknown): number | undefined;
}
