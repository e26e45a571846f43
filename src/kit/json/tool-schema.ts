/** Schemas of tool inputs in the form that every provider takes: one object with properties, without choices at its root. */
import type { JsonSchema } from '../../core/model/model.ts';
import { isPlainObject } from '../../language/shorthand.ts';
import { resolvePointer } from './json-validation.ts';

export interface ToolSchema {
  /** The given schema itself if it has the form. */
  readonly schema: JsonSchema;
  /** Keywords at the root that could not be kept, in the order of the schema. */
  readonly folded: readonly string[];
}

/** Released with the schema. */
const known = new WeakMap<JsonSchema, ToolSchema>();

/**
 * Missing `type` and `properties` are added. `allOf`, `anyOf`, `oneOf` and `$ref` at the root are folded into the object:
 * it has the properties of all their parts, and requires what every choice requires. Never throws; the input is not changed.
 */
export function toolSchema(given: JsonSchema): ToolSchema {
  const cached = known.get(given);
  if (cached !== undefined) return cached;
  const made = isSimple(given) ? { schema: given, folded: [] } : fold(given);
  known.set(given, made);
  return made;
}

const CHOICES = ['anyOf', 'oneOf'] as const;
/** Providers refuse these at the root, and an object without them accepts no less. */
const REFUSED: ReadonlySet<string> = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'enum', 'const']);
const MAX_LEVELS = 16;
const MAX_PARTS = 1000;

const isSimple = (schema: JsonSchema): boolean =>
  schema.type === 'object' &&
  isPlainObject(schema.properties) &&
  schema.$ref === undefined &&
  !Object.keys(schema).some((keyword) => REFUSED.has(keyword));

interface Folding {
  readonly root: JsonSchema;
  parts: number;
}

/** What the parts of a schema say about one object. */
interface Shape {
  /** The schemas of each property, by their JSON, so that equal ones count once. */
  readonly properties: Map<string, Map<string, unknown>>;
  readonly required: Set<string>;
  /** False: it cannot be an object. */
  readonly isObject: boolean;
}

function fold(given: JsonSchema): ToolSchema {
  const shape = shapeOf(given, { root: given, parts: 0 }, 0);
  const { $ref, description, ...rest } = given;
  const kept = Object.entries(rest).filter(([keyword]) => !REFUSED.has(keyword) && keyword !== 'type');
  const properties = Object.fromEntries([...shape.properties].map(([name, schemas]) => [name, anyOfThese(schemas)]));
  const words = [description, requirements(given)].filter((text) => typeof text === 'string' && text !== '').join(' ');
  const schema = {
    ...Object.fromEntries(kept),
    ...(words === '' ? {} : { description: words }),
    type: 'object',
    properties,
    ...(shape.required.size === 0 ? {} : { required: [...shape.required] }),
  };
  return { schema, folded: Object.keys(given).filter((keyword) => REFUSED.has(keyword)) };
}

function anyOfThese(schemas: ReadonlyMap<string, unknown>): unknown {
  const [first, ...others] = schemas.values();
  return others.length === 0 ? first : { anyOf: [first, ...others] };
}

/** What the object no longer says, for the model: which properties belong together. */
function requirements(schema: JsonSchema): string {
  const sets = CHOICES.flatMap((keyword) => (Array.isArray(schema[keyword]) ? schema[keyword] : []))
    .map((choice: unknown) => namesIn(isPlainObject(choice) ? choice.required : undefined).join(' and '))
    .filter((names) => names !== '');
  return sets.length < 2 ? '' : `Give ${sets.slice(0, 20).join(', or ')}.`;
}

const namesIn = (required: unknown): readonly string[] =>
  Array.isArray(required) ? required.filter((name) => typeof name === 'string') : [];

function shapeOf(given: unknown, folding: Folding, level: number): Shape {
  const shape: Shape = { properties: new Map(), required: new Set(), isObject: couldBeObject(given) };
  folding.parts += 1;
  if (!isPlainObject(given) || level > MAX_LEVELS || folding.parts > MAX_PARTS) return shape;
  if (typeof given.$ref === 'string') add(shape, shapeOf(resolvePointer(folding.root, given.$ref), folding, level + 1));
  if (isPlainObject(given.properties)) {
    for (const [name, property] of Object.entries(given.properties)) addProperty(shape, name, property);
  }
  for (const name of namesIn(given.required)) shape.required.add(name);
  for (const part of Array.isArray(given.allOf) ? given.allOf : []) add(shape, shapeOf(part, folding, level + 1));
  for (const keyword of CHOICES) {
    const choices = given[keyword];
    if (Array.isArray(choices))
      addChoices(
        shape,
        choices.map((choice) => shapeOf(choice, folding, level + 1)),
      );
  }
  return shape;
}

function couldBeObject(schema: unknown): boolean {
  if (!isPlainObject(schema)) return schema === true;
  const { type } = schema;
  return type === undefined || type === 'object' || (Array.isArray(type) && type.includes('object'));
}

function add(shape: Shape, part: Shape): void {
  addProperties(shape, part);
  for (const name of part.required) shape.required.add(name);
}

function addChoices(shape: Shape, all: readonly Shape[]): void {
  const choices = all.filter(({ isObject }) => isObject);
  for (const choice of choices) addProperties(shape, choice);
  const [first, ...others] = choices;
  for (const name of first?.required ?? []) {
    if (others.every(({ required }) => required.has(name))) shape.required.add(name);
  }
}

function addProperties(shape: Shape, { properties }: Shape): void {
  for (const [name, schemas] of properties) for (const schema of schemas.values()) addProperty(shape, name, schema);
}

function addProperty({ properties }: Shape, name: string, schema: unknown): void {
  const schemas = properties.get(name);
  const key = JSON.stringify(schema);
  if (schemas === undefined) properties.set(name, new Map([[key, schema]]));
  else if (!schemas.has(key)) schemas.set(key, schema);
}
