/**
 * The binary event stream of AWS (`application/vnd.amazon.eventstream`): messages of a prelude, headers and a payload,
 * each with two CRC-32 checksums. Bytes arrive in chunks of any size.
 *
 * Layout, big-endian: total length (4), header length (4), CRC of these 8 (4), headers, payload, CRC of all before (4).
 */
import { StringDecoder } from 'node:string_decoder';
import { crc32 } from 'node:zlib';
import { PolyphonyError } from 'polyphony/kit';

export interface EventMessage {
  /** Headers of type string; this wire format does not use other types. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

export interface EventStreamDecoder {
  /**
   * Emits every message that the chunk completes.
   *
   * @throws network when a checksum is wrong: the bytes were damaged in transit
   */
  push(chunk: Uint8Array): void;
  /** @throws truncated when the stream ended inside a message */
  end(): void;
}

const PRELUDE = 12;
const LEAST = 16;
/** The largest message that the protocol allows, in bytes. */
const MOST = 25_165_824;

export function createEventStreamDecoder(onMessage: (message: EventMessage) => void): EventStreamDecoder {
  const headers = headerReader();
  /** The bytes of an incomplete message. */
  let chunks: Uint8Array[] = [];
  let length = 0;
  /** Bytes needed to go on: a prelude, and once it was checked, the message that it announced. */
  let wanted = PRELUDE;

  /** Emits complete messages, and returns the offset of the rest. */
  const read = (bytes: Buffer): number => {
    let at = 0;
    while (bytes.length - at >= wanted) {
      if (wanted === PRELUDE) wanted = checkedLength(bytes, at);
      else {
        onMessage(messageOf(bytes, at, wanted, headers));
        at += wanted;
        wanted = PRELUDE;
      }
    }
    return at;
  };

  return {
    push(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      if (length < wanted) return;
      const bytes =
        chunks.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, length) : Buffer.concat(chunks, length);
      const at = read(bytes);
      length = bytes.length - at;
      chunks = length === 0 ? [] : [bytes.subarray(at)];
    },
    end() {
      if (length === 0) return;
      throw new PolyphonyError('truncated', 'The stream ended inside a message, so the answer was cut off. Try again.');
    },
  };
}

function damaged(what: string): PolyphonyError {
  return new PolyphonyError(
    'network',
    `${what} of the event stream is invalid: the bytes were damaged in transit. Try again.`,
  );
}

function checkedLength(bytes: Buffer, at: number): number {
  if (crc32(bytes.subarray(at, at + 8)) !== bytes.readUInt32BE(at + 8)) throw damaged('The checksum of a prelude');
  const total = bytes.readUInt32BE(at);
  const headers = bytes.readUInt32BE(at + 4);
  if (total < LEAST + headers || total > MOST) throw damaged(`A length of ${total} bytes in a message`);
  return total;
}

function messageOf(bytes: Buffer, at: number, length: number, headers: HeaderReader): EventMessage {
  const end = at + length - 4;
  if (crc32(bytes.subarray(at, end)) !== bytes.readUInt32BE(end)) throw damaged('The checksum of a message');
  const payloadAt = at + PRELUDE + bytes.readUInt32BE(at + 4);
  return { headers: headers(bytes, at + PRELUDE, payloadAt), payload: textOf(bytes.subarray(payloadAt, end)) };
}

/** Several times faster than `toString` on the small payloads of a stream. */
const utf8 = new StringDecoder('utf8');
const textOf = (bytes: Buffer): string => utf8.write(bytes) + utf8.end();

type HeaderReader = (bytes: Buffer, start: number, end: number) => EventMessage['headers'];

/** Caches the last headers, because nearly all messages of a stream have the same ones. */
function headerReader(): HeaderReader {
  let known: Buffer = Buffer.alloc(0);
  let headers: EventMessage['headers'] = {};
  return (bytes, start, end) => {
    if (bytes.compare(known, 0, known.length, start, end) === 0) return headers;
    known = bytes.subarray(start, end);
    headers = headersOf(known);
    return headers;
  };
}

/** Size of a value by type, in bytes; -1 means that two bytes in front of it state the length. */
const SIZES = [0, 0, 1, 2, 4, 8, -1, -1, 8, 16] as const;
const STRING = 7;

function headersOf(bytes: Buffer): Record<string, string> {
  const headers: [string, string][] = [];
  let at = 0;
  while (at < bytes.length) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    const name = bytes.toString('utf8', at + 1, nameEnd);
    const type = bytes.readUInt8(nameEnd);
    const size = SIZES[type];
    if (size === undefined) throw damaged(`The type ${type} of a header`);
    const start = nameEnd + (size === -1 ? 3 : 1);
    at = start + (size === -1 ? bytes.readUInt16BE(nameEnd + 1) : size);
    if (type === STRING) headers.push([name, bytes.toString('utf8', start, at)]);
  }
  return Object.fromEntries(headers);
}
