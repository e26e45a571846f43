/** The answer of an exchange: plain headers, and a body that is decompressed, bounded, and read in pieces or as a whole. */
import type { Readable } from 'node:stream';
import { PolyphonyError } from '../../core/errors.ts';
import type { TransportRequest, TransportResponse } from '../../core/model/provider.ts';
import type { Exchange, Head } from './exchange.ts';
import { hostOf, transportError, withReceived } from './transport-errors.ts';

export interface AnswerBounds {
  /** Of an answer that is read as a whole. */
  readonly wholeBytes: number;
  /** Of one that is read in pieces. */
  readonly streamBytes: number;
}

/** Waits only for what decompresses it. `head`: that of the exchange. */
export function responseOf(
  head: Head,
  exchange: Exchange,
  request: TransportRequest,
  limits: AnswerBounds,
): TransportResponse | Promise<TransportResponse> {
  const headers = headersOf(head.headers);
  const encoding = headers['content-encoding'];
  const respond = (body: Body): TransportResponse => ({
    status: head.status,
    headers,
    networkMs: exchange.networkMs,
    body,
    bytes: (limitBytes) => readAll(body, request, Math.min(limitBytes ?? limits.wholeBytes, limits.wholeBytes)),
  });
  if (encoding === undefined || encoding === 'identity')
    return respond(new Body(exchange, exchange, request, limits.streamBytes));
  return decompressed(exchange, encoding, request).then((stream) =>
    respond(bodyOf(stream, request, limits.streamBytes)),
  );
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

/** Each one costs buffers, and nobody applies more. */
const MAX_ENCODINGS = 4;

/** The left-most encoding was applied first, so it is decoded last. */
async function decompressed(source: Exchange, encoding: string, request: TransportRequest): Promise<Readable> {
  const [zlib, { pipeline, Readable: ReadableStream }] = await Promise.all([
    import('node:zlib'),
    import('node:stream'),
  ]);
  let stream = ReadableStream.from(source, { objectMode: false });
  const names = encoding.split(',', MAX_ENCODINGS + 1).reverse();
  for (const name of names) {
    const decoder = names.length > MAX_ENCODINGS ? undefined : decoderOf(zlib, name.trim().toLowerCase());
    if (decoder === undefined) {
      await source.return();
      throw new PolyphonyError(
        'network',
        `${hostOf(request.url)} answered with the content encoding "${encoding.slice(0, 100)}", which is not supported: use gzip, deflate or br.`,
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
  readonly #counted: (result: IteratorResult<Uint8Array>) => IteratorResult<Uint8Array>;
  #length = 0;

  constructor(chunks: Chunks, exchange: Exchange | undefined, request: TransportRequest, limitBytes: number) {
    this.#chunks = chunks;
    this.#exchange = exchange;
    this.#counted = (result) => {
      if (result.done === true) return result;
      this.#length += result.value.length;
      if (this.#length <= limitBytes) return result;
      void chunks.return();
      throw tooLong(request, limitBytes);
    };
    this.#rethrow = (error) => {
      throw withReceived(transportError(error, request), this.#length);
    };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return this.#chunks.next().then(this.#counted, this.#rethrow);
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
function bodyOf(stream: Readable, request: TransportRequest, limitBytes: number): Body {
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
  return new Body(chunks, undefined, request, limitBytes);
}

async function readAll(body: Body, request: TransportRequest, limitBytes: number): Promise<Uint8Array> {
  const complete = body.arrived();
  if (complete !== undefined && complete.length <= limitBytes) return complete;
  const chunks: Uint8Array[] = complete === undefined ? [] : [complete];
  let length = complete?.length ?? 0;
  for (;;) {
    if (length > limitBytes) {
      await body.return();
      throw tooLong(request, limitBytes, { receivedBytes: length });
    }
    const { done, value } = await body.next();
    if (done) break;
    length += value.length;
    chunks.push(value);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, length);
}

function tooLong({ url }: TransportRequest, limitBytes: number, details = {}): PolyphonyError {
  const message = `${hostOf(url)} sent more than ${limitBytes} bytes, which is the limit of this answer, so it was cut off: ask for less, or raise its limit (maxOutputTokens, limits.answers.bytes).`;
  return new PolyphonyError('truncated', message, { retryable: false, details });
}
