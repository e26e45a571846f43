/**
 * Fills a JSON Schema from a text: enums by classification, numbers and dates by proximity to the field's words, booleans
 * by cues, strings by the field's name, lists by items and key terms. A required field without a value in the text
 * is refused, never invented; the finished value is validated against the schema before it is returned.
 */
import { type JsonSchema, type JsonValue, resolvePointer, validateJson, withoutPatterns } from 'polyphony/kit';
import { refusal } from '../refusal.ts';
import type { Effort } from '../summary.ts';
import type { Task } from '../task.ts';
import { read } from '../text/passages.ts';
import type { Field, Filled, Source } from './fields.ts';
import { fillArray } from './fields-list.ts';
import { fillBoolean, fillEnum, fillNumber } from './fields-scalar.ts';
import { fillString } from './fields-string.ts';

type Fill = (field: Field, source: Source) => Filled | undefined;

const DEPTH = 12;
/** Parts of a schema that are visited: one that refers to itself has more at each level. */
const MOST_VISITS = 2000;

interface Visits {
  left: number;
}
const CONFIDENCE_NAME = /^(?:confidence|certainty|probability)(?:[_ -]?(?:score|level|value))?$/i;

/** The value for the schema, and the confidence in its least certain part. @throws unsupported, naming the field */
export function fillSchema(schema: JsonSchema, task: Task, effort: Effort): Filled {
  const text = task.documents.map((document) => document.text).join('\n\n');
  const source: Source = { text, reading: read(text), task, effort };
  const field: Field = { name: '', description: String(schema.description ?? ''), schema, required: true };
  const filled = filler(schema)(field, source, 0);
  if (filled === undefined) throw refusal('The given text contains nothing that fits the requested schema.');
  const checked = validateJson(withoutPatterns(schema), filled.value);
  if (checked.ok) return filled;
  const [issue] = checked.issues;
  throw refusal(
    `The values found in the text do not fit the requested schema (at "${issue?.path ?? ''}": ${issue?.message ?? ''}).`,
  );
}

/** Returns a function that fills one field of this schema, with the root at hand for references. */
function filler(root: JsonSchema): (field: Field, source: Source, depth: number) => Filled | undefined {
  const visits: Visits = { left: MOST_VISITS };
  return function fill(field, source, depth): Filled | undefined {
    const schema = resolve(field.schema, root, visits);
    const known = { ...field, schema, description: field.description || String(schema.description ?? '') };
    if (depth > DEPTH || visits.left < 0) return undefined;
    if ('const' in schema) return { value: asJson(schema.const), confidence: 0.9 };
    const variants = variantsOf(schema);
    if (variants !== undefined)
      return firstVariant(variants, (variant) => fill({ ...known, schema: variant }, source, depth + 1));
    const inner: Fill = (child, from) => fill(child, from, depth + 1);
    return fillKind(known, source, inner);
  };
}

function fillKind(field: Field, source: Source, inner: Fill): Filled | undefined {
  const { schema } = field;
  if (Array.isArray(schema.enum)) return fillEnum(field, schema.enum.map(asJson), source);
  switch (kindOf(schema)) {
    case 'object':
      return fillObject(field, source, inner);
    case 'array':
      return fillArray(field, source, inner);
    case 'number':
    case 'integer':
      return fillNumber(field, source);
    case 'boolean':
      return fillBoolean(field, source);
    case 'null':
      return { value: null, confidence: 0.3 };
    default:
      return fillString(field, source);
  }
}

function kindOf(schema: JsonSchema): unknown {
  if (schema.type !== undefined) return schema.type;
  if (isSchema(schema.properties)) return 'object';
  return schema.items === undefined ? 'string' : 'array';
}

function fillObject(field: Field, source: Source, inner: Fill): Filled | undefined {
  const properties = Object.entries(isSchema(field.schema.properties) ? field.schema.properties : {});
  const required = new Set(Array.isArray(field.schema.required) ? field.schema.required : []);
  const filled = new Map<string, JsonValue>();
  const doubts: number[] = [];
  const confidences: [string, JsonSchema][] = [];
  const missing: string[] = [];
  for (const [name, schema] of properties) {
    if (!isSchema(schema)) continue;
    if (isConfidence(name, schema)) {
      confidences.push([name, schema]);
      filled.set(name, 0);
      continue;
    }
    const found = inner(
      { name, description: String(schema.description ?? ''), schema, required: required.has(name) },
      source,
    );
    if (found !== undefined) {
      filled.set(name, found.value);
      if (required.has(name) || required.size === 0) doubts.push(found.confidence);
    } else if (required.has(name)) {
      if (field.name !== '') return undefined;
      missing.push(`"${name}"`);
    }
  }
  if (missing.length > 0)
    throw refusal(`The given text contains no value for ${missing.join(', ')}, which the requested schema requires.`);
  const confidence = doubts.length === 0 ? 0.3 : Math.min(...doubts);
  for (const [name, schema] of confidences) filled.set(name, scaled(confidence, schema));
  return { value: Object.fromEntries(filled), confidence };
}

const isConfidence = (name: string, schema: JsonSchema): boolean =>
  CONFIDENCE_NAME.test(name) && (schema.type === 'number' || schema.type === 'integer');

/** The confidence in the schema's own range: 0 to 1, or per cent where the maximum is above 1. */
function scaled(confidence: number, schema: JsonSchema): number {
  const maximum = typeof schema.maximum === 'number' ? schema.maximum : undefined;
  const size = maximum !== undefined && maximum > 1 ? maximum : schema.type === 'integer' ? 100 : 1;
  const value = schema.type === 'integer' ? Math.round(confidence * size) : Math.round(confidence * size * 100) / 100;
  return Math.max(typeof schema.minimum === 'number' ? schema.minimum : 0, Math.min(maximum ?? size, value));
}

function resolve(schema: JsonSchema, root: JsonSchema, visits: Visits): JsonSchema {
  visits.left -= 1;
  if (visits.left < 0) return {};
  let current = schema;
  for (let step = 0; step < DEPTH && typeof current.$ref === 'string'; step++) {
    const target = resolvePointer(root, current.$ref);
    if (!isSchema(target)) return {};
    const { $ref: _, ...rest } = current;
    current = { ...target, ...rest };
  }
  if (!Array.isArray(current.allOf)) return current;
  return current.allOf
    .filter(isSchema)
    .reduce<JsonSchema>((merged, part) => mergeSchemas(merged, resolve(part, root, visits)), {
      ...current,
      allOf: undefined,
    });
}

function mergeSchemas(a: JsonSchema, b: JsonSchema): JsonSchema {
  const properties = {
    ...(isSchema(a.properties) ? a.properties : {}),
    ...(isSchema(b.properties) ? b.properties : {}),
  };
  const required = [...(Array.isArray(a.required) ? a.required : []), ...(Array.isArray(b.required) ? b.required : [])];
  const merged = { ...a, ...b };
  return Object.keys(properties).length === 0 ? merged : { ...merged, properties, required };
}

/** `anyOf`, `oneOf` and lists of types, null last. */
function variantsOf(schema: JsonSchema): JsonSchema[] | undefined {
  const isNull = (variant: JsonSchema) => variant.type === 'null';
  const listed = Array.isArray(schema.anyOf) ? schema.anyOf : Array.isArray(schema.oneOf) ? schema.oneOf : undefined;
  if (listed !== undefined) {
    const variants = listed.filter(isSchema);
    return [...variants.filter((variant) => !isNull(variant)), ...variants.filter(isNull)];
  }
  if (!Array.isArray(schema.type) || Array.isArray(schema.enum)) return undefined;
  const types = schema.type.filter((type) => typeof type === 'string');
  return [...types.filter((type) => type !== 'null'), ...types.filter((type) => type === 'null')].map((type) => ({
    ...schema,
    type,
  }));
}

function firstVariant(
  variants: readonly JsonSchema[],
  fill: (variant: JsonSchema) => Filled | undefined,
): Filled | undefined {
  for (const variant of variants.slice(0, 20)) {
    const found = fill(variant);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value of a schema keyword as JSON; anything that is not JSON becomes null. */
function asJson(value: unknown): JsonValue {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object') return null;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asJson(inner)]));
}
