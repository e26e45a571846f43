/** The JSON value that has been written so far: for answers that are shown while they arrive. */

/** Deeper answers are not shown before they are whole. */
const MOST_LEVELS = 200;
/** Text is read again only when it has grown by this share, so that all readings together stay linear in its length. */
const GROWTH = 1 / 64;

export interface PartialJson {
  /** Adds text. Returns the value so far, if it was read again and there is one: an object or array, whose open parts end where the text does. */
  add(text: string): object | undefined;
  /** Forgets everything. */
  reset(): void;
}

export function partialJson(): PartialJson {
  let text = '';
  let readAt = 0;
  let shown = '';
  return {
    add(more) {
      text += more;
      if (more === '' || text.length < readAt + Math.floor(readAt * GROWTH) + 1) return undefined;
      readAt = text.length;
      const closed = closedJson(text);
      if (closed === undefined || closed === shown) return undefined;
      const value = parse(closed);
      if (value !== undefined) shown = closed;
      return value;
    },
    reset() {
      text = '';
      readAt = 0;
      shown = '';
    },
  };
}

function parse(closed: string): object | undefined {
  try {
    return JSON.parse(closed) as object;
  } catch {
    return undefined;
  }
}

/**
 * The text up to the last place where only closing brackets (and the quote of a value) are missing, with these. Undefined before
 * the first bracket, and for what is no JSON or too deep. What follows the value is ignored.
 */
function closedJson(text: string): string | undefined {
  const start = openingOf(text);
  if (start === -1) return undefined;
  const open: string[] = [];
  let end = start;
  let before = '';
  for (let at = start; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (isSpace(character)) continue;
    if (character === '"') {
      const value = before === ':' || open.at(-1) === ']';
      const closing = endOfString(text, at + 1);
      if (!closing.open) at = closing.end;
      if (value) end = closing.end + (closing.open ? 0 : 1);
      if (closing.open) return text.slice(start, end) + (value ? '"' : '') + open.reverse().join('');
    } else if (character === '{' || character === '[') {
      if (open.push(character === '{' ? '}' : ']') > MOST_LEVELS) return undefined;
      end = at + 1;
    } else if (character === '}' || character === ']') {
      if (open.pop() !== character) return undefined;
      end = at + 1;
      if (open.length === 0) return text.slice(start, end);
    } else if (character === ',') end = at;
    before = character;
  }
  return text.slice(start, end) + open.reverse().join('');
}

const isSpace = (character: string): boolean =>
  character === ' ' || character === '\n' || character === '\t' || character === '\r';

/** The first bracket, after what the model thought aloud. */
function openingOf(text: string): number {
  const from = Math.max(0, text.lastIndexOf('</think>'));
  const list = text.indexOf('[', from);
  const map = text.indexOf('{', from);
  return list === -1 || map === -1 ? Math.max(list, map) : Math.min(list, map);
}

interface StringEnd {
  /** Its closing quote; where the string is open, the end of what can be shown of it. */
  readonly end: number;
  readonly open: boolean;
}

function endOfString(text: string, from: number): StringEnd {
  let at = from;
  while (at < text.length) {
    const character = text.charAt(at);
    if (character === '"') return { end: at, open: false };
    const length = character !== '\\' ? 1 : text.charAt(at + 1) === 'u' ? 6 : 2;
    // An escape that is not whole.
    if (at + length > text.length) break;
    at += length;
  }
  return { end: at - halfCharacter(text, from, at), open: true };
}

const ESCAPED_HALF = /\\u[dD][89abAB][\da-fA-F]{2}$/;

/** The length of the first half of a surrogate pair at the end. */
function halfCharacter(text: string, from: number, end: number): number {
  if (end === from) return 0;
  const code = text.charCodeAt(end - 1);
  if (code >= 0xd800 && code <= 0xdbff) return 1;
  return ESCAPED_HALF.test(text.slice(Math.max(from, end - 6), end)) ? 6 : 0;
}
