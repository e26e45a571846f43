/** The tool `calculate`: arithmetic by its own parser; nothing is ever evaluated as code. */
import { definePlugin, type Plugin, PolyphonyError, type Tool } from 'polyphony/kit';

const MAX_LENGTH = 1000;
const MAX_DEPTH = 64;

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);

/** Per name: minimum and maximum number of arguments, and the function. */
const FUNCTIONS: ReadonlyMap<string, readonly [number, number, (...values: number[]) => number]> = new Map([
  ['sqrt', [1, 1, Math.sqrt]],
  ['cbrt', [1, 1, Math.cbrt]],
  ['abs', [1, 1, Math.abs]],
  ['floor', [1, 1, Math.floor]],
  ['ceil', [1, 1, Math.ceil]],
  ['round', [1, 2, rounded]],
  ['exp', [1, 1, Math.exp]],
  ['ln', [1, 1, Math.log]],
  ['log10', [1, 1, Math.log10]],
  ['log2', [1, 1, Math.log2]],
  ['sin', [1, 1, Math.sin]],
  ['cos', [1, 1, Math.cos]],
  ['tan', [1, 1, Math.tan]],
  ['min', [1, 100, Math.min]],
  ['max', [1, 100, Math.max]],
  ['sum', [1, 100, (...values) => values.reduce((sum, value) => sum + value, 0)]],
  ['mean', [1, 100, (...values) => values.reduce((sum, value) => sum + value, 0) / values.length]],
]);

function rounded(value: number, decimals = 0): number {
  const scale = 10 ** Math.max(0, Math.min(15, Math.trunc(decimals)));
  return Math.round(value * scale) / scale;
}

/**
 * `+ - * / % ^ ( )`, numbers with decimals and exponents, pi, e and the usual functions; `^` binds tightest and to the
 * right, so that `-2^2` is −4.
 *
 * @throws tool-failed with the position of a syntax error, and for results that are not a finite number
 */
export function evaluateArithmetic(expression: string): number {
  if (expression.length > MAX_LENGTH) {
    throw failed(`The expression has ${expression.length} characters; give at most ${MAX_LENGTH}.`);
  }
  const reader: Reader = { tokens: [...expression.matchAll(TOKEN)], at: 0, depth: 0 };
  const value = readSum(reader);
  if (reader.at < reader.tokens.length) throw expected(reader, 'an operator');
  if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  throw failed(`"${expression}" has no finite value: avoid divisions by zero and roots of negative numbers.`);
}

const TOKEN = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[a-zA-Z][a-zA-Z0-9]*|\*\*|\S/g;

interface Reader {
  readonly tokens: readonly RegExpMatchArray[];
  at: number;
  depth: number;
}

/** Consumes and returns the next token if it is one of these. */
function accept(reader: Reader, ...wanted: readonly string[]): string | undefined {
  const token = reader.tokens[reader.at]?.[0];
  if (token === undefined || !wanted.includes(token)) return undefined;
  reader.at += 1;
  return token;
}

function expected({ tokens, at }: Reader, what: string): PolyphonyError {
  const token = tokens[at];
  const found = token === undefined ? 'the end' : `"${token[0]}" at character ${(token.index ?? 0) + 1}`;
  return failed(`The expression is invalid: ${what} was expected, but ${found} was found.`);
}

/** Limits the depth, so that no expression exhausts the stack. */
function nested<T>(reader: Reader, read: (reader: Reader) => T): T {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH)
    throw failed(`The expression is nested more than ${MAX_DEPTH} levels deep: flatten it.`);
  const result = read(reader);
  reader.depth -= 1;
  return result;
}

function readSum(reader: Reader): number {
  let value = readProduct(reader);
  for (let sign = accept(reader, '+', '-'); sign !== undefined; sign = accept(reader, '+', '-')) {
    const other = readProduct(reader);
    value = sign === '+' ? value + other : value - other;
  }
  return value;
}

function readProduct(reader: Reader): number {
  let value = readSigned(reader);
  for (let sign = accept(reader, '*', '/', '%'); sign !== undefined; sign = accept(reader, '*', '/', '%')) {
    const other = readSigned(reader);
    value = sign === '*' ? value * other : sign === '/' ? value / other : value % other;
  }
  return value;
}

function readSigned(reader: Reader): number {
  const sign = accept(reader, '-', '+');
  if (sign === undefined) return readPower(reader);
  const value = nested(reader, readSigned);
  return sign === '-' ? -value : value;
}

function readPower(reader: Reader): number {
  const base = readPrimary(reader);
  return accept(reader, '^', '**') === undefined ? base : base ** nested(reader, readSigned);
}

function readPrimary(reader: Reader): number {
  if (accept(reader, '(') !== undefined) {
    const value = nested(reader, readSum);
    close(reader);
    return value;
  }
  const token = reader.tokens[reader.at]?.[0] ?? '';
  if (!/^[\d.a-zA-Z]/.test(token) || token === '.') throw expected(reader, 'a number');
  reader.at += 1;
  return /^[\d.]/.test(token) ? Number(token) : readNamed(reader, token);
}

function close(reader: Reader): void {
  if (accept(reader, ')') === undefined) throw expected(reader, '")"');
}

function readNamed(reader: Reader, name: string): number {
  const constant = CONSTANTS.get(name);
  if (constant !== undefined) return constant;
  const known = FUNCTIONS.get(name);
  if (known === undefined) {
    throw failed(`Unknown name "${name}": use one of ${[...FUNCTIONS.keys(), ...CONSTANTS.keys()].join(', ')}.`);
  }
  if (accept(reader, '(') === undefined) throw expected(reader, `"(" after ${name}`);
  const [least, most, apply] = known;
  const values = nested(reader, readList);
  close(reader);
  if (values.length >= least && values.length <= most) return apply(...values);
  throw failed(`${name} takes ${least} to ${most} values, not ${values.length}.`);
}

function readList(reader: Reader): number[] {
  const values = [readSum(reader)];
  while (accept(reader, ',') !== undefined) values.push(readSum(reader));
  return values;
}

const failed = (message: string): PolyphonyError => new PolyphonyError('tool-failed', message, { retryable: false });

const calculateTool: Tool = {
  name: 'calculate',
  sideEffects: false,
  effects: {},
  trusted: true,
  description:
    'Computes an arithmetic expression exactly as written: + - * / % ^ ( ), numbers, pi, e, sqrt, abs, round, floor, ceil, min, max, sum, mean, exp, ln, log10, log2, sin, cos, tan.',
  input: {
    type: 'object',
    properties: { expression: { type: 'string', maxLength: MAX_LENGTH, description: 'For example: (3 + 4.5) * 2^3' } },
    required: ['expression'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { value: { type: 'number' } },
    required: ['value'],
    additionalProperties: false,
  },
  expectedMs: 1,
  run: async ({ expression }) => ({ value: evaluateArithmetic(String(expression)) }),
};

export function calculate(): Plugin {
  return definePlugin({ name: 'calculate', tools: [calculateTool] });
}

/** For configs that load the plugin by its path. */
export default () => calculate();
