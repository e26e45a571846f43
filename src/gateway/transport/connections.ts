/**
 * The connections of a transport: a pool for each origin. An exchange learns which connection carries it: whether that was used before, and
 * whether any byte came back on it since.
 */
import type { buildConnector, Client } from 'undici';
import { connecting } from './connecting.ts';
import type { Connection } from './exchange.ts';
import { loadUndici } from './load-undici.ts';
import { type OriginPool, originPool, type PooledClient, type TrackedOptions } from './origin-pool.ts';
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

export async function openConnections(options: ConnectionOptions): Promise<Connections> {
  const { proxyOf } = options;
  const undici = await loadUndici(proxyOf !== undefined);
  const { connect, end } = connecting(undici.buildConnector({ timeout: options.connectTimeoutMs }));
  const shared = sharedOptions(options);
  /** Clients that serve one request or one tunnel. */
  const single = new Set<Client>();
  const routes =
    proxyOf &&
    proxyRoutes(proxyOf, connect, (proxy) => {
      const limits = { ...shared, headersTimeout: options.connectTimeoutMs, connect: toProxy(proxy, connect) };
      const client = new undici.Client(proxy.origin, limits);
      single.add(client);
      const over = (): void => {
        single.delete(client);
        // Not closed: that is an error where the transport was closed before, and never ends where undici kept the request.
        void client.destroy();
      };
      return { client, over };
    });
  const open = (origin: string): PooledClient => {
    const connection: Connection = { socket: undefined, requests: 0 };
    const connector = routes === undefined ? connect : routes.connectorOf(origin);
    const client = new undici.Client(origin, { ...shared, connect: watched(connector, connection) });
    return { client, connection };
  };
  const pools = new Map<string, OriginPool>();
  const poolOf = (origin: string): OriginPool => {
    const known = pools.get(origin);
    if (known !== undefined) return known;
    const opened = (): PooledClient => {
      const pooled = open(origin);
      // Here, and not before: there may be no connection to such an address.
      pools.set(origin, pool);
      return pooled;
    };
    const onEmpty = (): void => void pools.delete(origin);
    const pool = originPool({ open: opened, most: options.maxConnectionsPerOrigin, onEmpty });
    return pool;
  };
  let destroyed = false;
  const refused = ({ exchange }: TrackedOptions): boolean => {
    if (destroyed) exchange.onResponseError(null, new Error('The transport was closed.'));
    return destroyed;
  };
  return {
    dispatch(given) {
      if (refused(given)) return;
      const request = routes === undefined ? given : routes.routed(given);
      poolOf(request.origin).dispatch(request);
    },
    dispatchFresh(given) {
      if (refused(given)) return;
      const request = routes === undefined ? given : routes.routed(given);
      const { client, connection } = open(request.origin);
      single.add(client);
      request.exchange.assign(connection);
      // undici would connect again for a request that its caller has left, and never close after a certificate for another name.
      const lost = (): void => void (request.exchange.isOpen || client.destroy());
      client.on('disconnect', lost).on('connectionError', lost);
      client.dispatch({ ...request, reset: true }, request.exchange);
      // Closes once the request is over.
      void client.close().finally(() => single.delete(client));
    },
    async destroy() {
      destroyed = true;
      const all = [
        ...[...pools.values()].map((pool) => pool.destroy()),
        ...[...single].map((client) => client.destroy()),
      ];
      end();
      await Promise.all(all);
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
  const own = request.headers.flatMap((name, index, all) => (index % 2 === 0 ? [[name, all[index + 1]]] : []));
  const named = { host: new URL(request.origin).host, ...Object.fromEntries(own), ...proxy.headers };
  const headers = Object.entries<string>(named).flat();
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
