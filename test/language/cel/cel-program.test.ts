import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../../src/language/condition.ts';

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
