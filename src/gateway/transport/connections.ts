/**
 * The connections of a transport: undici's agent, with what it does not tell about the connection that carries a request —
 * whether it was used before, and whether any byte came back on it since.
 */
import type { Agent, buildConnector, Client, Dispatcher, Pool } from 'undici';
import type { Connection, Exchange } from './exchange.ts';

export interface ConnectionOptions {
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectionsPerOrigin: number;
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
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
  // Loading undici costs more than everything else that a first call loads, so a program without calls does not load it.
  const undici = await import('undici');
  const connect = undici.buildConnector({ timeout: options.connectTimeoutMs });
  const shared = {
    pipelining: 1,
    headersTimeout: options.headersTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    keepAliveTimeout: options.keepAliveMs,
    maxHeaderSize: options.maxHeaderBytes,
  } satisfies Client.Options;
  const openClient = (origin: URL | string, given: object): Client => {
    const connection: Connection = { socket: undefined, requests: 0 };
    const client = new undici.Client(origin, { ...given, connect: watched(connect, connection) });
    return withConnection(client, connection);
  };
  const agent: Agent = new undici.Agent({
    ...shared,
    connections: options.maxConnectionsPerOrigin,
    factory: (origin, given): Pool => new undici.Pool(origin, { ...given, factory: openClient }),
  });
  const fresh = new Set<Client>();
  return {
    dispatch(request) {
      agent.dispatch(request, request.exchange);
    },
    dispatchFresh(request) {
      const client = openClient(request.origin, shared);
      fresh.add(client);
      client.dispatch({ ...request, reset: true } as TrackedOptions, request.exchange);
      // Closes once the request is over.
      void client.close().finally(() => fresh.delete(client));
    },
    async destroy() {
      await Promise.all([agent.destroy(), ...[...fresh].map((client) => client.destroy())]);
    },
  };
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
