/**
 * JSON documents from bytes, each as soon as it is complete: the elements of a top-level array, documents one after another,
 * or one per line. Linear. The texts are emitted unparsed, as server-sent events are, so that the consumer decides about an
 * invalid element. An incomplete last element is emitted as it is.
 */
import { MAX_EVENT_BYTES, tooLarge } from './sse.ts';
import { utf8Decoder } from './utf8.ts';

export interface JsonStreamOptions {
  /** The longest element, in UTF-16 units. @default 8_388_608 */
  readonly maxElementBytes?: number;
}

export interface JsonStreamDecoder {
  /** @throws truncated when an element is larger than allowed */
  push(chunk: Uint8Array): void;
  end(): void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const RECORD_SEPARATOR = 0x1e;

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === RECORD_SEPARATOR;

interface Scanner {
  /** The parts of the element from earlier chunks. */
  pending: string[];
  pendingLength: number;
  /** Where the element starts in the current chunk; -1 between elements. */
  start: number;
  /** Open brackets and braces of the element. */
  depth: number;
  inString: boolean;
  escaped: boolean;
  inArray: boolean;
}

export function createJsonStreamDecoder(
  onElement: (json: string) => void,
  options: JsonStreamOptions = {},
): JsonStreamDecoder {
  const { maxElementBytes = MAX_EVENT_BYTES } = options;
  const state: Scanner = {
    pending: [],
    pendingLength: 0,
    start: -1,
    depth: 0,
    inString: false,
    escaped: false,
    inArray: false,
  };
  const text = utf8Decoder();
  const finish = (chunk: string, end: number): void => {
    const tail = chunk.slice(state.start, end);
    const element = state.pending.length === 0 ? tail : state.pending.join('') + tail;
    state.pending = [];
    state.pendingLength = 0;
    state.start = -1;
    if (element.length > maxElementBytes) throw tooLarge('A JSON element', maxElementBytes);
    onElement(element);
  };
  const feed = (chunk: string): void => {
    if (state.pending.length > 0) state.start = 0;
    for (let at = 0; at < chunk.length; ) {
      at = state.inString ? stepString(state, chunk, at, finish) : step(state, chunk, at, finish);
    }
    if (state.start === -1) return;
    state.pending.push(chunk.slice(state.start));
    state.pendingLength += chunk.length - state.start;
    state.start = -1;
    if (state.pendingLength > maxElementBytes) throw tooLarge('A JSON element', maxElementBytes);
  };
  const end = (): void => {
    feed(text.end());
    state.start = 0;
    if (state.pending.length > 0) finish('', 0);
  };
  return { push: (chunk) => feed(text.decode(chunk)), end };
}

type Finish = (chunk: string, end: number) => void;

/** Reads from `at` to the beginning of a string or the end of an element; returns where to continue. */
function step(state: Scanner, chunk: string, at: number, finish: Finish): number {
  let { depth } = state;
  if (state.start === -1) return stepBetween(state, at, chunk.charCodeAt(at));
  for (let place = at; place < chunk.length; place++) {
    const code = chunk.charCodeAt(place);
    if (code === QUOTE) {
      state.inString = true;
      state.depth = depth;
      return place + 1;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (depth === 0) {
      if (!isSpace(code) && code !== COMMA && code !== CLOSE_BRACKET) continue;
      // A number or a word ends at the next separator.
      finish(chunk, place);
      if (code === CLOSE_BRACKET) state.inArray = false;
      return place + 1;
    } else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) {
      state.depth = 0;
      finish(chunk, place + 1);
      return place + 1;
    }
  }
  state.depth = depth;
  return chunk.length;
}

function stepString(state: Scanner, chunk: string, at: number, finish: Finish): number {
  const from = state.escaped ? at + 1 : at;
  state.escaped = false;
  const quote = chunk.indexOf('"', from);
  const end = quote === -1 ? chunk.length : quote;
  let before = end;
  while (before > from && chunk.charCodeAt(before - 1) === BACKSLASH) before--;
  const escapes = (end - before) % 2 === 1;
  if (quote === -1) {
    state.escaped = escapes;
    return end;
  }
  if (escapes) return quote + 1;
  state.inString = false;
  if (state.depth === 0) finish(chunk, quote + 1);
  return quote + 1;
}

function stepBetween(state: Scanner, at: number, code: number): number {
  if (isSpace(code) || code === COMMA) return at + 1;
  if (code === OPEN_BRACKET && !state.inArray) state.inArray = true;
  else if (code === CLOSE_BRACKET && state.inArray) state.inArray = false;
  else {
    state.start = at;
    if (code === QUOTE) state.inString = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) state.depth = 1;
  }
  return at + 1;
}
