/** The tool `calculate`: arithmetic by a parser of its own; nothing is ever evaluated as code. */
import { definePlugin, type Plugin, PolyphonyError, type Tool } from 'polyphony';

const MAX_LENGTH = 1000;
const MAX_DEPTH = 64;

const CONSTANTS: ReadonlyMap<string, number> = new Map([
  ['pi', Math.PI],
  ['e', Math.E],
]);

/** Name, how many arguments at least and at most, and what it does. */
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
 * @throws tool-failed with the position of what it cannot read, and for results that are no finite number
 */
export function evaluateArithmetic(expression: string): number {
  if (expression.length > MAX_LENGTH) {
    throw failed(`The expression has ${expression.length} characters; give at most ${MAX_LENGTH}.`);
  }
  const parser = createParser(expression);
  const value = parser.sum();
  parser.end();
  if (Number.isFinite(value)) return Object.is(value, -0) ? 0 : value;
  throw failed(`"${expression}" has no finite value: mind divisions by zero and roots of negative numbers.`);
}

interface Parser {
  sum(): number;
  end(): void;
}

function createParser(expression: string): Parser {
  const tokens = [...expression.matchAll(/(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[a-zA-Z][a-zA-Z0-9]*|\*\*|\S/g)];
  let at = 0;
  let depth = 0;
  const accept = (...wanted: readonly string[]): string | undefined => {
    const token = tokens[at]?.[0];
    if (token === undefined || !wanted.includes(token)) return undefined;
    at += 1;
    return token;
  };
  const expected = (what: string): PolyphonyError => {
    const token = tokens[at];
    const found = token === undefined ? 'the end' : `"${token[0]}" at character ${token.index + 1}`;
    return failed(`The expression cannot be read: ${what} was expected where ${found} stands.`);
  };
  const closing = (value: number): number => {
    if (accept(')') === undefined) throw expected('")"');
    depth -= 1;
    return value;
  };
  const nested = <T>(read: () => T): T => {
    depth += 1;
    if (depth > MAX_DEPTH) throw failed(`The expression is nested more than ${MAX_DEPTH} deep: flatten it.`);
    return read();
  };
  const list = (): number[] => {
    const values = [sum()];
    while (accept(',') !== undefined) values.push(sum());
    return values;
  };
  const named = (name: string): number => {
    const constant = CONSTANTS.get(name);
    if (constant !== undefined) return constant;
    const known = FUNCTIONS.get(name);
    if (known === undefined)
      throw failed(`There is no "${name}": use ${[...FUNCTIONS.keys(), ...CONSTANTS.keys()].join(', ')}.`);
    if (accept('(') === undefined) throw expected(`"(" behind ${name}`);
    const [least, most, apply] = known;
    const values = nested(list);
    if (values.length < least || values.length > most)
      throw failed(`${name} takes ${least} to ${most} values, not ${values.length}.`);
    return closing(apply(...values));
  };
  const primary = (): number => {
    if (accept('(') !== undefined) return closing(nested(sum));
    const token = tokens[at]?.[0] ?? '';
    if (!/^[\d.a-zA-Z]/.test(token) || token === '.') throw expected('a number');
    at += 1;
    return /^[\d.]/.test(token) ? Number(token) : named(token);
  };
  const power = (): number => {
    const base = primary();
    return accept('^', '**') === undefined ? base : base ** nestedUnary();
  };
  const unary = (): number => {
    const sign = accept('-', '+');
    if (sign === undefined) return power();
    return sign === '-' ? -nestedUnary() : nestedUnary();
  };
  const nestedUnary = (): number => {
    const value = nested(unary);
    depth -= 1;
    return value;
  };
  const product = (): number => {
    let value = unary();
    for (let sign = accept('*', '/', '%'); sign !== undefined; sign = accept('*', '/', '%')) {
      const other = unary();
      value = sign === '*' ? value * other : sign === '/' ? value / other : value % other;
    }
    return value;
  };
  function sum(): number {
    let value = product();
    for (let sign = accept('+', '-'); sign !== undefined; sign = accept('+', '-')) {
      const other = product();
      value = sign === '+' ? value + other : value - other;
    }
    return value;
  }
  return {
    sum,
    end() {
      if (at < tokens.length) throw expected('an operator');
    },
  };
}

const failed = (message: string): PolyphonyError => new PolyphonyError('tool-failed', message, { retryable: false });

const calculateTool: Tool = {
  name: 'calculate',
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

export default calculate;
