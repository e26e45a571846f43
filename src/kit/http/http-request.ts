/** One request over HTTP: the provider's options, the key and the address. */
import type { Clock } from '../../core/clock.ts';
import { PolyphonyError } from '../../core/errors.ts';
import type { BatchEndpoint } from '../../core/model/batch.ts';
import type { Attempt, Target, Warning } from '../../core/model/model.ts';
import type {
  BilledSearches,
  EmbeddingBatch,
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
import { wellFormedJson } from '../json/sendable-json.ts';
import { type BaseAddress, requestAddress } from '../requests/base-address.ts';
import { assertSendable } from '../requests/clean-keys.ts';
import { wholeAnswerBytes } from '../streams/answer-body.ts';

export interface HttpProviderOptions {
  /** `[a-z][a-z0-9-]*` */
  readonly id: string;
  readonly wire: WireFormat;
  /**
   * A function if it depends on the region or the model. White space around it, slashes at its end and the path of an
   * endpoint of the wire are removed; its query is sent with every request.
   */
  readonly baseURL: string | ((target: Target) => string);
  readonly models: readonly ModelCard[];
  /** The keys that the gateway rotates over; a function is called for each request. @default none */
  readonly apiKeys?: readonly string[] | (() => readonly string[]);
  /** The remedy for a missing key. If set, a request without a key is refused before it is sent. @default a key is optional */
  readonly missingKey?: string;
  /** Sent with every request; they replace headers of the wire format. Names in any case. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at the same time; a function if it depends on the environment. @default 64 */
  readonly concurrency?: number | (() => number);
  /** See `Provider`. @default none are known of */
  readonly searches?: BilledSearches;
  readonly unlisted?: (id: string) => ModelCard | undefined;
  /** Unlisted models get the prices of the public price list for this address, if it has them. @default true */
  readonly listedPrices?: boolean;
  readonly regions?: readonly string[];
  /** What one request for embeddings may hold, for cards that do not say. @default no limit is known */
  readonly embeddingBatch?: EmbeddingBatch | ((card: ModelCard) => EmbeddingBatch | undefined);
  /** The free endpoint that shows whether the provider is available. @default none */
  readonly probe?: (context: Pick<WireContext, 'baseURL' | 'apiKey'>) => ProbeRequest | Promise<ProbeRequest>;
  /**
   * Asks the server for the models that replace `models`; undefined leaves them as they are. Each `ask` is one request to a free
   * endpoint, whose JSON it returns. @default the server is not asked
   */
  readonly listing?: (context: ListingContext) => Promise<readonly ModelCard[] | undefined>;
  /** How it answers batches: `httpBatches` of a `BatchWire`. @default it cannot */
  readonly batch?: ((parts: HttpParts) => BatchEndpoint) | undefined;
  /** Called after every answer or refusal that states limits; its errors are ignored. The gateway gets limits without it. */
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => unknown;
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
  readonly baseOf: (target: Target) => BaseAddress;
}

/** Holds the response apart from its events, so that it can be closed after a failure. */
export interface HttpExchange {
  response: TransportResponse | undefined;
  /** The request was handed to the transport: an error before that was thrown while it was being written. */
  sent?: boolean;
  /** The endpoint's own id of the request. */
  requestId?: string | undefined;
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
  { target, streaming = true, request }: Pick<Attempt, 'target' | 'streaming'> & Partial<Pick<Attempt, 'request'>>,
  clock: Clock,
  { warn, report }: WireSinks,
): WireContext {
  const keys = parts.keys();
  for (const key of keys) rememberSecret(key);
  const apiKey = keyOf(keys, target);
  const { id, missingKey } = parts.options;
  if (apiKey !== undefined) assertSendable(apiKey, target.credential ?? id);
  if (apiKey === undefined && missingKey !== undefined) {
    throw new PolyphonyError('invalid-credential', `The API key is missing: ${missingKey}`);
  }
  const card = parts.cardOf(target);
  return {
    card,
    target,
    baseURL: parts.baseOf(target).base,
    apiKey,
    streaming,
    wholeBytes: request && wholeAnswerBytes(request, card),
    clock,
    warn,
    report,
  };
}

/** The key with the target's label; the first one if the target has no label. */
export function keyOf(keys: readonly string[], target: Target): string | undefined {
  if (target.credential === undefined) return keys[0];
  const number = Number(target.credential.slice(target.credential.lastIndexOf('#') + 1));
  return keys[number - 1];
}

export function addressed(
  { method = 'POST', url: path, headers: own, body }: WireRequest,
  { options, baseOf }: HttpParts,
  { target }: WireContext,
  signal: AbortSignal,
): TransportRequest {
  const url = isAbsolute(path) ? path : requestAddress(path, baseOf(target));
  const headers = options.headers === undefined ? own : { ...own, ...options.headers };
  return method === 'GET'
    ? { method, url, headers, signal }
    : new RequestWithBody(method, url, headers, sendable(body, own), signal);
}

/** A class: see docs/decisions/objects-of-a-call.md. */
class RequestWithBody implements TransportRequest {
  readonly method: TransportRequest['method'];
  readonly url: string;
  readonly headers: TransportRequest['headers'];
  readonly body: WireRequest['body'];
  readonly signal: AbortSignal;

  constructor(
    method: TransportRequest['method'],
    url: string,
    headers: TransportRequest['headers'],
    body: WireRequest['body'],
    signal: AbortSignal,
  ) {
    this.method = method;
    this.url = url;
    this.headers = headers;
    this.body = body;
    this.signal = signal;
  }
}

/** Every wire's body, because what a text in it contains is nobody's choice. */
function sendable(body: WireRequest['body'], headers: WireRequest['headers']): WireRequest['body'] {
  const isJson = typeof body === 'string' && headers['content-type']?.startsWith('application/json') === true;
  return isJson ? wellFormedJson(body) : body;
}

const isAbsolute = (url: string): boolean => url.startsWith('https://') || url.startsWith('http://');
