/** Beginnings and ends of texts, never with half of a surrogate pair: many servers refuse a request that contains one. */

const SHOWN_CHARACTERS = 60;

/** A value that is wrong, as messages show it. */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return `${JSON.stringify(firstOf(value, SHOWN_CHARACTERS))}${value.length > SHOWN_CHARACTERS ? '…' : ''}`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** At most the first `most` UTF-16 units. */
export function firstOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = isBetween(text, most) ? most - 1 : most;
  return text.slice(0, Math.max(0, end));
}

/** At most the last `most` UTF-16 units. */
export function lastOf(text: string, most: number): string {
  if (text.length <= most) return text;
  const start = text.length - most;
  return text.slice(isBetween(text, start) ? start + 1 : start);
}

/** The place is between the two halves of a pair. */
const isBetween = (text: string, at: number): boolean =>
  (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
