/**
 * How large values are, found in one walk that stops at a bound. A list or an object that was measured before is not walked
 * again, so the work follows what is new.
 */

export interface JsonSize {
  /** Bytes of its JSON in UTF-8; exact for texts, an upper figure for numbers. What is shared counts at each place. */
  readonly bytes: number;
  /** Bytes that it adds in memory, at least those of its JSON. What was measured before counts as a pointer. */
  readonly added: number;
  /** Levels of lists and objects. */
  readonly depth: number;
  /** Why it is not whole: the bytes are then a lower figure. */
  readonly fault: JsonFault | undefined;
}

/** `size`: more bytes than the limit. `depth`: more levels than can be written and read. Else what JSON does not have. */
export type JsonFault = { readonly type: 'size' | 'depth' } | { readonly type: 'kind'; readonly kind: string };

/** Lists and objects that were measured, while they live. */
export type KnownSizes = WeakMap<object, { readonly bytes: number; readonly depth: number }>;

/** Levels that every engine of JSON reads and writes on any stack. */
export const JSON_DEPTH = 500;
/** Smaller ones are walked again, which is quicker than to remember them. */
const REMEMBERED_BYTES = 256;
const POINTER = 8;
const CONTAINER = 48;
const FIELD = 24;

const NULL_SIZE: JsonSize = { bytes: 4, added: POINTER, depth: 0, fault: undefined };

interface Walk {
  readonly known: KnownSizes;
  readonly limit: number;
  bytes: number;
  added: number;
  fault: JsonFault | undefined;
}

/** @param limit the walk ends when the value has more bytes. @default none */
export function jsonSize(
  value: unknown,
  known: KnownSizes = new WeakMap(),
  limit: number = Number.POSITIVE_INFINITY,
): JsonSize {
  if (value === null || value === undefined) return NULL_SIZE;
  const walk: Walk = { known, limit, bytes: 0, added: 0, fault: undefined };
  const depth = measure(value, 0, walk);
  const { bytes, added, fault } = walk;
  // A list that contains itself has no end, so it meets a bound first.
  if (fault !== undefined && fault.type !== 'kind' && containsItself(value)) {
    return { bytes, added, depth, fault: { type: 'kind', kind: 'a list or an object that contains itself' } };
  }
  return { bytes, added, depth, fault };
}

/** Returns the levels of the value. */
function measure(value: unknown, level: number, walk: Walk): number {
  switch (typeof value) {
    case 'string':
      measureText(value, walk);
      return 0;
    case 'number':
      if (Number.isFinite(value)) count(walk, numberBytes(value), POINTER);
      else walk.fault = { type: 'kind', kind: `the number ${value}` };
      return 0;
    case 'boolean':
      count(walk, value ? 4 : 5, POINTER);
      return 0;
    case 'undefined':
      count(walk, 4, POINTER);
      return 0;
    case 'object':
      if (value !== null) return measureContainer(value, level, walk);
      count(walk, 4, POINTER);
      return 0;
    default:
      walk.fault = { type: 'kind', kind: `a ${typeof value}` };
      return 0;
  }
}

function count(walk: Walk, bytes: number, added: number): void {
  walk.bytes += bytes;
  walk.added += Math.max(bytes, added);
  if (walk.bytes > walk.limit) walk.fault = { type: 'size' };
}

function measureText(text: string, walk: Walk): void {
  // A text has at least as many bytes as characters, so one that is too long is not read.
  const bytes = walk.bytes + text.length > walk.limit ? text.length : jsonTextBytes(text);
  count(walk, bytes, bytes + 2 * POINTER);
}

function measureContainer(value: object, level: number, walk: Walk): number {
  const before = walk.known.get(value);
  if (before !== undefined) {
    count(walk, before.bytes, 0);
    walk.added += POINTER - before.bytes;
    if (level + before.depth > JSON_DEPTH) walk.fault = { type: 'depth' };
    return before.depth;
  }
  if (level >= JSON_DEPTH) {
    walk.fault = { type: 'depth' };
    return 0;
  }
  const { bytes } = walk;
  count(walk, 2, CONTAINER);
  const depth = 1 + (Array.isArray(value) ? measureItems(value, level, walk) : measureFields(value, level, walk));
  if (walk.fault === undefined && walk.bytes - bytes >= REMEMBERED_BYTES) {
    walk.known.set(value, { bytes: walk.bytes - bytes, depth });
  }
  return depth;
}

function measureItems(items: readonly unknown[], level: number, walk: Walk): number {
  let depth = 0;
  for (let index = 0; index < items.length && walk.fault === undefined; index += 1) {
    if (index > 0) count(walk, 1, 0);
    depth = Math.max(depth, measure(items[index], level + 1, walk));
  }
  return depth;
}

function measureFields(value: object, level: number, walk: Walk): number {
  const kind = foreignKind(value);
  if (kind !== undefined) {
    walk.fault = { type: 'kind', kind };
    return 0;
  }
  let depth = 0;
  let isFirst = true;
  for (const key of Object.keys(value)) {
    if (walk.fault !== undefined) return depth;
    const field: unknown = (value as Readonly<Record<string, unknown>>)[key];
    // JSON has no undefined: such a field is left out.
    if (field === undefined) continue;
    const bytes = jsonTextBytes(key) + (isFirst ? 1 : 2);
    isFirst = false;
    count(walk, bytes, bytes + FIELD);
    depth = Math.max(depth, measure(field, level + 1, walk));
  }
  return depth;
}

/** What an object is that JSON would not give back as it was: a date, a map, bytes. Undefined for plain ones. */
function foreignKind(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return undefined;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== 'Object') return `a ${tag}`;
  return 'toJSON' in value && typeof value.toJSON === 'function' ? 'an object with toJSON' : undefined;
}

/** An upper figure: the digits of a whole number, and what the longest fraction takes. */
function numberBytes(value: number): number {
  const size = Math.abs(value);
  if (!Number.isInteger(value) || size >= 1e16) return 25;
  const sign = value < 0 ? 1 : 0;
  if (size < 10) return 1 + sign;
  return sign + (size < 100 ? 2 : size < 10_000 ? 4 : size < 1e8 ? 8 : 16);
}

/** Bytes of the text in JSON: with its quotes, and with escapes for quotes, backslashes, controls and lone surrogates. */
export function jsonTextBytes(text: string): number {
  let bytes = text.length + 2;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 0x22 && code < 0x80 && code !== 0x5c) continue;
    if (code < 0x20) bytes += SHORT_ESCAPES.has(code) ? 1 : 5;
    else if (code === 0x22 || code === 0x5c) bytes += 1;
    else if (code >= 0x80 && code < 0x800) bytes += 1;
    else if (code < 0xd800 || code > 0xdfff) bytes += code < 0x80 ? 0 : 2;
    else if (isPair(text, index, code)) {
      bytes += 2;
      index += 1;
    } else bytes += 5;
  }
  return bytes;
}

/** Controls that JSON writes with one letter: backspace, tab, line feed, form feed, carriage return. */
const SHORT_ESCAPES: ReadonlySet<number> = new Set([8, 9, 10, 12, 13]);

function isPair(text: string, index: number, code: number): boolean {
  if (code > 0xdbff || index + 1 >= text.length) return false;
  const next = text.charCodeAt(index + 1);
  return next >= 0xdc00 && next <= 0xdfff;
}

/** Whether following lists and objects leads back to one of them. Linear in what is reached; without recursion. */
function containsItself(value: unknown): boolean {
  const open = new Set<object>();
  const closed = new Set<object>();
  const stack: { readonly value: unknown; readonly isEnd: boolean }[] = [{ value, isEnd: false }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value: current, isEnd } = next;
    if (typeof current !== 'object' || current === null || (!isEnd && closed.has(current))) continue;
    if (isEnd) {
      open.delete(current);
      closed.add(current);
      continue;
    }
    if (open.has(current)) return true;
    open.add(current);
    stack.push({ value: current, isEnd: true });
    for (const child of Object.values(current))
      if (typeof child === 'object') stack.push({ value: child, isEnd: false });
  }
  return false;
}
