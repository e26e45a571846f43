/** Undoes what strict output does to optional fields. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';

/**
 * Reverts the effect of strict output on optional fields: drops a null if its property is optional and cannot be null.
 * Returns the value itself if it changes nothing.
 */
export function dropOptionalNulls(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isPlainObject(items) ? value.map((item) => dropOptionalNulls(items, item)) : value;
  }
  const { properties, required } = schema;
  if (!isPlainObject(value) || !isPlainObject(properties)) return value;
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!isPlainObject(property)) return [[key, child]];
    if (child === null && !needed.includes(key) && !allowsNull(property)) return [];
    return [[key, dropOptionalNulls(property, child)]];
  });
  return Object.fromEntries(entries);
}

/** True unless the schema certainly refuses null. */
function allowsNull({ type, anyOf, oneOf, enum: values, $ref, const: constant }: JsonSchema): boolean {
  if (type === 'null' || (Array.isArray(type) && type.includes('null'))) return true;
  if (type !== undefined || constant !== undefined) return false;
  if (Array.isArray(values)) return values.includes(null);
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  if (choices !== undefined) return choices.some((choice) => isPlainObject(choice) && allowsNull(choice));
  return $ref === undefined;
}
