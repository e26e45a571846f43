/** The counted form of operations and calls: what condition-work.ts has to see is passed through its functions. */
import type { ASTNode } from '@marcbachmann/cel-js';

/** The function that counts an operand. Undefined: it cannot be large, because one operand is written in the condition. */
export function operandCount(
  operator: string,
  operand: ASTNode,
  other: ASTNode,
): '_compared' | '_part' | '_sum' | undefined {
  if (operator === '==' || operator === '!=') {
    return operand.op === 'value' || other.op === 'value' ? undefined : '_compared';
  }
  if (operator !== '+' || isNumber(operand) || isNumber(other)) return undefined;
  return operand.op === '+' ? '_sum' : '_part';
}

const isNumber = (node: ASTNode): boolean =>
  node.op === 'value' && (typeof node.args === 'bigint' || typeof node.args === 'number');

/** Bytes that a function makes of each character of what it is given. */
const MADE: Readonly<Record<string, number>> = {
  lowerAscii: 2,
  upperAscii: 2,
  trim: 2,
  substring: 2,
  string: 2,
  bytes: 2,
  hex: 4,
  base64: 4,
  split: 16,
  json: 16,
};

/** Methods whose work or result is not linear in one operand: they are our own. */
const REPLACED: ReadonlySet<string> = new Set(['contains', 'indexOf', 'lastIndexOf', 'join']);

/** The counted form of a call. */
export function countedCall(name: string, receiver: string | undefined, parameters: readonly string[]): string {
  if (receiver !== undefined && REPLACED.has(name)) return `_${name}(${[receiver, ...parameters].join(', ')})`;
  const counted = parameters.map((parameter) => countedParameter(name, receiver, parameter)).join(', ');
  return receiver === undefined
    ? `${name}(${counted})`
    : `_argument(${receiver}, ${MADE[name] ?? 0}).${name}(${counted})`;
}

function countedParameter(name: string, receiver: string | undefined, parameter: string): string {
  if (receiver !== undefined && name.startsWith('get')) return `_zone(${parameter})`;
  if (receiver === undefined && name === 'duration') return `_duration(${parameter})`;
  return `_argument(${parameter}, ${receiver === undefined ? (MADE[name] ?? 0) : 0})`;
}
