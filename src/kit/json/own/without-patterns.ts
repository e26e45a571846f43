/** A schema as a plan may have it: without regular expressions, which take forever on texts that somebody chose for it. */
import type { JsonSchema } from '../../../core/model/model.ts';
import { isPlainObject } from '../../../language/shorthand.ts';

/** Keywords whose value is a schema or a list of schemas. */
const SCHEMAS: ReadonlySet<string> = new Set([
  ...['items', 'prefixItems', 'additionalItems', 'additionalProperties', 'unevaluatedItems', 'unevaluatedProperties'],
  ...['contains', 'propertyNames', 'not', 'if', 'then', 'else', 'anyOf', 'oneOf', 'allOf'],
]);
/** Keywords whose value is a map of names to schemas. */
const MAPS: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions', 'dependentSchemas']);
const REGULAR: ReadonlySet<string> = new Set(['pattern', 'patternProperties']);
/** What a pattern allowed would be refused by these as unknown. */
const CLOSING: ReadonlySet<string> = new Set(['additionalProperties', 'unevaluatedProperties']);
const CONDITIONS: ReadonlySet<string> = new Set(['not', 'if', 'then', 'else']);
const MOST_LEVELS = 200;

/** The schema itself where it has none. A schema without its patterns takes all that it took, and more. */
export function withoutPatterns(schema: JsonSchema): JsonSchema {
  const known = stripped.get(schema);
  if (known !== undefined) return known;
  const made = strip(schema, 0) as JsonSchema;
  stripped.set(schema, made);
  return made;
}

/** Released with the schema. */
const stripped = new WeakMap<JsonSchema, JsonSchema>();

function strip(part: unknown, level: number): unknown {
  if (level > MOST_LEVELS) return part;
  if (Array.isArray(part))
    return changed(
      part,
      part.map((item) => strip(item, level + 1)),
    );
  if (!isPlainObject(part)) return part;
  const isOpen = part.patternProperties !== undefined;
  const entries: [string, unknown][] = [];
  let isChanged = false;
  for (const [keyword, value] of Object.entries(part)) {
    if (REGULAR.has(keyword) || (isOpen && CLOSING.has(keyword))) {
      isChanged = true;
      continue;
    }
    const kept = stripValue(keyword, value, level);
    if (kept !== value) isChanged = true;
    if (kept === value) entries.push([keyword, value]);
    else if (keyword === 'oneOf' && part.anyOf === undefined) entries.push(['anyOf', kept]);
    // A condition that takes more would make the whole take less.
    else if (keyword !== 'oneOf' && !CONDITIONS.has(keyword)) entries.push([keyword, kept]);
  }
  return isChanged ? Object.fromEntries(entries) : part;
}

function stripValue(keyword: string, value: unknown, level: number): unknown {
  if (SCHEMAS.has(keyword)) return strip(value, level + 1);
  if (!MAPS.has(keyword) || !isPlainObject(value)) return value;
  const entries = Object.entries(value).map(([name, schema]) => [name, strip(schema, level + 1)] as const);
  return entries.every(([name, schema]) => schema === value[name]) ? value : Object.fromEntries(entries);
}

const changed = (before: readonly unknown[], after: readonly unknown[]): readonly unknown[] =>
  after.every((item, index) => item === before[index]) ? before : after;
