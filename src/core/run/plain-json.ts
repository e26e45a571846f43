/**
 * Makes JSON of what code outside gives, in one walk. The copy shares nothing with it, and is what its text in JSON would be
 * read as: `toJSON` is asked, fields that are undefined are left out, an undefined item is null, a class instance is its own
 * fields, minus zero is zero. What would be lost in that text is refused: NaN, a bigint, a Map, bytes, a function.
 */
import { PolyphonyError } from '../errors.ts';
import { setField } from '../json/copy-json.ts';
import { firstOf } from '../json/cut-text.ts';
import { JSON_DEPTH } from '../json/json-size.ts';
import { ignorePromises } from '../user-code/ignored-promises.ts';
import { thrownText } from '../user-code/thrown-text.ts';

/** What the value is called in messages, and with which error it is refused. */
export interface PlainJsonName {
  /** Such as `The result of step "load" in node a`. */
  readonly noun: string;
  readonly code: 'invalid-output' | 'invalid-request';
  readonly details?: Readonly<Record<string, unknown>>;
}

type Fault =
  /** JSON does not have it; `advice` says what to give in its place. */
  | { readonly type: 'kind'; readonly kind: string; readonly advice: string }
  | { readonly type: 'bound'; readonly rule: string }
  | { readonly type: 'thrown'; readonly error: unknown };

interface Walk {
  fault: Fault | undefined;
  /** Keys from the fault up to the value. */
  readonly path: (string | number)[];
  /** Values that may still be copied. */
  left: number;
}

/** Twice as many as fit into the largest value at the default bounds; what is shared counts at each place. */
const MOST_VALUES = 8_388_608;
const PATH_CHARACTERS = 200;

/**
 * @returns a copy; texts, finite numbers, booleans and null as they are; null for undefined
 * @throws the error of `name`, which says what was found and where, as a JSON pointer
 */
export function plainJson(value: unknown, name: () => PlainJsonName): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined)
    return value ?? null;
  const walk: Walk = { fault: undefined, path: [], left: MOST_VALUES };
  const copy = copyOf(value, '', 0, walk);
  if (walk.fault !== undefined) throw faulty(value, walk.fault, walk.path.reverse(), name());
  return copy === undefined ? null : copy;
}

function copyOf(value: unknown, key: string | number, level: number, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      return refuse(walk, `the number ${value}`, 'give null or a text for what is no finite number');
    case 'object':
      return value === null ? null : copyOfObject(value, key, level, walk);
    case 'bigint':
      return refuse(walk, 'a bigint', 'give a number or a text, as with String(value)');
    case 'function':
      return refuse(walk, 'a function', 'leave it out');
    default:
      return refuse(walk, `a ${typeof value}`, 'give a text');
  }
}

function copyOfObject(given: object, key: string | number, level: number, walk: Walk): unknown {
  try {
    const value = formOf(given, key, walk);
    if (typeof value !== 'object' || value === null)
      return walk.fault === undefined ? copyOf(value, key, level, walk) : undefined;
    if (level >= JSON_DEPTH) {
      walk.fault = { type: 'bound', rule: `is nested more than ${JSON_DEPTH} levels deep` };
      return undefined;
    }
    return Array.isArray(value) ? copyOfItems(value, level, walk) : copyOfFields(value, level, walk);
  } catch (error) {
    walk.fault ??= { type: 'thrown', error };
    return undefined;
  }
}

/** What JSON writes for the object. Sets the fault where that would lose what it is. */
function formOf(value: object, key: string | number, walk: Walk): unknown {
  if (Array.isArray(value)) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON !== 'function') return isPlain(value) ? value : formOfInstance(value, walk);
  if (isBytes(value)) return refuseBytes(value, walk);
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    return refuse(walk, 'a date that is invalid', 'give null or a text');
  }
  const form: unknown = toJSON.call(value, String(key));
  if (typeof form !== 'object' || form === null || Array.isArray(form) || isPlain(form)) return form;
  return formOfInstance(form, walk);
}

function formOfInstance(value: object, walk: Walk): unknown {
  if (isBytes(value)) return refuseBytes(value, walk);
  const tag = tagOf(value);
  if (value instanceof Error || tag === 'Error') {
    return refuse(walk, `an error (${nameOf(value)})`, 'throw it, or give its message');
  }
  if (BOXED.has(tag)) return value.valueOf();
  if (tag === 'Object') return value;
  return refuse(walk, `a ${tag}`, ADVICE[tag] ?? 'give texts, finite numbers, booleans, null, lists and plain objects');
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

const isBytes = (value: object): boolean => ArrayBuffer.isView(value) || tagOf(value).endsWith('ArrayBuffer');

const refuseBytes = (value: object, walk: Walk): undefined =>
  refuse(walk, `bytes (${nameOf(value)})`, "give them as a text, as with Buffer.from(bytes).toString('base64')");

const BOXED: ReadonlySet<string> = new Set(['String', 'Number', 'Boolean', 'BigInt', 'Symbol']);

const ADVICE: Readonly<Record<string, string>> = {
  Map: 'give an object, as with Object.fromEntries(map)',
  Set: 'give a list, as with [...set]',
  Promise: 'wait for it with await',
};

const nameOf = (value: object): string => {
  const { constructor: made } = value as { readonly constructor?: unknown };
  return typeof made === 'function' && made.name !== '' ? made.name : tagOf(value);
};

function copyOfItems(items: readonly unknown[], level: number, walk: Walk): unknown {
  if (!takes(walk, items.length)) return undefined;
  const copy: unknown[] = new Array(items.length);
  for (let index = 0; index < items.length; index += 1) {
    // A hole is null too.
    copy[index] = copyOf(items[index], index, level + 1, walk) ?? null;
    if (walk.fault !== undefined) {
      walk.path.push(index);
      return undefined;
    }
  }
  return copy;
}

function copyOfFields(value: object, level: number, walk: Walk): unknown {
  const keys = Object.keys(value);
  if (!takes(walk, keys.length)) return undefined;
  const copy: Record<string, unknown> = {};
  for (const key of keys) {
    const field = fieldOf(value, key, walk);
    const part = field === undefined ? undefined : copyOf(field, key, level + 1, walk);
    if (walk.fault !== undefined) {
      walk.path.push(key);
      return undefined;
    }
    if (part !== undefined) setField(copy, key, part);
  }
  return copy;
}

/** A getter may throw. */
function fieldOf(value: object, key: string, walk: Walk): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[key];
  } catch (error) {
    walk.fault = { type: 'thrown', error };
    return undefined;
  }
}

function takes(walk: Walk, values: number): boolean {
  walk.left -= values + 1;
  if (walk.left < 0) walk.fault ??= { type: 'bound', rule: `has more than ${MOST_VALUES} values` };
  return walk.fault === undefined;
}

function refuse(walk: Walk, kind: string, advice: string): undefined {
  walk.fault = { type: 'kind', kind, advice };
}

// ---------------------------------------------------------------------------------------------------- errors

function faulty(value: unknown, fault: Fault, path: readonly (string | number)[], name: PlainJsonName): PolyphonyError {
  const { noun, code, details } = name;
  ignorePromises(value);
  const cycle = fault.type === 'bound' ? firstCycle(value, path) : undefined;
  const place = pointer(cycle ?? path);
  const more = details === undefined ? {} : { details };
  if (fault.type === 'thrown') {
    const message = `${noun} could not be read${place}, because it threw: ${thrownText(fault.error)}. Give plain values.`;
    return new PolyphonyError(code, message, { cause: fault.error, ...more });
  }
  if (fault.type === 'kind' || cycle !== undefined) {
    const kind = fault.type === 'kind' ? fault.kind : 'a list or an object that contains itself';
    const advice = fault.type === 'kind' ? fault.advice : 'give each part once, or its id';
    return new PolyphonyError(code, `${noun} holds ${kind}${place}, which JSON does not have: ${advice}.`, more);
  }
  return new PolyphonyError(
    'limit-exceeded',
    `${noun} ${fault.rule}, which is the most that is kept: give less.`,
    more,
  );
}

/** Where the value contains itself, on the way of the path. */
function firstCycle(value: unknown, path: readonly (string | number)[]): readonly (string | number)[] | undefined {
  const above = new Set<unknown>([value]);
  let current = value;
  for (const [index, key] of path.entries()) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[key];
    if (above.has(current)) return path.slice(0, index + 1);
    above.add(current);
  }
  return undefined;
}

function pointer(path: readonly (string | number)[]): string {
  if (path.length === 0) return '';
  let text = '';
  for (const key of path) {
    text += `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (text.length > PATH_CHARACTERS) break;
  }
  return ` at ${text.length > PATH_CHARACTERS ? `${firstOf(text, PATH_CHARACTERS)}…` : text}`;
}
