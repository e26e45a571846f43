/**
 * The connections of a transport: undici's agent, with what it does not tell about the connection that carries a request —
 * whether it was used before, and whether any byte came back on it since.
 */
import type { Agent, buildConnector, Client, Dispatcher, Pool } from 'undici';
import type { Connection, Exchange } from './exchange.ts';
import { loadUndici } from './load-undici.ts';
import type { HttpProxy, ProxyOf } from './proxy.ts';
import { type Tunnels, toProxy, tunnelled } from './tunnel.ts';

export interface ConnectionOptions {
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectionsPerOrigin: number;
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
  /** Undefined: no proxy for any origin. */
  readonly proxyOf?: ProxyOf | undefined;
}

export interface Connections {
  dispatch(options: TrackedOptions): void;
  /** The same on a connection that nothing else uses and that is closed afterwards. */
  dispatchFresh(options: TrackedOptions): void;
  destroy(): Promise<void>;
}

/** An agent hands these options on unchanged, so a client finds the exchange in them that its own handler hides. */
export interface TrackedOptions extends Dispatcher.DispatchOptions {
  readonly origin: string;
  readonly exchange: Exchange;
}

export async function openConnections(options: ConnectionOptions): Promise<Connections> {
  const { proxyOf } = options;
  const undici = await loadUndici(proxyOf !== undefined);
  const connect = undici.buildConnector({ timeout: options.connectTimeoutMs });
  const shared = sharedOptions(options);
  /** Clients that serve one request or one tunnel. */
  const single = new Set<Client>();
  const routes =
    proxyOf &&
    proxyRoutes(proxyOf, connect, (proxy) => {
      const limits = { ...shared, headersTimeout: options.connectTimeoutMs, connect: toProxy(proxy, connect) };
      const client = new undici.Client(proxy.origin, limits);
      single.add(client);
      return { client, over: () => void client.close().finally(() => single.delete(client)) };
    });
  const openClient = (origin: URL | string, given: object): Client => {
    const connection: Connection = { socket: undefined, requests: 0 };
    const connector = routes === undefined ? connect : routes.connectorOf(new URL(origin).origin);
    const client = new undici.Client(origin, { ...given, connect: watched(connector, connection) });
    return withConnection(client, connection);
  };
  const agent: Agent = new undici.Agent({
    ...shared,
    connections: options.maxConnectionsPerOrigin,
    factory: (origin, given): Pool => new undici.Pool(origin, { ...given, factory: openClient }),
  });
  return {
    dispatch(given) {
      const request = routes === undefined ? given : routes.routed(given);
      agent.dispatch(request, request.exchange);
    },
    dispatchFresh(given) {
      const request = routes === undefined ? given : routes.routed(given);
      const client = openClient(request.origin, shared);
      single.add(client);
      client.dispatch({ ...request, reset: true } as TrackedOptions, request.exchange);
      // Closes once the request is over.
      void client.close().finally(() => single.delete(client));
    },
    async destroy() {
      await Promise.all([agent.destroy(), ...[...single].map((client) => client.destroy())]);
    },
  };
}

const sharedOptions = (options: ConnectionOptions) =>
  ({
    pipelining: 1,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    keepAliveTimeout: options.keepAliveMs,
    maxHeaderSize: options.maxHeaderBytes,
  }) satisfies Client.Options;

interface ProxyRoutes {
  /** The request, with another address if it goes to a proxy as it is. */
  routed(request: TrackedOptions): TrackedOptions;
  connectorOf(origin: string): buildConnector.connector;
}

function proxyRoutes(proxyOf: ProxyOf, connect: buildConnector.connector, open: Tunnels['open']): ProxyRoutes {
  /** Those that http: requests were sent to, by their origins. */
  const forwarding = new Map<string, HttpProxy>();
  return {
    routed(request) {
      const proxy = request.origin.startsWith('http:') ? proxyOf(request.origin) : undefined;
      if (proxy === undefined) return request;
      forwarding.set(proxy.origin, proxy);
      return forwarded(request, proxy);
    },
    connectorOf(origin) {
      const own = forwarding.get(origin);
      if (own !== undefined) return toProxy(own, connect);
      const proxy = origin.startsWith('https:') ? proxyOf(origin) : undefined;
      return proxy === undefined ? connect : tunnelled(proxy, { open, connect });
    },
  };
}

/** The request as a proxy takes it, with the whole address, for http: addresses only. */
function forwarded(request: TrackedOptions, proxy: HttpProxy): TrackedOptions {
  const headers = { host: new URL(request.origin).host, ...(request.headers as object), ...proxy.headers };
  return { ...request, origin: proxy.origin, path: request.origin + request.path, headers };
}

/** Notes each connection that the client opens. */
function watched(connect: buildConnector.connector, connection: Connection): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      connection.socket = result[1] ?? undefined;
      connection.requests = 0;
      callback(...result);
    });
}

function withConnection(client: Client, connection: Connection): Client {
  const dispatch = client.dispatch.bind(client);
  return Object.assign(client, {
    dispatch(options: Partial<TrackedOptions> & Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
      options.exchange?.assign(connection);
      return dispatch(options, handler);
    },
  });
}
