import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/language/expression.ts';
import { EXPRESSION_LENGTH, OWN_FUNCTIONS } from '../../src/language/expression-rules.ts';
import { listReferences, parseTemplate, type RenderMeter, renderValue } from '../../src/language/template.ts';
import { escapeTemplate } from '../../src/language/template-syntax.ts';

const INPUT = {
  rows: [
    { name: 'b', size: 3, tags: ['x', 'y'] },
    { name: 'a', size: 1.5, tags: [] },
    { name: 'c', size: null, tags: ['x'] },
  ],
  lang: 'de',
  one: 1,
  none: null,
  text: '{"a":[1,{"b":null}]}',
};
/** Data that the library cannot read as it is. */
const ODD = { constructor: 'mine', gap: { a: undefined, b: 2 } };
const scope = (head: string) => (head === 'input' ? INPUT : head === 'odd' ? ODD : null);
const evaluate = (source: string): unknown => renderValue(`{{= ${source} }}`, scope);

describe('what an expression results in', () => {
  it.each([
    ['input.rows', INPUT.rows],
    ['input.rows.filter(r, r.size > 2).map(r, r.name)', ['b']],
    ['input.rows[input.one].name', 'a'],
    ['input.rows + [{"name": "d"}]', [...INPUT.rows, { name: 'd' }]],
    ['{"en": "yes", "de": "ja"}[input.lang]', 'ja'],
    ['{"en": "yes"}[input.lang]', null],
    ['{1: "low", 2: "high"}[input.one]', 'low'],
    ['{1.0: "low", 2.0: "high"}[input.rows.map(r, 2)[0]]', 'high'],
    ['{true: "yes", false: "no"}[input.one == 1]', 'yes'],
    ['{1: "low"}[input.rows[0].size]', null],
    ['{"1.5": "found"}[input.rows[1].size]', 'found'],
    ['{1: "low"}[input.rows]', null],
    ['input.one == 1 ? "one" : [1, 2]', 'one'],
    ['size(input.rows) + 1', 4],
    ['"a,b".split(",")', ['a', 'b']],
    ['input.rows.map(r, r.name).join("-")', 'b-a-c'],
    ['timestamp("2026-01-31T00:00:00Z") + duration("24h")', '2026-02-01T00:00:00.000Z'],
    ['string(timestamp("2026-01-31T00:00:00Z"))', '2026-01-31T00:00:00.000Z'],
    ['input.none + "text"', 'text'],
    ['[1] + input.none', [1]],
    ['input.none.deep', null],
    ['odd.constructor', 'mine'],
    ['odd', { constructor: 'mine', gap: { a: null, b: 2 } }],
    ['odd.gap.b + 1', 3],
    ['{"a": [1, {"b": 2}]}', { a: [1, { b: 2 }] }],
    ['first(input.rows).name', 'b'],
    ['input.rows.last().name', 'c'],
    ['[].first()', null],
    ['[1, 2, 3].first(2)', [1, 2]],
    ['[1, 2, 3].last(2)', [2, 3]],
    ['[1, 2, 3].last(9)', [1, 2, 3]],
    ['"abc😀".first(4)', 'abc'],
    ['"abcdef".last(2)', 'ef'],
    ['[1, 2, 3, 4].slice(1, 3)', [2, 3]],
    ['[1, 2, 3].slice(2)', [3]],
    ['input.rows.map(r, r.tags).flatten()', ['x', 'y', 'x']],
    ['input.rows.sortBy("size").map(r, r.name)', ['a', 'b', 'c']],
    ['input.rows.sortBy("size", "desc").map(r, r.name)', ['b', 'a', 'c']],
    ['input.rows.sortBy("name").first().name', 'a'],
    ['[1, 2, 1.0, "1", null, null].unique()', [1, 2, '1', null]],
    ['[{"a": 1, "b": 2}, {"b": 2, "a": 1}].unique()', [{ a: 1, b: 2 }]],
    ['[{"k": 1, "v": 1}, {"k": 1, "v": 2}].unique("k")', [{ k: 1, v: 1 }]],
    [
      'zip([1, 2, 3], ["a", "b"])',
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    [
      'zip({"n": [1, 2], "t": ["a", "b"]})',
      [
        { n: 1, t: 'a' },
        { n: 2, t: 'b' },
      ],
    ],
    ['sum([1, 2.5])', 3.5],
    ['sum(input.rows, "size")', 4.5],
    ['sum(input.none)', 0],
    ['avg(input.rows, "size")', 2.25],
    ['avg([])', null],
    ['min(input.rows, "size")', 1.5],
    ['max([1, 3, 2])', 3],
    ['min(2, input.one)', 1],
    ['round(2.5)', 3],
    ['round(0.0 - 2.5)', -3],
    ['round(1.005, 2)', 1.01],
    ['(1.0 / 3).fixed(2)', '0.33'],
    ['(1.005).fixed(2)', '1.01'],
    ['(7).fixed(1)', '7.0'],
    ['round(1e21, 2)', 1e21],
    ['toJson({"b": [1, null], "a": "x"})', '{"a":"x","b":[1,null]}'],
    ['fromJson(input.text).a[1]', { b: null }],
    ['fromJson(input.none)', null],
    ['fromJson("{\\"__proto__\\": 1}") == null', false],
  ])('%s', (source, value) => {
    expect(evaluate(source)).toEqual(value);
  });

  it('shares what it only passes on', () => {
    expect(evaluate('input.rows')).toBe(INPUT.rows);
    expect(evaluate('input.rows.filter(r, r.size == 3)')).toEqual([INPUT.rows[0]]);
    expect((evaluate('[input.rows, 1]') as unknown[])[0]).toBe(INPUT.rows);
  });

  it.each([
    ['1 / 0', 'invalid-plan', /zero/],
    ['1.0 / 0', 'invalid-plan', /Infinity/],
    ['9007199254740993', 'invalid-plan', /too large/],
    ['duration("3s")', 'invalid-plan', /duration/],
    ['bytes("a")', 'invalid-plan', /bytes/],
    ['sum(["a"])', 'invalid-plan', /numbers/],
    ['input.rows.sortBy("tags")', 'invalid-plan', /orders/],
    ['[{"a": 1}, {"a": "b"}].sortBy("a")', 'invalid-plan', /both/],
    ['input.lang.flatten()', 'invalid-plan', /list/],
    ['fromJson("{")', 'invalid-plan', /no JSON/],
    ['[1].first(0.5)', 'invalid-plan', /whole number/],
    ['"a" + input.one', 'invalid-plan', /overload/],
  ])('%s fails', (source, code, message) => {
    expect(() => evaluate(source)).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('the bounds of an expression', () => {
  const wide = Array.from({ length: 9000 }, (_, index) => ({ key: `${index}`.padStart(600, '0') }));
  const of = (source: string, input: unknown): unknown => renderValue(`{{= ${source} }}`, () => input);

  it.each([
    ['x.map(a, x.exists(b, b.key == ""))', 'steps'],
    ['x.map(a, x.first(999).map(b, b.key))', 'more than'],
    ['x.sortBy("key").sortBy("key").sortBy("key").sortBy("key").sortBy("key").sortBy("key")', 'steps'],
    ['toJson(x)', 'bytes'],
    ['x.unique()', 'bytes'],
    ['[x, x, x, x].flatten().map(a, a.key)', 'at most'],
    ['[x, x, x].map(y, y.map(a, a.key)).flatten().map(a, a)', 'at most'],
  ])('%s', (source, what) => {
    expect(() => of(source, wide)).toThrow(expect.objectContaining({ message: expect.stringContaining(what) }));
  });

  it('refuses JSON that is nested too deeply, whatever its length', () => {
    for (const text of ['['.repeat(600), `${'['.repeat(600)}${']'.repeat(600)}`, '{"a":'.repeat(100_000)])
      expect(() => of('fromJson(x)', text)).toThrow(/levels deep|bytes/);
    expect(of('fromJson(x)', `"${'['.repeat(600)}"`)).toHaveLength(600);
  });

  it('tells its meter what it makes, and no more than that', () => {
    const told: [string, unknown][] = [];
    const tell = (kind: string) => (value: unknown) => void told.push([kind, value]);
    const meter = {
      text: tell('text'),
      json: tell('json'),
      container: tell('container'),
      reference: tell('reference'),
      made: tell('made'),
    };
    const metered = (source: string) => {
      told.length = 0;
      const value = renderValue(`{{= ${source} }}`, scope, meter as RenderMeter);
      return [value, ...told.map(([kind]) => kind)];
    };
    expect(metered('input.rows')).toEqual([INPUT.rows, 'reference']);
    expect(metered('input.lang + "!"')).toEqual(['de!', 'text', 'reference']);
    expect(metered('[1, 2]')).toEqual([[1, 2], 'made', 'reference']);
  });

  it.each([
    ['x >= 0.0 && ', ' x < 0.0'],
    ["'a' + 'b' == 'c' || ", ' false'],
    ['(x < 0.0 ? true : false) || ', ' false'],
    ['x in [-1, -2, -3] || ', ' false'],
    ['size([x, x, x]) == 2 || ', ' false'],
  ])('counts what is done with each item: %s', (part, end) => {
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    const at = (rounds: number, times: number): unknown => {
      const rows = `[${Array.from({ length: rounds }, () => 'numbers').join(', ')}].flatten()`;
      return renderValue(`{{= ${rows}.filter(x, numbers.exists(y, ${part.repeat(times)}${end})) }}`, () => numbers);
    };
    expect(at(1, 1)).toEqual([]);
    const start = performance.now();
    expect(() => at(30, Math.floor((EXPRESSION_LENGTH - 500) / part.length))).toThrow(/more than \d+ (?:steps|bytes)/);
    // Some hundred milliseconds; where a step was an iteration, however long, it took up to a minute.
    expect(performance.now() - start).toBeLessThan(6000);
  });

  it('bounds what the expressions of one value take together', () => {
    const list = Array.from({ length: 700 }, (_, index) => index);
    const costly = '{{= size(x.filter(a, x.exists(b, b < 0.0))) }}';
    const of = (count: number) => renderValue(new Array(count).fill(costly), () => list);
    expect(of(2)).toEqual([0, 0]);
    expect(of(2)).toEqual([0, 0]);
    expect(() => of(40)).toThrow(
      expect.objectContaining({ code: 'limit-exceeded', message: expect.stringContaining('4000000 steps together') }),
    );
    expect(of(3)).toEqual([0, 0, 0]);
  });

  it('looks at a chain once, however long it is', () => {
    const chain = (length: number) => Array.from({ length }, (_, index) => `a.b == ${index}`).join(' && ');
    const found = compileExpression(chain(500));
    expect(found.ok && found.expression.comparisons.length).toBe(500 + 499);
    expect(compileExpression(`${chain(3)} || !(${chain(3)})`)).toMatchObject({ ok: true });
  });

  it('is read up to its length', () => {
    const list = (length: number) => compileExpression(`"${'a'.repeat(length)}"`);
    expect(list(EXPRESSION_LENGTH - 2).ok).toBe(true);
    expect(list(EXPRESSION_LENGTH)).toMatchObject({ ok: false, code: 'expression.syntax' });
  });
});

describe('what is an expression', () => {
  it('is a whole string, and was no valid template before', () => {
    expect(parseTemplate('{{= a.b }}').segments).toEqual([{ type: 'expression', source: ' a.b ', start: 0, end: 10 }]);
    for (const text of ['x {{= a }}', '{{= a }} x', ' {{= a }}', '{{= a'])
      expect(parseTemplate(text).issues.length).toBe(1);
    expect(renderValue('{{{{= a }}', scope)).toBe('{{= a }}');
    expect(renderValue(escapeTemplate('{{= a }}'), scope)).toBe('{{= a }}');
  });

  it('lists what it reads as references', () => {
    const found = listReferences({ a: '{{= docs.hits.map(h, h.title + kind["a b"]).first(n) }}' });
    const paths = found.map(({ reference }) =>
      reference.alternatives.map((path) => (path.type === 'path' ? path.text : '')),
    );
    expect(paths).toEqual([['docs.hits'], ['kind["a b"]'], ['n']]);
  });

  it.each([
    ['a == null ? 1 : 2', true],
    ['has(a.b) ? 1 : 2', true],
    ['null != a.b', true],
    ['a.b + 1', false],
  ])('%s asks for null: %s', (source, asks) => {
    expect(compileExpression(source)).toMatchObject({ ok: true, expression: { asksForNull: asks } });
  });

  it.each([
    ['nothing(a)', 'expression.type'],
    ['[1].first(1, 2)', 'expression.type'],
    ['zip()', 'expression.type'],
    ['a.matches("x")', 'expression.type'],
    ['_f_sum(a)', 'expression.type'],
    ['a +', 'expression.syntax'],
    ['', 'expression.syntax'],
  ])('%s is refused', (source, code) => {
    expect(compileExpression(source)).toMatchObject({ ok: false, code });
  });

  it('never throws while it is compiled, and gives the same twice', () => {
    const words = [
      ...Object.keys(OWN_FUNCTIONS),
      'input',
      'r',
      '.',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ',',
      '?',
      ':',
      '+',
      '==',
      '1',
      '0.5',
      '"a"',
      'null',
      ' ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words), { maxLength: 25 }), (parts) => {
        const compiled = compileExpression(parts.join(''));
        if (!compiled.ok) return;
        const attempt = (): unknown => {
          try {
            return evaluate(parts.join(''));
          } catch (error) {
            return (error as Error).message;
          }
        };
        expect(attempt()).toEqual(attempt());
      }),
    );
  });
});
