import { expect, test } from 'vitest';
import { defined } from '../../src/core/defined.ts';
import { defined as ofTheKit } from '../../src/kit/index.ts';

test('defined leaves out what is undefined and keeps all else, in its order', () => {
  const given = { b: null, a: undefined, d: 0, c: '', e: false };
  const copy = defined(given);
  expect(Object.keys(copy)).toEqual(['b', 'd', 'c', 'e']);
  expect(copy).toEqual({ b: null, d: 0, c: '', e: false });
  expect(given).toHaveProperty('a');
  expect(ofTheKit).toBe(defined);
});
