/** One request over HTTP: the provider's options, the key and the address. */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { Attempt, Target, Warning } from '../../core/model/model.ts';
import type {
  EndpointReport,
  ModelCard,
  RateLimit,
  TransportRequest,
  TransportResponse,
  WireContext,
  WireFormat,
  WireRequest,
} from '../../core/model/provider.ts';
import { rememberSecret } from '../../core/scrub.ts';

export interface HttpProviderOptions {
  /** `[a-z][a-z0-9-]*` */
  readonly id: string;
  readonly wire: WireFormat;
  /** A function if it depends on the region or the model. Trailing slashes are removed. */
  readonly baseURL: string | ((target: Target) => string);
  readonly models: readonly ModelCard[];
  /** The keys that the gateway rotates over; a function is called for each request. @default none */
  readonly apiKeys?: readonly string[] | (() => readonly string[]);
  /** The remedy for a missing key. If set, a request without a key is refused before it is sent. @default a key is optional */
  readonly missingKey?: string;
  /** Sent with every request; they replace headers of the wire format. Lower-case names. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at the same time; a function if it depends on the environment. @default 64 */
  readonly concurrency?: number | (() => number);
  readonly unlisted?: (id: string) => ModelCard | undefined;
  /** Unlisted models get the prices of the public price list for this address, if it has them. @default true */
  readonly listedPrices?: boolean;
  readonly regions?: readonly string[];
  /** The free endpoint that shows whether the provider is available. @default none */
  readonly probe?: (context: Pick<WireContext, 'baseURL' | 'apiKey'>) => ProbeRequest | Promise<ProbeRequest>;
  /**
   * Asks the server for the models that replace `models`; undefined leaves them as they are. Each `ask` is one request to a free
   * endpoint, whose JSON it returns. @default the server is not asked
   */
  readonly listing?: (context: ListingContext) => Promise<readonly ModelCard[] | undefined>;
  /** Called after every answer or refusal that states limits; its errors are ignored. The gateway gets limits without it. */
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => void;
}

export interface ListingContext extends Pick<WireContext, 'baseURL' | 'apiKey'> {
  /** GET, or POST where there is a body. Throws like `stream`. */
  readonly ask: (request: ProbeRequest, body?: object) => Promise<unknown>;
}

export interface ProbeRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A provider's options, and what is computed from them once. */
export interface HttpParts {
  readonly options: HttpProviderOptions;
  readonly keys: () => readonly string[];
  readonly cardOf: (target: Target) => ModelCard;
  readonly baseOf: (target: Target) => string;
}

/** Holds the response apart from its events, so that it can be closed after a failure. */
export interface HttpExchange {
  response: TransportResponse | undefined;
  /** The request was handed to the transport: an error before that was thrown while it was being written. */
  sent?: boolean;
  /** What the wire reported while it read the body. */
  stated?: EndpointReport;
}

/** Closes the socket of an answer that was not read to its end. */
export function leave({ response }: HttpExchange): Promise<unknown> | undefined {
  return response?.body[Symbol.asyncIterator]().return?.();
}

/** Where the wire's warnings and reports go. */
export interface WireSinks {
  readonly warn: (warning: Warning) => void;
  readonly report: (report: EndpointReport) => void;
}

export function contextOf(
  parts: HttpParts,
  { target, streaming = true }: Pick<Attempt, 'target' | 'streaming'>,
  clock: Clock,
  { warn, report }: WireSinks,
): WireContext {
  const keys = parts.keys();
  for (const key of keys) rememberSecret(key);
  const apiKey = keyOf(keys, target);
  const { missingKey } = parts.options;
  if (apiKey === undefined && missingKey !== undefined) {
    throw new PolyphonyError('invalid-credential', `The API key is missing: ${missingKey}`);
  }
  return { card: parts.cardOf(target), target, baseURL: parts.baseOf(target), apiKey, streaming, clock, warn, report };
}

/** The key with the target's label; the first one if the target has no label. */
function keyOf(keys: readonly string[], target: Target): string | undefined {
  if (target.credential === undefined) return keys[0];
  const number = Number(target.credential.slice(target.credential.lastIndexOf('#') + 1));
  return keys[number - 1];
}

export function addressed(
  { method = 'POST', url: path, headers: own, body }: WireRequest,
  options: HttpProviderOptions,
  context: WireContext,
  signal: AbortSignal,
): TransportRequest {
  const url = absolute(path, context.baseURL);
  const headers = options.headers === undefined ? own : { ...own, ...options.headers };
  return method === 'GET' ? { method, url, headers, signal } : { method, url, headers, body, signal };
}

const absolute = (url: string, baseURL: string): string =>
  /^https?:\/\//.test(url) ? url : withQuery(withoutQuery(baseURL) + url, baseURL);

/** The address without its query, for a path to follow. */
export function withoutQuery(address: string): string {
  const at = address.indexOf('?');
  return at === -1 ? address : address.slice(0, at).replace(/\/+$/, '');
}

/** The URL with the query of the base address, as some gateways want it in every request. */
export function withQuery(url: string, address: string): string {
  const at = address.indexOf('?');
  if (at === -1) return url;
  return `${url}${url.includes('?') ? '&' : '?'}${address.slice(at + 1)}`;
}
