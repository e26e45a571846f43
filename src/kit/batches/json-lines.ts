/** A body of JSON lines, read as it arrives: one line at a time is in memory. */
import { PolyphonyError } from '../../core/errors.ts';
import { isDeep } from '../json/json-shape.ts';

/** The longest line, in bytes: the most that a complete answer may have. */
const MAX_LINE_BYTES = 67_108_864;
const LINE_FEED = 0x0a;

/**
 * The records of the lines; a line that is no JSON object is left out, as an answer that never came.
 *
 * @throws invalid-output for a line of more than 64 MiB
 */
export async function* jsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      parts.push(chunk.subarray(start, end));
      const record = recordOf(parts);
      if (record !== undefined) yield record;
      parts = [];
      bytes = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > MAX_LINE_BYTES) throw tooLong();
  }
  const last = recordOf(parts);
  if (last !== undefined) yield last;
}

function recordOf(parts: readonly Uint8Array[]): Readonly<Record<string, unknown>> | undefined {
  const [only] = parts;
  if (only === undefined) return undefined;
  const text = Buffer.from(parts.length === 1 ? only : Buffer.concat(parts))
    .toString('utf8')
    .trim();
  if (text === '' || isDeep(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

const tooLong = (): PolyphonyError =>
  new PolyphonyError(
    'invalid-output',
    `A line of the results of a batch has more than ${MAX_LINE_BYTES} bytes, the most that is read.`,
  );
