/** One record of a table: its values, decoded without trusting a single length in it. */
import { isUtf8 } from 'node:buffer';

export type RecordValue = string | number | null | Damaged;

/** A value whose bytes are no text that this store writes. */
export interface Damaged {
  readonly damaged: true;
}
const DAMAGED: Damaged = { damaged: true };

/** A whole number of up to nine bytes, and where it ends; undefined when it is cut. */
export function readVarint(bytes: Buffer, at: number): readonly [value: number, end: number] | undefined {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    if (index === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + index + 1];
  }
  return undefined;
}

/** The most columns of a record of ours, with room for later releases. */
const MOST_COLUMNS = 64;
const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

/** Undefined when the record is damaged as a whole. */
export function decodeRecord(payload: Buffer): RecordValue[] | undefined {
  const header = readVarint(payload, 0);
  if (header === undefined || header[0] > payload.length) return undefined;
  const [headerBytes, start] = header;
  const values: RecordValue[] = [];
  let body = headerBytes;
  for (let at = start; at < headerBytes; ) {
    const type = readVarint(payload, at);
    if (type === undefined || values.length === MOST_COLUMNS) return undefined;
    const bytes = bytesOf(type[0]);
    if (body + bytes > payload.length) return undefined;
    values.push(decode(type[0], payload.subarray(body, body + bytes)));
    body += bytes;
    at = type[1];
  }
  return values;
}

function bytesOf(type: number): number {
  if (type < INTEGER_BYTES.length) return INTEGER_BYTES[type] ?? 0;
  if (type === 7) return 8;
  return type < 12 ? 0 : Math.floor((type - 12) / 2);
}

function decode(type: number, bytes: Buffer): RecordValue {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type === 6) return Number(bytes.readBigInt64BE());
  if (type < 6) return bytes.readIntBE(0, bytes.length);
  if (type === 7) return bytes.readDoubleBE();
  // No record holds bytes that are no text: one changed bit makes bytes of a text.
  return isUtf8(bytes) ? bytes.toString() : DAMAGED;
}
