/** The `out` of a `human` node: a schema of `{ answer, approved }`. */
import type { JsonSchema } from '../core/model/model.ts';
import { isPlainObject } from './shorthand.ts';

const FIELDS: ReadonlySet<unknown> = new Set(['answer', 'approved']);

/** The schema with the fields of such an output that it does not mention: they are there all the same. */
export function humanSchema(schema: JsonSchema): JsonSchema {
  const { properties } = schema;
  if (!isPlainObject(properties)) return schema;
  return { ...schema, properties: { answer: {}, approved: { type: 'boolean' }, ...properties } };
}

/** Required fields that no such output has: no answer could ever fit. */
export function foreignFields({ required }: JsonSchema): readonly string[] {
  if (!Array.isArray(required)) return [];
  return required.filter((name): name is string => typeof name === 'string' && !FIELDS.has(name));
}
