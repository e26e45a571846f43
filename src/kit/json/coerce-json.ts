/**
 * Values of models as what they mean: `"3"` where a number is wanted, `"HIGH"` for the value `high`, a field that a closed
 * object does not have. Only what has one meaning is changed; whether the result fits is the validation's to say.
 */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { tryParseJson } from './json-shape.ts';
import { resolvePointer } from './json-validation.ts';
import { textSteps } from './validation/run.ts';

export interface CoercedJson {
  /** The given value itself if nothing was changed. */
  readonly value: unknown;
  /** Places that were changed, as JSON pointers, and how: at most 20. */
  readonly changes: readonly string[];
}

const MOST_CHANGES = 20;
const MOST_LEVELS = 64;
/** The most work of one value: some tenths of a second. Beyond it the rest of the value stays as it is. */
const MOST_STEPS = 1_000_000;

interface Coercion {
  readonly root: JsonSchema;
  readonly changes: string[];
  /** What was read of schemas already, however many values they are for. */
  readonly read: Readings;
  /** Steps that are left: one for each schema and each field that is looked at, and one for each 32 characters of a text. */
  steps: number;
}

interface Readings {
  readonly choices: Map<JsonSchema, Choices | undefined>;
  readonly targets: Map<JsonSchema, unknown>;
}

/** The values that a schema lists. */
interface Choices {
  readonly exact: ReadonlySet<unknown>;
  /** Those that are no lists or objects, by their plain text; undefined where several have the same. */
  readonly near: ReadonlyMap<string, unknown>;
}

/** Never throws; the input is not changed. */
export const coerceJson = (schema: JsonSchema, value: unknown): CoercedJson =>
  countedCoercion(schema, value, MOST_STEPS).coerced;

export interface CountedCoercion {
  readonly coerced: CoercedJson;
  /** The work that it took. */
  readonly steps: number;
}

/** `coerceJson` with a bound of the caller's. */
export function countedCoercion(schema: JsonSchema, value: unknown, mostSteps: number): CountedCoercion {
  const read = { choices: new Map(), targets: new Map() };
  const coercion: Coercion = { root: schema, changes: [], read, steps: mostSteps };
  const coerced = coerce(schema, value, { path: '', level: 0 }, coercion);
  return { coerced: { value: coerced, changes: coercion.changes }, steps: mostSteps - coercion.steps };
}

/** False when nothing is left. */
function spend(coercion: Coercion, steps: number): boolean {
  coercion.steps -= steps;
  return coercion.steps >= 0;
}

interface Place {
  readonly path: string;
  readonly level: number;
}

function coerce(given: unknown, value: unknown, place: Place, coercion: Coercion): unknown {
  if (!spend(coercion, 1) || !isPlainObject(given) || place.level > MOST_LEVELS) return value;
  const deeper = { path: place.path, level: place.level + 1 };
  let result = value;
  if (typeof given.$ref === 'string') result = coerce(targetOf(given, coercion), result, deeper, coercion);
  for (const part of Array.isArray(given.allOf) ? given.allOf : []) result = coerce(part, result, deeper, coercion);
  const choices = Array.isArray(given.anyOf) ? given.anyOf : Array.isArray(given.oneOf) ? given.oneOf : undefined;
  if (choices !== undefined) result = coerceChoice(choices, result, deeper, coercion);
  result = coerceHere(given, result, place, coercion);
  if (Array.isArray(result)) return coerceItems(given, result, place, coercion);
  return isPlainObject(result) ? coerceFields(given, result, place, coercion) : result;
}

/** What the schema refers to; the schema itself where it refers to nothing. */
function targetOf(schema: JsonSchema, { root, read: { targets } }: Coercion): unknown {
  const { $ref } = schema;
  if (typeof $ref !== 'string') return schema;
  if (!targets.has(schema)) targets.set(schema, resolvePointer(root, $ref));
  return targets.get(schema);
}

/** The first choice that the value has the form of, else the first one whose form it can take. */
function coerceChoice(choices: readonly unknown[], value: unknown, place: Place, coercion: Coercion): unknown {
  const formed = choices.find((choice) => hasForm(choice, value, coercion));
  if (formed !== undefined) return coerce(formed, value, place, coercion);
  for (const choice of choices) {
    if (coercion.steps < 0) break;
    const attempt: Coercion = { ...coercion, changes: [] };
    const coerced = coerce(choice, value, place, attempt);
    coercion.steps = attempt.steps;
    if (attempt.changes.length === 0 || !hasForm(choice, coerced, coercion)) continue;
    note(coercion, ...attempt.changes);
    return coerced;
  }
  return value;
}

/** Type, enum and constant are right; of an object, so are those of its fields that tell choices apart. */
function hasForm(given: unknown, value: unknown, coercion: Coercion): boolean {
  if (!spend(coercion, 1)) return false;
  const target = isPlainObject(given) ? targetOf(given, coercion) : given;
  if (!isPlainObject(target)) return target !== false;
  if (!hasType(target.type, value) || !isListed(target, value, coercion)) return false;
  if (!isPlainObject(value)) return true;
  const { properties, required } = target;
  const needed = Array.isArray(required) ? required : [];
  if (!spend(coercion, needed.length)) return false;
  if (needed.some((name) => typeof name === 'string' && !Object.hasOwn(value, name))) return false;
  const known = Object.entries(isPlainObject(properties) ? properties : {});
  if (!spend(coercion, known.length)) return false;
  return known.every(
    ([name, property]) =>
      !Object.hasOwn(value, name) || !isPlainObject(property) || isListed(property, value[name], coercion),
  );
}

/** Undefined if the schema lists no values. Read once, because a list may be long and the values that it is for many. */
function choicesOf(schema: JsonSchema, coercion: Coercion): Choices | undefined {
  const { enum: values, const: constant } = schema;
  const listed: readonly unknown[] | undefined = Array.isArray(values)
    ? values
    : constant === undefined
      ? undefined
      : [constant];
  if (listed === undefined) return undefined;
  const { choices } = coercion.read;
  const known = choices.get(schema);
  if (known !== undefined) return known;
  const near = new Map<string, unknown>();
  for (const one of listed) {
    spend(coercion, typeof one === 'string' ? textSteps(one) : 1);
    if (typeof one === 'object') continue;
    const text = plain(one);
    near.set(text, near.has(text) ? undefined : one);
  }
  const found = { exact: new Set(listed), near };
  choices.set(schema, found);
  return found;
}

/** Values that are no scalars are left to the validation. */
function isListed(schema: JsonSchema, value: unknown, coercion: Coercion): boolean {
  const choices = choicesOf(schema, coercion);
  return choices === undefined || typeof value === 'object' || choices.exact.has(value);
}

function hasType(type: unknown, value: unknown): boolean {
  if (type === undefined) return true;
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  return types.some((name) => name === typeOf(value) || (name === 'number' && typeOf(value) === 'integer'));
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

// ---------------------------------------------------------------------------------------------------- one value

function coerceHere(schema: JsonSchema, value: unknown, place: Place, coercion: Coercion): unknown {
  const choices = choicesOf(schema, coercion);
  if (choices !== undefined) {
    const listed = nearestOf(choices, value, coercion);
    return listed === undefined ? value : changed(value, listed, place, coercion);
  }
  if (hasType(schema.type, value)) return value;
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  for (const type of types) {
    if (!spend(coercion, typeof value === 'string' ? textSteps(value) : 1)) return value;
    const converted = convert(type, value);
    if (converted !== undefined) return changed(value, converted, place, coercion);
  }
  return value;
}

/** The one value that differs in nothing but case, white space around it, or its type. */
function nearestOf({ exact, near }: Choices, value: unknown, coercion: Coercion): unknown {
  if (typeof value === 'object' || exact.has(value)) return undefined;
  if (typeof value === 'string' && !spend(coercion, textSteps(value))) return undefined;
  return near.get(plain(value));
}

const plain = (value: unknown): string => String(value).trim().toLowerCase();

const NUMBER = /^[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:e[+-]?\d{1,3})?$/i;

/** Undefined if the value has no meaning of this type. */
function convert(type: unknown, value: unknown): unknown {
  switch (type) {
    case 'number':
    case 'integer': {
      const number = typeof value === 'string' && NUMBER.test(value.trim()) ? Number(value) : Number.NaN;
      const fits = type === 'number' ? Number.isFinite(number) : Number.isSafeInteger(number);
      return fits ? number : undefined;
    }
    case 'boolean':
      return typeof value === 'string' ? { true: true, false: false }[plain(value)] : undefined;
    case 'string':
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
    case 'array':
    case 'object': {
      const parsed = typeof value === 'string' ? tryParseJson(value) : undefined;
      return typeOf(parsed) === type ? parsed : undefined;
    }
    default:
      return undefined;
  }
}

function changed(before: unknown, after: unknown, { path }: Place, coercion: Coercion): unknown {
  note(coercion, `${path || '/'} ${typeOf(before)} read as ${typeOf(after)}`);
  return after;
}

function note({ changes }: Coercion, ...more: readonly string[]): void {
  changes.push(...more.slice(0, MOST_CHANGES - changes.length));
}

// ---------------------------------------------------------------------------------------------------- inside of values

function coerceItems({ items }: JsonSchema, values: readonly unknown[], place: Place, coercion: Coercion): unknown {
  if (!isPlainObject(items)) return values;
  const coerced = values.map((value, index) => coerce(items, value, inside(place, String(index)), coercion));
  return coerced.every((value, index) => value === values[index]) ? values : coerced;
}

function coerceFields(
  { properties, additionalProperties, patternProperties }: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  place: Place,
  coercion: Coercion,
): unknown {
  const known = isPlainObject(properties) ? properties : {};
  const isClosed = additionalProperties === false && patternProperties === undefined;
  let same = true;
  const entries: [string, unknown][] = [];
  const fields = Object.entries(value);
  if (!spend(coercion, fields.length)) return value;
  for (const [name, field] of fields) {
    const isKnown = Object.hasOwn(known, name);
    if (!isKnown && isClosed) {
      // A place takes longer to write than to leave out.
      if (coercion.changes.length < MOST_CHANGES)
        note(coercion, `${inside(place, name).path} is unknown and was left out`);
      same = false;
      continue;
    }
    const coerced = coerce(isKnown ? known[name] : additionalProperties, field, inside(place, name), coercion);
    if (coerced !== field) same = false;
    entries.push([name, coerced]);
  }
  return same ? value : Object.fromEntries(entries);
}

const inside = ({ path, level }: Place, name: string): Place => ({
  path: level > 8 ? path : `${path}/${name.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1')}`,
  level: level + 1,
});
