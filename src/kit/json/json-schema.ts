/** JSON Schemas from any supported form: zod 4, zod 3, plain JSON Schema, or the shorthand of plans. */
import { createRequire } from 'node:module';
import type { z } from 'zod';
import type { zodToJsonSchema } from 'zod-to-json-schema';
import { PolyphonyError } from '../../core/errors.ts';
import type { JsonSchema } from '../../core/model/model.ts';
import { fromShorthand, isPlainObject, isShorthand } from '../../language/shorthand.ts';

export type { JsonSchema } from '../../core/model/model.ts';
export { isShorthand, toShorthand } from '../../language/shorthand.ts';
export { coerceJson } from './coerce-json.ts';
export { extractJson } from './json-text.ts';
export { type JsonIssue, refuseUnsafeSchema, validateJson } from './json-validation.ts';
export { dropOptionalNulls } from './optional-nulls.ts';

export interface ToJsonSchemaOptions {
  /** Which side of a zod schema: the values that it accepts, or those that it returns. @default 'input' */
  readonly io?: 'input' | 'output';
}

const load = createRequire(import.meta.url ?? __filename);

/**
 * The JSON Schema of a zod 4 schema, a zod 3 schema, a plain JSON Schema (returned itself) or a shorthand map. Key order
 * is kept.
 *
 * @throws invalid-request for anything else
 */
export function toJsonSchema(schema: unknown, options: ToJsonSchemaOptions = {}): JsonSchema {
  if (isZod4(schema)) return fromZod4(schema, options.io ?? 'input');
  if (isZod3(schema)) return fromZod3(schema, options.io ?? 'input');
  if (schema === true) return {};
  if (isShorthand(schema)) return fromShorthand(schema);
  if (isPlainObject(schema)) return schema;
  const got = schema === null ? 'null' : Array.isArray(schema) ? 'an array' : typeof schema;
  const remedy = 'give a zod schema, a JSON Schema object, or a map like { name: "string" }';
  throw new PolyphonyError('invalid-request', `A schema cannot be ${got}: ${remedy}.`);
}

/** Whether a value is a schema of zod, of any version and any copy of the library. */
export const isZod = (schema: unknown): schema is object => isZod4(schema) || isZod3(schema);

/** Zod 4 marks its schemas, so that those of another copy of the library are also recognised. */
function isZod4(schema: unknown): schema is z.core.$ZodType {
  return typeof schema === 'object' && schema !== null && '_zod' in schema;
}

function isZod3(schema: unknown): schema is Parameters<typeof zodToJsonSchema>[0] {
  if (typeof schema !== 'object' || schema === null) return false;
  return '_def' in schema && 'safeParse' in schema && typeof schema.safeParse === 'function';
}

function fromZod4(schema: z.core.$ZodType, io: 'input' | 'output'): JsonSchema {
  const options: ConverterOptions =
    io === 'input'
      ? { io, unrepresentable: 'any', override: writeDate }
      : { io, unrepresentable: 'any', override: writeOutput };
  // The schema's own method avoids loading zod, which takes longer than a first call; zod/mini and older versions lack it.
  const written = hasOwnConverter(schema) ? schema.toJSONSchema(options) : loadZod().toJSONSchema(schema, options);
  const { $schema: _, '~standard': __, ...plain } = written as JsonSchema;
  return plain;
}

type ConverterOptions = NonNullable<Parameters<typeof z.toJSONSchema>[1]>;
type Converted = Parameters<NonNullable<ConverterOptions['override']>>[0];

/** JSON has dates as texts. */
function writeDate({ zodSchema, jsonSchema }: Converted): void {
  if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
}

/** An object that drops unknown fields is written as on the other side: only one that refuses them is closed. */
function writeOutput(converted: Converted): void {
  writeDate(converted);
  const { def } = converted.zodSchema._zod;
  if (def.type === 'object' && def.catchall === undefined) delete converted.jsonSchema.additionalProperties;
}

const hasOwnConverter = (schema: z.core.$ZodType): schema is z.ZodType =>
  'toJSONSchema' in schema && typeof schema.toJSONSchema === 'function';

const loadZod = (): typeof z => (load('zod') as { readonly z: typeof z }).z;

function fromZod3(schema: Parameters<typeof zodToJsonSchema>[0], io: 'input' | 'output'): JsonSchema {
  // Loaded only when needed: it takes 36 ms, and most users have zod 4.
  const { zodToJsonSchema: convert, ignoreOverride }: typeof import('zod-to-json-schema') = load('zod-to-json-schema');
  const { $schema: _, ...plain } = convert(schema, {
    pipeStrategy: io,
    effectStrategy: 'input',
    // What a transform gives is not known; what a refinement gives is what it was given.
    override: (def) => (io === 'output' && isTransform(def) ? {} : ignoreOverride),
  }) as JsonSchema;
  return plain;
}

function isTransform(def: object): boolean {
  const { typeName, effect } = def as { readonly typeName?: unknown; readonly effect?: { readonly type?: unknown } };
  return typeName === 'ZodEffects' && effect?.type === 'transform';
}
