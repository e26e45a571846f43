import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstCount, laterCounts } from '../../../src/kit/wires/counts.ts';

describe('counts that are told twice', () => {
  test.each([
    ['the last one wins', { a: 1 }, { a: 7 }, { a: 7 }],
    [
      'a zero, null or empty list takes the place of nothing',
      { a: 1, b: 2, c: [{ n: 3 }] },
      { a: 0, b: null, c: [] },
      { a: 1, b: 2, c: [{ n: 3 }] },
    ],
    ['not inside a breakdown either', { parts: { x: 5, y: 0 } }, { parts: { x: 0, y: 4 } }, { parts: { x: 5, y: 4 } }],
    [
      'nor in a list of kinds',
      { kinds: [{ kind: 'A', n: 2 }] },
      { kinds: [{ kind: 'A', n: 0 }] },
      { kinds: [{ kind: 'A', n: 2 }] },
    ],
    ['a zero that is all that was told is kept', {}, { a: 0, b: '0' }, { a: 0, b: '0' }],
    ['words are replaced', { tier: 'flex' }, { tier: 'standard' }, { tier: 'standard' }],
  ])('%s', (_, known, told, expected) => {
    expect(laterCounts(known, told)).toEqual(expected);
  });

  test('never sink to nothing, whatever is told', () => {
    const count = fc.constantFrom(0, null, 3, '4', undefined);
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.integer({ min: 1 })),
        fc.dictionary(fc.string(), count),
        (known, told) => {
          for (const name of Object.keys(known)) expect(Number(laterCounts(known, told)[name])).toBeGreaterThan(0);
        },
      ),
    );
  });

  test('of several names the first that counts anything is taken', () => {
    expect(firstCount(undefined, 0, '12', 5)).toBe(12);
    expect(firstCount(null, 0)).toBe(0);
    expect(firstCount('many', {})).toBeUndefined();
  });
});
