import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculate, evaluateArithmetic } from '../../../plugins/tools/calculate.ts';

describe('calculate', () => {
  const results: Record<string, number> = {
    '1 + 2 * 3': 7,
    '(1 + 2) * 3': 9,
    '-2^2': -4,
    '2^-1': 0.5,
    '2^3^2': 512,
    '2**10': 1024,
    '7 % 4 - 10 / 4': 0.5,
    '1.5e3 + .5': 1500.5,
    'sqrt(16) + abs(-2) + max(1, 2, 3)': 9,
    'round(2.345, 1) + floor(1.9)': 3.3,
    'mean(1, 2, 6) * sum(1, 1)': 6,
    'ln(e) + cos(pi)': 0,
    '--3': 3,
  };
  for (const [expression, value] of Object.entries(results)) {
    it(expression, () => expect(evaluateArithmetic(expression)).toBeCloseTo(value, 12));
  }

  const refused: Record<string, RegExp> = {
    '': /a number was expected, but the end/,
    '1 +': /a number/,
    '1 2': /an operator was expected, but "2" at character 3/,
    '(1': /"\)"/,
    'x + 1': /Unknown name "x"/,
    'constructor(1)': /Unknown name "constructor"/,
    'sqrt()': /a number/,
    'sqrt(1, 2)': /takes 1 to 1/,
    '1/0': /no finite value/,
    'sqrt(-1)': /no finite value/,
    '1; 2': /an operator/,
    '1,000': /an operator/,
  };
  for (const [expression, message] of Object.entries(refused)) {
    it(`refuses "${expression}"`, () => expect(() => evaluateArithmetic(expression)).toThrow(message));
  }

  it('bounds length and depth', () => {
    expect(() => evaluateArithmetic('1'.repeat(1001))).toThrow(/at most 1000/);
    expect(() => evaluateArithmetic(`${'('.repeat(70)}1${')'.repeat(70)}`)).toThrow(/64 levels deep/);
    expect(() => evaluateArithmetic(`${'-'.repeat(900)}1`)).toThrow(/64 levels deep/);
  });

  it('agrees with JavaScript on plain arithmetic, and throws nothing foreign on anything', () => {
    const number = fc.integer({ min: 1, max: 999 }).map(String);
    const operator = fc.constantFrom('+', '-', '*', '/');
    fc.assert(
      fc.property(number, fc.array(fc.tuple(operator, number), { maxLength: 8 }), (first, rest) => {
        const expression = first + rest.map(([sign, value]) => ` ${sign} ${value}`).join('');
        expect(evaluateArithmetic(expression)).toBeCloseTo(byHand(expression), 9);
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789+-*/^%().,e pisqrt') }), (expression) => {
        try {
          expect(Number.isFinite(evaluateArithmetic(expression))).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'tool-failed' });
        }
      }),
    );
  });

  it('is a tool', async () => {
    const [tool] = calculate().tools ?? [];
    expect(await tool?.run({ expression: '6 * 7' }, {} as never)).toEqual({ value: 42 });
  });
});

/** Products first, then sums, from the left. */
function byHand(expression: string): number {
  const terms = expression.split(/ (?=[+-] )/);
  return terms.reduce((sum, term) => {
    const [first = '', ...factors] = term.replace(/^[+-] /, '').split(/ (?=[*/] )/);
    const value = factors.reduce(
      (product, factor) => (factor[0] === '*' ? product * Number(factor.slice(2)) : product / Number(factor.slice(2))),
      Number(first),
    );
    return term.startsWith('- ') ? sum - value : sum + value;
  }, 0);
}
