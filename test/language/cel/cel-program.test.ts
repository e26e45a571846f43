import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../../src/language/condition.ts';
import { CONDITION_BOUNDS } from '../../../src/language/condition-rules.ts';
import { compileExpression } from '../../../src/language/expression.ts';

/** Chains that no parenthesis bounds, each at least as deep as it is long. */
const CHAINS: Readonly<Record<string, (length: number) => string>> = {
  sums: (length) => `n${'+n'.repeat(length)} == 0`,
  negations: (length) => `${'!'.repeat(length)}(n == 1)`,
  minuses: (length) => `${'- '.repeat(length)}n == 1`,
  comparisons: (length) => `n == n${'&&n == n'.repeat(length)}`,
  choices: (length) => `${'m ? m : '.repeat(length)}m`,
};

describe('a condition that compiles', () => {
  it.each(Object.entries(CHAINS))('can be evaluated, however deep it nests: %s', (_, chain) => {
    let accepted = 0;
    for (let length = 1; length < 990; length += length < 80 ? 1 : 70) {
      const source = chain(length);
      const compiled = compileCondition(source, { heads: ['n', 'm'] });
      if (!compiled.ok) continue;
      accepted += 1;
      expect(() => compiled.condition.evaluate({ n: 1, m: true }), source).not.toThrow();
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

const { operators } = CONDITION_BOUNDS;
const CALLERS = [0, 500, 2000, 4000];
const below = <T>(callers: number, work: () => T): T => (callers === 0 ? work() : below(callers - 1, work));

describe('a chain of operators', () => {
  const chains: Readonly<Record<string, (length: number) => string>> = {
    alternatives: (length) => `m${'||m'.repeat(length)}`,
    'alternatives and others': (length) => `m${'||m&&m'.repeat(length - 1)}`,
    negations: (length) => `${'!'.repeat(length)}m`,
    minuses: (length) => `${'-'.repeat(length)}n`,
    products: (length) => `n${'*n'.repeat(length)}`,
    orders: (length) => `n${'<n'.repeat(length)}`,
  };

  it.each(Object.entries(chains))('is bounded by its number, however deep the caller is: %s', (_, chain) => {
    for (const callers of CALLERS) {
      const compiled = [operators - 20, operators, operators + 20, 1600].map((length) =>
        below(callers, () => compileExpression(chain(length))),
      );
      expect(compiled.map(({ ok }) => ok)).toEqual([true, true, false, false]);
      for (const one of compiled.filter(({ ok }) => !ok))
        expect(one).toMatchObject({
          code: 'expression.syntax',
          message: expect.stringMatching(
            /^The expression has too many operators in one chain, of which it may have 1000, .* compute a part of it in another node\.$/,
          ),
        });
    }
  });

  it('is refused in the same words where the parser itself gives up', () => {
    expect(compileExpression(`${'!'.repeat(9900)}m`)).toMatchObject({
      message: expect.stringContaining('too many operators in one chain'),
    });
  });

  it('that is within the bound is worked out, however deep the caller is', () => {
    for (const callers of CALLERS) {
      const compiled = below(callers, () => compileCondition(`${'!'.repeat(operators)}m`, { heads: ['m'] }));
      expect(compiled.ok && below(callers, () => compiled.condition.evaluate({ m: true }))).toBe(true);
    }
  });

  it('may be as long as it likes where none is within another', () => {
    const list = `[${'1 + 2, '.repeat(400)}3].size()`;
    expect(compileExpression(list).ok).toBe(true);
  });

  it('that adds or compares is bounded in the same words', () => {
    expect(compileExpression(`n${' + n'.repeat(480)}`).ok).toBe(true);
    for (const operator of ['+', '==', '!='])
      expect(compileExpression(`n${`${operator}n`.repeat(600)}`)).toMatchObject({
        message: expect.stringContaining('too many operators in one chain'),
      });
  });

  it('is told from parentheses', () => {
    expect(compileExpression(`${'('.repeat(40)}n${')'.repeat(40)}`)).toMatchObject({
      ok: false,
      message: expect.stringMatching(
        /^The expression has parentheses, calls, indexes or choices within one another, more than 32 deep: compute a part/,
      ),
    });
  });
});
