/**
 * Schemas that a program gives for its own values: zod, JSON Schema, the shorthand of plans. A schema of zod is run, so that
 * its refinements, defaults and conversions act; others are checked.
 */
import { errorRecord, PolyphonyError } from '../../../core/errors.ts';
import type { JsonSchema } from '../../../core/model/model.ts';
import { jsonForm } from '../../../core/run/plain-json.ts';
import { ignorePromises } from '../../../core/user-code/ignored-promises.ts';
import { dateAt } from '../../../system/clock.ts';
import { dropOptionalNulls, isZod, type JsonIssue, toJsonSchema, validateJson } from '../json-schema.ts';

export type SchemaReading =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly JsonIssue[] };

export interface OwnSchema {
  /** Of the values that it takes, as they stand in JSON: what a model or a plan is told to write. */
  readonly input: JsonSchema;
  /** Of the values that it gives, as they stand in JSON: what references see. */
  readonly output: JsonSchema;
  /**
   * Runs the schema: the value as the program sees it, with dates as dates. Throws invalid-output when the schema's own code
   * throws.
   */
  read(value: unknown): Promise<SchemaReading>;
  /** As `read`, with the value as JSON holds it: what a journal keeps. */
  keep(value: unknown): Promise<SchemaReading>;
}

/** A program's schema that a plan declares: it stays in the process, and the plan has what JSON can say of it. */
export interface WrittenSchema {
  readonly schema: OwnSchema;
  /** As in the plan: shorthand where that says the same, else JSON Schema. */
  readonly written: Readonly<Record<string, unknown>>;
}

/** Those of a workflow that was written in TypeScript. */
export interface WorkflowSchemas {
  readonly input?: WrittenSchema;
  /** By the id of the node whose `out` it is. */
  readonly outputs: ReadonlyMap<string, WrittenSchema>;
}

/** Released with the schema. */
const known = new WeakMap<object, OwnSchema>();

/**
 * The schema, converted once.
 *
 * @throws invalid-request for what is no schema
 */
export function ownSchema(schema: object): OwnSchema {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const made = isZod(schema) ? ofZod(schema) : ofJson(toJsonSchema(schema));
  known.set(schema, made);
  return made;
}

/**
 * As `ownSchema`, for places that have always taken JSON Schema: what is not of zod is JSON Schema as it stands, and no
 * shorthand.
 */
export function zodOrJson(schema: object): OwnSchema {
  if (isZod(schema)) return ownSchema(schema);
  const before = plain.get(schema);
  if (before !== undefined) return before;
  const made = ofJson(schema as JsonSchema);
  plain.set(schema, made);
  return made;
}

const plain = new WeakMap<object, OwnSchema>();

function ofZod(schema: object): OwnSchema {
  const input = toJsonSchema(schema);
  const read = (value: unknown): Promise<SchemaReading> => run(schema, input, value);
  return {
    input,
    output: toJsonSchema(schema, { io: 'output' }),
    read,
    keep: async (value) => asJson(await read(value)),
  };
}

function ofJson(schema: JsonSchema): OwnSchema {
  const read = async (value: unknown): Promise<SchemaReading> => {
    const checked = validateJson(schema, value, { trusted: true });
    if (!checked.ok) ignorePromises(value);
    return checked;
  };
  return { input: schema, output: schema, read, keep: (value) => read(jsonForm(value)) };
}

const asJson = (reading: SchemaReading): SchemaReading =>
  reading.ok ? { ok: true, value: jsonForm(reading.value) } : reading;

// ---------------------------------------------------------------------------------------------------- running a schema of zod

interface ZodIssue {
  readonly code?: string;
  readonly expected?: unknown;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  /** Of the choices of a union: in zod 4 with paths from the union on, in zod 3 with whole ones. */
  readonly errors?: readonly (readonly ZodIssue[])[];
  readonly unionErrors?: readonly { readonly issues: readonly ZodIssue[] }[];
}
type ZodResult =
  | { readonly success: true; readonly data: unknown }
  | { readonly success: false; readonly error: { readonly issues: readonly ZodIssue[] } };
interface ZodParser {
  safeParseAsync(value: unknown): Promise<ZodResult>;
}

async function run(schema: object, input: JsonSchema, given: unknown): Promise<SchemaReading> {
  const value = dropOptionalNulls(input, given);
  try {
    const parser = await parserOf(schema);
    let result = await parser.safeParseAsync(value);
    const dated = result.success ? undefined : withDates(value, result.error.issues);
    if (dated !== undefined) result = await parser.safeParseAsync(dated);
    if (result.success) return { ok: true, value: result.data };
    ignorePromises(value);
    return { ok: false, issues: result.error.issues.map(issueOf) };
  } catch (error) {
    const message = `The schema itself failed while it checked a value: ${errorRecord(error).message}`;
    throw new PolyphonyError('invalid-output', message, { cause: error });
  }
}

/** Schemas of the smallest zod have no methods. */
async function parserOf(schema: object): Promise<ZodParser> {
  if ('safeParseAsync' in schema) return schema as ZodParser;
  const { safeParseAsync } = await import('zod/v4/core');
  return { safeParseAsync: (value) => safeParseAsync(schema as Parameters<typeof safeParseAsync>[0], value) };
}

const MOST_SHOWN_KEY = 200;

const issueOf = ({ path, message }: ZodIssue): JsonIssue => ({
  path: path.map((key) => `/${pointerKey(String(key).slice(0, MOST_SHOWN_KEY))}`).join(''),
  message,
});

const pointerKey = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

const ISO_DATE = /^\d{4}-\d\d-\d\d(?:T[\d:.]{5,18}(?:Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * JSON has no dates, so a text in ISO form is a date where the schema wants one. Undefined: that is not what is wrong with the
 * value. A schema that takes texts has taken them before, so none is changed that it wants as a text.
 */
function withDates(value: unknown, issues: readonly ZodIssue[]): unknown {
  const copies = new Map<object, object>();
  let dated: unknown;
  for (const { path, date } of wantedDates(value, issues, []).dates)
    dated = placed(dated ?? value, path, 0, date, copies);
  return dated;
}

interface WantedDates {
  readonly dates: readonly { readonly path: readonly PropertyKey[]; readonly date: Date }[];
  /** Issues that no date mends. */
  readonly others: number;
}

/** Of a union, the dates of the first choice that they are all that is missing for. */
function wantedDates(value: unknown, issues: readonly ZodIssue[], base: readonly PropertyKey[]): WantedDates {
  const dates: WantedDates['dates'][number][] = [];
  let others = 0;
  for (const issue of issues) {
    const path = [...base, ...issue.path];
    const date = issue.code === 'invalid_type' && issue.expected === 'date' ? dateOf(valueAt(value, path)) : undefined;
    const found = date === undefined ? choiceWithDates(value, issue, { base, path }) : { dates: [{ path, date }] };
    if (found === undefined) others += 1;
    else dates.push(...found.dates);
  }
  return { dates, others };
}

function choiceWithDates(
  value: unknown,
  { errors, unionErrors }: ZodIssue,
  { base, path }: { readonly base: readonly PropertyKey[]; readonly path: readonly PropertyKey[] },
): WantedDates | undefined {
  const choices =
    errors?.map((issues) => wantedDates(value, issues, path)) ??
    unionErrors?.map(({ issues }) => wantedDates(value, issues, base));
  return choices?.find(({ dates, others }) => others === 0 && dates.length > 0);
}

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (owner, key) =>
      typeof owner === 'object' && owner !== null && Object.hasOwn(owner, key) ? Reflect.get(owner, key) : undefined,
    value,
  );

/** The value with the date at its place. Each list and object on the way is copied once for all dates. */
function placed(
  value: unknown,
  path: readonly PropertyKey[],
  at: number,
  date: Date,
  copies: Map<object, object>,
): unknown {
  const key = path[at];
  if (key === undefined || typeof value !== 'object' || value === null) return date;
  const copy: object = copies.get(value) ?? (Array.isArray(value) ? [...value] : { ...value });
  copies.set(value, copy);
  copies.set(copy, copy);
  Reflect.set(copy, key, placed(Reflect.get(copy, key), path, at + 1, date, copies));
  return copy;
}

function dateOf(value: unknown): Date | undefined {
  if (typeof value !== 'string' || value.length > 40 || !ISO_DATE.test(value)) return undefined;
  const epochMs = Date.parse(value);
  return Number.isNaN(epochMs) ? undefined : dateAt(epochMs);
}

// ---------------------------------------------------------------------------------------------------- in messages

const MOST_ISSUES = 8;

/** The first issues with their places. */
export const shownIssues = (issues: readonly JsonIssue[]): string =>
  issues
    .slice(0, MOST_ISSUES)
    .map(({ path, message }) => `${path === '' ? '/' : path} ${message}`)
    .join('; ');
