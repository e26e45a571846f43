import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  cutMiddle,
  cutToWidth,
  displayWidth,
  oneLine,
  padToWidth,
  printable,
  safeJson,
  wrapText,
} from '../../src/drawing/plain-text.ts';
import { STEERING } from './steering.ts';

const HOSTILE = 'a\u001b[2J\u001b]8;;http://evil\u0007link\u009b31m\u0090q\u007f\u202Eesrever\u2066\u0000z';

describe('printable text', () => {
  it('keeps nothing that steers a terminal or turns a line around', () => {
    expect(printable(HOSTILE)).toBe('a[2J]8;;http://evillink31mqesreverz');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !STEERING.test(printable(text))));
  });

  it('keeps lines, tabs, accents, emoji and right-to-left text with its marks', () => {
    const text = 'é\tü\n日本語 \u200Fשלום\u200E 👩‍💻';
    expect(printable(text)).toBe(text);
    expect(oneLine(' a\n\tb \u2028 c ')).toBe('a b c');
  });
});

describe('safe JSON', () => {
  it('means the same and steers nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const text = safeJson(value, 2);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        return !STEERING.test(text);
      }),
    );
    expect(JSON.parse(safeJson({ text: HOSTILE }))).toEqual({ text: HOSTILE });
  });
});

describe('widths', () => {
  it.each([
    ['abc', 3],
    ['日本語', 6],
    ['e\u0301', 1],
    ['한글', 4],
    ['👍', 2],
    ['Ａ', 2],
    ['', 0],
  ])('of %j is %i columns', (text, width) => expect(displayWidth(text)).toBe(width));

  it('cuts to the width with an ellipsis, and pads to it', () => {
    expect(cutToWidth('日本語です', 5)).toBe('日本…');
    expect(cutToWidth('short', 5)).toBe('short');
    expect(cutToWidth('abc', 0)).toBe('');
    expect(padToWidth('日', 4)).toBe('日  ');
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.nat(30),
        (text, columns) => displayWidth(cutToWidth(text, columns)) <= columns,
      ),
    );
  });
});

describe('lines that are broken at blanks', () => {
  it('lose no word, and fit where no word is wider than a line', () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '語', '👍'), minLength: 1, maxLength: 10 }));
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 80 }), (given, columns) => {
        const text = given.join(' ');
        const lines = wrapText(text, columns).split('\n');
        expect(lines.join(' ')).toBe(text);
        for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      }),
    );
  });

  it('keep the indent of a list, and an address in one piece', () => {
    expect(wrapText('  - one two three four\nfive', 12)).toBe('  - one two\n    three\n    four\nfive');
    expect(wrapText('see https://example.com/a/long/path now', 10)).toBe('see\nhttps://example.com/a/long/path\nnow');
  });
});

describe('names that are cut in their middle', () => {
  it('keep their beginning and their end, in any width', () => {
    expect(cutMiddle('translate_the_third_chapter', 11)).toBe('trans…apter');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 3, max: 30 }), (given, columns) => {
        const text = oneLine(given);
        const cut = cutMiddle(text, columns);
        expect(displayWidth(cut)).toBeLessThanOrEqual(columns);
        if (displayWidth(text) <= columns) expect(cut).toBe(text);
      }),
    );
  });
});
