/** Recomputes the equations in a text. One pass; only numbers and + - * / ^ ( ) are evaluated. */

export interface Equation {
  readonly text: string;
  readonly stated: number;
  readonly computed: number;
  readonly right: boolean;
}

const MAX_SIDE = 120;
const MAX_EQUATIONS = 100;
/** Limit of examined equals signs, whether or not they belong to an equation. */
const MAX_SIGNS = 400;
const MAX_DEPTH = 20;

/** Markup of formulas that does not affect the value. */
const NOISE = /\\(?:times|cdot)|\\div|\\[,;!()[\]]|[$€£\\]|(?<=\d),(?=\d{3}(?!\d))/g;
export const plain = (text: string): string =>
  text
    .replace(NOISE, (mark) => (mark === '\\div' ? '/' : mark.length > 4 ? '*' : ''))
    .replace(/[×·]/g, '*')
    .replace(/[÷]/g, '/')
    .replace(/[−–]/g, '-');

/** Every `expression = value` whose left side is arithmetic. Sides with words or percentages are skipped. */
export function equationsOf(text: string): Equation[] {
  const source = plain(text);
  const equations: Equation[] = [];
  let signs = 0;
  for (let at = source.indexOf('='); at !== -1; at = source.indexOf('=', at + 1)) {
    signs += 1;
    if (signs > MAX_SIGNS || equations.length >= MAX_EQUATIONS) break;
    const left = leftSide(source, at);
    const right = rightSide(source, at + 1);
    if (!/[-+*/^x]/.test(left.trim().slice(1)) || !/\d/.test(right)) continue;
    const computed = valuesOf(left, 'end');
    const stated = valuesOf(right, 'start');
    const [first] = computed;
    const [last] = stated;
    if (first === undefined || last === undefined) continue;
    const matches = computed.some((a) => stated.some((b) => close(a, b, right)));
    equations.push({
      text: `${left.trim()} = ${right.trim()}`.slice(0, 80),
      computed: first,
      stated: last,
      right: matches,
    });
  }
  return equations;
}

const ARITHMETIC = /[\d.+\-*/^()x ]/;

function leftSide(text: string, end: number): string {
  let start = end;
  while (start > 0 && end - start < MAX_SIDE && ARITHMETIC.test(text.charAt(start - 1))) start -= 1;
  return text.slice(start, end);
}

function rightSide(text: string, start: number): string {
  let end = start;
  while (end < text.length && end - start < MAX_SIDE && ARITHMETIC.test(text.charAt(end))) end += 1;
  const side = text.slice(start, end);
  // A percentage may mean a hundredth of its number or the number itself.
  return text.charAt(end) === '%' ? '' : side.replace(/[. ]+$/, '');
}

export const decimalsOf = (written: string): number => /\.(\d+)/.exec(written)?.[1]?.length ?? 0;

/** Equal within one unit of the last written decimal, because some answers round and some truncate. */
export function close(a: number, b: number, written: string): boolean {
  const decimals = decimalsOf(written);
  const unit = decimals === 0 ? 0.5 : 1.01 * 10 ** -decimals;
  const whole = decimals === 0 && Number.isInteger(a) && Number.isInteger(b);
  return Math.abs(a - b) <= (whole ? 1e-9 : unit) + Math.abs(a) * 1e-9;
}

/** Possible values of a side: of the whole, and without a list mark in front or punctuation behind. */
function valuesOf(side: string, keep: 'start' | 'end'): number[] {
  const text = side.trim();
  const shorter =
    keep === 'end'
      ? [text.replace(/^(?:\d+[.)]|[-*+x/.]+)\s*/, ''), text.slice(text.lastIndexOf('(') + 1)]
      : [/^-?\s*[\d.]+/.exec(text)?.[0] ?? ''];
  return [text, ...shorter].map(evaluate).filter((value) => value !== undefined);
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  depth: number;
}

/** Undefined for anything that is not a complete expression. */
export function evaluate(text: string): number | undefined {
  const tokens = text.match(/\d+(?:\.\d+)?|\.\d+|\*\*|[-+*/^()x]|\S/g);
  if (tokens === null) return undefined;
  const reader: Reader = { tokens, at: 0, depth: 0 };
  const value = readSum(reader);
  return reader.at === tokens.length && Number.isFinite(value) ? value : undefined;
}

function accept(reader: Reader, ...wanted: readonly string[]): string | undefined {
  const token = reader.tokens[reader.at];
  if (token === undefined || !wanted.includes(token)) return undefined;
  reader.at += 1;
  return token;
}

function readSum(reader: Reader): number {
  let value = readProduct(reader);
  for (let sign = accept(reader, '+', '-'); sign !== undefined; sign = accept(reader, '+', '-')) {
    value = sign === '-' ? value - readProduct(reader) : value + readProduct(reader);
  }
  return value;
}

function readProduct(reader: Reader): number {
  let value = readPower(reader);
  for (let sign = accept(reader, '*', 'x', '/'); sign !== undefined; sign = accept(reader, '*', 'x', '/')) {
    value = sign === '/' ? value / readPower(reader) : value * readPower(reader);
  }
  return value;
}

function readPower(reader: Reader): number {
  const base = readPrimary(reader);
  return accept(reader, '^', '**') === undefined ? base : base ** readPrimary(reader);
}

function readPrimary(reader: Reader): number {
  if (accept(reader, '-') !== undefined) return -readPrimary(reader);
  if (accept(reader, '(') !== undefined) {
    reader.depth += 1;
    const value = reader.depth > MAX_DEPTH ? Number.NaN : readSum(reader);
    reader.depth -= 1;
    return accept(reader, ')') === undefined ? Number.NaN : value;
  }
  const token = reader.tokens[reader.at] ?? '';
  reader.at += 1;
  return /^[\d.]/.test(token) ? Number(token) : Number.NaN;
}

/** The numbers of a text, without thousands separators. */
export function numbersOf(text: string): number[] {
  return (text.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '').match(/\d+(?:\.\d+)?/g) ?? []).slice(0, 2000).map(Number);
}
