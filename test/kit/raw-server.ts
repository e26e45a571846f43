/** A server that writes its bytes itself, closed after the test: for what no HTTP library would send. */
import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface RawServer {
  readonly url: string;
  /** Connections that were accepted, and requests whose bytes arrived as a whole. */
  readonly counts: { connections: number; requests: number };
}

export interface RawRequest {
  readonly socket: Socket;
  /** Counts from 1, over all connections. */
  readonly number: number;
  /** Counts from 1, on this connection. */
  readonly onConnection: number;
}

/** Calls `answer` when a request has arrived as a whole; `begin`, if given, when its first bytes arrive. */
export async function rawServer(
  answer: (request: RawRequest) => void,
  begin?: (socket: Socket) => void,
): Promise<RawServer> {
  const counts = { connections: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    counts.connections += 1;
    sockets.add(socket);
    let onConnection = 0;
    let text = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      begin?.(socket);
      text += chunk.toString('latin1');
      const head = text.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (head === -1 || text.length < head + 4 + length) return;
      text = '';
      counts.requests += 1;
      onConnection += 1;
      answer({ socket, number: counts.requests, onConnection });
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens at no port');
  return { url: `http://127.0.0.1:${address.port}`, counts };
}

/** The head of an answer with this body. */
export const headOf = (body: string | Uint8Array, headers: Readonly<Record<string, string | number>> = {}): string => {
  const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`;
};
