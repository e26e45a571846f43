import { describe, expect, it } from 'vitest';
import { asCount } from '../../../src/kit/index.ts';

describe('a count of tokens', () => {
  it.each([
    [10, 10],
    ['10', 10],
    ['0', 0],
    ['1e9', undefined],
    ['-1', undefined],
    ['', undefined],
    ['9'.repeat(400), undefined],
    [Number.NaN, undefined],
    [null, undefined],
    [[10], undefined],
  ])('%j is read as %j', (given, count) => {
    expect(asCount(given)).toBe(count);
  });
});
