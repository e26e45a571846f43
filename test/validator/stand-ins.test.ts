/** Stand-ins (`onError: { value }`) have the shape of what they stand in for. */
import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';
import { ask, plan, search } from './fragments.ts';

const typed = { out: { label: 'a|b', score: 'number' } };
const issuesOf = (value: unknown, more: object = {}, read = '{{kind.label}}') =>
  validate(
    plan(search('docs', 'x'), ask('kind', 'x', { ...typed, ...more, onError: { value } }), ask('next', read)),
    catalogue(),
  ).issues;

describe('a stand-in', () => {
  it.each([
    [{ label: 'a', score: 0 }, []],
    [null, []],
    ['other', ['error']],
    [{ lable: 'a', score: 0 }, ['error', 'error']],
    [{ score: 1 }, ['error']],
    [{ label: 'a' }, ['warning']],
    [{ label: 'c', score: 0 }, ['warning']],
    [{ label: 'a', score: 'high' }, ['warning']],
    [{ label: 'a', score: 0, more: 1 }, ['warning']],
    [[{ label: 'a', score: 0 }], ['error']],
  ])('%j gives %j', (value, severities) => {
    const issues = issuesOf(value);
    expect(issues.map(({ severity }) => severity)).toEqual(severities);
    for (const { code, path } of issues) {
      expect(code).toBe('stand_in.mismatch');
      expect(path.startsWith('/nodes/1/onError/value')).toBe(true);
    }
  });

  it('stands in an each for one item', () => {
    const each = { each: '{{docs.hits}}' };
    expect(issuesOf({ label: 'a', score: 0 }, each, '{{kind}}')).toEqual([]);
    expect(issuesOf([], each, '{{kind}}')).toMatchObject([{ severity: 'warning' }]);
    expect(issuesOf({ score: 0 }, each, '{{kind[0].label}}')).toMatchObject([{ severity: 'error' }]);
  });

  it('may be anything that is read as a whole, or with a default', () => {
    for (const read of ['{{kind}}', '{{kind.label ?? "none"}}', '{{kind.meta.ms}}']) {
      expect(issuesOf('none', {}, read)).toMatchObject([{ severity: 'warning' }]);
    }
  });

  it('is not rendered, so a reference in it is told', () => {
    expect(
      issuesOf({ label: '{{docs.hits}}', score: 0 })
        .map(({ message }) => message)
        .join(),
    ).toContain('taken as it is written');
  });

  it('is compared with what a step gives that declares nothing of its own, and with nothing where that is unknown', () => {
    const value = (use: object, onError: object) => validate(plan({ id: 'a', ...use, onError }), catalogue()).issues;
    expect(value({ use: 'llm', in: { prompt: 'x' } }, { value: { text: 'Too late.' } })).toEqual([]);
    expect(value({ use: 'llm', in: { prompt: 'x' } }, { value: 'Too late.' })).toMatchObject([{ severity: 'warning' }]);
    expect(value({ use: 'value', in: { x: 1 } }, { value: { x: 2 } })).toEqual([]);
  });
});
