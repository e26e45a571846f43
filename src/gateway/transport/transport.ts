/**
 * The transport on undici: one agent, one pool per origin, keep-alive on, pipelining off. It neither retries nor follows
 * redirects, because the layers above decide about that; with one exception:
 *
 * P1. A request that goes out on a kept connection and finds it closed, before any byte of an answer, is sent once more on a
 *     new connection. The server had closed the old one while it was idle, which is nobody's failure.
 * P2. An error says whether anything of the request was sent (`unsent`), so that its cost can be told.
 * P3. An answer is bounded in decompressed bytes: as a whole, and four times as many for one that is read in pieces.
 */
import type { Clock } from '../../core/clock.ts';
import { abortError, unsentError } from '../../core/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../core/model/provider.ts';
import { systemClock } from '../../system/clock.ts';
import { type ConnectionOptions, type Connections, openConnections, type TrackedOptions } from './connections.ts';
import { Exchange } from './exchange.ts';
import { type ProxyOf, type ProxySettings, proxyChoice } from './proxy.ts';
import { type AnswerBounds, responseOf } from './transport-answer.ts';
import { closedError, isLost, transportError } from './transport-errors.ts';
import { refusedByProxy } from './tunnel.ts';

export interface TransportOptions {
  /** How long a connection may take to open, TLS included, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** The longest time from sending the request to the answer's headers, in milliseconds; 0: no limit. @default 600000 */
  readonly headersTimeoutMs?: number;
  /** The longest time between two chunks of a body, in milliseconds; 0: no limit. @default 600000 */
  readonly idleTimeoutMs?: number;
  /** The most open sockets per origin; further requests wait. @default 256 */
  readonly maxConnectionsPerOrigin?: number;
  /** How long an idle socket is kept if the server names no time itself, in milliseconds. @default 30000 */
  readonly keepAliveMs?: number;
  /** The most bytes of the answer's headers. @default 65536 */
  readonly maxHeaderBytes?: number;
  /** The most bytes of one answer, decompressed; one that is read in pieces may have four times as many. @default 67108864 */
  readonly maxAnswerBytes?: number;
  /** Proxies for http: and https: addresses. The environment is not read here. @default none */
  readonly proxy?: ProxySettings;
  /** Measures how long it takes until a request is on its way. @default the system's */
  readonly clock?: Pick<Clock, 'monotonic'>;
}

const DEFAULTS: Required<Omit<TransportOptions, 'proxy' | 'clock'>> = {
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 600_000,
  idleTimeoutMs: 600_000,
  maxConnectionsPerOrigin: 256,
  keepAliveMs: 30_000,
  maxHeaderBytes: 65_536,
  maxAnswerBytes: 67_108_864,
};
/** Pieces repeat names and, at some servers, the whole answer so far. */
const FRAMING = 4;

interface Limits extends AnswerBounds {
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Opens no connection before the first request. */
export function createTransport(given: TransportOptions = {}): Transport {
  const { maxAnswerBytes, proxy, clock = systemClock, ...options } = { ...DEFAULTS, ...given };
  const proxyOf = proxy === undefined ? undefined : proxyChoice(proxy);
  const limits: Limits = { clock, wholeBytes: maxAnswerBytes, streamBytes: maxAnswerBytes * FRAMING };
  let connections: Promise<Connections> | undefined;
  let closed = false;

  return {
    async request(request) {
      if (closed) throw closedError(request.url);
      if (request.signal.aborted) throw unsentError(abortError(request.signal));
      connections ??= openConnections({ ...options, proxyOf } satisfies ConnectionOptions);
      try {
        const opened = await connections;
        if (request.signal.aborted) throw unsentError(abortError(request.signal));
        return refuseOfProxy(await ask(opened, request, limits), proxyOf, request);
      } catch (error) {
        throw closed ? closedError(request.url) : transportError(error, request);
      }
    },
    async close() {
      closed = true;
      const opened = await connections;
      await opened?.destroy();
    },
  };
}

/** Only a proxy answers with status 407. */
function refuseOfProxy(
  response: TransportResponse,
  proxyOf: ProxyOf | undefined,
  { url }: TransportRequest,
): TransportResponse {
  const proxy = response.status === 407 ? proxyOf?.(addressOf(url).origin) : undefined;
  if (proxy === undefined) return response;
  void response.body[Symbol.asyncIterator]().return?.();
  throw refusedByProxy(proxy, response.status);
}

/** On a connection of its own where the one that was kept from an earlier request turns out to be closed. */
async function ask(connections: Connections, request: TransportRequest, limits: Limits): Promise<TransportResponse> {
  const first = new Exchange(request.signal, limits.clock);
  connections.dispatch(optionsOf(request, first));
  try {
    return await responseOf(first, request, limits);
  } catch (error) {
    if (request.signal.aborted || !first.lostOnReuse || !isLost(error))
      throw transportError(error, request, first.unsent);
  }
  const second = new Exchange(request.signal, limits.clock);
  connections.dispatchFresh(optionsOf(request, second));
  try {
    return await responseOf(second, request, limits);
  } catch (error) {
    throw transportError(error, request, second.unsent);
  }
}

function optionsOf({ url, method, headers, body }: TransportRequest, exchange: Exchange): TrackedOptions {
  const { origin, path } = addressOf(url);
  const accepted = { 'accept-encoding': 'gzip, deflate, br', ...headers };
  return { origin, path, method, headers: accepted, body: body ?? null, exchange };
}

interface Address {
  readonly origin: string;
  readonly path: string;
}

const MAX_ADDRESSES = 256;
const addresses = new Map<string, Address>();

/** A cache, because programs use the same few addresses, and parsing one costs as much as a layer. */
function addressOf(url: string): Address {
  const known = addresses.get(url);
  if (known !== undefined) return known;
  const { origin, pathname, search } = new URL(url);
  const address = { origin, path: pathname + search };
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  addresses.set(url, address);
  return address;
}
