/** What a workflow of a plan gives, where its output is computed: those that use it see the type of the result. */
import { describe, expect, it } from 'vitest';
import { validate } from '../../../src/validator/validate.ts';
import { catalogue } from '../catalogue.ts';

const issuesOf = (output: unknown, use: object): readonly string[] => {
  const made = {
    input: { rows: 'string[]' },
    nodes: [{ id: 'same', use: 'value', in: { rows: '{{input.rows}}' } }],
    output,
  };
  const plan = {
    version: 1,
    input: { rows: 'string[]' },
    workflows: { made },
    nodes: [
      { id: 'part', use: 'workflow:made', in: { rows: '{{input.rows}}' } },
      { id: 'next', use: 'value', in: { seen: '{{part}}' }, ...use },
    ],
    output: '{{next}}',
  };
  const { issues } = validate(plan, catalogue());
  return issues.map(({ code }) => code);
};

describe('a computed output of a workflow of a plan', () => {
  it.each([
    ['a flag', '{{= size(same.rows) > 0}}', { when: 'part.of == true' }],
    ['a number', '{{= size(same.rows)}}', { when: 'part.of >= 2' }],
    ['a list', '{{= same.rows.first(2)}}', { each: '{{part.of}}', in: { text: '{{item}}' } }],
    ['an object', "{{= {'name': same.rows[0]} }}", { in: { name: '{{part.of.name}}' } }],
  ])('is %s', (_, expression, use) => {
    expect(issuesOf({ of: expression }, use)).toEqual([]);
  });

  it('is no text where it is a number, and is told so', () => {
    expect(issuesOf({ of: '{{= size(same.rows)}}' }, { when: "part.of == 'two'" })).toEqual(['condition.never']);
    expect(issuesOf({ of: '{{= size(same.rows)}}' }, { in: { name: '{{part.of.name}}' } })).not.toEqual([]);
  });

  it('is a text where text stands beside references', () => {
    expect(issuesOf({ of: 'rows: {{same.rows}}' }, { when: 'part.of == true' })).toEqual(['condition.never']);
  });
});
