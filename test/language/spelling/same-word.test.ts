import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCommonWord } from '../../../src/language/spelling/common-words.ts';
import { respelt } from '../../../src/language/spelling/respelt.ts';
import { sameName, wordsOfName } from '../../../src/language/spelling/same-word.ts';
import { inStyle, NAME_STYLES, OTHER_WORDS, otherNames } from '../other-words.ts';

describe('the words of a name', () => {
  it.each([
    ['web_search', ['web', 'search']],
    ['webSearch2', ['web', 'search', '2']],
    ['readPDFFile', ['read', 'pdf', 'file']],
    ['acme/new-4.5', ['acme', 'new', '4', '5']],
    ['größeÄndern', ['größe', 'ändern']],
    ['c++ parser', ['c', '++', 'parser']],
  ])('%s', (name, words) => {
    expect(wordsOfName(name)).toEqual(words);
  });
});

describe('another spelling', () => {
  it.each([
    ['Send Mail', 'send-mail'],
    ['sendMail', 'send_mail'],
    ['websearch', 'web_search'],
    ['texttoimage', 'text-to-image'],
    ['step_1', 'step1'],
    ['cafe\u0301', 'café'],
  ])('%s is %s: only case and separators differ', (given, name) => {
    expect(sameName(given, name)).toBe('form');
  });

  it.each([
    ['transalte', 'translate', 'two letters swapped'],
    ['summarise_txet', 'summarise_text', 'swapped in the last word'],
    ['sumarise', 'summarise', 'a missing letter'],
    ['translatte', 'translate', 'a doubled letter'],
  ])('%s is %s: %s', (given, name) => {
    expect(sameName(given, name)).toBe('letter');
  });

  it.each([
    ['translade', 'translate', 'a letter was exchanged'],
    ['ranslate', 'translate', 'the first letter is missing'],
    ['translat', 'translate', 'the last letter is missing'],
    ['transslatee', 'translate', 'two letters are too many'],
    ['xranslate', 'translate', 'another letter begins it'],
    ['tranxslate', 'translate', 'the letter that is too many is no double'],
    ['transalte_txet', 'translate_text', 'two words differ'],
    ['phase_xviii', 'phase_xvii', 'it is a number'],
    ['lta', 'lat', 'it is too short to tell'],
  ])('%s is not %s: %s', (given, name) => {
    expect(sameName(given, name)).toBeUndefined();
  });

  it.each([
    ['bcrytp', 'bcrypt'],
    ['smpt', 'smtp'],
    ['x22y', 'x2y'],
    ['sgnd', 'sngd'],
  ])('%s is an abbreviation or a code, so it is not %s', (given, name) => {
    expect(sameName(given, name)).toBeUndefined();
  });

  it.each([
    ['now_here', 'nowhere'],
    ['list_in_active', 'list_inactive'],
    ['un_paid', 'unpaid'],
    ['v1_0', 'v10'],
    ['no_table', 'not_able'],
  ])('%s is not %s, though all letters are the same', (given, name) => {
    expect(sameName(given, name)).toBeUndefined();
    expect(sameName(name, given)).toBeUndefined();
  });

  it('is not looked for in a word that means something else', () => {
    expect(sameName('transalte', 'translate', (word) => word === 'transalte')).toBeUndefined();
  });
});

describe('a common word', () => {
  it.each([
    'form',
    'planned',
    'queries',
    'unlisted',
    'creator',
    'crate',
    'finnish',
    'maria',
    'deplete',
    'spies',
    'reset',
  ])('%s', (word) => expect(isCommonWord(word)).toBe(true));
  it.each(['serach', 'lable', 'sumarise', 'recipent', 'adress', 'kidn', '__proto__', 'toString'])(
    '%s is none',
    (word) => expect(isCommonWord(word)).toBe(false),
  );
});

describe('the only candidate', () => {
  it.each([
    ['serach', ['search'], 'search'],
    ['lable', ['label', 'table'], undefined],
    ['docs', ['Docs', 'DOCS'], undefined],
    ['Docs', ['docs', 'docks'], 'docs'],
    ['kidn_a', ['kind_a', 'kidn_b'], undefined],
    ['report', ['reports', 'reporter'], undefined],
  ])('%s of %j is %s', (given, candidates, expected) => {
    expect(respelt(given, candidates, { mayDiffer: 'letter' })).toBe(expected);
  });

  it('is not taken because of a letter where that is not allowed', () => {
    expect(respelt('serach', ['search'], { mayDiffer: 'form' })).toBeUndefined();
    expect(respelt('SEARCH', ['search'], { mayDiffer: 'form' })).toBe('search');
  });
});

describe('the law: a name is never taken for another one', () => {
  it.each(OTHER_WORDS)('%s is not %s', (one, other) => {
    for (const style of NAME_STYLES) {
      expect(
        respelt(inStyle(style, [one, 'report']), [inStyle(style, [other, 'report'])], { mayDiffer: 'letter' }),
      ).toBeUndefined();
      expect(
        respelt(inStyle(style, ['report', other]), [inStyle(style, ['report', one])], { mayDiffer: 'letter' }),
      ).toBeUndefined();
    }
  });

  it('whatever stands beside the word, and however both are written', () => {
    fc.assert(
      fc.property(otherNames(), ([given, name]) => {
        expect(respelt(given, [name], { mayDiffer: 'letter' })).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  it('and is taken for itself in every style', () => {
    const style = fc.constantFrom(...NAME_STYLES);
    const word = fc.constantFrom(...OTHER_WORDS.flat());
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 4 }), style, style, (words, one, other) => {
        // Two numbers side by side are one number in a style without separators.
        fc.pre(!words.some((each, index) => /\d$/.test(each) && /^\d/.test(words[index + 1] ?? '')));
        expect(respelt(inStyle(one, words), [inStyle(other, words)], { mayDiffer: 'form' })).toBe(
          inStyle(other, words),
        );
      }),
    );
  });

  it('in time that grows with the names', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `${'transform_'.repeat(7)}${index}`);
    const before = performance.now();
    for (let index = 0; index < 100; index += 1)
      respelt(`${'transform_'.repeat(7)}x${index}`, names, { mayDiffer: 'letter' });
    expect(performance.now() - before).toBeLessThan(5000);
    expect(respelt('a'.repeat(100_000), ['a'], { mayDiffer: 'letter' })).toBeUndefined();
  });
});
