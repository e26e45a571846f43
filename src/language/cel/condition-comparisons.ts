/**
 * What a condition compares with what, for the check of whether that can ever hold. Only a value that is read with a literal is
 * listed, and two values that are read; what is computed is not known before it runs.
 */
import type { ASTNode } from '@marcbachmann/cel-js';

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in';

/** A value that is read: a reference as written, and the steps from there to the value (an item of the list, its fields). */
export interface ReadValue {
  readonly text: string;
  readonly further: readonly (string | number)[];
}

export interface Comparison {
  readonly operator: Operator;
  readonly read: ReadValue;
  /** The literals that it is compared with: one, or those of the list of `in`. Undefined: it is compared with `other`. */
  readonly literals?: readonly unknown[];
  readonly other?: ReadValue;
  /** The same value has to equal all of `literals` at once. */
  readonly isContradiction?: boolean;
}

/** The list behind each variable of a comprehension; undefined where it is computed. */
export type Sources = ReadonlyMap<string, ReadValue | undefined>;

/** What a condition is read with; the comparisons found are added. */
export interface ComparisonReading {
  readonly source: string;
  readonly isHead: (name: string) => boolean;
  readonly comparisons: Comparison[];
  /** Where the variables of the comprehensions around a node come from. */
  sources: Sources;
  /** Parts of a chain of `&&` that was looked at as a whole. */
  readonly chained: Set<ASTNode>;
}

const OPERATORS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in']);
/** The operator with its sides exchanged. */
const MIRRORED: Readonly<Record<string, Operator>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };
const isOperator = (name: string): name is Operator => OPERATORS.has(name);

export function recordComparison(name: string, left: ASTNode, right: ASTNode, reading: ComparisonReading): void {
  if (!isOperator(name)) return;
  const { comparisons } = reading;
  const [first, second] = [readOf(left, reading), readOf(right, reading)];
  if (name === 'in') {
    const literals = right.op === 'list' ? literalsOf(right.args) : undefined;
    if (first !== undefined && literals !== undefined) comparisons.push({ operator: 'in', read: first, literals });
  } else if (first !== undefined && second !== undefined) {
    comparisons.push({ operator: name, read: first, other: second });
  } else if (first !== undefined) {
    const literals = literalsOf([right]);
    if (literals !== undefined) comparisons.push({ operator: name, read: first, literals });
  } else if (second !== undefined) {
    const literals = literalsOf([left]);
    if (literals !== undefined) comparisons.push({ operator: MIRRORED[name] ?? name, read: second, literals });
  }
}

/** Records a value that has to equal two literals, among the operands of one chain of `&&`: of the whole chain, at its end. */
export function recordContradictions(
  node: Extract<ASTNode, { op: '&&' | '||' }>,
  { comparisons, source, isHead, sources, chained }: ComparisonReading,
): void {
  const reading: ComparisonReading = { source, isHead, sources, chained, comparisons: [] };
  const equals = new Map<string, unknown>();
  for (const operand of operandsOf(node, reading.chained)) {
    if (operand.op !== '==') continue;
    reading.comparisons.length = 0;
    recordComparison('==', operand.args[0], operand.args[1], reading);
    const [found] = reading.comparisons;
    if (found?.literals === undefined) continue;
    const { read, literals } = found;
    const key = JSON.stringify([read.text, read.further]);
    const [value] = literals;
    if (!equals.has(key)) equals.set(key, value);
    else if (equals.get(key) !== value)
      comparisons.push({ operator: '==', read, literals: [equals.get(key), value], isContradiction: true });
  }
}

/** The operands of a chain of `&&`, without those inside other operators. */
function operandsOf(node: ASTNode, chained: Set<ASTNode>): ASTNode[] {
  const found: ASTNode[] = [];
  const stack: ASTNode[] = [node];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.op === '&&') {
      chained.add(next);
      stack.push(next.args[1], next.args[0]);
    } else found.push(next);
  }
  return found;
}

export function withSource(sources: Sources, variable: string, receiver: ASTNode, reading: ComparisonReading): Sources {
  const list = readOf(receiver, reading);
  const item = list === undefined ? undefined : { text: list.text, further: [...list.further, 0] };
  return new Map([...sources, [variable, item]]);
}

/** The value that a path of constant steps reads, from a head or a variable; undefined for anything else. */
function readOf(node: ASTNode, { isHead, sources, source }: ComparisonReading): ReadValue | undefined {
  const path: (string | number)[] = [];
  let root = node;
  while (root.op === '.' || root.op === '[]') {
    const step = stepOf(root);
    if (step === undefined) return undefined;
    path.unshift(step);
    root = root.args[0];
  }
  if (root.op !== 'id') return undefined;
  if (sources.has(root.args)) {
    const list = sources.get(root.args);
    return list === undefined ? undefined : { text: list.text, further: [...list.further, ...path] };
  }
  return isHead(root.args) ? { text: source.slice(root.start, node.end), further: [] } : undefined;
}

/** Their values, whole numbers as numbers; undefined where one is no literal. */
function literalsOf(nodes: readonly ASTNode[]): readonly unknown[] | undefined {
  const values: unknown[] = [];
  for (const node of nodes) {
    const inner = node.op === '-_' ? node.args : node;
    if (inner.op !== 'value') return undefined;
    const value: unknown = typeof inner.args === 'bigint' ? Number(inner.args) : inner.args;
    if (node.op === '-_' && typeof value !== 'number') return undefined;
    values.push(node.op === '-_' ? -Number(value) : value);
  }
  return values;
}

/** The field or index that a link of a path names; undefined where it is computed. */
export const stepOf = (link: Extract<ASTNode, { op: '.' | '[]' }>): string | number | undefined =>
  link.op === '.' ? link.args[1] : constantStep(link.args[1]);

function constantStep(node: ASTNode): string | number | undefined {
  if (node.op !== 'value') return undefined;
  return typeof node.args === 'string' ? node.args : typeof node.args === 'bigint' ? Number(node.args) : undefined;
}
