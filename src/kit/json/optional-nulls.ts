/** Undoes what strict output does to optional fields. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';

/** Deeper values are kept as they are. */
const MOST_LEVELS = 200;

/** What is known of a schema, read once however many values it has. */
interface ObjectFacts {
  readonly properties: Readonly<Record<string, unknown>>;
  /** Optional properties that certainly refuse null. */
  readonly droppable: ReadonlySet<string>;
}

type Facts = Map<JsonSchema, ObjectFacts | undefined>;

/**
 * Reverts the effect of strict output on optional fields: drops a null if its property is optional and cannot be null.
 * Returns the value itself if it changes nothing.
 */
export const dropOptionalNulls = (schema: JsonSchema, value: unknown): unknown => drop(schema, value, 0, new Map());

function drop(schema: JsonSchema, value: unknown, level: number, facts: Facts): unknown {
  if (level > MOST_LEVELS) return value;
  if (Array.isArray(value)) {
    const { items } = schema;
    return isPlainObject(items) ? value.map((item) => drop(items, item, level + 1, facts)) : value;
  }
  if (!isPlainObject(value)) return value;
  const known = factsOf(schema, facts);
  if (known === undefined) return value;
  const entries: [string, unknown][] = [];
  for (const [key, child] of Object.entries(value)) {
    if (child === null && known.droppable.has(key)) continue;
    const property = Object.hasOwn(known.properties, key) ? known.properties[key] : undefined;
    entries.push([key, isPlainObject(property) ? drop(property, child, level + 1, facts) : child]);
  }
  return Object.fromEntries(entries);
}

function factsOf(schema: JsonSchema, facts: Facts): ObjectFacts | undefined {
  if (facts.has(schema)) return facts.get(schema);
  const { properties, required } = schema;
  const known = isPlainObject(properties) ? { properties, droppable: droppable(properties, required) } : undefined;
  facts.set(schema, known);
  return known;
}

function droppable(properties: Readonly<Record<string, unknown>>, required: unknown): ReadonlySet<string> {
  const needed: ReadonlySet<unknown> = new Set(Array.isArray(required) ? required : []);
  const names = Object.keys(properties).filter((name) => {
    const property = properties[name];
    return !needed.has(name) && isPlainObject(property) && !allowsNull(property, 0);
  });
  return new Set(names);
}

/** True unless the schema certainly refuses null. */
function allowsNull({ type, anyOf, oneOf, enum: values, $ref, const: constant }: JsonSchema, level: number): boolean {
  if (level > MOST_LEVELS || type === 'null' || (Array.isArray(type) && type.includes('null'))) return true;
  if (type !== undefined || constant !== undefined) return false;
  if (Array.isArray(values)) return values.includes(null);
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  if (choices !== undefined) return choices.some((choice) => isPlainObject(choice) && allowsNull(choice, level + 1));
  return $ref === undefined;
}
