/** One request over HTTP: what a provider is made of, which key it is sent with, and how it is addressed. */
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
import { rememberSecret } from '../../system/scrub.ts';
import type { Telling } from './http-refusal.ts';

export interface HttpProviderOptions {
  /** `[a-z][a-z0-9-]*` */
  readonly id: string;
  readonly wire: WireFormat;
  /** Without a trailing slash; a function where it depends on the region or the model. */
  readonly baseURL: string | ((target: Target) => string);
  readonly models: readonly ModelCard[];
  /** The keys that the gateway rotates over; a function is asked at each request. @default none */
  readonly apiKeys?: readonly string[] | (() => readonly string[]);
  /** What to do when there is no key. Set, a request without one is refused before it is sent. */
  readonly missingKey?: string;
  /** Sent with every request, over what the wire format sends. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Requests at once. @default 64 */
  readonly concurrency?: number;
  readonly unlisted?: (id: string) => ModelCard | undefined;
  /** Prices of unlisted models are those of the public price list for this address, where it has them. @default true */
  readonly listedPrices?: boolean;
  readonly regions?: readonly string[];
  /** The free endpoint that tells whether the provider lives. @default none */
  readonly probe?: (context: Pick<WireContext, 'baseURL' | 'apiKey'>) => ProbeRequest | Promise<ProbeRequest>;
  /** Called after every answer that states limits, good or bad; what it throws is ignored. The gateway hears of limits without it. */
  readonly onRateLimits?: (limits: readonly RateLimit[], target: Target) => void;
}

export interface ProbeRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A provider's options, with what is worked out of them once. */
export interface HttpParts {
  readonly options: HttpProviderOptions;
  readonly keys: () => readonly string[];
  readonly cardOf: (target: Target) => ModelCard;
  readonly baseOf: (target: Target) => string;
}

/** Kept apart from what is read of it: who fails must still close it. */
export interface HttpExchange {
  response: TransportResponse | undefined;
  /** What the wire reported while it read the body. */
  stated?: EndpointReport;
}

/** Closes the socket of an answer that nobody read to its end. */
export function leave({ response }: HttpExchange): Promise<unknown> | undefined {
  return response?.body[Symbol.asyncIterator]().return?.();
}

export const tellingOf = ({ keys }: Pick<HttpParts, 'keys'>, clock: Clock): Telling => ({ secrets: keys(), clock });

/** What the wire says beside its translations. */
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
  const apiKey = keyOf(parts.keys(), target);
  const { missingKey } = parts.options;
  if (apiKey === undefined && missingKey !== undefined) {
    throw new PolyphonyError('invalid-credential', `The API key is missing: ${missingKey}`);
  }
  if (apiKey !== undefined) rememberSecret(apiKey);
  return { card: parts.cardOf(target), target, baseURL: parts.baseOf(target), apiKey, streaming, clock, warn, report };
}

/** The key that the label names; the first where the target names none. */
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

const absolute = (url: string, baseURL: string): string => (/^https?:\/\//.test(url) ? url : baseURL + url);
