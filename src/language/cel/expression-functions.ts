/** The functions of plans beside those of CEL. Each counts its work, and what it makes before it makes it. */
import type { Environment } from '@marcbachmann/cel-js';
import { canonicalJson } from '../../core/json/canonical-json.ts';
import { firstOf, lastOf } from '../../core/json/cut-text.ts';
import { JSON_DEPTH, jsonSize } from '../../core/json/json-size.ts';
import { CONDITION_BOUNDS } from '../condition-rules.ts';
import { OWN_FUNCTIONS } from '../expression-rules.ts';
import { compared, listOf, make, readOwn, spend } from './condition-work.ts';
import { plainValue } from './expression-result.ts';

type Handler = (...values: unknown[]) => unknown;

/** A whole number from 0 to the most items that a list may have. */
function countOf(name: string, value: unknown): number {
  const count = Number(value);
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  if (isNumber && Number.isInteger(count) && count >= 0) return Math.min(count, Number.MAX_SAFE_INTEGER);
  throw new TypeError(`${name}() needs a whole number from 0`);
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint';

/** The items, or one field of each. Missing values are left out. */
function valuesOf(name: string, list: unknown, field: unknown): unknown[] {
  const items = listOf(name, list);
  const values = field === undefined ? items : items.map((item) => readOwn(item, field));
  if (field !== undefined) spend(items.length);
  return values.filter((value) => value !== null && value !== undefined);
}

function numbersOf(name: string, list: unknown, field: unknown): number[] {
  return valuesOf(name, list, field).map((value) => {
    if (isNumber(value)) return Number(value);
    throw new TypeError(`${name}() needs numbers, but one value is ${kindOf(value)}`);
  });
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;

// ---------------------------------------------------------------------------------------------------- parts of lists

const first: Handler = (value, count) => {
  if (typeof value === 'string' && count !== undefined) return madeText(firstOf(value, countOf('first', count)));
  const items = listOf('first', value);
  return count === undefined ? (items[0] ?? null) : items.slice(0, countOf('first', count));
};

const last: Handler = (value, count) => {
  if (typeof value === 'string' && count !== undefined) return madeText(lastOf(value, countOf('last', count)));
  const items = listOf('last', value);
  return count === undefined ? (items.at(-1) ?? null) : items.slice(Math.max(0, items.length - countOf('last', count)));
};

const slice: Handler = (value, start, end) => {
  const items = listOf('slice', value);
  return items.slice(countOf('slice', start), end === undefined ? undefined : countOf('slice', end));
};

function madeText(text: string): string {
  make(2 * text.length);
  return text;
}

const flatten: Handler = (value) => {
  const items = listOf('flatten', value);
  const parts = items.map((item) => (Array.isArray(item) ? item.length : 1));
  const count = parts.reduce((sum, length) => sum + length, 0);
  spend(count);
  make(8 * count);
  return items.filter((item) => item !== null).flat();
};

// ---------------------------------------------------------------------------------------------------- order and pairs

const sortBy: Handler = (list, field, direction = 'asc') => {
  const items = listOf('sortBy', list);
  if (typeof field !== 'string') throw new TypeError('sortBy() needs the name of a field as a text');
  if (direction !== 'asc' && direction !== 'desc') throw new TypeError('sortBy() goes "asc" or "desc"');
  const levels = Math.ceil(Math.log2(items.length + 1));
  const keyed = items.map((item) => {
    const key = sortKey(readOwn(item, field));
    spend(levels * (1 + (typeof key === 'string' ? key.length >> 6 : 0)));
    return { item, key };
  });
  const sign = direction === 'desc' ? -1 : 1;
  keyed.sort((a, b) => order(a.key, b.key, sign));
  return keyed.map(({ item }) => item);
};

type SortKey = string | number | null;

function sortKey(value: unknown): SortKey {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  if (isNumber(value) || typeof value === 'boolean') return Number(value);
  throw new TypeError(`sortBy() orders numbers and texts, but one value is ${kindOf(value)}`);
}

/** What is missing comes last, whichever way the rest goes. */
function order(a: SortKey, b: SortKey, sign: 1 | -1): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return typeof a === typeof b ? sign * ascending(a, b) : mixed();
}

/** The order of all pairs of lists: by value, whatever their types. */
const ascending = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

function mixed(): never {
  throw new TypeError('sortBy() orders either numbers or texts, but the list has both');
}

const unique: Handler = (list, field) => {
  const seen = new Set<string>();
  return listOf('unique', list).filter((item) => {
    const key = textOf(field === undefined ? item : (readOwn(item, field) ?? null));
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};

const zip: Handler = (...lists) => {
  const given = lists.filter((list) => list !== undefined);
  const [only] = given;
  if (given.length > 1) return transposed(given);
  if (typeof only !== 'object' || only === null || Array.isArray(only))
    throw new TypeError('zip() needs several lists, or one object of lists');
  const names = only instanceof Map ? [...only.keys()].map(String) : Object.keys(only);
  const columns = names.map((name) => readOwn(only, name));
  return transposed(columns).map((row) => Object.fromEntries(row.map((value, index) => [names[index], value])));
};

/** As many rows as the shortest list has items. */
function transposed(lists: readonly unknown[]): unknown[][] {
  const columns = lists.map((list) => listOf('zip', list));
  const rows = Math.min(...columns.map((column) => column.length));
  const count = Number.isFinite(rows) ? rows : 0;
  spend(count * columns.length);
  make(count * (48 + 24 * columns.length));
  return Array.from({ length: count }, (_, row) => columns.map((column) => column[row]));
}

// ---------------------------------------------------------------------------------------------------- numbers

const sum: Handler = (list, field) => numbersOf('sum', list, field).reduce((total, value) => total + value, 0);

const avg: Handler = (list, field) => {
  const values = numbersOf('avg', list, field);
  return values.length === 0 ? null : values.reduce((total, value) => total + value, 0) / values.length;
};

const extreme =
  (name: 'min' | 'max', isBetter: (value: number, than: number) => boolean): Handler =>
  (value, other) => {
    const values = isNumber(value) ? numbersOf(name, [value, other], undefined) : numbersOf(name, value, other);
    let best: number | null = null;
    for (const candidate of values) if (best === null || isBetter(candidate, best)) best = candidate;
    return best;
  };

const MOST_DIGITS = 15;

/** Half away from zero, in the decimals that are written: 1.005 has 1.01. */
function rounded(name: string, value: unknown, digits: unknown): number {
  if (!isNumber(value)) throw new TypeError(`${name}() needs a number, but this is ${kindOf(value)}`);
  const places = Math.min(countOf(name, digits), MOST_DIGITS);
  const number = Number(value);
  const [mantissa, exponent = '0'] = String(Math.abs(number)).split('e');
  const shifted = Math.round(Number(`${mantissa}e${Number(exponent) + places}`));
  const result = Number(`${shifted}e-${places}`);
  return Number.isFinite(result) ? Math.sign(number) * result : number;
}

const round: Handler = (value, digits = 0) => (value === null ? null : rounded('round', value, digits));

const fixed: Handler = (value, digits) => {
  if (value === null) return '';
  return rounded('fixed', value, digits).toFixed(Math.min(countOf('fixed', digits), MOST_DIGITS));
};

// ---------------------------------------------------------------------------------------------------- JSON

/** The JSON of a value with the keys of its objects in order; counted before it is made. */
function textOf(value: unknown): string {
  compared(value);
  const json = plainValue(value);
  const { bytes, fault } = jsonSize(json, undefined, CONDITION_BOUNDS.made);
  make(bytes);
  if (fault !== undefined) throw new RangeError('a value is too large or nested too deeply to become JSON');
  return canonicalJson(json);
}

const fromJson: Handler = (text) => {
  if (text === null) return null;
  if (typeof text !== 'string') throw new TypeError(`fromJson() needs a text, but this is ${kindOf(text)}`);
  spend(text.length >> 3);
  make(16 * text.length);
  if (nesting(text) > JSON_DEPTH) throw new RangeError(`JSON is read at most ${JSON_DEPTH} levels deep`);
  try {
    return JSON.parse(text);
  } catch {
    throw new TypeError('fromJson() was given a text that is no JSON');
  }
};

/** The most brackets that are open at once; those in texts count too, which is more than there are. */
function nesting(text: string): number {
  let open = 0;
  let most = 0;
  let isText = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (isText && code === BACKSLASH) index += 1;
    else if (code === QUOTE) isText = !isText;
    else if (!isText && (code === LIST_START || code === OBJECT_START)) most = Math.max(most, ++open);
    else if (!isText && (code === LIST_END || code === OBJECT_END)) open -= 1;
  }
  return most;
}

const [BACKSLASH, QUOTE, LIST_START, LIST_END, OBJECT_START, OBJECT_END] = [0x5c, 0x22, 0x5b, 0x5d, 0x7b, 0x7d];

const HANDLERS: Readonly<Record<string, Handler>> = {
  first,
  last,
  slice,
  flatten,
  sortBy,
  unique,
  zip,
  sum,
  avg,
  min: extreme('min', (value, than) => value < than),
  max: extreme('max', (value, than) => value > than),
  round,
  fixed,
  toJson: textOf,
  fromJson,
};

/** What the type check knows of results; for the others any type is possible. */
const RESULTS: Readonly<Record<string, string>> = {
  slice: 'list',
  flatten: 'list',
  sortBy: 'list',
  unique: 'list',
  zip: 'list',
  sum: 'double',
  fixed: 'string',
  toJson: 'string',
};

export function registerFunctions(environment: Environment): void {
  for (const [name, { least, most }] of Object.entries(OWN_FUNCTIONS)) {
    const handler = HANDLERS[name];
    if (handler === undefined) continue;
    for (let count = least; count <= most; count += 1) {
      const parameters = new Array(count).fill('dyn').join(', ');
      environment.registerFunction(`_f_${name}(${parameters}): ${RESULTS[name] ?? 'dyn'}`, handler, { async: false });
    }
  }
}
