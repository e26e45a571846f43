/** What looks like a reference and is none: repaired where one thing can be meant, told everywhere else, and text elsewhere. */
import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';
import { ask, plan, search } from './fragments.ts';

const dollar = '$';
const reading = (prompt: string, more: object = {}) => ({
  ...plan(search('docs', 'tides'), ask('sum', prompt, more)),
  input: { topic: 'string' },
  output: '{{sum.text}}',
});
const promptOf = (raw: unknown) => validate(raw, catalogue()).plan?.plan.nodes[1]?.in?.prompt;
const codesOf = (raw: unknown, repair = true) => validate(raw, catalogue(), { repair }).issues.map(({ code }) => code);

describe('a reference in another notation', () => {
  it.each([
    [`Sum up ${dollar}{docs.hits}.`, 'Sum up {{docs.hits}}.'],
    [`Sum up ${dollar}{ docs.hits[0].title }`, 'Sum up {{docs.hits[0].title}}'],
    [`Sum up ${dollar}docs.hits.`, 'Sum up {{docs.hits}}.'],
    ['Sum up {docs.hits}, please', 'Sum up {{docs.hits}}, please'],
    [
      'About {input.topic}: {docs.hits} and {docs.hits[1]}',
      'About {{input.topic}}: {{docs.hits}} and {{docs.hits[1]}}',
    ],
    ['{"about": {input.topic}}', '{"about": {input.topic}}'],
    ['docs.hits', '{{docs.hits}}'],
    [' input.topic ', '{{input.topic}}'],
  ])('%s is repaired to %s', (written, mended) => {
    expect(promptOf(reading(written))).toBe(mended);
    expect(promptOf(reading(mended))).toBe(mended);
  });

  it('is listed among the repairs with both spellings, and only told where nothing is repaired', () => {
    const { repaired } = validate(reading(`Sum up ${dollar}docs.hits`), catalogue());
    expect(repaired).toMatchObject([{ code: 'reference.wrapped', path: '/nodes/1/in/prompt' }]);
    expect(repaired[0]?.message).toContain(`${dollar}docs.hits`);
    expect(repaired[0]?.message).toContain('{{docs.hits}}');
    expect(codesOf(reading(`Sum up ${dollar}docs.hits`), false)).toContain('ref.braces');
  });

  it.each([
    `Sum up ${dollar}docs`,
    `Sum up ${dollar}{docs}`,
    'Sum up {docs.results}',
    `Sum up {{docs.hits}}, and write a script that prints ${dollar}docs.hits`,
  ])('is a warning and stays as written where something else may be meant: %s', (written) => {
    expect(promptOf(reading(written))).toBe(written);
    expect(codesOf(reading(written))).toContain('ref.braces');
  });

  it('knows numbered evidence of a node that it waits for', () => {
    const { plan: valid } = validate(reading('Sum up #E1', { needs: ['docs'] }), catalogue());
    expect(valid?.plan.nodes[1]?.in?.prompt).toMatch(/^Sum up \{\{docs/);
    expect(codesOf(reading('Sum up #E7', { needs: ['docs'] }))).toEqual([]);
    expect(codesOf(reading('Sum up {{docs.hits}} for issue #E1'))).toEqual([]);
  });

  it.each([
    `export PATH=${dollar}{HOME}/bin:${dollar}PATH`,
    `It costs US${dollar}docs or ${dollar}5`,
    'Use {name}, {0} and {docs}',
    'A rule: .docs { color: red } and {"docs": {"hits": 1}}',
    'Read docs.hits carefully',
    'see docs.example.org/docs.hits',
    `\\${dollar}docs.hits`,
    'report.md',
    'docs',
  ])('is text where no name of the plan is meant: %s', (written) => {
    const { plan: valid, issues } = validate({ ...reading(`{{docs.hits}} ${written}`) }, catalogue());
    expect(issues).toEqual([]);
    expect(valid?.plan.nodes[1]?.in?.prompt).toBe(`{{docs.hits}} ${written}`);
  });

  it('is repaired in the output, where the name of a node alone is enough', () => {
    const outputOf = (output: unknown) =>
      validate({ ...plan(ask('a', 'x'), ask('b', '{{a.text}}')), output }, catalogue()).plan?.plan.output;
    expect(outputOf('b.text')).toBe('{{b.text}}');
    expect(outputOf('b')).toBe('{{b}}');
    expect(outputOf({ all: ['b.text', { more: 'a.text' }] })).toEqual({ all: ['{{b.text}}', { more: '{{a.text}}' }] });
    expect(outputOf({ r: '{{b.text}}', kind: 'a' })).toEqual({ r: '{{b.text}}', kind: 'a' });
    expect(codesOf({ ...plan(ask('b', 'x')), output: { r: 'b' } })).toEqual(['ref.braces']);
  });

  it('takes an index after a dot for the index that it is', () => {
    expect(promptOf(reading('{{docs.hits.0.title}}'))).toBe('{{docs.hits[0].title}}');
    expect(codesOf(reading('{{docs.hits.first}}'))).toContain('ref.unknown_field');
  });

  it('reads a text of many braces in linear time', () => {
    const text = `${'{docs.'.repeat(60_000)}${`${dollar}docs`.repeat(10_000)}`;
    const begun = performance.now();
    validate(reading(text), catalogue(), { repair: false });
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});

describe('an each over what may be null', () => {
  const each = (list: string, more: object = {}) => ({
    version: 1,
    input: { files: 'string[]?', names: 'string[]', go: 'boolean' },
    nodes: [
      search('docs', 'x', { when: 'input.go' }),
      search('other', 'x', { onError: 'skip' }),
      ask('after', '{{docs.hits}}'),
      ask('run', '{{item}} of {{input.names}}', { each: list, ...more }),
    ],
    output: { run: '{{run}}', after: '{{after.text}}', other: '{{other.hits}}' },
  });

  it.each(['{{input.files}}', '{{other.hits}}', '{{input.files ?? other.hits}}', '{{input.files ?? null}}'])(
    'is told with the way to write it: %s',
    (list) => {
      const { issues } = validate(each(list), catalogue());
      expect(issues).toMatchObject([{ code: 'each.nullable', severity: 'warning', path: '/nodes/3/each' }]);
      const [suggested = ''] = issues[0]?.suggest ?? [];
      expect(suggested).toContain('?? []}}');
      expect(validate(each(suggested), catalogue()).issues).toEqual([]);
    },
  );

  it('is told of a skipped node only where the node itself would run', () => {
    expect(codesOf(each('{{docs.hits}}'))).toEqual([]);
    expect(codesOf(each('{{docs.hits}}', { in: { prompt: '{{item}} {{other.hits}}' } }))).toEqual(['each.nullable']);
    expect(
      codesOf(each('{{docs.hits}}', { in: { prompt: '{{item}} {{other.hits}}' }, when: 'size(docs.hits) > 0' })),
    ).toEqual([]);
    expect(codesOf(each('{{input.names}}'))).toEqual([]);
    expect(codesOf(each('{{input.names ?? {}}}'))).toEqual(['each.not_array']);
  });
});
