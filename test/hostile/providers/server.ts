/** The server of one hostile provider: below `/bad` it misbehaves, below `/good` it answers well. */
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net';
import type { HttpCase, SocketCase } from './provider-case.ts';
import { WIRES, type WireName } from './wires.ts';

export interface HostileServer {
  readonly bad: string;
  readonly good: string;
  /** Resolves once no connection is open, or after this many milliseconds. */
  readonly idle: (withinMs: number) => Promise<boolean>;
  readonly close: () => void;
}

/** Answers well in a wire. The whole of a small stream is one write. */
function httpServer(one: HttpCase | undefined, wire: WireName): Server {
  const { whole, stream, usage, contentType } = WIRES[wire];
  return createHttpServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('end', () => {
      const streamed = /"stream":true|streamGenerateContent/.test(`${request.url}${Buffer.concat(chunks)}`);
      if (one !== undefined && request.url?.startsWith('/bad')) return one.respond(response, { streamed, request });
      response.writeHead(200, { 'content-type': streamed ? contentType : 'application/json' });
      response.end(streamed ? stream('fine', usage(3)) : JSON.stringify(whole('fine', usage(3))));
    });
  });
}

async function listening(server: Server, sockets: Set<Socket>): Promise<string> {
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A case below HTTP has a server of sockets beside the good one. */
export async function startServer(one: HttpCase | SocketCase, wire: WireName): Promise<HostileServer> {
  const sockets = new Set<Socket>();
  const isBelow = 'connected' in one;
  const http = httpServer(isBelow ? undefined : one, wire);
  const base = await listening(http, sockets);
  const below = isBelow ? createSocketServer({ allowHalfOpen: false }, one.connected) : undefined;
  const bad = below === undefined ? `${base}/bad` : await listening(below, sockets);
  return {
    bad,
    good: `${base}/good`,
    async idle(withinMs) {
      // A socket that is not read does not notice that the other side has left.
      for (const socket of sockets) socket.resume();
      for (let waited = 0; sockets.size > 0 && waited < withinMs; waited += 20) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return sockets.size === 0;
    },
    close() {
      for (const socket of sockets) socket.destroy();
      http.close();
      below?.close();
    },
  };
}
