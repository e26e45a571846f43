/** A loopback server that plays its part request by request, on the clock of the scenario. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { FakeClock } from '../../src/testing/fakes.ts';
import type { Driver } from './driver.ts';
import type { ChaosWire } from './wires.ts';

export interface Asked {
  /** From 1, over all requests of this server. */
  readonly number: number;
  readonly wire: ChaosWire;
  readonly streamed: boolean;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** Waits on the clock of the scenario; false once the connection is gone. */
  /** Milliseconds on the clock of the scenario since it began. */
  readonly atMs: number;
  readonly wait: (ms: number) => Promise<boolean>;
}

export type Play = (asked: Asked) => void | Promise<void>;

export interface ChaosServer {
  readonly url: string;
  readonly requests: readonly Pick<Asked, 'headers' | 'body' | 'streamed'>[];
  /** Connections with an answer that is not complete. */
  readonly answering: () => number;
  readonly connections: () => number;
  readonly dropIdle: () => void;
  readonly close: () => Promise<void>;
}

interface Parts {
  readonly wire: ChaosWire;
  readonly play: Play;
  readonly clock: FakeClock;
  readonly driver: Driver;
}

export async function startServer({ wire, play, clock, driver }: Parts): Promise<ChaosServer> {
  const requests: Pick<Asked, 'headers' | 'body' | 'streamed'>[] = [];
  const sockets = new Set<Socket>();
  const open = new Set<ServerResponse>();
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    open.add(response);
    response.on('error', () => {});
    response.on('close', () => open.delete(response));
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const streamed = /"stream":true|streamGenerateContent/.test(`${request.url}${body}`);
      // A probe is a question about the server, not a call.
      if (request.method === 'POST') requests.push({ headers: request.headers, body, streamed });
      const { socket } = request;
      const wait = (ms: number): Promise<boolean> => waited(clock, ms, response);
      const asked = {
        number: requests.length,
        atMs: clock.monotonic(),
        wire,
        streamed,
        headers: request.headers,
        body,
        response,
        socket,
        wait,
      };
      void (async () => play(asked))();
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    driver.accepted(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answering: () => open.size,
    connections: () => sockets.size,
    dropIdle: () => server.closeIdleConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function waited(clock: FakeClock, ms: number, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = clock.schedule(ms, () => {
      response.off('close', gone);
      resolve(true);
    });
    if (response.destroyed) gone();
    else response.once('close', gone);
  });
}
