/** A loopback HTTP server for one test, which it is made in, closed after it: what the handler does, and what came in. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Loopback {
  readonly url: string;
  readonly received: readonly Received[];
  /** Sockets accepted so far. */
  readonly sockets: ReadonlySet<Socket>;
  /** Resolves once sockets were opened and none is open any more. */
  readonly closed: Promise<void>;
}

export async function loopback(
  handle: (received: Received, response: ServerResponse) => void | Promise<void>,
): Promise<Loopback> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  let open = 0;
  const closed = deferred();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const call = { method, path: url, headers, body: Buffer.concat(chunks).toString() };
      received.push(call);
      void handle(call, response);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    open += 1;
    socket.on('error', () => {});
    socket.on('close', () => {
      open -= 1;
      if (open === 0) closed.resolve();
    });
  });
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    sockets,
    closed: closed.promise,
  };
}

export interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** A promise that somebody else settles. */
export function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve: () => resolve() };
}

/** Server-sent events of these documents, `[DONE]` at the end. */
export const sse = (documents: readonly unknown[]): string =>
  [...documents.map((document) => JSON.stringify(document)), '[DONE]'].map((data) => `data: ${data}\n\n`).join('');
