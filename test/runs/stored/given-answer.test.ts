/** What a person's answer means, and which answers a question takes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HumanQuestion } from '../../../src/core/run/engine.ts';
import { fromShorthand } from '../../../src/language/shorthand.ts';
import { answeredBy, misfitOf } from '../../../src/runs/stored/given-answer.ts';

const OPEN: HumanQuestion = { question: 'Go on?' };
const WORDS = ['yes', 'y', 'ok', 'approve', 'approved', 'true'];

describe('what approves', () => {
  const clear = WORDS.flatMap((word) => [word, word.toUpperCase(), `${word}.`, ` ${word}\n`]);
  it.each([true, { approved: true }, { answer: 'as discussed', approved: true }, ...clear])('%j does', (given) => {
    expect(answeredBy(OPEN, given).approved).toBe(true);
  });

  it.each([
    ...[false, null, 0, 1, [], [true], {}, '', ' ', '.', 'yes..', 'yes!', 'yes, but not today', 'not ok', 'okay?'],
    ...[
      'N',
      'No thanks',
      'hold on',
      'disapproved',
      'untrue',
      'later',
      'stop.',
      'ja',
      'はい',
      'o\u212a',
      'ye\u017f',
      'yes no',
    ],
    ...['sure', 'go ahead', '1', '{"approved":true}', 'yes\u0000', 'y.e.s'],
    ...[{ approved: 'true' }, { approved: 1 }, { approved: false }, { answer: true }, { answer: 'yes' }],
    ...[[{ approved: true }], { approved: { approved: true } }, { Approved: true }],
  ])('%j does not', (given) => {
    expect(answeredBy(OPEN, given).approved).toBe(false);
  });

  it('is in no other value, and nothing of any answer is lost', () => {
    const field = fc.constantFrom('approved', 'answer', 'note');
    const given = fc.oneof(fc.jsonValue(), fc.string(), fc.dictionary(field, fc.jsonValue()));
    fc.assert(
      fc.property(given, (value) => {
        const says = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
        const word = typeof value === 'string' ? value.trim().toLowerCase().replace(/\.$/, '') : '';
        const isClear = value === true || ('approved' in says && says.approved === true) || WORDS.includes(word);
        const output = answeredBy(OPEN, value);
        expect(output.approved).toBe(isClear);
        const isWrapped = 'approved' in says && !('note' in says);
        expect(output.answer).toEqual(isWrapped ? ('answer' in says ? says.answer : null) : value);
      }),
      { numRuns: 2000 },
    );
  });

  it('is only the choice that the question marks, where it marks one', () => {
    const question = { ...OPEN, choices: ['Ship it', 'Ship it later', 'ok'], approve: 'Ship it' };
    const approved = (given: unknown): boolean => answeredBy(question, given).approved;
    expect(['Ship it', 'Ship it later', 'ok', 'ship it'].map(approved)).toEqual([true, false, false, false]);
    expect(approved(true)).toBe(true);
  });
});

describe('an answer to a question with choices', () => {
  const either = { ...OPEN, choices: ['yes', 'no'] };
  const neither = { ...OPEN, choices: ['keep', 'drop', '7'] };
  const marked = { ...OPEN, choices: ['Ship it', 'Hold'], approve: 'Ship it' };

  it.each([
    [either, 'yes'],
    [either, 'no'],
    [either, true],
    [either, false],
    [either, { answer: 'no', approved: false }],
    [either, { answer: 'yes', approved: false }],
    [neither, 'drop'],
    [neither, '7'],
    [neither, { answer: 'keep', approved: true }],
    [marked, 'Hold'],
    [marked, true],
  ])('%j takes %j', (question, given) => expect(misfitOf(question, given)).toBeUndefined());

  it.each([
    [either, 'Yes'],
    [either, 'yes '],
    [either, 'yes.'],
    [either, 'maybe'],
    [either, null],
    [either, ['yes']],
    [either, { answer: 'yes' }],
    [either, { answer: 'no', approved: true }],
    [either, { approved: true }],
    [neither, true],
    [neither, false],
    [neither, 7],
    [neither, 'toString'],
    [marked, 'yes'],
    [marked, { answer: 'Hold', approved: true }],
    [marked, 'ship it'],
  ])('%j refuses %j', (question, given) => expect(misfitOf(question, given)).toContain('choi'));

  it('names a bounded part of many or long choices', () => {
    const choices = Array.from({ length: 5000 }, (_, index) => `${index} ${'x'.repeat(5000)}`);
    const message = misfitOf({ ...OPEN, choices }, 'x'.repeat(100_000)) ?? '';
    expect(message).toContain('and 4980 more');
    expect(message.length).toBeLessThan(3000);
  });
});

describe('an answer to a question with a schema', () => {
  const count = { ...OPEN, out: fromShorthand({ answer: 'integer', approved: 'boolean' }) };

  it.each([12, '12', { answer: 3, approved: true }])('takes %j', (given) => {
    expect(misfitOf(count, given)).toBeUndefined();
  });

  it.each(['a dozen', 1.5, null, true, { answer: 'x', approved: true }, { approved: true, answer: 3, more: 1 }])(
    'refuses %j, and says why',
    (given) => expect(misfitOf(count, given)).toMatch(/"out".*\/answer/),
  );

  it('refuses no value at all, whatever the schema', () => {
    expect(misfitOf(OPEN, undefined)).toContain('undefined');
  });
});
