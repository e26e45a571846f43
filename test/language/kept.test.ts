import { describe, expect, it } from 'vitest';
import { keptFor } from '../../src/language/kept.ts';

describe('what is kept for texts', () => {
  it('is made once for each, and again for what was forgotten or is long', () => {
    const made: string[] = [];
    const lengthOf = keptFor((text) => {
      made.push(text);
      return text.length;
    });
    const long = 'x'.repeat(401);
    expect([lengthOf('a'), lengthOf('a'), lengthOf(''), lengthOf(''), lengthOf(long), lengthOf(long)]).toEqual([
      ...[1, 1, 0, 0, 401, 401],
    ]);
    expect(made).toEqual(['a', '', long, long]);
    for (let index = 0; index < 1000; index += 1) lengthOf(`text ${index}`);
    made.length = 0;
    lengthOf('text 999');
    lengthOf('text 0');
    lengthOf('a');
    expect(made).toEqual(['a']);
  });
});
