/**
 * The shorthand of plans for JSON Schemas: a map of fields to types.
 *
 *     type := scalar | enum | type '[]' | type '?'     scalar := string number integer boolean any     enum := a|b|c
 *
 * A nested map is an object; a field is required unless its type ends in `?`; `?` inside (`string?[]`) means "or null".
 * A map is a JSON Schema instead if it has `$ref`, `anyOf`, or a type of JSON Schema together with `properties` or `items`,
 * or if it has only JSON Schema keywords and is invalid as shorthand (`{ type: 'object' }`).
 */
import { PolyphonyError } from '../core/errors.ts';
import type { JsonSchema } from '../core/model/model.ts';
import { shownJson, shownText } from './shown.ts';

const SCALARS: ReadonlyMap<string, JsonSchema> = new Map([
  ['string', { type: 'string' }],
  ['number', { type: 'number' }],
  ['integer', { type: 'integer' }],
  ['boolean', { type: 'boolean' }],
  ['any', {}],
]);
const JSON_TYPES: ReadonlySet<unknown> = new Set([
  ...['string', 'number', 'integer', 'boolean'],
  ...['object', 'array', 'null'],
]);
const KEYWORDS: ReadonlySet<string> = new Set([
  ...['$schema', '$id', '$ref', '$defs', '$comment', 'definitions', 'type', 'enum', 'const', 'title', 'description'],
  ...['default', 'examples', 'format', 'nullable', 'deprecated', 'readOnly', 'writeOnly', 'properties', 'required'],
  ...['additionalProperties', 'patternProperties', 'propertyNames', 'minProperties', 'maxProperties', 'items'],
  ...['prefixItems', 'contains', 'minItems', 'maxItems', 'uniqueItems', 'minLength', 'maxLength', 'pattern'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'anyOf', 'oneOf', 'allOf', 'not'],
  ...['if', 'then', 'else', 'dependentRequired', 'dependentSchemas', 'unevaluatedProperties', 'contentEncoding'],
  ...['contentMediaType', 'additionalItems'],
]);
const MAX_DEPTH = 32;

/** True for an object made by JSON.parse or a literal: not an array, not an instance of a class. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

const own = (map: Record<string, unknown>, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : undefined);

/** The rule of the plan format that distinguishes the two. */
function saysJsonSchema(map: Record<string, unknown>): boolean {
  if (typeof own(map, '$ref') === 'string' || Array.isArray(own(map, 'anyOf'))) return true;
  return hasJsonType(map) && (Object.hasOwn(map, 'properties') || Object.hasOwn(map, 'items'));
}

function hasJsonType(map: Record<string, unknown>): boolean {
  const type = own(map, 'type');
  return Array.isArray(type) ? type.length > 0 && type.every((name) => JSON_TYPES.has(name)) : JSON_TYPES.has(type);
}

/** A schema that the rule does not cover: only keywords, one of which restricts the values. */
function looksLikeJsonSchema(map: Record<string, unknown>): boolean {
  if (!Object.keys(map).every((key) => KEYWORDS.has(key))) return false;
  const lists = ['enum', 'oneOf', 'allOf'].some((keyword) => Array.isArray(own(map, keyword)));
  return lists || hasJsonType(map) || Object.hasOwn(map, 'const');
}

/** True for a map that is meant as shorthand, valid or not; false for a JSON Schema and any other value. */
export function isShorthand(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isPlainObject(value) || saysJsonSchema(value)) return false;
  return !looksLikeJsonSchema(value) || typeof readMap(value, '', 0) !== 'string';
}

/**
 * The JSON Schema of a shorthand map.
 *
 * @throws invalid-request with the name of the field and its invalid type
 */
export function fromShorthand(map: Readonly<Record<string, unknown>>): JsonSchema {
  const schema = readMap(map, '', 0);
  if (typeof schema !== 'string') return schema;
  throw new PolyphonyError('invalid-request', schema);
}

/** The schema, or an error message. */
type Read = JsonSchema | string;

function readMap(map: Readonly<Record<string, unknown>>, place: string, depth: number): Read {
  if (depth > MAX_DEPTH)
    return `The schema at ${shownText(place)} is nested deeper than ${MAX_DEPTH} levels: flatten it.`;
  const properties: [string, JsonSchema][] = [];
  const required: string[] = [];
  for (const [name, type] of Object.entries(map)) {
    const field = readField(type, place === '' ? name : `${place}.${name}`, depth);
    if (typeof field === 'string') return field;
    properties.push([name, field.schema]);
    if (!field.optional) required.push(name);
  }
  return { type: 'object', properties: Object.fromEntries(properties), required, additionalProperties: false };
}

function readField(type: unknown, place: string, depth: number): { schema: JsonSchema; optional: boolean } | string {
  if (typeof type === 'string') {
    const text = type.trim();
    const optional = text.endsWith('?');
    const schema = readType(optional ? text.slice(0, -1) : text, place);
    return typeof schema === 'string' ? schema : { schema, optional };
  }
  if (!isPlainObject(type)) {
    return `${shownText(place)} has the invalid type ${shownJson(type)}: give a type name (string, "a|b", string[]) or a map.`;
  }
  if (saysJsonSchema(type)) return { schema: type, optional: false };
  const schema = readMap(type, place, depth + 1);
  if (typeof schema !== 'string') return { schema, optional: false };
  return looksLikeJsonSchema(type) ? { schema: type, optional: false } : schema;
}

function readType(text: string, place: string): Read {
  let end = text.length;
  const suffixes: ('[]' | '?')[] = [];
  for (;;) {
    if (text.startsWith('[]', end - 2) && end > 1) suffixes.push('[]');
    else if (text[end - 1] === '?') suffixes.push('?');
    else break;
    if (suffixes.length > MAX_DEPTH)
      return `${shownText(place)} nests its type deeper than ${MAX_DEPTH} levels: flatten it.`;
    end -= suffixes.at(-1) === '?' ? 1 : 2;
  }
  const base = readBase(text.slice(0, end).trim(), place);
  if (typeof base === 'string') return base;
  return suffixes.reduceRight<JsonSchema>(
    (schema, suffix) => (suffix === '?' ? orNull(schema) : { type: 'array', items: schema }),
    base,
  );
}

function orNull(schema: JsonSchema): JsonSchema {
  return Object.keys(schema).length === 0 ? schema : { anyOf: [schema, { type: 'null' }] };
}

function readBase(text: string, place: string): Read {
  const scalar = SCALARS.get(text);
  if (scalar !== undefined) return scalar;
  const values = text.split('|').map((value) => value.trim());
  if (values.length > 1 && values.every((value) => SCALARS.has(value) || value === 'null')) {
    return `${shownText(place)} has the type ${shownText(text)}, but a choice of types is not supported: use "any", or a JSON Schema with anyOf.`;
  }
  if (values.length > 1 && values.every((value) => value !== '') && new Set(values).size === values.length) {
    return { type: 'string', enum: values };
  }
  return `${shownText(place)} has the type ${shownText(text)}, which is invalid: use string, number, integer, boolean, any or "a|b", with [] or ? after it.`;
}

/** The schema as shorthand if shorthand can express it without loss, else the schema itself. */
export function toShorthand(schema: JsonSchema): Readonly<Record<string, unknown>> {
  return writeMap(schema, 0) ?? schema;
}

function writeMap(schema: JsonSchema, depth: number): Record<string, unknown> | undefined {
  const { $schema: _, type, properties, required = [], additionalProperties = false, ...rest } = schema;
  if (type !== 'object' || additionalProperties !== false || Object.keys(rest).length > 0 || depth > MAX_DEPTH) {
    return undefined;
  }
  if (!isPlainObject(properties) || !Array.isArray(required)) return undefined;
  if (required.some((name) => typeof name !== 'string' || !Object.hasOwn(properties, name))) return undefined;
  const fields: [string, unknown][] = [];
  for (const [name, property] of Object.entries(properties)) {
    if (!isPlainObject(property)) return undefined;
    const written = writeType(property, depth);
    const optional = !required.includes(name);
    if (written === undefined || (optional && typeof written !== 'string')) return undefined;
    fields.push([name, optional ? `${String(written)}?` : written]);
  }
  const map = Object.fromEntries(fields);
  return isShorthand(map) ? map : undefined;
}

function writeType(schema: JsonSchema, depth: number): string | Record<string, unknown> | undefined {
  const keys = Object.keys(schema).join();
  if (keys === '') return 'any';
  if (keys === 'type' && typeof schema.type === 'string' && SCALARS.has(schema.type)) return schema.type;
  if (isSafeInteger(schema)) return 'integer';
  if (keys === 'type,enum' || keys === 'enum,type')
    return schema.type === 'string' ? writeEnum(schema.enum) : undefined;
  if (schema.type === 'object') return writeMap(schema, depth + 1);
  if (keys !== 'type,items' || schema.type !== 'array' || !isPlainObject(schema.items) || depth > MAX_DEPTH)
    return undefined;
  const items = writeType(schema.items, depth + 1);
  return typeof items === 'string' ? `${items}[]` : undefined;
}

/** An integer bounded by the range of exact doubles is the same as `integer`. */
function isSafeInteger({ type, minimum, maximum, ...rest }: JsonSchema): boolean {
  const bounded = minimum === Number.MIN_SAFE_INTEGER && maximum === Number.MAX_SAFE_INTEGER;
  return type === 'integer' && bounded && Object.keys(rest).length === 0;
}

function writeEnum(values: unknown): string | undefined {
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'string')) return undefined;
  const text = values.join('|');
  const read = readType(text, '');
  const same = typeof read !== 'string' && JSON.stringify(read.enum) === JSON.stringify(values);
  return same && !text.endsWith('?') ? text : undefined;
}
