/**
 * The type of a value before it exists: the leaves of a JSON Schema (references and choices followed), walked by paths and
 * compared with the type that an input expects. Where a schema does not restrict a value, every value is allowed: only a
 * value that can never fit is an issue.
 */
import type { JsonSchema } from '../../core/model/model.ts';
import { resolvePointer } from '../../kit/json/json-validation.ts';
import { expressionIn } from '../../language/template-syntax.ts';
import { isRecord } from '../document/document.ts';

/** One schema that a value may have, with the document that its `$ref`s point into. */
export interface Leaf {
  readonly schema: JsonSchema;
  readonly root: JsonSchema;
}

/** The schemas that a value may have; `'any'`: nothing is known. */
export type InferredType = 'any' | readonly Leaf[];

const MOST_LEAVES = 32;
const DEEPEST = 16;

const inferredTypes = new WeakMap<JsonSchema, InferredType>();

/** The type of the values that the schema accepts. */
export function inferredType(schema: JsonSchema): InferredType {
  const known = inferredTypes.get(schema);
  if (known !== undefined) return known;
  const inferred = leavesOf(schema, schema);
  inferredTypes.set(schema, inferred);
  return inferred;
}

/** The type of the values that a schema inside `root` accepts. */
export function leavesOf(schema: unknown, root: JsonSchema): InferredType {
  if (isOneLeaf(schema)) return [{ schema, root }];
  const leaves: Leaf[] = [];
  return collect(schema, root, leaves, 0) ? leaves : 'any';
}

/** Most schemas name one type and nothing else that matters here; these need no list that grows. */
const isOneLeaf = (schema: unknown): schema is JsonSchema =>
  isRecord(schema) &&
  typeof schema.type === 'string' &&
  schema.$ref === undefined &&
  schema.allOf === undefined &&
  schema.not === undefined &&
  schema.if === undefined;

/** False when the schema uses something that is not supported here: then nothing is known. */
function collect(schema: unknown, root: JsonSchema, leaves: Leaf[], depth: number): boolean {
  if (!isRecord(schema) || depth > DEEPEST || leaves.length >= MOST_LEAVES) return false;
  if (typeof schema.$ref === 'string') {
    return collect(resolvePointer(root, schema.$ref), root, leaves, depth + 1);
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) {
    // Choices beside a type or properties (such as of required fields) only narrow that object.
    if (schema.type !== undefined || schema.properties !== undefined) {
      leaves.push({ schema, root });
      return true;
    }
    return choices.length > 0 && choices.every((choice) => collect(choice, root, leaves, depth + 1));
  }
  if (Array.isArray(schema.allOf) || schema.not !== undefined || schema.if !== undefined) return false;
  if (isEmpty(schema)) return false;
  leaves.push({ schema, root });
  return true;
}

function isEmpty(schema: object): boolean {
  for (const _ in schema) return false;
  return true;
}

export type JsonType = 'string' | 'number' | 'integer' | 'boolean' | 'null' | 'object' | 'array';

export function typeOfValue(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'boolean' : 'object';
}

const enumTypes = new WeakMap<object, readonly string[]>();

/** The types of the choices, found once: an enum may be long, and every path asks. */
function typesOfChoices(choices: readonly unknown[]): readonly string[] {
  const known = enumTypes.get(choices) ?? [...new Set(choices.map(typeOfValue))];
  enumTypes.set(choices, known);
  return known;
}

/** The types that a leaf allows; undefined: any. */
export function typesOf({ schema }: Leaf): readonly string[] | undefined {
  const { type } = schema;
  if (typeof type === 'string') return schema.nullable === true ? [type, 'null'] : [type];
  if (Array.isArray(type)) return type.filter((name) => typeof name === 'string');
  if (schema.const !== undefined) return [typeOfValue(schema.const)];
  if (Array.isArray(schema.enum)) return typesOfChoices(schema.enum);
  if (schema.properties !== undefined) return ['object'];
  return schema.items !== undefined || schema.prefixItems !== undefined ? ['array'] : undefined;
}

/** Every type that the value may have, for messages; undefined: any. */
export function typesOfInferred(inferred: InferredType): readonly string[] | undefined {
  if (inferred === 'any') return undefined;
  const types = new Set<string>();
  for (const leaf of inferred) {
    const some = typesOf(leaf);
    if (some === undefined) return undefined;
    for (const type of some) types.add(type);
  }
  return [...types];
}

export const mayBe = (leaf: Leaf, type: JsonType): boolean => {
  // Runs for every step of every path, mostly with a schema that names one type.
  if (typeof leaf.schema.type === 'string' && leaf.schema.nullable !== true) return leaf.schema.type === type;
  const types = typesOf(leaf);
  return types === undefined || types.includes(type);
};

// ---------------------------------------------------------------------------------------------------- paths

/** The type one step further, by the name of a field or an index; undefined where no leaf has such a field or item. */
export function stepInto(inferred: InferredType, step: string | number): InferredType | undefined {
  if (inferred === 'any') return 'any';
  const [only] = inferred;
  if (only !== undefined && inferred.length === 1) return partOf(only, step);
  const parts = inferred.map((leaf) => partOf(leaf, step)).filter((part) => part !== undefined);
  if (parts.length === 0) return undefined;
  return parts.includes('any') ? 'any' : parts.flatMap((part) => (part === 'any' ? [] : part));
}

const partOf = (leaf: Leaf, step: string | number): InferredType | undefined =>
  typeof step === 'number' ? itemOf(leaf, step) : fieldOf(leaf, step);

const MOST_NAMES = 200;

/** Names of fields that the type declares, for suggestions. */
export function fieldNamesOf(inferred: InferredType): readonly string[] {
  const names = new Set<string>();
  for (const leaf of inferred === 'any' ? [] : inferred) {
    const { properties } = leaf.schema;
    if (!mayBe(leaf, 'object') || !isRecord(properties)) continue;
    for (const name in properties) {
      if (names.size >= MOST_NAMES) return [...names];
      names.add(name);
    }
  }
  return [...names];
}

function itemOf(leaf: Leaf, index: number): InferredType | undefined {
  if (!mayBe(leaf, 'array')) return undefined;
  const { prefixItems, items } = leaf.schema;
  const schema: unknown = Array.isArray(prefixItems) && index < prefixItems.length ? prefixItems[index] : items;
  if (schema === false) return undefined;
  return leavesOf(schema, leaf.root);
}

function fieldOf(leaf: Leaf, field: string): InferredType | undefined {
  if (!mayBe(leaf, 'object')) return undefined;
  const { properties, patternProperties, additionalProperties } = leaf.schema;
  const declared = isRecord(properties) ? properties : undefined;
  if (declared !== undefined && Object.hasOwn(declared, field)) return leavesOf(declared[field], leaf.root);
  if (patternProperties !== undefined || additionalProperties === true) return 'any';
  if (isRecord(additionalProperties)) return leavesOf(additionalProperties, leaf.root);
  // A schema that declares fields counts as closed, even when it does not set additionalProperties.
  const open = additionalProperties === undefined && (declared === undefined || isEmpty(declared));
  return open ? 'any' : undefined;
}

/** The type of the items of an array; undefined when the value cannot be an array. */
export function itemsOf(inferred: InferredType): InferredType | undefined {
  if (inferred === 'any') return 'any';
  const arrays = inferred.filter((leaf) => mayBe(leaf, 'array'));
  if (arrays.length === 0) return undefined;
  const items = arrays.map((leaf) => leavesOf(leaf.schema.items, leaf.root));
  const known: Leaf[] = [];
  for (const item of items) {
    if (item === 'any') return 'any';
    known.push(...item);
  }
  return known;
}

/** The type of a value that is one of several. */
export function anyOf(types: readonly InferredType[]): InferredType {
  const leaves: Leaf[] = [];
  const choices = new Set<unknown>();
  for (const inferred of types) {
    if (inferred === 'any') return 'any';
    for (const leaf of inferred) {
      const { type, enum: values } = leaf.schema;
      if (type === 'string' && Array.isArray(values)) for (const value of values) choices.add(value);
      else if (!leaves.some(({ schema }) => schema === leaf.schema)) leaves.push(leaf);
    }
  }
  if (choices.size > 0) leaves.push({ schema: { type: 'string', enum: [...choices] }, root: {} });
  return leaves.length === 0 || leaves.length > MOST_LEAVES ? 'any' : leaves;
}

/** The schema of a type, to stand in another schema; it allows any value where references into a document lead out of it. */
export function schemaOf(inferred: InferredType): JsonSchema {
  if (inferred === 'any' || inferred.some(({ root }) => '$defs' in root || 'definitions' in root)) return {};
  const [only] = inferred;
  return only !== undefined && inferred.length === 1 ? only.schema : { anyOf: inferred.map(({ schema }) => schema) };
}

export function arrayOf(inferred: InferredType): InferredType {
  if (inferred === 'any') return [{ schema: { type: 'array' }, root: {} }];
  return inferred.map(({ schema, root }) => ({ schema: { type: 'array', items: schema }, root }));
}

// ---------------------------------------------------------------------------------------------------- fitting

const NUMERIC: ReadonlySet<string> = new Set(['number', 'integer']);

const typesMeet = (actual: readonly string[], expected: readonly string[]): boolean =>
  actual.some((type) => expected.includes(type) || (NUMERIC.has(type) && expected.some((other) => NUMERIC.has(other))));

/** Comparisons of two leaves, after which nothing more is said of the types. */
const MOST_COMPARISONS = 2000;

interface Comparing {
  depth: number;
  left: number;
}

/** False when no value of `actual` can be one of `expected`. Null always fits, because a skipped node outputs null. */
export const canFit = (actual: InferredType, expected: InferredType): boolean =>
  typesFit(actual, expected, { depth: 0, left: MOST_COMPARISONS });

function typesFit(actual: InferredType, expected: InferredType, comparing: Comparing): boolean {
  if (actual === 'any' || expected === 'any' || comparing.depth > 4) return true;
  comparing.depth += 1;
  const fits = actual.some((mine) => expected.some((theirs) => leafFits(mine, theirs, comparing)));
  comparing.depth -= 1;
  return fits;
}

function leafFits(actual: Leaf, expected: Leaf, comparing: Comparing): boolean {
  comparing.left -= 1;
  if (comparing.left < 0) return true;
  const mine = typesOf(actual);
  const theirs = typesOf(expected);
  if (mine === undefined || theirs === undefined) return true;
  if (!typesMeet(mine, theirs)) return false;
  if (!choicesMeet(actual.schema, expected.schema, comparing)) return false;
  if (mine.length > 1 || theirs.length > 1) return true;
  if (mine[0] === 'array') {
    const [items, wanted] = [itemsOf([actual]), itemsOf([expected])];
    return items === undefined || wanted === undefined || typesFit(items, wanted, comparing);
  }
  return mine[0] !== 'object' || fieldsFit(actual, expected, comparing);
}

function choicesMeet(actual: JsonSchema, expected: JsonSchema, comparing: Comparing): boolean {
  const mine = choicesOf(actual);
  const theirs = choicesOf(expected);
  if (mine === undefined || theirs === undefined) return true;
  comparing.left -= (mine.length + theirs.length) >> 4;
  const known = new Set(theirs);
  return mine.some((value) => known.has(value));
}

function choicesOf(schema: JsonSchema): readonly unknown[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : undefined;
}

function fieldsFit(actual: Leaf, expected: Leaf, comparing: Comparing): boolean {
  const { required, properties } = expected.schema;
  const wanted = isRecord(properties) ? properties : {};
  for (const name of Array.isArray(required) ? required : []) {
    if (typeof name !== 'string') continue;
    const inferred = fieldOf(actual, name);
    if (inferred === undefined && actual.schema.additionalProperties === false) return false;
    if (inferred === undefined || !Object.hasOwn(wanted, name)) continue;
    if (!typesFit(inferred, leavesOf(wanted[name], expected.root), comparing)) return false;
  }
  return true;
}

// ---------------------------------------------------------------------------------------------------- rendered values

/** The type that a text refers to; `'text'`: it is rendered to text. */
export type InferredOfText = (text: string) => InferredType | 'text';

/** The type of a literal whose strings may be references. */
export function inferredTypeOfValue(value: unknown, ofText: InferredOfText): InferredType {
  const schema = schemaOfValue(value, ofText, 0);
  return schema === undefined ? 'any' : [{ schema, root: schema }];
}

function schemaOfValue(value: unknown, ofText: InferredOfText, depth: number): JsonSchema | undefined {
  if (depth > DEEPEST) return undefined;
  if (typeof value === 'string' && value.includes('{{')) {
    const inferred = ofText(value);
    if (inferred === 'text') return { type: 'string' };
    const [leaf] = inferred === 'any' ? [] : inferred;
    // A schema with references into its own document cannot move into another.
    if (expressionIn(value) !== undefined) return schemaOf(inferred);
    const isPlain = inferred !== 'any' && inferred.length === 1 && leaf !== undefined && !('$defs' in leaf.root);
    return isPlain ? leaf.schema : undefined;
  }
  if (Array.isArray(value)) return { type: 'array' };
  if (!isRecord(value)) return { type: typeOfValue(value) };
  const fields = Object.keys(value).map((key) => [key, schemaOfValue(value[key], ofText, depth + 1) ?? {}] as const);
  return { type: 'object', properties: Object.fromEntries(fields), additionalProperties: false };
}
