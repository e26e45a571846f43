/**
 * A provider answers attempts. Over HTTP it is a `WireFormat` (pure translations, one a wire protocol) that the kit's
 * `httpProvider` turns into a `Provider`; in process it implements `stream` itself. What a model can and cannot do is
 * data on its `ModelCard`.
 */
import type { Clock } from '../clock.ts';
import type { PolyphonyError } from '../errors.ts';
import type { NanoUsd } from '../money/money.ts';
import type { TokenPrice } from '../money/token-price.ts';
import type {
  Attempt,
  Capability,
  JsonValue,
  ModelEvent,
  ModelRequest,
  Operation,
  Target,
  Tier,
  Warning,
} from './model.ts';

export interface ModelCard {
  /** The provider's own id of the model. */
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly operations: readonly Operation[];
  readonly tier: Tier;
  /** Prior quality by field, 0 to 1 (`general`, `reasoning`, `code`, `extraction`, …). */
  readonly strengths: Readonly<Record<string, number>>;
  readonly capabilities: readonly Capability[];
  /** The one job it is made for: only requests that ask for this capability come here. @default any */
  readonly dedicatedTo?: Capability;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
  /** null: unknown, and refused under a cap unless the config allows it. */
  readonly price: TokenPrice | null;
  readonly retention: 'none' | 'provider' | 'unknown';
  readonly regions?: readonly string[];
  /** BCP 47 tags; absent: no claim. */
  readonly languages?: readonly string[];
  readonly lifecycle?: { readonly stage: 'preview' | 'stable' | 'deprecated' | 'retired'; readonly endsOn?: string };
  /** Expected milliseconds of a short answer, before anything was observed. @default 1500 */
  readonly expectedMs?: number;
  /** Facts that only the model's wire format reads (renamed parameters, ranges, quirks). */
  readonly wire?: Readonly<Record<string, JsonValue>>;
}

export interface Provider {
  /** `[a-z][a-z0-9-]*`; the first half of `provider/model`. */
  readonly id: string;
  readonly models: readonly ModelCard[];
  /** Models that are not listed may be asked for by `provider/model` (any server by base URL). @default none */
  readonly unlisted?: (id: string) => ModelCard | undefined;
  /** Labels of the credentials that the gateway rotates over; never the keys. @default one unnamed */
  readonly credentials?: readonly string[];
  readonly regions?: readonly string[];
  /** Requests at once to this provider; the rest wait. @default 64 */
  readonly concurrency?: number;
  /** Yields every event but `route`. Ends with `finish` or throws a PolyphonyError. Stops at `attempt.signal`. */
  stream(attempt: Attempt, context: ProviderContext): AsyncIterable<ModelEvent>;
  /** Asks the cheapest free endpoint whether the provider lives. */
  probe?(context: ProviderContext, signal: AbortSignal): Promise<void>;
  /** The input tokens of the request as the provider counts them, asked free of charge. Throws as `stream` does. */
  countTokens?(attempt: Attempt, context: ProviderContext): Promise<number>;
  close?(): Promise<void>;
}

/** What a provider is given with each attempt, probe and count. */
export interface ProviderContext {
  /** The only door to the network. */
  readonly transport: Transport;
  /** The gateway's; read for dates in headers and signatures, and for waits. */
  readonly clock: Clock;
  /**
   * Takes what the endpoint states besides its answer, a refusal included. Optional and at any moment: once when the
   * headers are there and once at the end is enough. Never throws, and changes nothing about the answer.
   */
  readonly report: (report: EndpointReport) => void;
}

/** What an endpoint states of itself besides its answer; a field that it says nothing of is absent. */
export interface EndpointReport {
  /** The limits of the credential that was used, all of them: they replace those that were stated before. */
  readonly rateLimits?: readonly RateLimit[];
  /** Its own id of the request, by which its support finds it. */
  readonly requestId?: string;
  /** The model that answered, which may be more exact than the one asked for. */
  readonly model?: string;
  /** The service tier that it says it served. */
  readonly serviceTier?: string;
  /** What it says the request cost. */
  readonly costNanoUsd?: NanoUsd;
}

// ---------------------------------------------------------------------------------------------------- transport

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Decompressed. Leaving the iteration early closes the socket. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body, refused above `limitBytes`. @default 64 MiB */
  bytes(limitBytes?: number): Promise<Uint8Array>;
}

/** The only door to the network. Throws `network`, `timeout` or `cancelled`. */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------------- wire format

export interface WireContext {
  readonly card: ModelCard;
  readonly target: Target;
  /** Without a trailing slash. */
  readonly baseURL: string;
  /** The secret of `target.credential`; undefined when the server needs none. */
  readonly apiKey: string | undefined;
  /** Ask for a stream: someone reads it as it comes. */
  readonly streaming: boolean;
  /** Dates signatures. */
  readonly clock: Clock;
  /** Pushed while encoding; the gateway shows them on the response. */
  readonly warn: (warning: Warning) => void;
  /**
   * For what only the body of the answer states, such as its price; called while decoding, before `finish`. Limits, the
   * request id, and the model and service tier of `finish` are reported without it.
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

/** One limit that an endpoint states. */
export interface RateLimit {
  readonly kind: 'requests' | 'tokens';
  /** Requests or tokens per window. */
  readonly limit?: number;
  /** Requests or tokens left in the window. */
  readonly remaining?: number;
  /** Milliseconds from now until the window is full again. */
  readonly resetMs?: number;
}

/** The pure translations of one wire protocol. */
export interface WireFormat {
  encode(request: ModelRequest, context: WireContext): WireRequest | Promise<WireRequest>;
  /** Reads a good answer, streamed or not, told apart by its content type and not by what was asked for. */
  decode(response: TransportResponse, request: ModelRequest, context: WireContext): AsyncIterable<ModelEvent>;
  /** What a bad answer means. `body` is cut at 64 KiB. */
  classify(status: number, headers: Readonly<Record<string, string>>, body: string): PolyphonyError;
  /** The limits that the headers of an answer or a refusal state; reported to the gateway. @default none are read */
  rateLimits?(headers: Readonly<Record<string, string>>, nowMs: number): readonly RateLimit[];
  /** Lower-case names of the headers that may hold the endpoint's id of the request; the first that is there counts. @default none */
  readonly requestIdHeaders?: readonly string[];
  /** The free endpoint that says how many input tokens a request would take. */
  readonly counting?: TokenCounting;
}

export interface TokenCounting {
  /** @throws unsupported for what the endpoint does not count */
  encode(request: ModelRequest, context: WireContext): WireRequest | Promise<WireRequest>;
  /** Undefined where the answer holds no count. */
  decode(body: unknown): number | undefined;
}
