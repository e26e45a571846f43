/** Every attempt to get out fails, and succeeds where the guard of its kind is taken away. */
import { describe, expect, test } from 'vitest';
import { ESCAPES } from './escapes/index.ts';
import { playTwice } from './escapes/play.ts';

test('there are as many attempts as were promised', () => {
  expect(ESCAPES.size).toBeGreaterThanOrEqual(60);
});

describe('an attempt to get out', () => {
  test.each([...ESCAPES])('%s', async (_, one) => {
    const problems: string[] = [];
    const outcome = await playTwice(one, problems);
    expect(problems, `ended as ${outcome}`).toEqual([]);
  });
});
