/**
 * The members of one JSON object while a model writes it: each as soon as it is complete, and those of one array one element
 * at a time. Linear: every character is read once. The texts are returned unparsed, so that the consumer decides about an
 * invalid member. Prose, fences and `<think>` blocks around the object are skipped.
 */

export interface JsonMember {
  readonly key: string;
  /** For an element of the requested array: its index, from 0. */
  readonly element?: number;
  /** JSON, if the model wrote it correctly. */
  readonly text: string;
}

export interface JsonMemberOptions {
  /** The member whose elements are returned one at a time. Members before it are returned when it opens. */
  readonly array: string;
  /** The most text that is read, in UTF-16 units. @default 1_048_576 */
  readonly maxLength?: number;
  /** Nothing but white space stands before the object; behind anything else nothing is read. @default false */
  readonly isFirst?: boolean;
}

export interface JsonMemberReader {
  push(chunk: string): readonly JsonMember[];
  /** True if the object has ended or cannot be read: there are no more members. */
  over(): boolean;
}

/** The most objects without such an array that are skipped. */
const MOST_STARTS = 16;
const THINK = '<think>';
const THOUGHT = '</think>';

type Phase = 'prose' | 'opened' | 'object' | 'array' | 'over';

interface Scanner {
  readonly array: string;
  readonly isFirst: boolean;
  phase: Phase;
  /** The last characters of the prose. */
  recent: string;
  thinking: boolean;
  starts: number;
  key: string | undefined;
  element: number;
  /** Members read before the array opened: the object may still be the wrong one. */
  head: JsonMember[];
  members: JsonMember[];
  /** The parts of the token from earlier chunks. */
  pending: string[];
  /** Where the token starts in the current chunk; -1 between tokens. */
  start: number;
  /** Open brackets and braces of the token. */
  depth: number;
  inString: boolean;
  escaped: boolean;
}

const newScanner = (array: string, isFirst: boolean): Scanner => ({
  array,
  isFirst,
  phase: 'prose',
  recent: '',
  thinking: false,
  starts: 0,
  key: undefined,
  element: -1,
  head: [],
  members: [],
  pending: [],
  start: -1,
  depth: 0,
  inString: false,
  escaped: false,
});

export function createMemberReader({
  array,
  maxLength = 1_048_576,
  isFirst = false,
}: JsonMemberOptions): JsonMemberReader {
  const scanner = newScanner(array, isFirst);
  let length = 0;
  return {
    push(chunk) {
      length += chunk.length;
      if (length > maxLength) scanner.phase = 'over';
      for (let at = 0; at < chunk.length && scanner.phase !== 'over'; at += 1) step(scanner, chunk, at);
      if (scanner.phase === 'over') scanner.pending = [];
      else if (scanner.start !== -1) {
        scanner.pending.push(chunk.slice(scanner.start));
        scanner.start = 0;
      }
      const { members } = scanner;
      if (members.length > 0) scanner.members = [];
      return members;
    },
    over: () => scanner.phase === 'over',
  };
}

function step(scanner: Scanner, chunk: string, at: number): void {
  const character = chunk[at] ?? '';
  if (scanner.phase === 'prose') stepProse(scanner, character);
  else if (scanner.phase === 'opened') stepOpened(scanner, character, at);
  else if (scanner.start === -1) stepBetween(scanner, character, at);
  else stepToken(scanner, character, chunk, at);
}

function stepProse(scanner: Scanner, character: string): void {
  if (scanner.isFirst && character !== '{') {
    // A byte order mark is no character of an answer.
    if (!isSpace(character) && character !== '\uFEFF') scanner.phase = 'over';
    return;
  }
  scanner.recent = (scanner.recent + character).slice(-THOUGHT.length);
  if (scanner.recent.endsWith(THINK)) scanner.thinking = true;
  else if (scanner.recent === THOUGHT) scanner.thinking = false;
  else if (character === '{' && !scanner.thinking) scanner.phase = 'opened';
}

/** A JSON object begins with a key; a brace before anything else is part of the prose. */
function stepOpened(scanner: Scanner, character: string, at: number): void {
  if (isSpace(character)) return;
  scanner.phase = 'prose';
  if (character !== '"') stepProse(scanner, character);
  else {
    scanner.phase = 'object';
    begin(scanner, character, at);
  }
}

function begin(scanner: Scanner, character: string, at: number): void {
  scanner.start = at;
  scanner.inString = character === '"';
  scanner.escaped = false;
  scanner.depth = isOpening(character) ? 1 : 0;
}

function stepBetween(scanner: Scanner, character: string, at: number): void {
  if (isSpace(character) || character === ',' || character === ':') return;
  if (scanner.phase === 'array') {
    if (character === ']') {
      scanner.phase = 'object';
      scanner.key = undefined;
    } else begin(scanner, character, at);
  } else if (character === '}') endObject(scanner);
  else if (character === '[' && scanner.key === scanner.array) openArray(scanner);
  else begin(scanner, character, at);
}

function openArray(scanner: Scanner): void {
  // A second array has the same name: only the complete text shows which one counts.
  if (scanner.element !== -1) scanner.phase = 'over';
  else {
    scanner.phase = 'array';
    scanner.element = 0;
    scanner.members.push(...scanner.head);
  }
}

function endObject(scanner: Scanner): void {
  scanner.starts += 1;
  scanner.head = [];
  scanner.key = undefined;
  scanner.phase = scanner.element !== -1 || scanner.isFirst || scanner.starts >= MOST_STARTS ? 'over' : 'prose';
}

function stepToken(scanner: Scanner, character: string, chunk: string, at: number): void {
  if (scanner.inString) {
    if (scanner.escaped) scanner.escaped = false;
    else if (character === '\\') scanner.escaped = true;
    else if (character === '"') {
      scanner.inString = false;
      if (scanner.depth === 0) finish(scanner, chunk, at + 1);
    }
  } else if (character === '"') scanner.inString = true;
  else if (isOpening(character)) scanner.depth += 1;
  else if (scanner.depth > 0) {
    if ((character === '}' || character === ']') && --scanner.depth === 0) finish(scanner, chunk, at + 1);
  } else if (isSpace(character) || ',:}]'.includes(character)) {
    // A number or a word ends at the next separator.
    finish(scanner, chunk, at);
    if (scanner.start === -1) stepBetween(scanner, character, at);
  }
}

function finish(scanner: Scanner, chunk: string, end: number): void {
  const text = scanner.pending.join('') + chunk.slice(scanner.start, end);
  scanner.pending = [];
  scanner.start = -1;
  const { key, phase } = scanner;
  if (phase === 'array') {
    scanner.members.push({ key: scanner.array, element: scanner.element, text });
    scanner.element += 1;
  } else if (key === undefined) {
    scanner.key = keyOf(text);
    if (scanner.key === undefined) scanner.phase = 'over';
  } else {
    (scanner.element === -1 ? scanner.head : scanner.members).push({ key, text });
    scanner.key = undefined;
  }
}

function keyOf(text: string): string | undefined {
  try {
    const key: unknown = JSON.parse(text);
    return typeof key === 'string' ? key : undefined;
  } catch {
    return undefined;
  }
}

const isSpace = (character: string): boolean =>
  character === ' ' || character === '\n' || character === '\r' || character === '\t';
const isOpening = (character: string): boolean => character === '{' || character === '[';
