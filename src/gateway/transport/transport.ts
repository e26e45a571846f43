/**
 * The transport on undici: one agent, one pool per origin, keep-alive on, pipelining off. It neither retries nor follows
 * redirects, because the layers above decide about that.
 */
import type { Readable } from 'node:stream';
import type { Agent } from 'undici';
import { abortError, PolyphonyError } from '../../core/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../core/model/provider.ts';
import { Exchange, type Head } from './exchange.ts';

export interface TransportOptions {
  /** How long a connection may take to open, TLS included, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number;
  /** The longest time from sending the request to the answer's headers, in milliseconds. @default 600000 */
  readonly headersTimeoutMs?: number;
  /** The longest time between two chunks of a body, in milliseconds. @default 600000 */
  readonly idleTimeoutMs?: number;
  /** The most open sockets per origin; further requests wait. @default 256 */
  readonly maxConnectionsPerOrigin?: number;
  /** How long an idle socket is kept if the server names no time itself, in milliseconds. @default 30000 */
  readonly keepAliveMs?: number;
  /** The most bytes of the answer's headers. @default 65536 */
  readonly maxHeaderBytes?: number;
}

const MEBIBYTE = 1024 * 1024;

/** Opens no connection before the first request. */
export function createTransport(options: TransportOptions = {}): Transport {
  let agent: Promise<Agent> | undefined;
  let closed = false;

  return {
    async request(request) {
      if (closed) throw closedError(request.url);
      if (request.signal.aborted) throw abortError(request.signal);
      agent ??= openAgent(options);
      try {
        const opened = await agent;
        if (request.signal.aborted) throw abortError(request.signal);
        return await responseOf(dispatch(opened, request), request);
      } catch (error) {
        throw closed ? closedError(request.url) : transportError(error, request);
      }
    },
    async close() {
      closed = true;
      const opened = await agent;
      await opened?.destroy();
    },
  };
}

async function openAgent(options: TransportOptions): Promise<Agent> {
  // Loading undici costs more than everything else that a first call loads, so a program without calls does not load it.
  const undici = await import('undici');
  return new undici.Agent({
    connections: options.maxConnectionsPerOrigin ?? 256,
    pipelining: 1,
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
    headersTimeout: options.headersTimeoutMs ?? 600_000,
    bodyTimeout: options.idleTimeoutMs ?? 600_000,
    keepAliveTimeout: options.keepAliveMs ?? 30_000,
    maxHeaderSize: options.maxHeaderBytes ?? 65_536,
  });
}

function dispatch(agent: Agent, request: TransportRequest): Exchange {
  const { origin, path } = addressOf(request.url);
  const exchange = new Exchange(request.signal);
  agent.dispatch(
    {
      origin,
      path,
      method: request.method,
      headers: { 'accept-encoding': 'gzip, deflate, br', ...request.headers },
      body: request.body ?? null,
    },
    exchange,
  );
  return exchange;
}

interface Address {
  readonly origin: string;
  readonly path: string;
}

const MAX_ADDRESSES = 256;
const addresses = new Map<string, Address>();

/** A cache, because programs use the same few addresses, and parsing one costs as much as a layer. */
function addressOf(url: string): Address {
  const known = addresses.get(url);
  if (known !== undefined) return known;
  const { origin, pathname, search } = new URL(url);
  const address = { origin, path: pathname + search };
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  addresses.set(url, address);
  return address;
}

// ---------------------------------------------------------------------------------------------------- answers

async function responseOf(exchange: Exchange, request: TransportRequest): Promise<TransportResponse> {
  const head = await exchange.head;
  const headers = headersOf(head.headers);
  const encoding = headers['content-encoding'];
  const plain = encoding === undefined || encoding === 'identity';
  const body = plain
    ? new Body(exchange, exchange, request)
    : bodyOf(await decompressed(exchange, encoding, request), request);
  return { status: head.status, headers, body, bytes: (limitBytes) => readAll(body, request, limitBytes) };
}

/** Returns the same object if no header came twice. */
function headersOf(raw: Head['headers']): Readonly<Record<string, string>> {
  return isPlain(raw) ? raw : joined(raw);
}

function isPlain(raw: Head['headers']): raw is Readonly<Record<string, string>> {
  for (const name in raw) if (typeof raw[name] !== 'string') return false;
  return true;
}

function joined(raw: Head['headers']): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in raw) {
    const value = raw[name];
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

/** The left-most encoding was applied first, so it is decoded last. */
async function decompressed(source: Exchange, encoding: string, request: TransportRequest): Promise<Readable> {
  const [zlib, { pipeline, Readable: ReadableStream }] = await Promise.all([
    import('node:zlib'),
    import('node:stream'),
  ]);
  let stream = ReadableStream.from(source, { objectMode: false });
  for (const name of encoding.split(',').reverse()) {
    const decoder = decoderOf(zlib, name.trim().toLowerCase());
    if (decoder === undefined) {
      await source.return();
      throw new PolyphonyError(
        'network',
        `${hostOf(request.url)} answered with the content encoding "${encoding}", which is not supported: use gzip, deflate or br.`,
      );
    }
    // Errors of both streams are thrown by the iteration of the last one.
    if (decoder !== 'identity') stream = pipeline(stream, decoder, () => {});
  }
  return stream;
}

function decoderOf(
  zlib: typeof import('node:zlib'),
  name: string,
): (NodeJS.ReadWriteStream & Readable) | 'identity' | undefined {
  if (name === 'gzip' || name === 'x-gzip') return zlib.createGunzip();
  // RFC 9110: deflate is the zlib format, not the raw one.
  if (name === 'deflate') return zlib.createInflate();
  if (name === 'br') return zlib.createBrotliDecompress();
  return name === 'identity' || name === '' ? 'identity' : undefined;
}

type Chunks = Required<Pick<AsyncIterator<Uint8Array>, 'next' | 'return'>>;

/** One iteration of a body. A class, because it is both iterable and iterator, which avoids a generator in the hot path. */
class Body implements AsyncIterableIterator<Uint8Array> {
  readonly #chunks: Chunks;
  readonly #exchange: Exchange | undefined;
  readonly #rethrow: (error: unknown) => never;

  constructor(chunks: Chunks, exchange: Exchange | undefined, request: TransportRequest) {
    this.#chunks = chunks;
    this.#exchange = exchange;
    this.#rethrow = (error) => {
      throw transportError(error, request);
    };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return this.#chunks.next().then(undefined, this.#rethrow);
  }

  /** Closes the socket unless the body was read to its end. */
  return(): Promise<IteratorResult<Uint8Array>> {
    return this.#chunks.return();
  }

  arrived(): Uint8Array | undefined {
    return this.#exchange?.arrived();
  }
}

/** A decompressed body. Destroying the last stream destroys those before it, and the first one closes the exchange. */
function bodyOf(stream: Readable, request: TransportRequest): Body {
  let iterator: AsyncIterator<Uint8Array> | undefined;
  const chunks: Chunks = {
    next: () => {
      iterator ??= stream[Symbol.asyncIterator]();
      return iterator.next();
    },
    async return() {
      if (!stream.destroyed) stream.on('error', () => {}).destroy();
      return { done: true, value: undefined };
    },
  };
  return new Body(chunks, undefined, request);
}

async function readAll(body: Body, request: TransportRequest, limitBytes = 64 * MEBIBYTE): Promise<Uint8Array> {
  const complete = body.arrived();
  if (complete !== undefined && complete.length <= limitBytes) return complete;
  const chunks: Uint8Array[] = complete === undefined ? [] : [complete];
  let length = complete?.length ?? 0;
  for (;;) {
    if (length > limitBytes) {
      await body.return();
      throw new PolyphonyError(
        'network',
        `${hostOf(request.url)} sent more than ${limitBytes} bytes, which is the limit of one answer: ask for less.`,
        { retryable: false },
      );
    }
    const { done, value } = await body.next();
    if (done) break;
    length += value.length;
    chunks.push(value);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

// ---------------------------------------------------------------------------------------------------- errors

/** Only the host, because paths and queries may contain keys. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'The server';
}

function closedError(url: string): PolyphonyError {
  return new PolyphonyError('cancelled', `The request to ${hostOf(url)} ended because the transport was closed.`);
}

function transportError(error: unknown, request: TransportRequest): PolyphonyError {
  if (request.signal.aborted) return abortError(request.signal);
  if (error instanceof PolyphonyError) return error;
  const host = hostOf(request.url);
  const code = codeOf(error);
  if (code === 'ERR_INVALID_URL') {
    return new PolyphonyError('invalid-config', 'The base URL is not a valid URL: write it as https://host/path.');
  }
  const timeout = TIMEOUTS[code];
  if (timeout !== undefined) {
    // The budget charges for timeouts unless it knows that nothing was sent.
    const unconnected = code === 'UND_ERR_CONNECT_TIMEOUT' ? { unsent: true, details: { timeout: 'connect' } } : {};
    return new PolyphonyError('timeout', `${host} ${timeout}`, { cause: error, ...unconnected });
  }
  const reason = REASONS[code] ?? (error instanceof Error && error.message !== '' ? error.message : code);
  return new PolyphonyError('network', `The connection to ${host} failed: ${reason}`, { cause: error });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'cause' in error ? codeOf(error.cause) : '';
}

const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'did not accept a connection in time: check the address, or raise connectTimeoutMs.',
  UND_ERR_HEADERS_TIMEOUT: 'did not answer in time: try again, or raise headersTimeoutMs.',
  UND_ERR_BODY_TIMEOUT: 'stopped sending before its answer was complete: try again, or raise idleTimeoutMs.',
  ETIMEDOUT: 'did not answer in time: check the address and the network.',
};

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at this address. Check the address, and that the server is running.',
  ENOTFOUND: 'the host name is unknown. Check the address.',
  EAI_AGAIN: 'the host name could not be looked up. Check the network.',
  ECONNRESET: 'the other side closed it before the answer was complete. Try again.',
  UND_ERR_SOCKET: 'the other side closed it before the answer was complete. Try again.',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are larger than maxHeaderBytes. Raise this limit.',
};
