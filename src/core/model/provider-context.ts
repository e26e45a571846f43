/** What providers get from the gateway, and what they tell it besides their answers. */
import type { Clock } from '../clock.ts';
import type { NanoUsd } from '../money/money.ts';

/** What a provider gets with each attempt, probe and count. */
export interface ProviderContext {
  /** The only access to the network. */
  readonly transport: Transport;
  /** The gateway's clock, for dates in headers and signatures, and for waits. */
  readonly clock: Clock;
  /**
   * Takes what the endpoint states besides its answer, also with a refusal. Optional, at any time: once when the headers have
   * arrived and once at the end is enough. Never throws, and does not change the answer.
   */
  readonly report: (report: EndpointReport) => void;
  /** Takes the milliseconds until a request was on its way (`TransportResponse.networkMs`). @default nobody asks */
  readonly sentAfter?: (networkMs: number) => void;
}

/** What an endpoint states besides its answer; fields that it does not state are absent. */
export interface EndpointReport {
  /** All limits of the credential that was used: they replace those that were stated before. */
  readonly rateLimits?: readonly RateLimit[];
  /** The endpoint's own id of the request, for its support. */
  readonly requestId?: string;
  /** The model that answered, which may be more exact than the one asked for. */
  readonly model?: string;
  /** The service tier that the endpoint says it used. */
  readonly serviceTier?: string;
  /** The cost of the request as the endpoint states it. */
  readonly costNanoUsd?: NanoUsd;
}

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
  /** Milliseconds until the request was on its way: until a connection was free, or opened. @default not measured */
  readonly networkMs?: number;
  /** Decompressed. Ending the iteration early closes the socket. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The complete body; throws `truncated` if it is larger than `limitBytes`. @default 64 MiB, which is also the most */
  bytes(limitBytes?: number): Promise<Uint8Array>;
}

/** The only access to the network. Throws `network`, `timeout` or `cancelled`; a body that is too large is `truncated`. */
export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

/** One limit that an endpoint states. */
export interface RateLimit {
  readonly kind: 'requests' | 'tokens';
  /** Which tokens it counts. @default those of the prompt and of the answer */
  readonly counts?: 'input' | 'output';
  /** Requests or tokens per window. */
  readonly limit?: number;
  /** Requests or tokens left in the window. */
  readonly remaining?: number;
  /** Milliseconds from now until the window is full again. */
  readonly resetMs?: number;
  /** The length of the window, in milliseconds. */
  readonly windowMs?: number;
}
