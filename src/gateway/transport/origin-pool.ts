/**
 * The connections to one origin, each in a client of undici that sends one request at a time. undici's own pool looks through all of its
 * clients twice for each request, and does not tell which of them sends it: see docs/decisions/connection-pool.md.
 *
 * O1. A request is sent on the connection that became free last, or else on a new one. At most `most` are open; further requests wait in
 *     their order.
 * O2. A client is free again when undici says so, whatever became of its request, or at once where the request did not reach it.
 * O3. A free client whose connection has closed is closed too, and an origin without clients is forgotten.
 * O4. A request that ended while it waited is not sent.
 */
import type { Client, Dispatcher } from 'undici';
import type { Connection, Exchange } from './exchange.ts';

export interface TrackedOptions extends Dispatcher.DispatchOptions {
  readonly origin: string;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly exchange: Exchange;
}

export interface OriginPool {
  dispatch(request: TrackedOptions): void;
  destroy(): Promise<void>;
}

export interface PooledClient {
  readonly client: Client;
  readonly connection: Connection;
}

interface PoolOptions {
  readonly open: () => PooledClient;
  readonly most: number;
  /** Called when the last client is gone. */
  readonly onEmpty: () => void;
}

export function originPool({ open, most, onEmpty }: PoolOptions): OriginPool {
  /** Each with the request that it is busy with. */
  const clients = new Map<PooledClient, TrackedOptions | undefined>();
  const free: PooledClient[] = [];
  const waiting = requestQueue();
  const drop = (pooled: PooledClient): void => {
    clients.delete(pooled);
    if (!pooled.client.destroyed) void pooled.client.close();
    if (clients.size === 0) onEmpty();
  };
  const release = (pooled: PooledClient): void => {
    if (clients.get(pooled) === undefined) return;
    const next = waiting.take();
    if (next !== undefined) {
      send(pooled, next);
      return;
    }
    clients.set(pooled, undefined);
    if (pooled.connection.socket === undefined) drop(pooled);
    else free.push(pooled);
  };
  const add = (): PooledClient => {
    const pooled = open();
    pooled.client.on('drain', () => release(pooled));
    pooled.client.on('disconnect', () => {
      pooled.connection.socket = undefined;
      const index = free.indexOf(pooled);
      if (index === -1) return;
      free.splice(index, 1);
      drop(pooled);
    });
    return pooled;
  };
  const send = (pooled: PooledClient, request: TrackedOptions): void => {
    const { exchange } = request;
    clients.set(pooled, request);
    exchange.assign(pooled.connection);
    pooled.client.dispatch(request, exchange);
    // One that was refused, such as for its headers, did not reach the client, which then says nothing. One that the caller had left did.
    if (!exchange.isOpen) queueMicrotask(() => clients.get(pooled) === request && release(pooled));
  };
  return {
    dispatch(request) {
      const pooled = free.pop() ?? (clients.size < most ? add() : undefined);
      if (pooled === undefined) waiting.add(request);
      else send(pooled, request);
    },
    async destroy() {
      for (let next = waiting.take(); next !== undefined; next = waiting.take()) {
        next.exchange.onResponseError(null, new Error('The transport was closed.'));
      }
      await Promise.all([...clients.keys()].map(({ client }) => client.destroy()));
    },
  };
}

interface RequestQueue {
  add(request: TrackedOptions): void;
  /** The first that has not ended. */
  take(): TrackedOptions | undefined;
}

/** Taking the first out of an array moves all others, so those that were taken are cut off together. */
function requestQueue(): RequestQueue {
  let requests: TrackedOptions[] = [];
  let taken = 0;
  const next = (): TrackedOptions | undefined => {
    const request = requests[taken];
    if (request === undefined) return undefined;
    taken += 1;
    if (taken * 2 > requests.length) {
      requests = requests.slice(taken);
      taken = 0;
    }
    return request;
  };
  return {
    add: (request) => void requests.push(request),
    take() {
      let request = next();
      while (request?.exchange.isOpen === false) request = next();
      return request;
    },
  };
}
