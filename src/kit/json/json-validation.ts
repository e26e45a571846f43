/**
 * Validation of JSON against JSON Schema 2020-12 and draft-07, by ajv, loaded when the first schema is compiled (70 ms).
 *
 * Schemas from plans and from other people's tools are untrusted: a `pattern` can take forever on a short text, a `$ref` can
 * double the work at each step. Both are refused unless the caller trusts the schema.
 */
import { createRequire } from 'node:module';
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import { PolyphonyError } from '../../core/errors.ts';
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';

export interface JsonIssue {
  /** JSON pointer into the value (for `refuseUnsafeSchema`: into the schema). */
  readonly path: string;
  readonly message: string;
}

export type JsonValidation<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

export interface ValidateJsonOptions {
  /** The schema is the program's own, so its patterns may run. @default false */
  readonly trusted?: boolean;
}

const MAX_ISSUES = 20;
const compiled = new WeakMap<JsonSchema, ValidateFunction>();
const safe = new WeakSet<JsonSchema>();

/**
 * Validates a value without changing it. Compiled schemas are cached by the schema object, so pass the same object again.
 *
 * @throws invalid-request when the schema is invalid, or is unsafe and not trusted
 */
export function validateJson(schema: JsonSchema, value: unknown, options: ValidateJsonOptions = {}): JsonValidation {
  if (options.trusted !== true) requireSafe(schema);
  const validate = compiled.get(schema) ?? compile(schema);
  if (run(validate, value)) return { ok: true, value };
  return { ok: false, issues: (validate.errors ?? []).slice(0, MAX_ISSUES).map(issueOf) };
}

function run(validate: ValidateFunction, value: unknown): boolean {
  try {
    return validate(value) === true;
  } catch (cause) {
    const message = 'The schema refers to itself endlessly, or the value is nested too deeply: flatten one of them.';
    throw new PolyphonyError('invalid-request', message, { cause });
  }
}

function requireSafe(schema: JsonSchema): void {
  if (safe.has(schema)) return;
  const [issue] = refuseUnsafeSchema(schema);
  if (issue !== undefined) throw new PolyphonyError('invalid-request', `${issue.message} (at "${issue.path}")`);
  safe.add(schema);
}

function issueOf({ instancePath, message = 'is invalid', keyword, params }: ErrorObject): JsonIssue {
  const detail =
    keyword === 'enum'
      ? `: ${JSON.stringify(params.allowedValues)}`
      : keyword === 'additionalProperties'
        ? `: ${JSON.stringify(params.additionalProperty)}`
        : '';
  return { path: instancePath, message: message + detail };
}

let newest: Ajv2020 | undefined;
let draft07: Ajv2020 | undefined;
const load = createRequire(import.meta.url);

/** Formats are annotations, unknown keywords are ignored, nothing is logged, nothing is cached by id. */
const OPTIONS = {
  strict: false,
  allErrors: true,
  logger: false,
  validateFormats: false,
  addUsedSchema: false,
} as const;

function compile(schema: JsonSchema): ValidateFunction {
  const { $schema, $id: _, ...body } = schema;
  const old = typeof $schema === 'string' && /draft-0[4-7]/.test($schema);
  let failure: unknown;
  for (const draft of old ? ['07', '2020'] : ['2020', '07']) {
    try {
      const validate = (draft === '07' ? loadDraft07() : loadNewest()).compile(body);
      compiled.set(schema, validate);
      return validate;
    } catch (error) {
      failure ??= error;
    }
  }
  const reason = failure instanceof Error ? failure.message : String(failure);
  throw new PolyphonyError('invalid-request', `The JSON Schema is invalid: ${reason}. Correct it.`, { cause: failure });
}

function loadNewest(): Ajv2020 {
  if (newest === undefined) {
    const { Ajv2020: Newest }: typeof import('ajv/dist/2020.js') = load('ajv/dist/2020.js');
    newest = new Newest(OPTIONS);
  }
  return newest;
}

function loadDraft07(): Ajv2020 {
  if (draft07 === undefined) {
    const { Ajv }: typeof import('ajv') = load('ajv');
    draft07 = new Ajv(OPTIONS);
  }
  return draft07;
}

const SCHEMA_BOUNDS = { depth: 32, subschemas: 1000, expanded: 10_000 } as const;
const REGEX_KEYWORDS = ['pattern', 'patternProperties'] as const;

/** Why an untrusted schema must not be used; empty if it is safe. Never throws. */
export function refuseUnsafeSchema(schema: unknown): JsonIssue[] {
  const issues: JsonIssue[] = [];
  const stack: { value: unknown; path: string; depth: number }[] = [{ value: schema, path: '', depth: 0 }];
  let count = 0;
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { value, path, depth } = item;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > SCHEMA_BOUNDS.depth * 2 || ++count > SCHEMA_BOUNDS.subschemas * 4) {
      const { depth: levels, subschemas } = SCHEMA_BOUNDS;
      issues.push({ path, message: `A schema can have at most ${levels} levels and ${subschemas} parts: flatten it.` });
      return issues;
    }
    if (!Array.isArray(value)) issues.push(...unsafeKeywords(value as JsonSchema, path));
    for (const [key, child] of Object.entries(value).reverse()) {
      stack.push({
        value: child,
        path: `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        depth: depth + 1,
      });
    }
  }
  if (issues.length === 0 && expandedSize(schema) > SCHEMA_BOUNDS.expanded) {
    const message = `The references of the schema expand to more than ${SCHEMA_BOUNDS.expanded} parts: use fewer $ref.`;
    issues.push({ path: '', message });
  }
  return issues;
}

function unsafeKeywords(schema: JsonSchema, path: string): JsonIssue[] {
  const issues: JsonIssue[] = [];
  for (const keyword of REGEX_KEYWORDS) {
    // The value of a property named `pattern` is a schema, never a string.
    const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
    const used =
      keyword === 'pattern' ? typeof value === 'string' : isPlainObject(value) && !path.endsWith('/properties');
    if (used) issues.push({ path, message: `A schema from a plan must not have ${keyword}: use enum, or remove it.` });
  }
  for (const keyword of ['$ref', '$dynamicRef', '$recursiveRef']) {
    const value = Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
    if (typeof value !== 'string' || (keyword === '$ref' && value.startsWith('#'))) continue;
    issues.push({
      path,
      message: `${keyword} "${value.slice(0, 100)}" points outside the schema: refer only to "#/…".`,
    });
  }
  return issues;
}

/** The most parts that a validator visits, with references followed; a recursive one counts once. */
function expandedSize(root: unknown): number {
  const sizes = new Map<object, number>();
  const measure = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 0;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    sizes.set(value, 1);
    let size = 1;
    for (const [key, child] of Object.entries(value)) {
      size += key === '$ref' && typeof child === 'string' ? measure(resolvePointer(root, child)) : measure(child);
    }
    sizes.set(value, size);
    return size;
  };
  return measure(root);
}

/** The value that `#/a/b` refers to; undefined if there is none. */
export function resolvePointer(root: unknown, pointer: string): unknown {
  if (pointer === '#') return root;
  if (!pointer.startsWith('#/')) return undefined;
  let current = root;
  for (const token of pointer.slice(2).split('/')) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string, unknown>)[key];
  }
  return current;
}

/**
 * Reverts the effect of strict output on optional fields: drops a null if its property is optional and cannot be null.
 * Returns the value itself if it changes nothing.
 */
export function dropOptionalNulls(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return isPlainObject(items) ? value.map((item) => dropOptionalNulls(items, item)) : value;
  }
  const { properties, required } = schema;
  if (!isPlainObject(value) || !isPlainObject(properties)) return value;
  const needed: readonly unknown[] = Array.isArray(required) ? required : [];
  const entries = Object.entries(value).flatMap(([key, child]): [string, unknown][] => {
    const property = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (!isPlainObject(property)) return [[key, child]];
    if (child === null && !needed.includes(key) && !allowsNull(property)) return [];
    return [[key, dropOptionalNulls(property, child)]];
  });
  return Object.fromEntries(entries);
}

/** True unless the schema certainly refuses null. */
function allowsNull({ type, anyOf, oneOf, enum: values, $ref, const: constant }: JsonSchema): boolean {
  if (type === 'null' || (Array.isArray(type) && type.includes('null'))) return true;
  if (type !== undefined || constant !== undefined) return false;
  if (Array.isArray(values)) return values.includes(null);
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : undefined;
  if (choices !== undefined) return choices.some((choice) => isPlainObject(choice) && allowsNull(choice));
  return $ref === undefined;
}
