/**
 * The dialects of JSON Schema that providers accept, as data: which keywords each supports, and how it expresses "or null".
 * An unsupported keyword is dropped with a warning, so a schema becomes less strict, but stays valid. Key order is kept.
 *
 * - `plain`: everything except `$schema`.
 * - `strict-subset`: every object closed, every property required, optional ones nullable (`dropOptionalNulls` undoes
 *   that in the answer), no `oneOf`, `allOf` or `not`.
 * - `openapi-subset`: no references, no `additionalProperties`, no `const`, `nullable: true` instead of a null type, enums
 *   of strings only.
 */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { beginningOf } from '../../language/shown.ts';
import { closeObject } from './closed-object.ts';
import { type ConversionSize, charge, isTooLarge, sizeOf } from './conversion-size.ts';
import { resolvePointer } from './json-validation.ts';
import { nullAsKeyword, stringEnum } from './schema-nulls.ts';

export const SCHEMA_DIALECTS = ['plain', 'strict-subset', 'openapi-subset'] as const;
export type SchemaDialect = (typeof SCHEMA_DIALECTS)[number];

export interface DialectResult {
  readonly schema: JsonSchema;
  /** What the dialect could not express, each with its place; the first hundred. */
  readonly warnings: readonly string[];
}

interface Rules {
  readonly keywords: ReadonlySet<string>;
  readonly formats: ReadonlySet<string>;
  /** Objects are closed and all their properties required. */
  readonly closed: boolean;
  /** References are kept; otherwise each is replaced by its target. */
  readonly references: boolean;
  /** How "or null" is expressed. */
  readonly nullable: 'type' | 'keyword';
}

const COMMON = [
  'type',
  'title',
  'description',
  'enum',
  'properties',
  'required',
  'items',
  'anyOf',
  'minItems',
  'maxItems',
];
const NUMERIC = ['minimum', 'maximum', 'format'];

const RULES: Readonly<Record<Exclude<SchemaDialect, 'plain'>, Rules>> = {
  'strict-subset': {
    keywords: new Set([
      ...[...COMMON, ...NUMERIC, 'const', '$ref', '$defs', 'definitions', 'additionalProperties'],
      ...['exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'pattern'],
    ]),
    formats: new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid']),
    closed: true,
    references: true,
    nullable: 'type',
  },
  'openapi-subset': {
    keywords: new Set([...COMMON, ...NUMERIC, 'nullable']),
    formats: new Set(['float', 'double', 'int32', 'int64', 'enum', 'date-time']),
    closed: false,
    references: false,
    nullable: 'keyword',
  },
};

/** Dropped without a warning, because they restrict nothing. */
const SILENT: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$anchor',
  'examples',
  'deprecated',
  'default',
]);
const MAX_DEPTH = 64;
const MAX_PARTS = 5000;
const MAX_WARNINGS = 100;
const LONGEST_WARNING = 400;

interface Conversion extends ConversionSize {
  readonly rules: Rules;
  readonly root: JsonSchema;
  readonly warnings: string[];
  /** References being replaced, outermost first: one that appears again is recursive. */
  readonly following: string[];
  depth: number;
  /** Schemas converted so far: a limit for references that double the work at each step. */
  parts: number;
}

/** The schema in a provider's dialect. Never throws; the input is not changed. */
export function toDialect(schema: JsonSchema, dialect: SchemaDialect): DialectResult {
  if (dialect === 'plain') {
    const { $schema: _, ...plain } = schema;
    return { schema: plain, warnings: [] };
  }
  const conversion: Conversion = {
    rules: RULES[dialect],
    root: schema,
    warnings: [],
    following: [],
    depth: 0,
    parts: 0,
    size: 0,
  };
  const converted = convert(schema, '', conversion);
  if (conversion.rules.closed && converted.type !== 'object') {
    conversion.warnings.push(
      'The root of the schema is not an object, so the provider may reject it: wrap it in an object.',
    );
  }
  return {
    schema: converted,
    warnings: conversion.warnings.slice(0, MAX_WARNINGS).map((text) => beginningOf(text, LONGEST_WARNING)),
  };
}

function convert(value: unknown, path: string, conversion: Conversion): JsonSchema {
  if (!isPlainObject(value)) return {};
  if (conversion.depth >= MAX_DEPTH || ++conversion.parts > MAX_PARTS || isTooLarge(conversion)) {
    return anyValue(path, conversion);
  }
  conversion.depth++;
  const flat = withoutReference(value, path, conversion, (target) =>
    convertKeywords(mergeAllOf(target, path, conversion), path, conversion),
  );
  conversion.depth--;
  return flat;
}

function anyValue(path: string, { warnings }: Conversion): JsonSchema {
  if (warnings.length < MAX_WARNINGS) {
    warnings.push(
      `${path}: deeper than ${MAX_DEPTH} levels or larger than ${MAX_PARTS} parts, so any value is allowed.`,
    );
  }
  return {};
}

/** Calls `next` with the schema, or with the target of its `$ref` if the dialect has no references. */
function withoutReference(
  schema: JsonSchema,
  path: string,
  conversion: Conversion,
  next: (schema: JsonSchema) => JsonSchema,
): JsonSchema {
  const { rules, root, warnings, following } = conversion;
  const { $ref, ...beside } = schema;
  if (rules.references || typeof $ref !== 'string') return next(schema);
  const target = resolvePointer(root, $ref);
  if (following.length >= MAX_DEPTH || following.includes($ref) || !isPlainObject(target)) {
    warnings.push(
      `${path}: ${beginningOf($ref)} is ${isPlainObject(target) ? 'recursive' : 'not in the schema'}, so any object is allowed.`,
    );
    return next({ ...beside, type: 'object' });
  }
  following.push($ref);
  charge(conversion, Object.keys(target).length);
  const converted = withoutReference({ ...target, ...beside }, path, conversion, next);
  following.pop();
  return converted;
}

/** Merges `allOf` into one schema; where its parts differ, the first one is kept with a warning. */
function mergeAllOf(schema: JsonSchema, path: string, conversion: Conversion): JsonSchema {
  const { root, warnings } = conversion;
  const { allOf, ...beside } = schema;
  if (!Array.isArray(allOf)) return schema;
  const parts = [...allOf, beside].map((part: unknown) => {
    const target = isPlainObject(part) && typeof part.$ref === 'string' ? resolvePointer(root, part.$ref) : part;
    return isPlainObject(target) ? target : {};
  });
  const merged: Record<string, unknown> = {};
  const properties: [string, unknown][] = [];
  const required = new Set<unknown>();
  for (const part of parts) {
    charge(conversion, sizeOf(part));
    if (isTooLarge(conversion)) break;
    const { properties: own, required: needed, ...rest } = part;
    for (const [key, value] of Object.entries(rest)) {
      if (Object.hasOwn(merged, key) && JSON.stringify(merged[key]) !== JSON.stringify(value)) {
        warnings.push(`${path}/allOf: ${key} differs between its parts, so only the first one was kept.`);
      } else merged[key] = value;
    }
    for (const entry of Object.entries(isPlainObject(own) ? own : {})) properties.push(entry);
    for (const name of Array.isArray(needed) ? needed : []) required.add(name);
  }
  if (properties.length > 0) merged.properties = Object.fromEntries(properties);
  if (required.size > 0) merged.required = [...required];
  return merged;
}

function convertKeywords(schema: JsonSchema, path: string, conversion: Conversion): JsonSchema {
  const { rules, warnings } = conversion;
  const converted: [string, unknown][] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    const where = `${path}/${beginningOf(keyword)}`;
    charge(conversion, keyword.length + (CONVERTED.has(keyword) ? countOf(value) : sizeOf(value)));
    if (isTooLarge(conversion)) return anyValue(path, conversion);
    if (keyword === 'oneOf' || keyword === 'anyOf')
      converted.push(...convertChoices(schema, keyword, where, conversion));
    else if (keyword === 'const' && !rules.keywords.has('const'))
      converted.push(...convertConstant(schema, where, conversion));
    else if (!rules.keywords.has(keyword)) {
      // Dropping `additionalProperties: false` loses nothing, because objects of the dialect are closed.
      if (!SILENT.has(keyword) && !isHarmless(keyword, value, rules))
        warnings.push(`${where}: not supported, so it was dropped.`);
    } else if (keyword === 'format' && !rules.formats.has(String(value))) {
      warnings.push(`${where}: "${beginningOf(String(value))}" is not supported, so it was dropped.`);
    } else converted.push([keyword, convertKeyword(keyword, value, where, conversion)]);
  }
  const result = Object.fromEntries(converted);
  const shaped = rules.closed
    ? closeObject(result, schema, path, conversion.warnings)
    : stringEnum(result, path, conversion.warnings);
  return rules.nullable === 'keyword' ? nullAsKeyword(shaped) : shaped;
}

/** Keywords whose schemas are converted one by one; the values of others are copied. */
const CONVERTED: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions', 'items', 'anyOf', 'oneOf']);

const countOf = (value: unknown): number => Object.keys(typeof value === 'object' ? (value ?? {}) : {}).length;

function isHarmless(keyword: string, value: unknown, rules: Rules): boolean {
  if (keyword === 'additionalProperties') return value === false;
  return !rules.references && (keyword === '$defs' || keyword === 'definitions');
}

function convertKeyword(keyword: string, value: unknown, path: string, conversion: Conversion): unknown {
  switch (keyword) {
    case 'items':
      return convert(value, path, conversion);
    case 'properties':
    case '$defs':
    case 'definitions':
      if (!isPlainObject(value)) return {};
      return Object.fromEntries(
        Object.entries(value).map(([name, child]) => [
          name,
          convert(child, `${path}/${beginningOf(name)}`, conversion),
        ]),
      );
    default:
      return value;
  }
}

function convertChoices(
  schema: JsonSchema,
  keyword: 'oneOf' | 'anyOf',
  path: string,
  conversion: Conversion,
): [string, unknown][] {
  const choices = schema[keyword];
  if (!Array.isArray(choices)) return [];
  if (keyword === 'oneOf') {
    if (schema.anyOf !== undefined) {
      conversion.warnings.push(`${path}: not supported beside anyOf, so it was dropped.`);
      return [];
    }
    conversion.warnings.push(`${path}: treated as anyOf.`);
  }
  return [['anyOf', choices.map((choice, index) => convert(choice, `${path}/${index}`, conversion))]];
}

function convertConstant(schema: JsonSchema, path: string, { warnings }: Conversion): [string, unknown][] {
  const value = schema.const;
  if (typeof value === 'string') {
    return schema.type === undefined
      ? [
          ['type', 'string'],
          ['enum', [value]],
        ]
      : [['enum', [value]]];
  }
  if (value === null) return schema.type === undefined ? [['type', 'null']] : [];
  warnings.push(`${path}: only strings are supported as constants, so it was dropped.`);
  return schema.type === undefined ? [['type', typeof value]] : [];
}
