/**
 * Values of models as what they mean: `"3"` where a number is wanted, `"HIGH"` for the value `high`, a field that a closed
 * object does not have. Only what has one meaning is changed; whether the result fits is the validation's to say.
 */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { tryParseJson } from './json-shape.ts';
import { resolvePointer } from './json-validation.ts';

export interface CoercedJson {
  /** The given value itself if nothing was changed. */
  readonly value: unknown;
  /** Places that were changed, as JSON pointers, and how: at most 20. */
  readonly changes: readonly string[];
}

const MOST_CHANGES = 20;
const MOST_LEVELS = 64;
/** Values and schemas that are looked at. */
const MOST_STEPS = 100_000;

interface Coercion {
  readonly root: JsonSchema;
  readonly changes: string[];
  steps: number;
}

/** Never throws; the input is not changed. */
export function coerceJson(schema: JsonSchema, value: unknown): CoercedJson {
  const coercion: Coercion = { root: schema, changes: [], steps: 0 };
  const coerced = coerce(schema, value, { path: '', level: 0 }, coercion);
  return { value: coerced, changes: coercion.changes };
}

interface Place {
  readonly path: string;
  readonly level: number;
}

function coerce(given: unknown, value: unknown, place: Place, coercion: Coercion): unknown {
  coercion.steps += 1;
  if (!isPlainObject(given) || place.level > MOST_LEVELS || coercion.steps > MOST_STEPS) return value;
  const deeper = { path: place.path, level: place.level + 1 };
  let result = value;
  if (typeof given.$ref === 'string')
    result = coerce(resolvePointer(coercion.root, given.$ref), result, deeper, coercion);
  for (const part of Array.isArray(given.allOf) ? given.allOf : []) result = coerce(part, result, deeper, coercion);
  const choices = Array.isArray(given.anyOf) ? given.anyOf : Array.isArray(given.oneOf) ? given.oneOf : undefined;
  if (choices !== undefined) result = coerceChoice(choices, result, deeper, coercion);
  result = coerceHere(given, result, place, coercion);
  if (Array.isArray(result)) return coerceItems(given, result, place, coercion);
  return isPlainObject(result) ? coerceFields(given, result, place, coercion) : result;
}

/** The first choice that the value has the form of, else the first one whose form it can take. */
function coerceChoice(choices: readonly unknown[], value: unknown, place: Place, coercion: Coercion): unknown {
  const formed = choices.find((choice) => hasForm(choice, value, coercion));
  if (formed !== undefined) return coerce(formed, value, place, coercion);
  for (const choice of choices) {
    const attempt: Coercion = { root: coercion.root, changes: [], steps: coercion.steps };
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
  coercion.steps += 1;
  if (coercion.steps > MOST_STEPS) return false;
  const target =
    isPlainObject(given) && typeof given.$ref === 'string' ? resolvePointer(coercion.root, given.$ref) : given;
  if (!isPlainObject(target)) return target !== false;
  if (!hasType(target.type, value) || !isListed(valuesOf(target), value)) return false;
  if (!isPlainObject(value)) return true;
  const { properties, required } = target;
  if (Array.isArray(required) && required.some((name) => typeof name === 'string' && !Object.hasOwn(value, name)))
    return false;
  return Object.entries(isPlainObject(properties) ? properties : {}).every(
    ([name, property]) =>
      !Object.hasOwn(value, name) || !isPlainObject(property) || isListed(valuesOf(property), value[name]),
  );
}

const valuesOf = ({ enum: values, const: constant }: JsonSchema): readonly unknown[] | undefined =>
  Array.isArray(values) ? values : constant === undefined ? undefined : [constant];

/** Values that are no scalars are left to the validation. */
const isListed = (values: readonly unknown[] | undefined, value: unknown): boolean =>
  values === undefined || typeof value === 'object' || values.includes(value);

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
  const values = valuesOf(schema);
  if (values !== undefined) {
    const listed = nearestOf(values, value);
    return listed === undefined ? value : changed(value, listed, place, coercion);
  }
  if (hasType(schema.type, value)) return value;
  const types: readonly unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type];
  for (const type of types) {
    const converted = convert(type, value);
    if (converted !== undefined) return changed(value, converted, place, coercion);
  }
  return value;
}

/** The one value that differs in nothing but case, white space around it, or its type. */
function nearestOf(values: readonly unknown[], value: unknown): unknown {
  if (typeof value === 'object' || values.includes(value)) return undefined;
  const wanted = plain(value);
  const near = values.filter((one) => typeof one !== 'object' && plain(one) === wanted);
  return near.length === 1 ? near[0] : undefined;
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
  for (const [name, field] of Object.entries(value)) {
    const isKnown = Object.hasOwn(known, name);
    if (!isKnown && isClosed) {
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
