/**
 * MCP over HTTP for one machine. A web page that the user has open may send requests here too, so a request is served only under a
 * host name that belongs to this server, and with an origin that may use it. Beyond this machine a token is needed as well.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { UsageError } from '../input/exit-code.ts';

export interface HttpOptions {
  /** 0: one that is free. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** Names under which it may be asked, beside those of this machine. @default none */
  readonly allowHosts?: readonly string[];
  /** Origins of web pages that may ask. @default those of this machine */
  readonly allowOrigins?: readonly string[];
  /** What `authorization: Bearer …` must hold. @default nothing is asked for */
  readonly token?: string | undefined;
}

export interface HttpServer {
  readonly url: string;
  close(): Promise<void>;
}

type Fetch = (request: Request) => Promise<Response>;

const PATH = '/mcp';
const LOCAL: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];
const MOST_CONNECTIONS = 256;

/** @throws UsageError where it would be open to a network without a token */
export async function serveHttp(fetch: Fetch, options: HttpOptions): Promise<HttpServer> {
  const { port, host = '127.0.0.1', token } = options;
  const isLocal = LOCAL.includes(host) || host === '::1';
  if (!isLocal && token === undefined)
    throw new UsageError(`--host ${host} opens the server to a network: name the variable of a token with --token-env`);
  const server = createServer((request, response) => {
    void respond(fetch, options, request, response);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}${PATH}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  fetch: Fetch,
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refusal = refusalOf(request, options);
  if (refusal !== undefined) {
    response.writeHead(refusal.status, { 'content-type': 'text/plain', connection: 'close' }).end(refusal.message);
    return;
  }
  const abort = new AbortController();
  response.on('close', () => abort.abort());
  try {
    await send(await fetch(webRequest(request, abort.signal)), response);
  } catch {
    // The client has gone, or the answer broke off: the socket says the rest.
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

interface Refusal {
  readonly status: number;
  readonly message: string;
}

/** Why a request is not served. */
export function refusalOf(
  { url = '', headers }: Pick<IncomingMessage, 'url' | 'headers'>,
  { host = '127.0.0.1', allowHosts = [], allowOrigins = [], token }: HttpOptions,
): Refusal | undefined {
  const names = [...LOCAL, ...allowHosts, ...(['0.0.0.0', '::'].includes(host) ? [] : [host])];
  if (!names.includes(hostName(headers.host ?? '')))
    return { status: 403, message: 'This host name is not served: allow it with --allow-host.' };
  const { origin } = headers;
  if (origin !== undefined && !allowOrigins.includes(origin) && !isLocalOrigin(origin))
    return { status: 403, message: 'This origin may not use the server: allow it with --allow-origin.' };
  if (token !== undefined && !isSame(headers.authorization ?? '', `Bearer ${token}`))
    return { status: 401, message: 'A token is needed: send authorization: Bearer …' };
  if (url.split('?', 1)[0] !== PATH) return { status: 404, message: `There is only ${PATH}.` };
  return undefined;
}

/** Without the port. A name with a dot at its end is another name for browsers. */
function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.indexOf(':');
  return (end > 0 ? host.slice(0, end) : host).toLowerCase();
}

function isLocalOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, hostname } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && LOCAL.includes(hostname);
}

/** Takes the same time for every token. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

function webRequest(request: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', headers, url = PATH } = request;
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as [string, string]],
  );
  return new Request(`http://${headers.host ?? 'localhost'}${url}`, {
    method,
    headers: entries,
    signal,
    ...(hasBody ? { body: Readable.toWeb(request) as ReadableStream, duplex: 'half' } : {}),
  } as RequestInit);
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  if (answer.body === null) {
    response.end();
    return;
  }
  for await (const chunk of answer.body) {
    if (response.destroyed) return;
    if (!response.write(chunk))
      await new Promise((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
  }
  response.end();
}
