/** Closed objects in the dialects of schema-dialects.ts. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { orNull } from './schema-nulls.ts';

/** Makes every property required, optional ones nullable, and forbids others. */
export function closeObject(schema: JsonSchema, original: JsonSchema, path: string, warnings: string[]): JsonSchema {
  const isObject = schema.type === 'object' || (Array.isArray(schema.type) && schema.type.includes('object'));
  if (!isObject && schema.properties === undefined) return openToScalars(schema, path, warnings);
  const { additionalProperties = false } = original;
  if (additionalProperties !== false) {
    warnings.push(
      `${path}/additionalProperties: not supported, so the object was closed and other properties are lost.`,
    );
  }
  const properties = isPlainObject(schema.properties) ? schema.properties : {};
  const required: ReadonlySet<unknown> = new Set(Array.isArray(original.required) ? original.required : []);
  const closed = Object.entries(properties).map(([name, property]) =>
    required.has(name) || !isPlainObject(property) ? [name, property] : [name, orNull(property)],
  );
  return {
    ...schema,
    properties: Object.fromEntries(closed),
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

/** An empty schema is not accepted, so it becomes one that accepts scalars. */
function openToScalars(schema: JsonSchema, path: string, warnings: string[]): JsonSchema {
  const shaped = ['type', 'anyOf', 'enum', 'const', '$ref'].some((keyword) => schema[keyword] !== undefined);
  if (shaped) return schema;
  warnings.push(`${path}: any value is not supported, so only strings, numbers, booleans and null are allowed.`);
  return { ...schema, type: ['string', 'number', 'boolean', 'null'] };
}
