/** Messages of the binary stream of AWS, sums and all, written apart from our reader. */
import { crc32 } from 'node:zlib';

/** One message; a header whose value is a number is written as the type `integer`. */
export function frame(headers: Readonly<Record<string, string | number>>, payload: string): Buffer {
  const written = Object.entries(headers).flatMap(([name, value]) => {
    const head = Buffer.from([name.length, ...Buffer.from(name), typeof value === 'number' ? 4 : 7]);
    const bytes = Buffer.from(String(value));
    const size = Buffer.alloc(typeof value === 'number' ? 4 : 2);
    if (typeof value === 'number') size.writeInt32BE(value);
    else size.writeUInt16BE(bytes.length);
    return typeof value === 'number' ? [head, size] : [head, size, bytes];
  });
  const head = Buffer.concat(written);
  const body = Buffer.from(payload);
  const bytes = Buffer.alloc(16 + head.length + body.length);
  bytes.writeUInt32BE(bytes.length, 0);
  bytes.writeUInt32BE(head.length, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 8)), 8);
  head.copy(bytes, 12);
  body.copy(bytes, 12 + head.length);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -4)), bytes.length - 4);
  return bytes;
}
