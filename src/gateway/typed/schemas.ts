/** Schemas that a caller gave for an answer or for the arguments of a tool: what the model is told, and how its JSON is checked. */
import { errorRecord, PolyphonyError } from '../../core/errors.ts';
import type { JsonSchema } from '../../core/model/model.ts';
import { dropOptionalNulls, type JsonIssue, toJsonSchema, validateJson } from '../../kit/json/json-schema.ts';

export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

interface ZodIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}
type ZodResult =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: { readonly issues: readonly ZodIssue[] } };
interface ZodSchema {
  safeParseAsync(value: unknown): Promise<ZodResult>;
}

/** Released with the schema. */
const written = new WeakMap<object, JsonSchema>();

/** The JSON Schema of what the model has to write, made once for each schema. */
export function schemaOf(schema: object): JsonSchema {
  const known = written.get(schema);
  if (known !== undefined) return known;
  const made = toJsonSchema(schema);
  written.set(schema, made);
  return made;
}

export const isZod = (schema: unknown): schema is object =>
  typeof schema === 'object' && schema !== null && ('_zod' in schema || ('_def' in schema && 'safeParse' in schema));

/** @throws invalid-output when the schema's own code throws */
export async function checked(schema: object, given: unknown): Promise<Checked> {
  const json = schemaOf(schema);
  const value = dropOptionalNulls(json, given);
  if (!isZod(schema)) return validateJson(json, value);
  try {
    const result = await (await parserOf(schema)).safeParseAsync(value);
    if (result.success) return { ok: true, value: result.data };
    return { ok: false, issues: result.error.issues.map(issueOf) };
  } catch (error) {
    const message = `The schema itself failed while it checked an answer: ${errorRecord(error).message}`;
    throw new PolyphonyError('invalid-output', message, { cause: error });
  }
}

/** Schemas of the smallest zod have no methods. */
async function parserOf(schema: object): Promise<ZodSchema> {
  if ('safeParseAsync' in schema) return schema as ZodSchema;
  const { safeParseAsync } = await import('zod/v4/core');
  return { safeParseAsync: (value) => safeParseAsync(schema as Parameters<typeof safeParseAsync>[0], value) };
}

const issueOf = ({ path, message }: ZodIssue): JsonIssue => ({
  path: path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''),
  message,
});

const MOST_SHOWN = 8;

export const shownIssues = (issues: readonly JsonIssue[]): string =>
  issues
    .slice(0, MOST_SHOWN)
    .map(({ path, message }) => `${path === '' ? '/' : path} ${message}`)
    .join('; ');
