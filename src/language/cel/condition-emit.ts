/**
 * Translates a parsed condition or expression to the expression that is evaluated, and lists its references.
 *
 * Plain CEL fails on a field of null and on a missing field. Both are common in a plan (a skipped node, an optional field),
 * so every access becomes a call of our own function, which reads only own properties and returns null for missing ones.
 * Heads and variables get prefixes, so that no name can hide a name of CEL.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { CEL_MACROS, CEL_TYPE_NAMES, CONDITION_BOUNDS } from '../condition-rules.ts';
import { NO_VALUES, OWN_FUNCTIONS } from '../expression-rules.ts';
import {
  type ComparisonReading,
  recordComparison,
  recordContradictions,
  stepOf,
  withSource,
} from './condition-comparisons.ts';
import { countedCall, operandCount } from './condition-count.ts';

export interface ConditionReference {
  readonly head: string;
  readonly path: readonly (string | number)[];
  /** As written. */
  readonly text: string;
}

export interface Emission extends ComparisonReading {
  /** Emits calls that count the work, for evaluation; false for the check of types, which also finds what is read and compared. */
  readonly isCounted: boolean;
  readonly references: ConditionReference[];
  readonly heads: Set<string>;
  /** Where a name is that of a type. */
  readonly typeNames: Set<number>;
  /** The branches of `?:` may have different types, because the result is data and not an operand. */
  readonly hasMixedBranches: boolean;
  /** It asks whether something is null or absent, so it says itself what to do then. */
  asksForNull: boolean;
  /** Heads whose `meta` is read: it exists beside the value, whatever the value is. */
  readonly metas: Set<string>;
  /** Operations and names that were translated so far: what evaluating them once takes. */
  operations: number;
}

/** Why a condition or an expression that parses is refused. */
export class ConditionRefusal extends Error {
  readonly reason: 'syntax' | 'type';
  readonly at: number;
  readonly unknown: string | undefined;

  constructor(reason: ConditionRefusal['reason'], message: string, at: number, unknown?: string) {
    super(message);
    this.reason = reason;
    this.at = at;
    this.unknown = unknown;
  }
}

/** Variables of the comprehensions around a node, innermost last. */
type Variables = readonly string[];

/** How tightly each operator binds; an operand that binds less tightly gets parentheses. */
const BINDING: Readonly<Record<string, number>> = {
  '?:': 1,
  '||': 2,
  '&&': 3,
  '==': 4,
  '!=': 4,
  '<': 5,
  '<=': 5,
  '>': 5,
  '>=': 5,
  in: 5,
  '+': 6,
  '-': 6,
  '*': 7,
  '/': 7,
  '%': 7,
  '!_': 8,
  '-_': 8,
};
const PRIMARY = 9;

export function emitCondition(node: ASTNode, emission: Emission): string {
  return emitBool(node, [], emission, 0);
}

/** Whatever it results in. */
export const emitExpression = (node: ASTNode, emission: Emission): string => emit(node, [], emission);

function emitWithin(node: ASTNode, variables: Variables, emission: Emission, binding: number): string {
  const text = emit(node, variables, emission);
  return (BINDING[node.op] ?? PRIMARY) < binding ? `(${text})` : text;
}

/** Where a bool is needed, null counts as false, because the flag of a skipped node is not set. */
function emitBool(node: ASTNode, variables: Variables, emission: Emission, binding: number): string {
  const bare = node.op === 'id' || node.op === '.' || node.op === '[]';
  return bare ? `_bool(${emit(node, variables, emission)})` : emitWithin(node, variables, emission, binding);
}

function emit(node: ASTNode, variables: Variables, emission: Emission): string {
  emission.operations += 1;
  switch (node.op) {
    case 'value':
      return emitValue(node.args, node.start);
    case 'id':
      if (emission.typeNames.has(node.start)) return node.args;
      recordReference(node, variables, emission);
      return emitName(node.args, node.start, variables, emission);
    case '.':
    case '[]':
      recordReference(node, variables, emission);
      return emitAccess(node, variables, emission);
    case 'call':
      return emitCall(node.args[0], undefined, node.args[1], node.start, variables, emission);
    case 'rcall':
      return emitCall(node.args[0], node.args[1], node.args[2], node.start, variables, emission);
    case 'list':
      return literal(`[${node.args.map((item) => emit(item, variables, emission)).join(', ')}]`, emission);
    case 'map':
      return literal(
        `{${node.args.map((entry) => entry.map((part) => emit(part, variables, emission)).join(': ')).join(', ')}}`,
        emission,
      );
    case '.?':
    case '[?]':
      throw new ConditionRefusal(
        'syntax',
        'Optional selection is not supported: use "." or "[]", which give null for a missing field.',
        node.start,
      );
    default:
      return emitOperator(node, variables, emission);
  }
}

type OperatorNode = Exclude<
  ASTNode,
  { op: 'value' | 'id' | '.' | '.?' | '[]' | '[?]' | 'call' | 'rcall' | 'list' | 'map' }
>;

function emitOperator(node: OperatorNode, variables: Variables, emission: Emission): string {
  const binding = BINDING[node.op] ?? PRIMARY;
  switch (node.op) {
    case '!_':
      return `!${emitBool(node.args, variables, emission, binding)}`;
    case '-_':
      return `-${emitWithin(node.args, variables, emission, binding)}`;
    case '?:': {
      const [test, yes, no] = node.args;
      const first = emitBool(test, variables, emission, binding + 1);
      return `${first} ? ${[yes, no].map((branch) => emitBranch(branch, variables, emission)).join(' : ')}`;
    }
    case '||':
    case '&&': {
      const [left, right] = node.args;
      if (node.op === '&&' && !emission.isCounted && !emission.chained.has(node)) recordContradictions(node, emission);
      const first = emitBool(left, variables, emission, binding);
      return `${first} ${node.op} ${emitBool(right, variables, emission, binding + 1)}`;
    }
    case 'in': {
      const [item, list] = node.args;
      markTypeNames(item, list, emission);
      if (!emission.isCounted) recordComparison('in', item, list, emission);
      const members = emission.isCounted ? '_members' : '_list';
      return `${emitWithin(item, variables, emission, binding)} in ${members}(${emit(list, variables, emission)})`;
    }
    default: {
      const [left, right] = node.args;
      markTypeNames(left, right, emission);
      if (!emission.isCounted) recordComparison(node.op, left, right, emission);
      if (isNull(left) || isNull(right)) emission.asksForNull = true;
      const first = emitOperand(node.op, left, right, variables, emission, binding);
      return `${first} ${node.op} ${emitOperand(node.op, right, left, variables, emission, binding + 1)}`;
    }
  }
}

/**
 * A node may be called `list`, so a bare name of a type means the type only where it is compared with `type(…)`; anywhere else
 * it is the node.
 */
function markTypeNames(left: ASTNode, right: ASTNode, { typeNames }: Emission): void {
  const named = isTypeCall(left) ? right : isTypeCall(right) ? left : undefined;
  for (const node of named?.op === 'list' ? named.args : [named])
    if (node?.op === 'id' && CEL_TYPE_NAMES.has(node.args)) typeNames.add(node.start);
}

const isTypeCall = (node: ASTNode): boolean => node.op === 'call' && node.args[0] === 'type';

function emitBranch(branch: ASTNode, variables: Variables, emission: Emission): string {
  if (!emission.hasMixedBranches) return emitWithin(branch, variables, emission, BINDING['?:'] ?? PRIMARY);
  return `dyn(${emit(branch, variables, emission)})`;
}

function emitOperand(
  operator: string,
  operand: ASTNode,
  other: ASTNode,
  variables: Variables,
  emission: Emission,
  binding: number,
): string {
  const count = emission.isCounted ? operandCount(operator, operand, other) : undefined;
  if (count === undefined) return emitWithin(operand, variables, emission, binding);
  return `${count}(${emit(operand, variables, emission)})`;
}

const literal = (text: string, { isCounted }: Emission): string => (isCounted ? `_literal(${text})` : text);

function emitValue(value: unknown, at: number): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isInteger(value) ? value.toExponential() : String(value);
  if (typeof value === 'bigint' || typeof value === 'boolean' || value === null) return String(value);
  throw new ConditionRefusal(
    'type',
    'Bytes and unsigned literals are not supported in a plan: use a string or a plain number.',
    at,
  );
}

function emitName(name: string, at: number, variables: Variables, { isHead, heads }: Emission): string {
  if (variables.includes(name)) return `v_${name}`;
  if (isHead(name)) {
    heads.add(name);
    return `h_${name}`;
  }
  if (CEL_TYPE_NAMES.has(name)) return name;
  throw new ConditionRefusal(
    'type',
    `"${name}" is neither an earlier node nor an input of this condition: use the id of an earlier node.`,
    at,
    name,
  );
}

function emitAccess(node: Extract<ASTNode, { op: '.' | '[]' }>, variables: Variables, emission: Emission): string {
  emission.operations += 1;
  // The reference of the whole chain is recorded already; its parts are not references of their own.
  const base = node.args[0];
  if (base.op === 'id' && stepOf(node) === 'meta' && !variables.includes(base.args)) {
    emitName(base.args, base.start, variables, emission);
    emission.metas.add(base.args);
    return `m_${base.args}`;
  }
  const inner =
    base.op === '.' || base.op === '[]'
      ? emitAccess(base, variables, emission)
      : base.op === 'id'
        ? emitName(base.args, base.start, variables, emission)
        : emit(base, variables, emission);
  const key = node.op === '.' ? JSON.stringify(node.args[1]) : emit(node.args[1], variables, emission);
  return `_read(${inner}, ${key})`;
}

const isNull = (node: ASTNode): boolean => node.op === 'value' && node.args === null;

function emitCall(
  name: string,
  receiver: ASTNode | undefined,
  parameters: readonly ASTNode[],
  at: number,
  variables: Variables,
  emission: Emission,
): string {
  if (name === 'matches' || name.startsWith('_')) {
    const message = `${name}() is not allowed in a plan: use ==, in, startsWith, endsWith or contains.`;
    throw new ConditionRefusal('type', message, at);
  }
  if (name === 'has' && receiver === undefined) return emitHas(parameters, at, variables, emission);
  const [first] = parameters;
  if (receiver !== undefined && CEL_MACROS.has(name) && first?.op === 'id' && parameters.length > 1) {
    return emitComprehension(name, receiver, first.args, parameters.slice(1), at, variables, emission);
  }
  if (Object.hasOwn(OWN_FUNCTIONS, name)) {
    const given = receiver === undefined ? parameters : [receiver, ...parameters];
    return emitOwnCall(name, given, at, variables, emission);
  }
  const owner = receiver === undefined ? undefined : emitWithin(receiver, variables, emission, PRIMARY);
  const emitted = parameters.map((parameter) => emit(parameter, variables, emission));
  if (emission.isCounted) return countedCall(name, owner, emitted);
  return `${owner === undefined ? '' : `${owner}.`}${name}(${emitted.join(', ')})`;
}

/** `list.first(2)` and `first(list, 2)` are the same. */
function emitOwnCall(
  name: string,
  given: readonly ASTNode[],
  at: number,
  variables: Variables,
  emission: Emission,
): string {
  const { least, most } = OWN_FUNCTIONS[name] ?? NO_VALUES;
  if (given.length < least || given.length > most) {
    const count = least === most ? `${least}` : `${least} to ${most}`;
    const message = `${name}() takes ${count} value${count === '1' ? '' : 's'}, the one before the dot included, but this one has ${given.length}.`;
    throw new ConditionRefusal('type', message, at);
  }
  return `_f_${name}(${given.map((part) => emit(part, variables, emission)).join(', ')})`;
}

function emitHas(parameters: readonly ASTNode[], at: number, variables: Variables, emission: Emission): string {
  const [field] = parameters;
  if (field?.op !== '.' || parameters.length !== 1) {
    throw new ConditionRefusal('syntax', 'has() takes exactly one field: write has(node.field).', at);
  }
  recordReference(field, variables, emission);
  emission.asksForNull = true;
  const [base, name] = field.args;
  if (name === 'meta') return `(${emitAccess(field, variables, emission)} != null)`;
  const inner = base.op === '.' || base.op === '[]' ? emitAccess(base, variables, emission) : undefined;
  const owner =
    inner ??
    (base.op === 'id' ? emitName(base.args, base.start, variables, emission) : emit(base, variables, emission));
  return `_has(${owner}, ${JSON.stringify(name)})`;
}

function emitComprehension(
  name: string,
  receiver: ASTNode,
  variable: string,
  body: readonly ASTNode[],
  at: number,
  variables: Variables,
  emission: Emission,
): string {
  if (variables.length === CONDITION_BOUNDS.comprehensions) {
    const message = `Comprehensions can be nested at most ${CONDITION_BOUNDS.comprehensions} deep: compute the inner one in another node.`;
    throw new ConditionRefusal('syntax', message, at);
  }
  const list = emit(receiver, variables, emission);
  const inner = [...variables, variable];
  const { sources, operations } = emission;
  emission.sources = withSource(sources, variable, receiver, emission);
  // Every argument except the last one of `map` must be a bool.
  const emitted = body.map((part, index) =>
    name === 'map' && index === body.length - 1 ? emit(part, inner, emission) : emitBool(part, inner, emission, 0),
  );
  emission.sources = sources;
  const read = emission.isCounted && (name === 'map' || name === 'filter') ? '_source' : '_list';
  const weight = emission.isCounted ? weightOf(emission.operations - operations) : 1;
  const items = weight === 1 ? list : `${list}, ${weight}`;
  return `${read}(${items}).${name}(v_${variable}, ${emitted.join(', ')})`;
}

/** Steps that one iteration takes: one, and more where what is done with each item is long. Reads are counted besides. */
const weightOf = (operations: number): number => 1 + (operations >> 4);

/** Records the longest path of constant steps that starts at a head. */
function recordReference(node: ASTNode, variables: Variables, emission: Emission): void {
  if (emission.isCounted) return;
  const chain: Extract<ASTNode, { op: '.' | '[]' }>[] = [];
  let root = node;
  while (root.op === '.' || root.op === '[]') {
    chain.unshift(root);
    root = root.args[0];
  }
  if (root.op !== 'id' || variables.includes(root.args) || !emission.isHead(root.args)) return;
  const path: (string | number)[] = [];
  let end = root.end;
  for (const link of chain) {
    const step = stepOf(link);
    if (step === undefined) break;
    path.push(step);
    end = link.end;
  }
  emission.references.push({ head: root.args, path, text: emission.source.slice(root.start, end) });
}
