/** Every attempt to get out fails, and succeeds where the guard of its kind is taken away. */
import { describe, expect, test } from 'vitest';
import { ESCAPES } from './escapes/index.ts';
import { playEscape } from './escapes/play.ts';

test('there are as many attempts as were promised', () => {
  expect(ESCAPES.size).toBeGreaterThanOrEqual(60);
});

describe('an attempt to get out', () => {
  test.each([...ESCAPES])('%s', async (_, one) => {
    const guarded = await playEscape(one, true);
    expect(guarded.breach, `ended as ${guarded.outcome}`).toBeUndefined();
    const open = await playEscape(one, false);
    expect(open.breach, `without the guard it has to succeed, and ended as ${open.outcome}`).toBeDefined();
  });
});
