/** Connections through a proxy: a tunnel to https: hosts, and errors that name the proxy and not the host behind it. */
import type { buildConnector, Client } from 'undici';
import { PolyphonyError } from '../../core/errors.ts';
import type { HttpProxy } from './proxy.ts';

type Connector = buildConnector.connector;

export interface Tunnels {
  /** A client of the proxy, for one tunnel; `over` closes it once the tunnel stands or has failed. */
  readonly open: (proxy: HttpProxy) => { readonly client: Client; readonly over: () => void };
  readonly connect: Connector;
}

/** Asks the proxy for a connection to the host, and speaks TLS with the host over it. */
export function tunnelled(proxy: HttpProxy, { open, connect }: Tunnels): Connector {
  return (options, callback) => {
    const target = options.port ? options.host : `${options.host}:443`;
    const { client, over } = open(proxy);
    const headers = { host: target ?? '', ...proxy.headers };
    client
      .connect({ path: target ?? '', headers })
      .then(({ statusCode, socket }) => {
        if (statusCode === 200) {
          connect({ ...options, httpSocket: socket } as buildConnector.Options, callback);
          return;
        }
        socket.on('error', () => {}).destroy();
        callback(refusedByProxy(proxy, statusCode), null);
      })
      .catch((error: unknown) => callback(unreachable(proxy, error), null))
      .finally(over);
  };
}

/** Connections to the proxy itself. */
export function toProxy(proxy: HttpProxy, connect: Connector): Connector {
  return (options, callback) =>
    connect(options, (...result) => {
      if (result[0] === null) callback(...result);
      else callback(unreachable(proxy, result[0]), null);
    });
}

export function refusedByProxy({ host }: Pick<HttpProxy, 'host'>, status: number): PolyphonyError {
  const remedy =
    status === 407
      ? 'give user and password in its address, http://user:password@host:port.'
      : 'check the proxy, or except the host from it.';
  return new PolyphonyError('network', `The proxy ${host} refused the connection with status ${status}: ${remedy}`);
}

function unreachable({ host }: HttpProxy, error: unknown): PolyphonyError {
  if (error instanceof PolyphonyError) return error;
  const { code } = Object(error) as { readonly code?: unknown };
  const reason = typeof code === 'string' ? ` (${code})` : '';
  const message = `The proxy ${host} cannot be reached${reason}: check its address, or except the host from it.`;
  return new PolyphonyError('network', message, { cause: error });
}
