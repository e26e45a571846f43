/** The types of what functions and comprehensions in expressions give, and what they are given that can never work. */
import { CEL_MACROS } from '../../language/condition-rules.ts';
import type { ExpressionNode } from '../../language/expression.ts';
import { nearest } from '../../language/suggest.ts';
import type { IssueCode } from '../document/codes.ts';
import { type FindingDetails, shown } from '../document/report.ts';
import {
  arrayOf,
  fieldNamesOf,
  type InferredType,
  inferredType,
  itemsOf,
  leavesOf,
  mayBe,
  schemaOf,
  stepInto,
  typesOfInferred,
} from './inferred-type.ts';

export const TEXT = inferredType({ type: 'string' });
export const NUMBER = inferredType({ type: 'number' });
export const INTEGER = inferredType({ type: 'integer' });
export const BOOLEAN = inferredType({ type: 'boolean' });
const LIST = inferredType({ type: 'array' });
export const OBJECT = inferredType({ type: 'object' });
export const NULL = inferredType({ type: 'null' });

export interface ExpressionReading {
  readonly source: string;
  /** The type of a reference by its text; undefined: it is none. */
  readonly typeOfReference: (text: string) => InferredType | undefined;
  readonly problem: (code: IssueCode, message: string, details?: FindingDetails) => void;
}

/** The types of the variables of the comprehensions around a node. */
export type Variables = ReadonlyMap<string, InferredType>;

/** The type of a part of the expression, with these variables. */
export type TypeOf = (node: ExpressionNode, variables: Variables) => InferredType;

/** The field of a computed value; one that no value there has is a problem. */
export function fieldOf(
  base: InferredType,
  step: string | number,
  of: string,
  { problem }: ExpressionReading,
): InferredType {
  const inferred = stepInto(base, step);
  if (inferred !== undefined) return inferred;
  const names = typeof step === 'string' ? fieldNamesOf(base) : [];
  const types = typesOfInferred(base)?.join(' or ');
  const has =
    names.length > 0 ? `its fields are ${names.slice(0, 20).join(', ')}` : `its type is ${types ?? 'another'}`;
  const what = typeof step === 'number' ? `no item [${step}]` : `no field ${shown(step)}`;
  problem('ref.unknown_field', `${shown(of)} has ${what}; ${has}.`, {
    got: String(step),
    expected: names.length > 0 ? names.slice(0, 50) : types,
    suggest: typeof step === 'string' ? nearest(step, names) : [],
  });
  return 'any';
}

export type Kind = 'number' | 'string' | 'array' | 'boolean' | 'object' | 'null';

/** What the value may be; undefined: anything. */
export function kindsOf(inferred: InferredType): readonly Kind[] | undefined {
  const types = typesOfInferred(inferred);
  return types?.map((type) => (type === 'integer' ? 'number' : (type as Kind)));
}

// ---------------------------------------------------------------------------------------------------- calls

const MAYBE_NUMBER = inferredType({ type: ['number', 'null'] });
const TEXTS = inferredType({ type: 'array', items: { type: 'string' } });

/** Functions that give one type whatever they are given. */
const RESULTS: Readonly<Record<string, InferredType>> = {
  size: INTEGER,
  string: TEXT,
  int: INTEGER,
  double: NUMBER,
  bool: BOOLEAN,
  has: BOOLEAN,
  join: TEXT,
  split: TEXTS,
  contains: BOOLEAN,
  startsWith: BOOLEAN,
  endsWith: BOOLEAN,
  indexOf: INTEGER,
  lastIndexOf: INTEGER,
  substring: TEXT,
  trim: TEXT,
  lowerAscii: TEXT,
  upperAscii: TEXT,
  sum: NUMBER,
  avg: MAYBE_NUMBER,
  min: MAYBE_NUMBER,
  max: MAYBE_NUMBER,
  round: MAYBE_NUMBER,
  fixed: TEXT,
  toJson: TEXT,
};

/** Functions that read a list, with the place of the field that they read of each item. */
const OF_LISTS: ReadonlySet<string> = new Set(['slice', 'flatten', 'sortBy', 'unique', 'sum', 'avg', 'join']);
const OF_NUMBERS: ReadonlySet<string> = new Set(['sum', 'avg']);
const OF_FIELDS: ReadonlySet<string> = new Set(['sortBy', 'unique', 'sum', 'avg', 'min', 'max']);

interface Call {
  readonly name: string;
  /** What stands before the dot, then the values in the brackets. */
  readonly given: readonly ExpressionNode[];
  readonly variables: Variables;
  readonly typeOf: TypeOf;
  readonly reading: ExpressionReading;
}

export function typeOfCall(call: Call): InferredType {
  const { name, given, variables, typeOf } = call;
  const [first, second] = given;
  if (CEL_MACROS.has(name) && first !== undefined && second?.op === 'id' && given.length > 2)
    return typeOfComprehension(first, second.args, given.slice(2), call);
  // The one argument of `has` is a field that may be missing; its path is a reference of its own.
  const types = name === 'has' ? [] : given.map((part) => typeOf(part, variables));
  const [list = 'any'] = types;
  if (OF_LISTS.has(name)) checkList(list, call);
  checkField(list, call);
  return /^get[A-Z]/.test(name) ? INTEGER : (RESULTS[name] ?? typeOfOwnCall(list, types, call));
}

function typeOfOwnCall(list: InferredType, types: readonly InferredType[], { name, given }: Call): InferredType {
  switch (name) {
    case 'first':
    case 'last':
      if (given.length === 1) return itemsOf(list) ?? 'any';
      return kindsOf(list)?.every((kind) => kind === 'string') === true ? TEXT : atMost(list, literalOf(given[1]));
    case 'slice':
    case 'unique':
      return atMost(list);
    case 'sortBy':
      return itemsOf(list) === undefined ? LIST : list;
    case 'flatten': {
      const items = itemsOf(list) ?? 'any';
      return items === 'any' ? LIST : arrayOf(itemsOf(items) ?? items);
    }
    case 'zip':
      return typeOfZip(types);
    case 'dyn':
      return list;
    default:
      return 'any';
  }
}

// ---------------------------------------------------------------------------------------------------- lists

/** The list with fewer items, or as many. */
function atMost(list: InferredType, most?: number): InferredType {
  if (list === 'any') return LIST;
  const arrays = list.filter((leaf) => mayBe(leaf, 'array'));
  if (arrays.length === 0) return LIST;
  return arrays.map(({ schema, root }) => {
    const { items, maxItems } = schema;
    const bounds = [most, maxItems].filter((bound) => typeof bound === 'number');
    const bound = bounds.length === 0 ? {} : { maxItems: Math.min(...bounds) };
    return { schema: { type: 'array', ...(items === undefined ? {} : { items }), ...bound }, root };
  });
}

const literalOf = (node: ExpressionNode | undefined): number | undefined =>
  node?.op === 'value' && typeof node.args === 'bigint' ? Number(node.args) : undefined;

function typeOfZip(types: readonly InferredType[]): InferredType {
  const [only] = types;
  if (types.length !== 1) return inferredType({ type: 'array', items: { type: 'array' } });
  if (only === undefined || only === 'any' || only.length !== 1) return LIST;
  const [leaf] = only;
  const properties: unknown = leaf?.schema.properties;
  if (leaf === undefined || typeof properties !== 'object' || properties === null) return LIST;
  const fields = Object.entries(properties).map(([name, schema]) => {
    const items = itemsOf(leavesOf(schema, leaf.root)) ?? 'any';
    return [name, schemaOf(items)] as const;
  });
  const item = { type: 'object', properties: Object.fromEntries(fields), additionalProperties: false };
  return arrayOf(leavesOf(item, item));
}

function checkList(list: InferredType, { name, given, reading }: Call): void {
  const kinds = kindsOf(list);
  const [first] = given;
  if (kinds === undefined || kinds.includes('array') || kinds.every((kind) => kind === 'null')) return;
  const what = first === undefined ? 'its value' : shown(reading.source.slice(first.start, first.end));
  const message = `${name}() takes a list, but ${what} is ${kinds.join(' or ')}: give a list.`;
  reading.problem('expression.type', message, { got: kinds, expected: 'array' });
}

/** The field that a function reads of each item, and whether it can be a number where one is needed. */
function checkField(list: InferredType, { name, given, reading }: Call): void {
  if (!OF_FIELDS.has(name)) return;
  const items = itemsOf(list);
  const [first, field] = given;
  if (items === undefined || first === undefined) return;
  const text = reading.source.slice(first.start, first.end);
  const isField = field?.op === 'value' && typeof field.args === 'string';
  const values = isField ? fieldOf(items, field.args, `${text}[0]`, reading) : items;
  const kinds = kindsOf(values);
  if (!OF_NUMBERS.has(name) || kinds === undefined || kinds.includes('number') || kinds.length === 0) return;
  const message = `${name}() adds numbers, but the items of ${shown(text)} are ${kinds.join(' or ')}: name a field that is a number.`;
  reading.problem('expression.type', message, { got: kinds, expected: 'number' });
}

function typeOfComprehension(
  receiver: ExpressionNode,
  variable: string,
  body: readonly ExpressionNode[],
  call: Call,
): InferredType {
  const { name, variables, typeOf } = call;
  const list = typeOf(receiver, variables);
  const kinds = kindsOf(list);
  const isMap = kinds?.includes('object') === true;
  if (!isMap) checkList(list, call);
  const inner = new Map([...variables, [variable, isMap ? 'any' : (itemsOf(list) ?? 'any')] as const]);
  const types = body.map((part) => typeOf(part, inner));
  if (name === 'filter') return kinds?.includes('array') === true ? atMost(list) : LIST;
  return name === 'map' ? arrayOf(types.at(-1) ?? 'any') : BOOLEAN;
}
