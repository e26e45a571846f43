/** A refused approval stops nothing by itself: the validator warns where nothing looks at it, and nowhere else. */
import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';
import { ask, plan } from './fragments.ts';

const review = (inputs: object = { choices: ['yes', 'no'] }) => ({
  id: 'review',
  use: 'human',
  in: { question: 'Send it?', ...inputs },
});
const needs = { needs: ['review'] };

const codes = (...nodes: unknown[]) =>
  validate(plan(...nodes), catalogue()).issues.flatMap(({ code, path }) =>
    code === 'approval.unheeded' ? [path] : [],
  );

describe('an approval that a node needs', () => {
  it.each([
    ['its choices approve', [review(), ask('b', 'x', needs)], '/nodes/1/needs/0'],
    [
      'a choice is marked',
      [review({ choices: ['Ship', 'Hold'], approve: 'Ship' }), ask('b', 'x', needs)],
      '/nodes/1/needs/0',
    ],
    ['its items are approved', [{ ...review(), each: '{{a}}' }, ask('b', 'x', needs)], '/nodes/1/needs/0'],
    [
      'a condition looks at something else',
      [ask('a', 'x'), review(), ask('b', 'x', { ...needs, when: "a.text == 'x'" })],
      '/nodes/2/needs/0',
    ],
    [
      'the node can do without what was skipped',
      [review(), ask('a', 'x', { when: 'review.approved' }), ask('b', '{{a.text ?? "none"}}', needs)],
      '/nodes/2/needs/0',
    ],
  ])('is warned about: %s', (_what, nodes, path) => {
    expect(codes(...nodes)).toEqual([path]);
  });

  it.each([
    ['a condition looks at it', [review(), ask('b', 'x', { ...needs, when: 'review.approved' })]],
    ['a condition looks at the answer', [review(), ask('b', 'x', { ...needs, when: "review.answer == 'yes'" })]],
    ['the answer is read', [review(), ask('b', 'They said {{review.answer}}', needs)]],
    [
      'a node before it is skipped with it',
      [review(), ask('a', 'x', { when: 'review.approved' }), ask('b', '{{a.text}}', needs)],
    ],
    ['nothing of it approves', [review({ choices: ['red', 'blue'] }), ask('b', 'x', needs)]],
    ['it has no choices', [review({}), ask('b', 'x', needs)]],
  ])('is not: %s', (_what, nodes) => {
    expect(codes(...nodes)).toEqual([]);
  });
});
