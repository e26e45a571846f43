/**
 * What JSON.parse does not tell of a text that it took: keys that an object has twice (the last one silently wins), and
 * how deep it is nested. One pass over the text.
 */
import { pointerToken } from './document.ts';

interface Level {
  /** Undefined in an array. */
  readonly keys: Set<string> | undefined;
  key: string;
  index: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

export interface TextScan {
  /** JSON pointers of repeated keys, at most 20. */
  readonly duplicates: readonly string[];
  readonly depth: number;
}

export function scanText(text: string): TextScan {
  const found: string[] = [];
  let depth = 0;
  const levels: Level[] = [];
  let level: Level | undefined;
  let string: string | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      string = level?.keys === undefined ? undefined : text.slice(at, end + 1);
      at = end;
    } else if (code === COLON && level?.keys !== undefined && string !== undefined) {
      level.key = string.includes('\\') ? String(JSON.parse(string)) : string.slice(1, -1);
      if (level.keys.has(level.key) && found.length < 20) found.push(pointerOf(levels));
      level.keys.add(level.key);
    } else if (code === COMMA && level !== undefined) level.index += 1;
    else if (code === 0x7b || code === 0x5b) {
      level = { keys: code === 0x7b ? new Set() : undefined, key: '', index: 0 };
      levels.push(level);
      if (levels.length > depth) depth = levels.length;
    } else if (code === 0x7d || code === 0x5d) {
      levels.pop();
      level = levels.at(-1);
    }
  }
  return { duplicates: found, depth };
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

const pointerOf = (levels: readonly Level[]): string =>
  levels.map(({ keys, key, index }) => `/${keys === undefined ? index : pointerToken(key)}`).join('');
