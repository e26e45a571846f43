/** The walk that makes JSON of a value: what each thing is in JSON, and what happens to what JSON does not have. */
import { setField } from '../json/copy-json.ts';
import { JSON_DEPTH } from '../json/json-size.ts';

export type Fault =
  /** JSON does not have it; `advice` says what to give in its place. */
  | { readonly type: 'kind'; readonly kind: string; readonly advice: string }
  | { readonly type: 'bound'; readonly rule: string }
  | { readonly type: 'thrown'; readonly error: unknown };

export interface Walk {
  /** Ends the walk. */
  fault: Fault | undefined;
  /** Keys from the fault up to the value. */
  readonly path: (string | number)[];
  /** Values that may still be copied. */
  left: number;
  /** What JSON does not have stays as it is, and here is what each object became. Undefined: it is a fault. */
  readonly kept: Map<object, unknown> | undefined;
  /** What is JSON already is copied too. */
  readonly copies: boolean;
}

/** Twice as many as fit into the largest value at the default bounds; what is shared counts at each place. */
const MOST_VALUES = 8_388_608;

export const refusingWalk = (): Walk => ({
  fault: undefined,
  path: [],
  left: MOST_VALUES,
  kept: undefined,
  copies: true,
});

/** Ends however often a part is shared, because each is walked once. */
export const keepingWalk = (copies: boolean): Walk => ({
  fault: undefined,
  path: [],
  left: Number.POSITIVE_INFINITY,
  kept: new Map(),
  copies,
});

/** The value in JSON. Undefined for undefined, and where the walk has a fault. */
export function formOf(value: unknown, key: string | number, level: number, walk: Walk): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      return refuse(value, walk, `the number ${value}`, 'give null or a text for what is no finite number');
    case 'object':
      return value === null ? null : formOfObject(value, key, level, walk);
    case 'bigint':
      return refuse(value, walk, 'a bigint', 'give a number or a text, as with String(value)');
    case 'function':
      return refuse(value, walk, 'a function', 'leave it out');
    default:
      return refuse(value, walk, `a ${typeof value}`, 'give a text');
  }
}

function formOfObject(given: object, key: string | number, level: number, walk: Walk): unknown {
  const { kept } = walk;
  if (kept === undefined) return made(given, key, level, walk);
  const before = kept.get(given);
  if (before !== undefined) return before;
  // Until it is made it stands for itself: what contains itself stays what it is.
  kept.set(given, given);
  const form = made(given, key, level, walk);
  kept.set(given, form);
  return form;
}

function made(given: object, key: string | number, level: number, walk: Walk): unknown {
  try {
    const value = writtenAs(given, key, walk);
    if (value === LOST) return lost(given, walk);
    if (typeof value !== 'object' || value === null) return formOf(value, key, level, walk);
    if (level >= JSON_DEPTH) return tooDeep(given, walk);
    return Array.isArray(value) ? formOfItems(value, level, walk) : formOfFields(value, level, walk);
  } catch (error) {
    if (walk.kept !== undefined) throw error;
    walk.fault ??= { type: 'thrown', error };
    return undefined;
  }
}

/** Stands for what JSON does not have. */
const LOST = Symbol('lost');

const lost = (given: unknown, { kept }: Walk): unknown => (kept === undefined ? undefined : given);

function tooDeep(given: object, walk: Walk): unknown {
  if (walk.kept === undefined) walk.fault = { type: 'bound', rule: `is nested more than ${JSON_DEPTH} levels deep` };
  return lost(given, walk);
}

/** What JSON writes for the object, one level of it. `LOST`, and a fault, where that would lose what it is. */
function writtenAs(value: object, key: string | number, walk: Walk): unknown {
  if (Array.isArray(value)) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  if (typeof toJSON !== 'function') return isPlain(value) ? value : ofInstance(value, walk);
  if (isBytes(value)) return lostBytes(value, walk);
  if (value instanceof Date && Number.isNaN(value.getTime())) {
    return lose(walk, 'a date that is invalid', 'give null or a text');
  }
  const form: unknown = toJSON.call(value, String(key));
  if (typeof form !== 'object' || form === null || Array.isArray(form) || isPlain(form)) return form;
  return ofInstance(form, walk);
}

function ofInstance(value: object, walk: Walk): unknown {
  if (isBytes(value)) return lostBytes(value, walk);
  const tag = tagOf(value);
  if (value instanceof Error || tag === 'Error') {
    return lose(walk, `an error (${nameOf(value)})`, 'throw it, or give its message');
  }
  if (BOXED.has(tag)) return value.valueOf();
  if (tag === 'Object') return value;
  return lose(walk, `a ${tag}`, ADVICE[tag] ?? 'give texts, finite numbers, booleans, null, lists and plain objects');
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const tagOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

const isBytes = (value: object): boolean => ArrayBuffer.isView(value) || tagOf(value).endsWith('ArrayBuffer');

const lostBytes = (value: object, walk: Walk): unknown =>
  lose(walk, `bytes (${nameOf(value)})`, "give them as a text, as with Buffer.from(bytes).toString('base64')");

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

function formOfItems(items: readonly unknown[], level: number, walk: Walk): unknown {
  if (!takes(walk, items.length)) return undefined;
  const copy: unknown[] = new Array(items.length);
  let isChanged = walk.copies;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    // A hole is null too.
    const form = formOf(item, index, level + 1, walk) ?? null;
    if (walk.fault !== undefined) {
      walk.path.push(index);
      return undefined;
    }
    copy[index] = form;
    if (!Object.is(form, item)) isChanged = true;
  }
  return isChanged ? copy : items;
}

function formOfFields(value: object, level: number, walk: Walk): unknown {
  const keys = Object.keys(value);
  if (!takes(walk, keys.length)) return undefined;
  const copy: Record<string, unknown> = {};
  let isChanged = walk.copies || !isPlain(value);
  for (const key of keys) {
    const field = fieldOf(value, key, walk);
    const form = field === undefined ? undefined : formOf(field, key, level + 1, walk);
    if (walk.fault !== undefined) {
      walk.path.push(key);
      return undefined;
    }
    if (form === undefined || !Object.is(form, field)) isChanged = true;
    if (form !== undefined) setField(copy, key, form);
  }
  return isChanged ? copy : value;
}

/** A getter may throw. */
function fieldOf(value: object, key: string, walk: Walk): unknown {
  try {
    return (value as Readonly<Record<string, unknown>>)[key];
  } catch (error) {
    if (walk.kept !== undefined) throw error;
    walk.fault = { type: 'thrown', error };
    return undefined;
  }
}

function takes(walk: Walk, values: number): boolean {
  walk.left -= values + 1;
  if (walk.left < 0) walk.fault ??= { type: 'bound', rule: `has more than ${MOST_VALUES} values` };
  return walk.fault === undefined;
}

/** Of a value that is no object. */
function refuse(value: unknown, walk: Walk, kind: string, advice: string): unknown {
  lose(walk, kind, advice);
  return lost(value, walk);
}

function lose(walk: Walk, kind: string, advice: string): typeof LOST {
  if (walk.kept === undefined) walk.fault = { type: 'kind', kind, advice };
  return LOST;
}
