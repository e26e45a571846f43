/** What an evaluation results in, as JSON: cel-js has its own whole numbers, maps and times. */

/**
 * The same value with whole numbers as numbers, maps as objects and timestamps as ISO texts. What is JSON already is
 * returned itself, without a copy, because results share what they only pass on.
 *
 * @throws RangeError, TypeError for what JSON does not have
 */
export const plainValue = (value: unknown): unknown => plain(value, new Map());

type Known = Map<object, unknown>;

function plain(value: unknown, known: Known): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (Number.isFinite(value)) return value;
      throw new RangeError(`it results in ${value}, which JSON does not have: test for 0 before a division`);
    case 'bigint':
      return wholeNumber(value);
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : container(value, known);
    default:
      throw notJson('a type');
  }
}

function wholeNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`it results in the whole number ${value}, which is too large for JSON to hold exactly`);
}

const notJson = (kind: string): TypeError =>
  new TypeError(`it results in ${kind}, which JSON does not have: make a text or a number of it`);

/** A part that stands at several places is read once. */
function container(value: object, known: Known): unknown {
  const before = known.get(value);
  if (before !== undefined) return before;
  const made = Array.isArray(value) ? items(value, known) : fieldsOf(value, known);
  known.set(value, made);
  return made;
}

function items(list: readonly unknown[], known: Known): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index += 1) {
    const item = plain(list[index], known);
    if (copy === undefined && item !== list[index]) copy = list.slice(0, index);
    copy?.push(item);
  }
  return copy ?? list;
}

function fieldsOf(value: object, known: Known): unknown {
  if (value instanceof Date) return timeText(value);
  if (value instanceof Map) return objectOf([...value].map(([key, field]) => [String(key), plain(field, known)]));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype)
    throw notJson(value instanceof Uint8Array ? 'bytes' : 'a duration or a type');
  let isChanged = false;
  const fields = Object.entries(value).map(([key, field]): [string, unknown] => {
    const made = plain(field, known);
    if (made !== field) isChanged = true;
    return [key, made];
  });
  return isChanged ? objectOf(fields) : value;
}

/** `fromEntries` defines fields, so that `__proto__` is one like any other. */
const objectOf = (fields: readonly (readonly [string, unknown])[]): object => Object.fromEntries(fields);

function timeText(time: Date): string {
  if (Number.isNaN(time.getTime())) throw notJson('a time that does not exist');
  return time.toISOString();
}
