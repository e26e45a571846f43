/**
 * JSON Schemas for models that enforce them with a grammar of closed objects: no numeric or length limits, no recursion.
 * Limits move to the description, where the model still reads them. Key order is kept.
 */
import type { JsonSchema, JsonValue } from '../../core/model/model.ts';
import { asList, asRecord } from '../json/json-shape.ts';

const KEPT = new Set(['type', 'title', 'description', 'enum', 'const', 'required', '$ref', 'format', 'default']);
const SCHEMAS = new Set(['items', 'additionalItems']);
const SCHEMA_MAPS = new Set(['properties', '$defs', 'definitions']);
const SCHEMA_LISTS = new Set(['anyOf', 'allOf']);
const SILENT = new Set(['$schema', '$id', '$comment', 'additionalProperties', 'examples']);
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']);
const MAX_DEPTH = 32;
const MAX_VISITS = 5000;
/** Of schemas and of values in them, one inside the other. */
const MAX_LEVELS = 200;

/** Undefined if the schema cannot be enforced: recursion, open maps, any value, no object at its root. */
export function closedSchema(schema: JsonSchema): JsonSchema | undefined {
  if (schema.type !== 'object' || isRecursive(schema)) return undefined;
  return close(schema, 0);
}

function close(schema: JsonSchema, depth: number): JsonSchema | undefined {
  if (depth > MAX_DEPTH || isOpen(schema)) return undefined;
  const closed: [string, unknown][] = [];
  const limits: string[] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const converted = closeKeyword(keyword, value, depth, limits);
    if (converted === undefined) return undefined;
    closed.push(...converted);
  }
  const result: Record<string, unknown> = Object.fromEntries(closed);
  if (isObject(schema)) result.additionalProperties = false;
  if (limits.length > 0) result.description = [schema.description, `(${limits.join(', ')})`].filter(Boolean).join(' ');
  return result;
}

/** The entries that the keyword becomes; undefined if its schema cannot be enforced. */
function closeKeyword(
  keyword: string,
  value: unknown,
  depth: number,
  limits: string[],
): [string, unknown][] | undefined {
  if (SILENT.has(keyword)) return [];
  if (SCHEMAS.has(keyword)) {
    const closed = close(asRecord(value) ?? {}, depth + 1);
    return closed && [[keyword, closed]];
  }
  if (SCHEMA_MAPS.has(keyword)) {
    const entries = Object.entries(asRecord(value) ?? {}).map(
      ([name, child]) => [name, close(asRecord(child) ?? {}, depth + 1)] as const,
    );
    return entries.some(([, child]) => child === undefined) ? undefined : [[keyword, Object.fromEntries(entries)]];
  }
  if (SCHEMA_LISTS.has(keyword) || keyword === 'oneOf') {
    const choices = (asList(value) ?? []).map((child) => close(asRecord(child) ?? {}, depth + 1));
    return choices.includes(undefined) ? undefined : [[keyword === 'oneOf' ? 'anyOf' : keyword, choices]];
  }
  const fits = keyword === 'format' ? FORMATS.has(String(value)) : keyword === 'minItems' ? isFew(value) : false;
  if (fits || (KEPT.has(keyword) && keyword !== 'format')) return [[keyword, value]];
  limits.push(`${keyword}: ${JSON.stringify(value as JsonValue)}`);
  return [];
}

const isFew = (value: unknown): boolean => value === 0 || value === 1;
const isObject = (schema: JsonSchema): boolean =>
  schema.type === 'object' || (Array.isArray(schema.type) && schema.type.includes('object'));

/** Maps with keys of any name, objects of any shape, and values of any kind cannot be closed. */
function isOpen(schema: JsonSchema): boolean {
  const { additionalProperties, properties, patternProperties } = schema;
  if (patternProperties !== undefined) return true;
  if (additionalProperties !== undefined && additionalProperties !== false) return true;
  if (isObject(schema)) return properties === undefined;
  return !['type', 'anyOf', 'oneOf', 'allOf', 'enum', 'const', '$ref'].some((keyword) => schema[keyword] !== undefined);
}

/** A definition that leads back to itself. */
function isRecursive(root: JsonSchema): boolean {
  const definitions = { ...asRecord(root.$defs), ...asRecord(root.definitions) };
  let visits = 0;
  const visit = (value: unknown, path: ReadonlySet<string>, level: number): boolean => {
    // References that double the work at each step count as recursive.
    if (++visits > MAX_VISITS || level > MAX_LEVELS) return true;
    if (Array.isArray(value)) return value.some((item) => visit(item, path, level + 1));
    const schema = asRecord(value);
    if (schema === undefined) return false;
    const { $ref, $defs: _, definitions: __, ...rest } = schema;
    if (typeof $ref === 'string') {
      const name = /^#\/(?:\$defs|definitions)\/([^/]+)$/.exec($ref)?.[1];
      if (name === undefined || path.has(name) || path.size > MAX_DEPTH) return true;
      if (visit(definitions[name], new Set(path).add(name), level + 1)) return true;
    }
    return Object.values(rest).some((item) => visit(item, path, level + 1));
  };
  return visit(root, new Set(), 0);
}
