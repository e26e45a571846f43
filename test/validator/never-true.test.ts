/** Comparisons that can never hold, and those that can. */
import { describe, expect, it } from 'vitest';
import { validate } from '../../src/validator/validate.ts';
import { catalogue } from './catalogue.ts';
import { ask, plan } from './fragments.ts';

const kind = ask('kind', 'x', {
  out: {
    label: 'billing|tech',
    score: 'number',
    count: 'integer',
    sure: 'boolean',
    words: 'string[]',
    name: 'string',
    other: 'string?',
    any: 'any',
    rows: {
      type: 'array',
      items: { type: 'object', properties: { state: { enum: ['open', 'shut'] }, at: { type: 'string' } } },
    },
    mode: { enum: [1, 2, 'auto'] },
    grade: { type: ['string', 'null'], enum: ['a', 'b', null] },
  },
});
const asking = (when: string) => ({ ...plan(kind, ask('next', 'y', { when })), output: ['{{kind}}', '{{next}}'] });
const found = (when: string, options = {}) =>
  validate(asking(when), catalogue(), options).issues.filter(({ code }) => code === 'condition.never');

describe('a comparison that can never hold', () => {
  it.each([
    "kind.label == 'technical'",
    "'technical' == kind.label",
    "kind.label in ['sales', 'legal']",
    'kind.label == 3',
    "kind.count == '3'",
    "kind.count > '3'",
    "'3' < kind.count",
    'kind.name > 3',
    'kind.name == 7',
    "kind.sure == 'true'",
    'kind.sure == 1',
    'kind.label == true',
    "kind.words == 'tide'",
    'kind.words > 3',
    'kind.name == kind.count',
    "kind.mode == 'manual'",
    'kind.mode == 3',
    "kind.grade == 'c'",
    "kind.rows[0].state == 'closed'",
    "kind.rows.exists(row, row.state == 'closed')",
    "kind.rows.filter(row, row.state == 'open').size() > 0 && kind.rows.all(row, row.at > 5)",
    "kind.label == 'billing' && kind.label == 'tech'",
    "kind.sure && (kind.name == 'a' && kind.score > 0.5) && kind.name == 'b'",
    "kind.sure || kind.label == 'Billing'",
    "!(kind.label == 'sales')",
    "kind.meta.finishReason == 'finished'",
  ])('is an error that says what the value is: %s', (when) => {
    const [issue] = found(when);
    expect(issue, when).toMatchObject({ severity: 'error', path: '/nodes/1/when' });
    expect(issue?.message.length).toBeLessThan(400);
  });

  it.each([
    "kind.label == 'tech'",
    "kind.label == 'tech' || kind.label == 'billing'",
    "kind.label == 'tech' && kind.name == 'tech'",
    "kind.label in ['tech']",
    'kind.label == null',
    'null != kind.label',
    'kind.score > 3',
    'kind.score == 3',
    'kind.count >= 2.5',
    'kind.count == -3',
    "kind.name > 'a'",
    "kind.other == 'x'",
    'kind.any == 3',
    "kind.any > 'x'",
    "kind.mode == 'auto' || kind.mode == 2",
    "kind.grade == 'b'",
    'kind.score > kind.count',
    'kind.name == kind.label',
    "kind.words.exists(word, word == 'tide')",
    "kind.rows.exists(row, row.state == 'open')",
    'size(kind.words) == 3',
    "kind.name.startsWith('a')",
    "kind.words == ['a']",
    "kind.name == 'a' || kind.name == 'b'",
  ])('is none where it can hold: %s', (when) => {
    expect(validate(asking(when), catalogue()).issues).toEqual([]);
  });

  it.each(["kind.label != 'sales'", "kind.label in ['tech', 'sales']", 'kind.name != 3'])(
    'is a warning where the condition can still hold: %s',
    (when) => expect(found(when)).toMatchObject([{ severity: 'warning' }]),
  );

  it('suggests the choice that is near, and lists the choices', () => {
    expect(found("kind.label == 'biling'")).toMatchObject([{ expected: ['billing', 'tech'], suggest: ['billing'] }]);
  });

  it('is told of "until" too, and of the input', () => {
    const looping = plan(
      ask('a', 'x', { out: { state: 'open|done' }, repeat: { until: "self.state == 'finished'", max: 3 } }),
    );
    expect(validate(looping, catalogue()).issues).toMatchObject([
      { code: 'condition.never', path: '/nodes/0/repeat/until' },
    ]);
    const asked = { ...plan(ask('a', 'x', { when: "input.kind == 'c'" })), input: { kind: 'a|b' } };
    expect(validate(asked, catalogue()).issues).toMatchObject([{ code: 'condition.never' }]);
  });

  it('is a warning in the plan of a run that has begun, which ran with it', () => {
    expect(found("kind.label == 'technical'", { begun: true })).toMatchObject([{ severity: 'warning' }]);
    expect(validate(asking("kind.label == 'technical'"), catalogue(), { begun: true }).plan).toBeDefined();
  });
});
