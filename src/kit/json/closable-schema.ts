/** Whether strict output can express a schema: there, every object lists its properties and has no others. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';

const MAX_LEVELS = 64;
const MAX_PARTS = 5000;
const SHAPES = ['type', 'properties', 'anyOf', 'oneOf', 'allOf', 'enum', 'const', '$ref'] as const;
const CHOICES = ['anyOf', 'oneOf', 'allOf'] as const;
const MAPS = ['properties', '$defs', 'definitions'] as const;

/** Released with the schema. */
const known = new WeakMap<JsonSchema, boolean>();

/**
 * False for schemas whose values would lose something if their objects were closed: maps from names to values, objects of any
 * shape, lists of anything and values of any kind.
 */
export function isClosable(schema: JsonSchema): boolean {
  const cached = known.get(schema);
  if (cached !== undefined) return cached;
  const closable = !isOpen(schema, { parts: 0 }, 0);
  known.set(schema, closable);
  return closable;
}

function isOpen(schema: unknown, work: { parts: number }, level: number): boolean {
  // Larger schemas are narrowed with a warning, as before.
  if (!isPlainObject(schema)) return schema === true;
  if (level > MAX_LEVELS || ++work.parts > MAX_PARTS) return false;
  if (SHAPES.every((keyword) => schema[keyword] === undefined) || isOpenHere(schema)) return true;
  const inner = (part: unknown): boolean => isOpen(part, work, level + 1);
  return (
    CHOICES.some((keyword) => Array.isArray(schema[keyword]) && schema[keyword].some(inner)) ||
    MAPS.some((keyword) => isPlainObject(schema[keyword]) && Object.values(schema[keyword]).some(inner)) ||
    (schema.items !== undefined && inner(schema.items))
  );
}

function isOpenHere(schema: JsonSchema): boolean {
  const { type, properties, additionalProperties, patternProperties, items, $ref } = schema;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  if (additionalProperties !== undefined && additionalProperties !== false) return true;
  if (patternProperties !== undefined) return true;
  const described = $ref !== undefined || CHOICES.some((keyword) => schema[keyword] !== undefined);
  if (types.includes('object')) return properties === undefined && additionalProperties !== false && !described;
  return types.includes('array') && !isPlainObject(items) && !described;
}
