/**
 * Facts that JSON.parse does not report about a valid text: repeated keys of an object (the last one silently wins), and
 * the depth of nesting. One pass over the text.
 */
import { pointerToken } from './document.ts';

interface Level {
  isObject: boolean;
  /** Only the first `count` names belong to this object. */
  readonly names: string[];
  count: number;
  many: Set<string> | undefined;
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

/** Up to this many keys a linear search costs less than a set; objects of plans have few keys. */
const FEW = 16;

function isRepeated(level: Level, key: string): boolean {
  const { names, many } = level;
  if (many !== undefined) {
    if (many.has(key)) return true;
    many.add(key);
    return false;
  }
  for (let at = 0; at < level.count; at += 1) if (names[at] === key) return true;
  names[level.count] = key;
  level.count += 1;
  if (level.count > FEW) level.many = new Set(names.slice(0, level.count));
  return false;
}

export function scanText(text: string): TextScan {
  const found: string[] = [];
  // Created once per depth, and reused for every object and array at that depth.
  const levels: Level[] = [];
  let depth = 0;
  let level: Level | undefined;
  let start = -1;
  let end = -1;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      start = at;
      end = endOfString(text, at);
      at = end;
    } else if (code === COLON && level !== undefined) {
      const key = text.slice(start + 1, end);
      level.key = key.includes('\\') ? String(JSON.parse(`"${key}"`)) : key;
      if (isRepeated(level, level.key) && found.length < 20) found.push(pointerOf(levels, depth));
    } else if (code === COMMA && level !== undefined) level.index += 1;
    else if (code === 0x7b || code === 0x5b) {
      level = opened(levels, depth, code === 0x7b);
      depth += 1;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
      level = levels[depth - 1];
    }
  }
  return { duplicates: found, depth: levels.length };
}

function opened(levels: Level[], depth: number, isObject: boolean): Level {
  const known = levels[depth];
  if (known === undefined) {
    const made: Level = { isObject, names: [], count: 0, many: undefined, key: '', index: 0 };
    levels.push(made);
    return made;
  }
  known.isObject = isObject;
  known.count = 0;
  known.many = undefined;
  known.key = '';
  known.index = 0;
  return known;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
  return text.length;
}

const pointerOf = (levels: readonly Level[], depth: number): string =>
  levels
    .slice(0, depth)
    .map(({ isObject, key, index }) => `/${isObject ? pointerToken(key) : index}`)
    .join('');
