/** A value as JSON holds it, so that what a program returned is the same before and after a journal has kept it. */
import { JSON_DEPTH } from '../../../core/json/json-size.ts';
import { isPlainObject } from '../../../language/shorthand.ts';

/**
 * A copy that JSON gives back unchanged: what has `toJSON` (a date) as it says, fields that are undefined left out, items that
 * are undefined as null. What JSON does not have (a map, a bigint, a value that contains itself) stays as it is, so that the
 * check of the value can name it.
 */
export const jsonForm = (value: unknown): unknown => form(value, '', 0, { converted: new Map(), copies: true });

/** As `jsonForm`, but what is JSON already is not copied: for values that nobody else changes. */
export const sharedJsonForm = (value: unknown): unknown => form(value, '', 0, { converted: new Map(), copies: false });

interface Conversion {
  /** Lists and objects that were converted, or are being converted. */
  readonly converted: Map<object, unknown>;
  readonly copies: boolean;
}

function form(value: unknown, key: string, level: number, conversion: Conversion): unknown {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const { converted } = conversion;
  if (converted.has(value)) return converted.get(value);
  if (level > JSON_DEPTH) return value;
  // Until it is converted, it stands for itself: a value that contains itself stays what it is.
  converted.set(value, value);
  const made = formOf(value, key, level, conversion);
  converted.set(value, made);
  return made;
}

function formOf(value: object, key: string, level: number, conversion: Conversion): unknown {
  if (Array.isArray(value)) return listOf(value, level, conversion);
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return form(value.toJSON(key), key, level + 1, conversion);
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  const fields: [string, unknown][] = [];
  let isChanged = conversion.copies || !isPlainObject(value);
  for (const [name, field] of Object.entries(value)) {
    const made = form(field, name, level + 1, conversion);
    if (made !== field || made === undefined) isChanged = true;
    if (made !== undefined) fields.push([name, made]);
  }
  return isChanged ? Object.fromEntries(fields) : value;
}

function listOf(list: readonly unknown[], level: number, conversion: Conversion): readonly unknown[] {
  let isChanged = conversion.copies;
  const made = list.map((item, index) => {
    const kept = item === undefined ? null : form(item, String(index), level + 1, conversion);
    if (kept !== item) isChanged = true;
    return kept;
  });
  return isChanged ? made : list;
}
