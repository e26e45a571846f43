/**
 * The connections to one origin, each in a client of undici that sends one request at a time. undici's own pool looks through all of its
 * clients twice for each request, and does not tell which of them sends it: see docs/decisions/connection-pool.md.
 *
 * O1. A request is sent on the connection that became free last, or else on a new one. At most `most` are open; further requests wait in
 *     their order.
 * O2. A client is free again when undici says so, whatever became of its request, or at once where the request did not reach it.
 * O3. A client whose connection has closed or failed is closed too, unless its request can still be sent: nothing connects for a request
 *     that has ended. An origin without clients is forgotten.
 * O4. A request that ended while it waited is not sent, nor kept for long.
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
  /** The next request is then sent on another one. */
  const drop = (pooled: PooledClient): void => {
    clients.delete(pooled);
    void pooled.client.destroy();
    const next = waiting.take();
    if (next !== undefined) send(add(), next);
    else if (clients.size === 0) onEmpty();
  };
  /** undici connects again for a request that still waits for its answer, but for one that its caller has left, too. */
  const lost = (pooled: PooledClient): void => {
    if (!clients.has(pooled) || clients.get(pooled)?.exchange.isOpen) return;
    const index = free.indexOf(pooled);
    if (index !== -1) free.splice(index, 1);
    drop(pooled);
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
      lost(pooled);
    });
    // One with a certificate for another name keeps its request, and is never free again.
    pooled.client.on('connectionError', () => lost(pooled));
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

const FEW_WAITING = 64;

/**
 * Taking the first out of an array moves all others, so those that were taken are cut off together. Those that ended are let go with their
 * bodies when there are twice as many as at the last look: while nobody answers, nothing is taken.
 */
function requestQueue(): RequestQueue {
  let requests: TrackedOptions[] = [];
  let taken = 0;
  let looksAt = FEW_WAITING;
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
    add(request) {
      requests.push(request);
      if (requests.length < looksAt) return;
      requests = requests.slice(taken).filter(({ exchange }) => exchange.isOpen);
      taken = 0;
      looksAt = Math.max(FEW_WAITING, 2 * requests.length);
    },
    take() {
      let request = next();
      while (request?.exchange.isOpen === false) request = next();
      return request;
    },
  };
}
