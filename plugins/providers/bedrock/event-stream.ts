/**
 * The binary event stream of AWS (`application/vnd.amazon.eventstream`): messages of a prelude, headers and a payload,
 * each guarded by two CRC-32 sums. Bytes come in pieces of any size.
 *
 * Layout, big-endian: total length (4), header length (4), CRC of these 8 (4), headers, payload, CRC of all before (4).
 */
import { crc32 } from 'node:zlib';
import { PolyphonyError } from 'polyphony';

export interface EventMessage {
  /** Headers of the type string; others mean nothing to this wire. */
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

export interface EventStreamDecoder {
  /**
   * Hands over every message that the chunk completes.
   *
   * @throws network when a sum is wrong: the bytes were damaged on the way
   */
  push(chunk: Uint8Array): void;
  /** @throws truncated when the stream ended inside a message */
  end(): void;
}

const PRELUDE = 12;
const LEAST = 16;
/** What the protocol allows a message to take. */
const MOST = 25_165_824;

export function createEventStreamDecoder(onMessage: (message: EventMessage) => void): EventStreamDecoder {
  let chunks: Uint8Array[] = [];
  let length = 0;
  /** What must be here to go on: a prelude, and once it was checked, the message that it announced. */
  let wanted = PRELUDE;
  let announced = false;

  const step = (): void => {
    const bytes = Buffer.concat(chunks);
    if (!announced) {
      wanted = checkedLength(bytes);
      announced = true;
      chunks = [bytes];
      return;
    }
    const rest = bytes.subarray(wanted);
    onMessage(messageOf(bytes.subarray(0, wanted)));
    chunks = [rest];
    length = rest.length;
    wanted = PRELUDE;
    announced = false;
  };

  return {
    push(chunk) {
      chunks.push(chunk);
      length += chunk.length;
      while (length >= wanted) step();
    },
    end() {
      if (length === 0) return;
      throw new PolyphonyError('truncated', 'The stream ended inside a message: it was cut off. Try again.');
    },
  };
}

function damaged(what: string): PolyphonyError {
  return new PolyphonyError('network', `${what} of the event stream is wrong: the bytes were damaged. Try again.`);
}

function checkedLength(bytes: Buffer): number {
  if (crc32(bytes.subarray(0, 8)) !== bytes.readUInt32BE(8)) throw damaged('The checksum of a prelude');
  const total = bytes.readUInt32BE(0);
  const headers = bytes.readUInt32BE(4);
  if (total < LEAST + headers || total > MOST) throw damaged(`A length of ${total} bytes in a message`);
  return total;
}

function messageOf(bytes: Buffer): EventMessage {
  const end = bytes.length - 4;
  if (crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) throw damaged('The checksum of a message');
  const payloadAt = PRELUDE + bytes.readUInt32BE(4);
  return { headers: headersOf(bytes.subarray(PRELUDE, payloadAt)), payload: bytes.toString('utf8', payloadAt, end) };
}

/** Bytes that a value of the type takes; those of -1 say their own length in two bytes. */
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
