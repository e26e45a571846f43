/**
 * What stands between the braces of a reference: its alternatives, the paths that they name, and literals. See template-syntax.ts for the
 * language.
 */

export const TEMPLATE_BOUNDS = {
  /** Characters of one string. */
  length: 1_048_576,
  /** References of one string. */
  references: 1000,
  /** Characters between `{{` and `}}`. */
  referenceLength: 2000,
  alternatives: 16,
  /** Fields and indexes after a head. */
  pathLength: 32,
  /** Nesting of a value that holds templates. */
  depth: 256,
  /** Values (of any kind) inside one value; this also ends the traversal of a cycle. */
  values: 1_048_576,
  /** Nesting of a list or an object that is a literal. */
  literalDepth: 8,
} as const;

export type Scalar = string | number | boolean | null;
/** A list or an object is never given away: who resolves the reference gets a copy. */
export type Literal = Scalar | readonly unknown[] | Readonly<Record<string, unknown>>;
export type Alternative =
  | { readonly type: 'path'; readonly head: string; readonly path: readonly (string | number)[]; readonly text: string }
  | { readonly type: 'literal'; readonly value: Literal };

export interface Reference {
  readonly alternatives: readonly Alternative[];
}

const HEAD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const FIELD = /\.([\p{L}\p{N}_$][\p{L}\p{N}_$-]*)/uy;
const INDEX = /\[(0|[1-9][0-9]{0,8})\]/y;
const KEY = /\[\s*(?=["'])/y;
const KEY_END = /\s*\]/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const DOUBLE_QUOTED = /"(?:[^"\\]|\\.)*"/y;
const SINGLE_QUOTED = /'(?:[^'\\]|\\.)*'/y;
const SPACE = /\s*/y;
/** The form of most references: names and dots. */
const PLAIN = /^[A-Za-z_$][\w$]*(?:\.[\w$][\w$-]*)*$/;
const WORDS: ReadonlyMap<string, Scalar> = new Map<string, Scalar>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** A position in the text between the braces. */
interface Cursor {
  readonly text: string;
  at: number;
}

function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match === null) return undefined;
  cursor.at = pattern.lastIndex;
  return match;
}

function takeString(cursor: Cursor): Alternative | undefined {
  const single = take(cursor, SINGLE_QUOTED)?.[0];
  const quoted = single === undefined ? take(cursor, DOUBLE_QUOTED)?.[0] : asDoubleQuoted(single);
  if (quoted === undefined) return undefined;
  try {
    return { type: 'literal', value: String(JSON.parse(quoted)) };
  } catch {
    return undefined;
  }
}

/** A list or an object in JSON, which takes the rest of the text. */
function takeContainer(cursor: Cursor): Alternative | string {
  const text = cursor.text.slice(cursor.at);
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return 'expected a list or an object';
    if (!isShallow(value, TEMPLATE_BOUNDS.literalDepth))
      return `a literal can be nested at most ${TEMPLATE_BOUNDS.literalDepth} levels deep, without "__proto__"`;
    cursor.at = cursor.text.length;
    return { type: 'literal', value: value as Literal & object };
  } catch {
    return 'a list or an object is written as JSON, and nothing can follow it';
  }
}

const isShallow = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.entries(value).every(([key, inner]) => key !== '__proto__' && isShallow(inner, levels - 1)));

function asDoubleQuoted(single: string): string {
  const inner = single.slice(1, -1).replace(/\\.|"/gs, (part) => (part === "\\'" ? "'" : part === '"' ? '\\"' : part));
  return `"${inner}"`;
}

function takeAlternative(cursor: Cursor): Alternative | string {
  const start = cursor.at;
  const head = take(cursor, HEAD)?.[0];
  if (head === undefined) {
    const number = take(cursor, NUMBER)?.[0];
    if (number !== undefined) return { type: 'literal', value: Number(number) };
    const opening = cursor.text.charAt(start);
    if (opening === '[' || opening === '{') return takeContainer(cursor);
    return takeString(cursor) ?? 'expected a name or a literal';
  }
  const word = WORDS.get(head);
  if (word !== undefined) return { type: 'literal', value: word };
  const path = takePath(cursor);
  if (path.length > TEMPLATE_BOUNDS.pathLength) return `a path can have at most ${TEMPLATE_BOUNDS.pathLength} steps`;
  return { type: 'path', head, path, text: cursor.text.slice(start, cursor.at) };
}

function takePath(cursor: Cursor): (string | number)[] {
  const path: (string | number)[] = [];
  while (path.length <= TEMPLATE_BOUNDS.pathLength) {
    const field = take(cursor, FIELD)?.[1];
    const index = field === undefined ? take(cursor, INDEX)?.[1] : undefined;
    const key = field === undefined && index === undefined ? takeKey(cursor) : undefined;
    if (field !== undefined) path.push(field);
    else if (index !== undefined) path.push(Number(index));
    else if (key !== undefined) path.push(key);
    else break;
  }
  return path;
}

/** The text in `["any key"]`; takes nothing where there is none. */
function takeKey(cursor: Cursor): string | undefined {
  const start = cursor.at;
  const text = take(cursor, KEY) === undefined ? undefined : takeString(cursor);
  if (text?.type === 'literal' && take(cursor, KEY_END) !== undefined) return String(text.value);
  cursor.at = start;
  return undefined;
}

/** A step of a path as it is written: `.name`, `[0]`, or `["any key"]` for what is no name. */
export function writtenStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`;
  FIELD.lastIndex = 0;
  const name = `.${step}`;
  if (FIELD.exec(name)?.[0] === name) return name;
  return `[${JSON.stringify(step).replaceAll('}', '\\u007d')}]`;
}

/** Faster than `takeAlternative`, because it needs no match per step. */
function plainPath(text: string): Alternative | undefined {
  const path = text.split('.');
  const head = path.shift() ?? '';
  if (WORDS.has(head) || path.length > TEMPLATE_BOUNDS.pathLength) return undefined;
  return { type: 'path', head, path, text };
}

/** The reference between the braces, or why it is invalid. */
export function parseReference(text: string): Reference | string {
  if (text.length > TEMPLATE_BOUNDS.referenceLength)
    return `it can have at most ${TEMPLATE_BOUNDS.referenceLength} characters`;
  const plain = PLAIN.test(text) ? plainPath(text) : undefined;
  if (plain !== undefined) return { alternatives: [plain] };
  if (text.startsWith('=')) return 'an expression takes the whole string, with nothing before {{= and nothing after }}';
  const cursor: Cursor = { text, at: 0 };
  const alternatives: Alternative[] = [];
  for (;;) {
    take(cursor, SPACE);
    const alternative = takeAlternative(cursor);
    if (typeof alternative === 'string') return alternative;
    if (alternative.type === 'literal' && alternatives.length === 0) return 'a reference must start with a path';
    alternatives.push(alternative);
    take(cursor, SPACE);
    if (cursor.at === text.length) return { alternatives };
    if (!text.startsWith('??', cursor.at)) return `unexpected ${JSON.stringify(text.slice(cursor.at, cursor.at + 10))}`;
    if (alternative.type === 'literal') return 'nothing can follow a literal';
    if (alternatives.length === TEMPLATE_BOUNDS.alternatives) {
      return `it can have at most ${TEMPLATE_BOUNDS.alternatives} alternatives`;
    }
    cursor.at += 2;
  }
}
