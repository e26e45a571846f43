/** A value as JSON holds it, so that what a program returned is the same before and after a journal has kept it. */
import { JSON_DEPTH } from '../../../core/json/json-size.ts';

/** Lists and objects that were converted, or are being converted. */
type Converted = Map<object, unknown>;

/**
 * A copy that JSON gives back unchanged: what has `toJSON` (a date) as it says, fields that are undefined left out, items that
 * are undefined as null. What JSON does not have (a map, a bigint, a value that contains itself) stays as it is, so that the
 * check of the value can name it.
 */
export const jsonForm = (value: unknown): unknown => form(value, '', 0, new Map());

function form(value: unknown, key: string, level: number, converted: Converted): unknown {
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  if (converted.has(value)) return converted.get(value);
  if (level > JSON_DEPTH) return value;
  // Until it is converted, it stands for itself: a value that contains itself stays what it is.
  converted.set(value, value);
  const made = formOf(value, key, level, converted);
  converted.set(value, made);
  return made;
}

function formOf(value: object, key: string, level: number, converted: Converted): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => (item === undefined ? null : form(item, String(index), level + 1, converted)));
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return form(value.toJSON(key), key, level + 1, converted);
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') return value;
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) fields.push([name, form(field, name, level + 1, converted)]);
  }
  return Object.fromEntries(fields);
}
