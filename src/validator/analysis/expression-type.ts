/**
 * The type of what an expression results in, before it runs. Where nothing is known of a value, anything may follow; only what
 * can never work is a problem: a field that the items of a list do not have, a number added to a text.
 */
import { stepOf } from '../../language/cel/condition-comparisons.ts';
import type { ExpressionNode } from '../../language/expression.ts';
import { shown } from '../document/report.ts';
import {
  BOOLEAN,
  type ExpressionReading,
  fieldOf,
  INTEGER,
  type Kind,
  kindsOf,
  NULL,
  NUMBER,
  OBJECT,
  TEXT,
  type TypeOf,
  typeOfCall,
  type Variables,
} from './expression-calls.ts';
import { anyOf, arrayOf, type InferredType, itemsOf, leavesOf, mayBe, schemaOf } from './inferred-type.ts';

const DEEPEST = 64;

export const typeOfExpression = (root: ExpressionNode, reading: ExpressionReading): InferredType =>
  typeOfNode(root, new Map(), reading, 0);

function typeOfNode(
  node: ExpressionNode,
  variables: Variables,
  reading: ExpressionReading,
  depth: number,
): InferredType {
  if (depth > DEEPEST) return 'any';
  const typeOf: TypeOf = (inner, known) => typeOfNode(inner, known, reading, depth + 1);
  const typed = (inner: ExpressionNode): InferredType => typeOf(inner, variables);
  switch (node.op) {
    case 'value':
      return typeOfLiteral(node.args);
    case 'id':
      return variables.get(node.args) ?? reading.typeOfReference(textOf(node, reading)) ?? 'any';
    case '.':
    case '[]':
      return typeOfAccess(node, variables, reading, depth);
    case 'list':
      return listOf(node.args.map(typed));
    case 'map':
      return typeOfMap(node.args, typed);
    case '?:':
      typed(node.args[0]);
      return anyOf([typed(node.args[1]), typed(node.args[2])]);
    case 'call':
      return typeOfCall({ name: node.args[0], given: node.args[1], variables, typeOf, reading });
    case 'rcall':
      return typeOfCall({ name: node.args[0], given: [node.args[1], ...node.args[2]], variables, typeOf, reading });
    case '!_':
      typed(node.args);
      return BOOLEAN;
    case '-_':
      return onlyNumbers(typed(node.args)) ?? 'any';
    default:
      return typeOfOperation(node, typed, reading);
  }
}

const textOf = ({ start, end }: ExpressionNode, { source }: ExpressionReading): string => source.slice(start, end);

function typeOfLiteral(value: unknown): InferredType {
  if (typeof value === 'string') return leavesOf({ type: 'string', enum: [value] }, {});
  if (typeof value === 'bigint') return INTEGER;
  if (typeof value === 'number') return NUMBER;
  return typeof value === 'boolean' ? BOOLEAN : value === null ? NULL : 'any';
}

// ---------------------------------------------------------------------------------------------------- lists and maps

function listOf(items: readonly InferredType[]): InferredType {
  const { length } = items;
  const schema = { type: 'array', items: schemaOf(anyOf(items)), minItems: length, maxItems: length };
  return leavesOf(schema, schema);
}

function typeOfMap(
  entries: readonly (readonly [ExpressionNode, ExpressionNode])[],
  typed: (node: ExpressionNode) => InferredType,
): InferredType {
  const fields: [string, InferredType][] = [];
  let isKnown = true;
  for (const [key, value] of entries) {
    const inferred = typed(value);
    if (key.op === 'value') fields.push([String(key.args), inferred]);
    else {
      typed(key);
      isKnown = false;
    }
  }
  if (!isKnown) return OBJECT;
  const properties = Object.fromEntries(fields.map(([name, inferred]) => [name, schemaOf(inferred)]));
  const schema = { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
  return leavesOf(schema, schema);
}

function typeOfAccess(
  node: Extract<ExpressionNode, { op: '.' | '[]' }>,
  variables: Variables,
  reading: ExpressionReading,
  depth: number,
): InferredType {
  const known = isVariable(node, variables) ? undefined : reading.typeOfReference(textOf(node, reading));
  if (known !== undefined) return known;
  const base = typeOfNode(node.args[0], variables, reading, depth + 1);
  const step = stepOf(node);
  if (step === undefined) {
    if (node.op === '[]') typeOfNode(node.args[1], variables, reading, depth + 1);
    return anyPartOf(base);
  }
  return fieldOf(base, step, textOf(node.args[0], reading), reading);
}

/** The root of the path is a variable, which may have the name of a node. */
function isVariable(node: ExpressionNode, variables: Variables): boolean {
  let root = node;
  while (root.op === '.' || root.op === '[]') root = root.args[0];
  return root.op === 'id' && variables.has(root.args);
}

/** What an index or a key that is computed leads to. */
function anyPartOf(base: InferredType): InferredType {
  if (base === 'any') return 'any';
  const parts = base.map((leaf): InferredType => {
    if (mayBe(leaf, 'array')) return itemsOf([leaf]) ?? 'any';
    const { properties, additionalProperties } = leaf.schema;
    if (additionalProperties !== false || typeof properties !== 'object' || properties === null) return 'any';
    return anyOf(Object.values(properties).map((schema) => leavesOf(schema, leaf.root)));
  });
  return anyOf(parts);
}

// ---------------------------------------------------------------------------------------------------- operations

const onlyNumbers = (inferred: InferredType): InferredType | undefined =>
  kindsOf(inferred)?.every((kind) => kind === 'number') === true ? inferred : undefined;

type Operation = Exclude<
  ExpressionNode,
  { op: 'value' | 'id' | 'list' | 'map' | 'call' | 'rcall' | '?:' | '!_' | '-_' }
>;

function typeOfOperation(
  node: Operation,
  typed: (inner: ExpressionNode) => InferredType,
  reading: ExpressionReading,
): InferredType {
  if (!Array.isArray(node.args)) return 'any';
  const [first, second] = node.args as readonly ExpressionNode[];
  if (first === undefined || second === undefined) return 'any';
  const [left, right] = [typed(first), typed(second)];
  if (node.op === '+') return typeOfSum(node, left, right, reading);
  if (node.op !== '-' && node.op !== '*' && node.op !== '/' && node.op !== '%') return BOOLEAN;
  for (const [operand, inferred] of [
    [first, left],
    [second, right],
  ] as const) {
    const kinds = kindsOf(inferred);
    // Times can be subtracted, and their types are not known.
    if (kinds === undefined || kinds.includes('number')) continue;
    const rule = `${shown(textOf(operand, reading))} is ${kinds.join(' or ')}, and "${node.op}" takes numbers`;
    reading.problem('expression.type', `${rule}: use a number, or double(…) of a text.`, { got: kinds });
  }
  return left === 'any' || right === 'any' ? 'any' : NUMBER;
}

const ADDED: readonly Kind[] = ['number', 'string', 'array'];

function typeOfSum(
  node: ExpressionNode,
  left: InferredType,
  right: InferredType,
  reading: ExpressionReading,
): InferredType {
  const [mine, theirs] = [kindsOf(left), kindsOf(right)];
  if (mine === undefined && theirs === undefined) return 'any';
  const fits = (kinds: readonly Kind[] | undefined, kind: Kind): boolean =>
    kinds === undefined || kinds.includes(kind) || (kind !== 'number' && kinds.includes('null'));
  const possible = ADDED.filter((kind) => fits(mine, kind) && fits(theirs, kind));
  const [only] = possible;
  if (only === undefined) {
    const what = `adds ${mine?.join(' or ') ?? 'a value'} and ${theirs?.join(' or ') ?? 'a value'}`;
    const rule = 'add numbers, texts or lists, and make a text of a number with string(…)';
    reading.problem('expression.type', `${shown(textOf(node, reading))} ${what}: ${rule}.`, { got: [mine, theirs] });
    return 'any';
  }
  if (possible.length > 1) return 'any';
  if (only === 'number') return NUMBER;
  return only === 'string' ? TEXT : arrayOf(anyOf([itemsOf(left) ?? 'any', itemsOf(right) ?? 'any']));
}
