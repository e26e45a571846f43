/**
 * Connects as undici does, and ends what is not connected yet: a client that is destroyed leaves that to its time-out, and a process would
 * wait for it.
 */
import { Socket } from 'node:net';
import type { buildConnector } from 'undici';

type Connector = buildConnector.connector;

export interface Connecting {
  readonly connect: Connector;
  /** Nothing is connected after it. */
  end(): void;
}

export function connecting(connect: Connector): Connecting {
  const sockets = new Set<Socket>();
  let ended = false;
  return {
    connect(options, callback) {
      if (ended) {
        options.httpSocket?.destroy();
        callback(closed(), null);
        return;
      }
      // Its type does not tell that it returns the socket.
      const socket: unknown = connect(options, (...result) => {
        if (socket instanceof Socket) sockets.delete(socket);
        callback(...result);
      });
      if (socket instanceof Socket) sockets.add(socket);
    },
    end() {
      ended = true;
      for (const socket of sockets) socket.destroy(closed());
    },
  };
}

const closed = (): Error => new Error('The transport was closed.');
