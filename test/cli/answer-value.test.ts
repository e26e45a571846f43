import { describe, expect, it } from 'vitest';
import { answerValue } from '../../src/cli/input/answer-value.ts';
import { fromShorthand } from '../../src/language/shorthand.ts';

const asking = (more: object) => ({ question: 'What?', ...more });
const typed = (answer: string) => asking({ out: fromShorthand({ answer }) });

describe('an answer on the command line', () => {
  it.each<[string, unknown]>([
    ['yes', 'yes'],
    ['two words', 'two words'],
    ['true', true],
    ['null', null],
    ['42', 42],
    ['-1.5', -1.5],
    ['"42"', '42'],
    ['["a", 1]', ['a', 1]],
    ['{"approved": true}', { approved: true }],
    ['{approved: true}', '{approved: true}'],
    // JSON would change these.
    ['1.10', '1.10'],
    ['1e3', '1e3'],
    ['12345678901234567890', '12345678901234567890'],
    ['007', '007'],
    ['', ''],
  ])('%j is %j', (text, value) => {
    expect(answerValue(text, undefined)).toEqual(value);
    expect(answerValue(text, asking({}))).toEqual(value);
    expect(answerValue(text, typed('any'))).toEqual(value);
  });

  it('is the text where the text is a choice', () => {
    const choices = ['1', 'true', '"a"', 'b'];
    const question = asking({ choices });
    for (const choice of choices) expect(answerValue(choice, question)).toBe(choice);
    expect(answerValue('"b"', question)).toBe('b');
    expect(answerValue('2', question)).toBe(2);
  });

  it('is the text where the answer is declared as text, and JSON where it is not', () => {
    for (const text of ['1', 'true', 'null', '"a"', '{}']) expect(answerValue(text, typed('string'))).toBe(text);
    expect(answerValue('null', typed('string?'))).toBe('null');
    expect(answerValue('7', typed('integer'))).toBe(7);
    expect(answerValue('["7"]', typed('string[]'))).toEqual(['7']);
    expect(answerValue('true', typed('boolean'))).toBe(true);
  });

  it('is an object where one may answer beside a text, as for a call that waits for approval', () => {
    const arguments_ = { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] };
    const changed = { type: 'object', properties: { arguments: arguments_ } };
    const out = { type: 'object', properties: { answer: { anyOf: [{ type: ['string', 'boolean'] }, changed] } } };
    const question = asking({ out });
    for (const given of [{ approved: true, arguments: { amount: 5 } }, { approved: true, arguments: {} }, {}])
      expect(answerValue(JSON.stringify(given), question)).toEqual(given);
    for (const text of ['no, too much', 'yes', '[1]']) expect(answerValue(text, question)).toEqual(text);
  });
});
