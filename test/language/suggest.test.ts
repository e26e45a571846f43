import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest, nearestUnprefixed, slipOf } from '../../src/language/suggest.ts';

/** The textbook table, without a bound: what the fast one must agree with. */
function fullDistance(left: string, right: string): number {
  const table = [...left, ''].map(() => [...right, ''].map(() => 0));
  for (let row = 0; row <= left.length; row += 1) {
    for (let column = 0; column <= right.length; column += 1) {
      const at = (up: number, back: number) => table[row - up]?.[column - back] ?? Number.POSITIVE_INFINITY;
      let best = row === 0 ? column : column === 0 ? row : at(1, 1) + (left[row - 1] === right[column - 1] ? 0 : 1);
      if (row > 0 && column > 0) best = Math.min(best, at(1, 0) + 1, at(0, 1) + 1);
      const swap = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (row > 1 && column > 1 && swap) best = Math.min(best, at(2, 2) + 1);
      (table[row] ?? [])[column] = best;
    }
  }
  return table[left.length]?.[right.length] ?? 0;
}

describe('editDistance', () => {
  it('is the bounded optimal string alignment distance', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, fc.nat({ max: 8 }), (left, right, limit) => {
        expect(editDistance(left, right, limit)).toBe(Math.min(fullDistance(left, right), limit + 1));
      }),
      { numRuns: 500 },
    );
  });
});

describe('nearest', () => {
  it.each([
    ['serach', ['send', 'search', 'rerank'], ['search']],
    ['textSummarization', ['image-to-text', 'summarization', 'text-generation'], ['summarization', 'text-generation']],
    ['Send Mail', ['send-mail', 'sendfile'], ['send-mail']],
    ['zebra', ['search'], []],
    ['x'.repeat(500), ['search'], []],
  ])('%s', (name, names, expected) => {
    expect(nearest(name, names)).toEqual(expect.arrayContaining(expected.slice(0, 1)));
    expect(nearest(name, names).length).toBe(expected.length);
  });
});

describe('nearestUnprefixed', () => {
  it('gives each name once, under its shortest form, and finds what contains the name that was asked for', () => {
    const names = ['small-v2', 'acme/small-v2', 'large-haiku-9', 'acme/large-haiku-9', 'acme/only-here'];
    expect(nearestUnprefixed('smal-v2', names)).toEqual(['small-v2']);
    expect(nearestUnprefixed('haiku', names)).toEqual(['large-haiku-9']);
    expect(nearestUnprefixed('only-her', names)).toEqual(['acme/only-here']);
    expect(nearestUnprefixed('zebra', names)).toEqual([]);
  });
});

describe('slipOf', () => {
  it.each([
    ['serach', ['search'], 'search'],
    ['web_search', ['web-search', 'search'], 'web-search'],
    ['n7', ['n1'], undefined],
    ['node1', ['node2', 'node12'], undefined],
    ['cat', ['car'], undefined],
    ['hit', ['hits'], 'hits'],
    ['image-search', ['search'], undefined],
    ['colour', ['colour1', 'color'], undefined],
    ['colour', ['color', 'size'], 'color'],
    ['reports', ['report', 'reporter'], undefined],
  ])('%s of %j is %s', (name, names, expected) => {
    expect(slipOf(name, names)).toBe(expected);
  });
});
