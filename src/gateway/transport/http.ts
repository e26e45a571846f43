/** Requests over the connections of a transport. It is loaded with the first one: a process that asks an engine of its own needs none. */
import type { Clock } from '../../core/clock.ts';
import { abortError, unsentError } from '../../core/errors.ts';
import type { TransportRequest, TransportResponse } from '../../core/model/provider.ts';
import { assertNoUser } from '../../kit/requests/base-address.ts';
import { type ConnectionOptions, type Connections, openConnections } from './connections.ts';
import { Exchange } from './exchange.ts';
import type { TrackedOptions } from './origin-pool.ts';
import type { ProxyOf } from './proxy.ts';
import { type AnswerBounds, responseOf } from './transport-answer.ts';
import { isLost, transportError } from './transport-errors.ts';
import { refusedByProxy } from './tunnel.ts';

interface Limits extends AnswerBounds {
  readonly clock: Pick<Clock, 'monotonic'>;
}

interface HttpOptions extends ConnectionOptions {
  readonly limits: Limits;
}

export interface Http {
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

/** Opens no connection before the first request. */
export async function openHttp({ limits, ...options }: HttpOptions): Promise<Http> {
  const { proxyOf } = options;
  const connections = await openConnections(options);
  return {
    send(request) {
      if (request.signal.aborted) return Promise.reject(unsentError(abortError(request.signal)));
      const response = ask(connections, request, limits);
      return proxyOf === undefined ? response : response.then((given) => refuseOfProxy(given, proxyOf, request));
    },
    close: () => connections.destroy(),
  };
}

/** Only a proxy answers with status 407. */
function refuseOfProxy(response: TransportResponse, proxyOf: ProxyOf, { url }: TransportRequest): TransportResponse {
  const proxy = response.status === 407 ? proxyOf(addressOf(url).origin) : undefined;
  if (proxy === undefined) return response;
  void response.body[Symbol.asyncIterator]().return?.();
  throw refusedByProxy(proxy, response.status);
}

/** On a connection of its own where the one that was kept from an earlier request turns out to be closed. */
async function ask(connections: Connections, request: TransportRequest, limits: Limits): Promise<TransportResponse> {
  const first = begin(connections.dispatch, request, limits);
  try {
    return await responseOf(await first.head, first, request, limits);
  } catch (error) {
    if (request.signal.aborted || !first.lostOnReuse || !isLost(error))
      throw transportError(error, request, first.unsent);
  }
  const second = begin(connections.dispatchFresh, request, limits);
  try {
    return await responseOf(await second.head, second, request, limits);
  } catch (error) {
    throw transportError(error, request, second.unsent);
  }
}

/** One that cannot be sent, such as for its address, fails: it would follow its caller for ever, and its failure be nobody's. */
function begin(dispatch: Connections['dispatch'], request: TransportRequest, { clock }: Limits): Exchange {
  const exchange = new Exchange(request.signal, clock);
  try {
    dispatch(optionsOf(request, exchange));
  } catch (error) {
    exchange.onResponseError(null, error);
  }
  return exchange;
}

function optionsOf({ url, method, headers, body }: TransportRequest, exchange: Exchange): TrackedOptions {
  const { origin, path } = addressOf(url);
  // Names and values in turn: copies of objects cost more.
  const list = headers['accept-encoding'] === undefined ? ['accept-encoding', 'gzip, deflate, br'] : [];
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) list.push(name, value);
  }
  return { origin, path, method, headers: list, body: body ?? null, exchange };
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
  if (url.includes('@')) assertNoUser('The address of a request', url);
  const { origin, pathname, search } = new URL(url);
  const address = { origin, path: pathname + search };
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  addresses.set(url, address);
  return address;
}
