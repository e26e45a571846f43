/** Vectors of an answer, of any shape. What is no number stays none, so that nobody takes it for a coordinate. */
import { PolyphonyError } from '../../core/errors.ts';
import { asList, asRecord } from '../json/json-shape.ts';

/** The numbers of a list, or of little-endian floats in base64. Empty for any other value; NaN for what is no number. */
export function asVector(value: unknown): number[] {
  if (typeof value === 'string') return floatsOf(value);
  return (asList(value) ?? []).map((item) => (typeof item === 'number' ? item : Number.NaN));
}

function floatsOf(text: string): number[] {
  const bytes = Buffer.from(text, 'base64');
  // Characters that are not base64 are skipped without an error, which shifts all bytes behind them.
  if (bytes.length % 4 !== 0 || bytes.length !== Buffer.byteLength(text, 'base64')) return [];
  return Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readFloatLE(index * 4));
}

/**
 * The items in the order of their `index`, which servers do not always keep; as they are if none has one.
 *
 * @throws invalid-output when the indices are not each of the places once, because nobody can tell which item belongs where
 */
export function inOrderOfIndex(items: readonly unknown[]): readonly unknown[] {
  const indices = items.map((item) => asRecord(item)?.index ?? undefined);
  if (indices.every((index) => index === undefined)) return items;
  const ordered = new Map<unknown, unknown>();
  for (const [position, index] of indices.entries()) ordered.set(index, items[position]);
  const places = items.map((_, place) => ordered.get(place));
  const complete = items.every((_, place) => ordered.has(place));
  if (complete) return places;
  throw new PolyphonyError(
    'invalid-output',
    'The answer numbers its vectors neither in full nor each once, so they cannot be assigned. Try another model or server.',
  );
}
