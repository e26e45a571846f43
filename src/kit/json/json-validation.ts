/**
 * Validation of JSON against JSON Schema 2020-12 and draft-07, by checks of our own whose work is counted: a plan, a model or
 * a server may have written the schema and the value.
 *
 * A `pattern` can take forever on a short text and cannot be counted, so only a schema that the caller vouches for may have
 * one. Everything else that would not end is refused when the schema is read.
 */
import { PolyphonyError } from '../../core/errors.ts';
import type { JsonSchema } from '../../core/model/model.ts';
import { compileParts } from './validation/compile.ts';
import { CheckEnded, type CheckRun, type JsonIssue, newRun } from './validation/run.ts';
import type { SchemaPart } from './validation/schema-parts.ts';
import { readTrusted, readUntrusted } from './validation/unsafe-schema.ts';

export { resolvePointer } from './validation/pointer.ts';
export type { JsonIssue } from './validation/run.ts';
export { refuseUnsafeSchema } from './validation/unsafe-schema.ts';

export type JsonValidation<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

export interface ValidateJsonOptions {
  /** The schema is the program's own, so its patterns may run. @default false */
  readonly trusted?: boolean;
}

/** The most work of one validation: about a second. An array of four million numbers takes four million steps. */
export const MOST_STEPS = 10_000_000;

/** Released with the schema. */
const compiled = { trusted: new WeakMap<JsonSchema, SchemaPart>(), untrusted: new WeakMap<JsonSchema, SchemaPart>() };

/**
 * Validates a value without changing it. Compiled schemas are cached by the schema object, so pass the same object again.
 * Formats are annotations, and keywords that are not known are ignored. A value that takes more than 10,000,000 steps is
 * invalid, and its issue says so.
 *
 * @throws invalid-request when the schema is invalid, or is unsafe and not trusted
 */
export function validateJson(schema: JsonSchema, value: unknown, options: ValidateJsonOptions = {}): JsonValidation {
  return countedValidation(schema, value, options, MOST_STEPS).validation;
}

export interface CountedValidation {
  readonly validation: JsonValidation;
  /** The work that it took. */
  readonly steps: number;
}

/** `validateJson` with a bound of the caller's. */
export function countedValidation(
  schema: JsonSchema,
  value: unknown,
  { trusted = false }: ValidateJsonOptions,
  mostSteps: number,
): CountedValidation {
  const root = compiled[trusted ? 'trusted' : 'untrusted'].get(schema) ?? compile(schema, trusted);
  const first = newRun(mostSteps, undefined);
  const ended = check(root, value, first);
  if (ended === true) return { validation: { ok: true, value }, steps: mostSteps - first.steps };
  const issues = ended === false ? [] : [ended];
  // The second pass keeps what the first one does not: the issues with their places.
  const second = newRun(first.steps, issues);
  const again = ended === false ? check(root, value, second) : false;
  if (typeof again === 'object' && issues.length === 0) issues.push(again);
  return { validation: { ok: false, issues }, steps: mostSteps - second.steps };
}

/** Whether the value is valid, or the issue that ended the check. */
function check(root: SchemaPart, value: unknown, run: CheckRun): boolean | JsonIssue {
  try {
    return root.check(value, run);
  } catch (error) {
    if (error instanceof CheckEnded) return { path: '', message: error.message };
    if (error instanceof RangeError) return { path: '', message: 'is nested too deeply to be checked: flatten it' };
    throw error;
  }
}

function compile(schema: JsonSchema, trusted: boolean): SchemaPart {
  const { root, parts, issues } = trusted ? readTrusted(schema) : readUntrusted(schema);
  const [issue] = issues;
  if (issue !== undefined || root === undefined) {
    const message = `The JSON Schema is invalid: ${issue?.message ?? 'it is no object.'} (at "${issue?.path ?? ''}")`;
    throw new PolyphonyError('invalid-request', message);
  }
  compileParts(parts);
  compiled[trusted ? 'trusted' : 'untrusted'].set(schema, root);
  return root;
}
