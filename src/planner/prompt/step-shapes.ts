/**
 * The schemas of steps as a planner's model reads them: what it needs to write a plan, in few tokens. A field is one text, such as
 * `integer 1..100? # How many.`: its type, `?` where it may be left out, and what it means.
 */
import type { JsonSchema } from '../../core/model/model.ts';

const OPENNESS: ReadonlySet<string> = new Set(['additionalProperties']);
const DESCRIPTIONS: ReadonlySet<string> = new Set(['description']);
/** Their keys are names of fields. */
const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);
/** They hold values, which are not schemas. */
const VALUES: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'required']);
/** The validator knows them; a plan seldom breaks them. */
const BOUNDS: ReadonlySet<string> = new Set(['minLength', 'maxLength', 'minItems', 'maxItems', 'maxProperties']);
/** Whatever else a schema says has no short form, so it is shown as it is. */
const SHORT: ReadonlySet<string> = new Set([
  ...['type', 'properties', 'required', 'items', 'enum', 'const', 'anyOf', 'oneOf', 'description', 'default'],
  ...['additionalProperties', 'minimum', 'maximum', 'title', '$schema', ...BOUNDS],
]);
const WORDS: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'any',
  'object',
  'null',
  'media',
]);
const PLAIN = /^[\w.+-]+$/;
const MOST_DEPTH = 8;

export const inputShape = (schema: JsonSchema): unknown => shapeOf(schema, true);

/** Names say what a field of a result is. */
export const outputShape = (schema: JsonSchema): unknown => shapeOf(schema, false);

function shapeOf(schema: JsonSchema, explained: boolean): unknown {
  const fields = fieldsOf(schema, explained);
  if (fields !== undefined) return fields;
  const kept = without(schema, BOUNDS);
  return without(explained ? kept : without(kept, DESCRIPTIONS), OPENNESS);
}

/** Undefined where it is no object with named fields, or one of them has no short form. */
function fieldsOf(schema: JsonSchema, explained: boolean): Readonly<Record<string, string>> | undefined {
  const { properties, required, additionalProperties } = schema;
  if (!isRecord(properties) || isRecord(additionalProperties) || !isShort(schema)) return undefined;
  const needed: ReadonlySet<unknown> = new Set(Array.isArray(required) ? required : []);
  const fields: [string, string][] = [];
  for (const [name, field] of Object.entries(properties)) {
    const type = isRecord(field) ? typeOf(field, 0) : 'any';
    if (type === undefined) return undefined;
    const meaning = explained ? meaningOf(field, 0) : '';
    fields.push([name, `${type}${needed.has(name) ? '' : '?'}${meaning === '' ? '' : ` # ${meaning}`}`]);
  }
  return Object.fromEntries(fields);
}

const isShort = (schema: JsonSchema): boolean => Object.keys(schema).every((key) => SHORT.has(key));

/** `string`, `a|b`, `integer 1..9`, `{a: string, b?: number}[]`; undefined where there is no such form. */
function typeOf(schema: JsonSchema, depth: number): string | undefined {
  if (depth > MOST_DEPTH || !isShort(schema)) return undefined;
  const { enum: choices, anyOf = schema.oneOf, type } = schema;
  if (schema.const !== undefined) return valueText(schema.const);
  if (Array.isArray(choices)) return choices.map(valueText).join('|');
  if (Array.isArray(anyOf)) return unionOf(anyOf, depth);
  if (Array.isArray(type)) return type.join('|');
  if (type === 'array') return listOf(schema.items, depth);
  if (type === 'object' || isRecord(schema.properties)) return objectOf(schema, depth);
  if (type === undefined) return 'any';
  return typeof type === 'string' ? `${type}${rangeOf(schema)}` : undefined;
}

function unionOf(schemas: readonly unknown[], depth: number): string | undefined {
  const types = new Set<string>();
  for (const schema of schemas) {
    const type = isRecord(schema) ? typeOf(schema, depth + 1) : undefined;
    if (type === undefined) return undefined;
    types.add(type);
  }
  return [...types].join('|');
}

function listOf(items: unknown, depth: number): string | undefined {
  if (!isRecord(items)) return 'any[]';
  const type = typeOf(items, depth + 1);
  return type === undefined ? undefined : /[| ]/.test(type) && !type.startsWith('{') ? `(${type})[]` : `${type}[]`;
}

function objectOf({ properties, required, additionalProperties }: JsonSchema, depth: number): string | undefined {
  if (!isRecord(properties)) {
    if (!isRecord(additionalProperties)) return 'object';
    const type = typeOf(additionalProperties, depth + 1);
    return type === undefined ? undefined : `{[name]: ${type}}`;
  }
  // A picture or a file, in one of its two forms.
  if (isRecord(properties.type) && (properties.mediaType !== undefined || properties.url !== undefined)) return 'media';
  if (isRecord(additionalProperties)) return undefined;
  const needed: ReadonlySet<unknown> = new Set(Array.isArray(required) ? required : []);
  const fields: string[] = [];
  for (const [name, field] of Object.entries(properties)) {
    const type = isRecord(field) ? typeOf(field, depth + 1) : 'any';
    if (type === undefined) return undefined;
    fields.push(`${name}${needed.has(name) ? '' : '?'}: ${type}`);
  }
  return `{${fields.join(', ')}}`;
}

/** Quoted where it could be taken for something else. */
const valueText = (value: unknown): string =>
  typeof value === 'string' && PLAIN.test(value) && !WORDS.has(value) ? value : JSON.stringify(value);

/** That a number is not negative goes without saying. */
function rangeOf({ minimum, maximum }: JsonSchema): string {
  if (typeof maximum !== 'number') return typeof minimum === 'number' && minimum > 1 ? ` ${minimum}..` : '';
  return maximum >= 1e6 ? '' : ` ${typeof minimum === 'number' ? minimum : ''}..${maximum}`;
}

/** What is said of it, and of what it consists of. */
function meaningOf(schema: unknown, depth: number): string {
  if (!isRecord(schema) || depth > MOST_DEPTH) return '';
  const { description, items, anyOf, properties } = schema;
  const parts = [
    typeof description === 'string' ? description : '',
    meaningOf(items, depth + 1),
    ...(Array.isArray(anyOf) ? anyOf : []).map((one: unknown) => meaningOf(one, depth + 1)),
    ...(isRecord(properties) ? Object.values(properties) : []).map((one) => meaningOf(one, depth + 1)),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const without = (schema: JsonSchema, dropped: ReadonlySet<string>): JsonSchema =>
  trimmed(schema, dropped, false) as JsonSchema;

function trimmed(value: unknown, dropped: ReadonlySet<string>, isMap: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => trimmed(item, dropped, false));
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([key, inner]) => isMap || !isDropped(key, inner, dropped));
  return Object.fromEntries(
    kept.map(([key, inner]) => [
      key,
      !isMap && VALUES.has(key) ? inner : trimmed(inner, dropped, !isMap && MAPS.has(key)),
    ]),
  );
}

/** A schema of further fields says something; that there are none is the usual case. */
const isDropped = (key: string, value: unknown, dropped: ReadonlySet<string>): boolean =>
  dropped.has(key) && typeof value !== 'object';
