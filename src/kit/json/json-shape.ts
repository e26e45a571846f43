/** Reads JSON of unknown shape without trusting it: a value of another type is undefined. */

export { type Defined, defined } from '../../core/defined.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

export function asRecord(value: unknown): JsonRecord | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined;
}

export function asList(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** Empty strings are kept. */
export function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** A finite number, or undefined. */
export function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** A count of tokens: a number, or a text of digits, as some servers write it. Read as missing, it would count as nothing. */
export function asCount(value: unknown): number | undefined {
  return asNumber(typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value);
}

/**
 * The deepest nesting of JSON that is read, in levels. What is deeper could be parsed, but not written again: writing it takes
 * a stack as deep as the value.
 */
const MAX_DEPTH = 1000;

/** The parsed value, or undefined if the text is not JSON or is nested too deep. */
export function tryParseJson(text: string): unknown {
  try {
    return isDeep(text) ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * True for JSON that is nested too deep. A short text cannot be, and no other is read: its depth takes as many characters.
 * In a longer one every bracket outside of strings counts.
 */
export function isDeep(text: string): boolean {
  if (text.length <= MAX_DEPTH * 2) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    // The brackets: [ and {, ] and }, which differ in one bit.
    else if ((code | 0x20) === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if ((code | 0x20) === 0x7d) depth -= 1;
  }
  return false;
}

/** The place of the quote that ends the string; the end of the text if there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((at - before) % 2 === 0) return at;
  }
  return text.length;
}
