/** The class of a text by examples that are alike in words. */
import { describe, expect, it } from 'vitest';
import { taskByExamples } from '../../../src/gateway/tasks/examples.ts';
import { wordsOf } from '../../../src/kit/retrieval/words.ts';

const tasks = {
  billing: {
    examples: [
      'why was I charged twice this month',
      'I need a copy of my last invoice',
      'my invoice shows the wrong amount',
      'when is the next payment due',
      'please refund the second charge',
    ],
  },
  technical: {
    examples: [
      'the app crashes when I open the camera',
      'I cannot log in with my password',
      'the page loads very slowly',
      'pictures are not uploaded',
      'an error appears after the update',
    ],
  },
};
const taskOf = (text: string) => taskByExamples(tasks, [...wordsOf(text)]);

describe('the class by examples', () => {
  it.each([
    ['billing', 'the amount on the invoice is wrong'],
    ['billing', 'refund my payment'],
    ['technical', 'the update makes the camera crash with an error'],
    ['technical', 'my password does not log me in'],
  ])('%s for %j, which is none of them', (task, text) => {
    expect(taskOf(text)?.task).toBe(task);
    expect(taskOf(text)?.certainty).toBeGreaterThan(0.6);
  });

  it('is unknown where no word is shared, and unsure where both sides are alike', () => {
    expect(taskOf('Quarterly weather outlook')).toBeUndefined();
    expect(taskOf('')).toBeUndefined();
    expect(taskByExamples({}, ['invoice'])).toBeUndefined();
    expect(taskOf('the invoice page')?.certainty).toBeLessThan(0.75);
  });

  it('does not depend on case, marks or the order of words, nor on how often one is repeated', () => {
    const plain = taskOf('refund the second charge');
    expect(taskOf('CHARGE second, the Réfund! refund refund')).toEqual(plain);
  });

  it('finds one word among a thousand examples that share all others', () => {
    const many = Array.from({ length: 1000 }, (_, index) => `please help me with the matter number ${index}`);
    const large = { a: { examples: many.slice(0, 500) }, b: { examples: many.slice(500) } };
    expect(taskByExamples(large, ['matter', '700'])?.task).toBe('b');
  });
});
