import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CEL_RESERVED, compileCondition } from '../../src/language/condition.ts';
import { CONDITION_BOUNDS } from '../../src/language/condition-rules.ts';

const HEADS = ['x', 'kind', 'docs', 'index', 'google', 'self'];
const SCOPE = {
  x: { count: 3, score: 0.5, list: ['a'], map: { a: 1 }, label: 't', flag: true, empty: null },
  docs: { hits: [{ score: 1, tags: ['u'] }, { score: 2 }] },
  index: 1,
  google: { a: 1 },
};
const compile = (source: string) => compileCondition(source, { heads: HEADS });

function evaluate(source: string, scope: Record<string, unknown> = SCOPE): boolean {
  const compiled = compile(source);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
  return compiled.condition.evaluate(scope);
}

describe('evaluation', () => {
  it.each([
    ['x.count == 3', true],
    ['x.count + 1 == 4', true],
    ['x.count - 1 - 1 == 1', true],
    ['x.count - (1 - 1) == 3', true],
    ['x.count % 2 == 1', true],
    ['(x.score + 0.5) * 2 == 2.0', true],
    ['-x.count < 0', true],
    ['x.score > 0.4', true],
    ['x.score == 1', false],
    ['1 == 1.0 && 2.0 == 2', true],
    ['x.count in [1, 2, 3]', true],
    ['x.label in ["t", "u"]', true],
    ['x.label == "t" && x.label == r"t" && x.label == \'t\'', true],
    ['x["label"] == "t"', true],
    ['x.list == ["a"]', true],
    ['x.list == []', false],
    ['x.list + ["b"] == ["a", "b"]', true],
    ['x.map == {"a": 1}', true],
    ['x.label == 3', false],
    ['docs.hits[index].score == 2', true],
    ['docs.hits[0].tags[0] == "u"', true],
    ['docs.hits.all(h, h.score >= 1)', true],
    ['docs.hits.exists(h, h.tags.exists(t, t == "u"))', true],
    ['docs.hits.exists_one(h, h.score == 2)', true],
    ['docs.hits.map(h, h.score).exists(s, s == 2)', true],
    ['docs.hits.filter(h, h.score > 1).size() == 1', true],
    ['x.all(key, key != "zz")', true],
    ['x.count == 3 ? x.flag : false', true],
    ['x.flag && !x.empty', true],
    ['!!x.flag', true],
    ['has(x.label) && !has(x.nothing)', true],
    ['string(x.count) == "3" && int(x.count) == 3', true],
    ['x.label.startsWith("t") && x.label.size() == 1', true],
    ['google.a == 1', true],
    ['1e21 > 1', true],
    ['timestamp("2024-01-01T00:00:00Z") < timestamp("2025-01-01T00:00:00Z")', true],
  ])('%s is %s', (source, value) => {
    expect(evaluate(source)).toBe(value);
  });

  it.each([
    ['kind.label == "x"', false],
    ['kind.label != "x"', true],
    ['kind.label == null', true],
    ['kind.a.b[0].c == null', true],
    ['x.empty.a == null', true],
    ['x.nothing == null', true],
    ['x.list[5] == null', true],
    ['kind.confidence > 0.5', false],
    ['0.5 <= kind.confidence', false],
    ['kind.label < "x"', false],
    ['"t" in kind.list', false],
    ['kind.list.exists(i, i == 1)', false],
    ['kind.list.all(i, i == 1)', true],
    ['size(kind.list) == 0 && kind.list.size() == 0', true],
    ['kind.label.contains("x")', false],
    ['kind.flag', false],
    ['!kind.flag', true],
    ['kind.flag || x.flag', true],
    ['has(kind.label)', false],
    ['has(x.empty.label)', false],
  ])('with a skipped node or a missing field, %s is %s', (source, value) => {
    expect(evaluate(source)).toBe(value);
  });

  it('reads own properties only', () => {
    for (const name of ['constructor', '__proto__', 'toString']) expect(evaluate(`x.${name} == null`)).toBe(true);
    expect(evaluate('x.constructor == 1', { x: JSON.parse('{"constructor": 1}') })).toBe(true);
    const items: unknown = JSON.parse('[{"constructor": 1, "a": 1}, {"a": 1}]');
    expect(evaluate('x.items.all(i, i.a == 1) && x.items[0].constructor == 1', { x: { items } })).toBe(true);
    expect(evaluate('x.a == null && x.b == 1', { x: { a: undefined, b: 1 } })).toBe(true);
    expect(evaluate('kind == null', Object.create({ kind: 1 }) as Record<string, unknown>)).toBe(true);
  });

  it.each([
    'x.label',
    'x.label + 1 == 2',
    'x.label > 1',
    '!x.label',
    'x.label && x.flag',
    'x.list.all(i, i)',
    'x.count.all(i, true)',
  ])('throws invalid-plan for %s, naming the condition', (source) => {
    expect(() => evaluate(source)).toThrow(
      expect.objectContaining({ code: 'invalid-plan', message: expect.stringContaining(JSON.stringify(source)) }),
    );
  });

  it('bounds lists and the work of one evaluation', () => {
    const items = (length: number) => ({ x: { list: new Array<number>(length).fill(1) } });
    const long = items(CONDITION_BOUNDS.listItems + 1);
    expect(() => evaluate('x.list.all(i, i == 1)', long)).toThrow(/10001 items/);
    expect(() => evaluate('5 in x.list', long)).toThrow(/10001 items/);
    const nested = 'x.list.all(i, x.list.all(j, j == 1))';
    expect(evaluate(nested, items(100))).toBe(true);
    expect(() => evaluate(nested, items(10_000))).toThrow(/1000000 steps/);
    expect(evaluate(nested, items(100))).toBe(true);
  });

  it.each([
    'size(x.list.map(i, x.list + x.list)) > 0',
    'size(x.list.map(i, x.text + x.text)) > 0',
    'size(x.list.map(i, x.list + [i] + x.list)) > 0',
    'size(x.some.map(i, x.some.map(j, [i, j, i, j, i, j, i, j, i, j, i, j, i, j, i, j]))) > 0',
    'size(x.some.map(i, x.some.map(j, {"a": i, "b": i}))) > 0',
    `size(x.list.map(i, [${'i, '.repeat(60)}i])) > 0`,
    'size(x.some.map(i, x.some.filter(j, true))) > 0',
    'size(x.some.map(i, x.text.lowerAscii())) > 0',
    'size(x.text.split("")) > 0',
    'size(x.texts.join(x.text)) > 0',
    'size(bytes(x.text).hex()) > 0',
    'size(x.some.map(i, bytes(x.half) + bytes(x.half))) > 0',
  ])('bounds what %s makes', (source) => {
    expect(() => evaluate(source, GROWTH)).toThrow(
      expect.objectContaining({ code: 'limit-exceeded', message: expect.stringMatching(/makes .* more than 4194304/) }),
    );
  });

  it.each([
    'x.texts.exists(i, x.half.contains(x.needle))',
    'x.texts.exists(i, x.half.indexOf(x.needle) > 0)',
    'x.rows.exists(i, x.rows.exists(j, i == j && false))',
    'x.rows.exists(i, i in x.otherRows)',
    'x.list.all(i, timestamp("2020-01-01T00:00:00Z").getHours("Europe/Paris") < 30)',
  ])('bounds the work of %s', (source) => {
    expect(() => evaluate(source, GROWTH)).toThrow(
      expect.objectContaining({ code: 'limit-exceeded', message: expect.stringMatching(/more than 1000000 steps/) }),
    );
  });

  it('refuses a long duration before it is read', () => {
    expect(() => evaluate('duration(x.text) == duration("1s")', GROWTH)).toThrow(/at most 100 are allowed/);
    expect(evaluate('duration("1m") == duration("60s")')).toBe(true);
  });

  it('counts results and still gives them', () => {
    const scope = { x: { list: [1, 2, 3], words: ['a', 'b'], text: 'Rain on the roof', none: null } };
    for (const source of [
      'x.list + [4] == [1, 2, 3, 4] && [0] + x.list + x.list != x.list',
      'x.text + "!" + x.text == "Rain on the roof!Rain on the roof"',
      'x.words.join("-") == "a-b" && x.words.join() == "ab" && x.words + ["c"] == ["a", "b", "c"]',
      'x.text.contains("roof") && !x.none.contains("a") && !x.text.contains(x.text + x.text)',
      'x.text.indexOf("on") == 5 && x.text.indexOf("o", 6) == 13 && x.text.lastIndexOf("o") == 14',
      'x.text.split(" ") == ["Rain", "on", "the", "roof"] && x.text.lowerAscii().startsWith("rain")',
      'x.list.map(i, i * 2) == [2, 4, 6] && x.list.filter(i, i > 1) == [2, 3] && x.list.map(i, i > 1, i) == [2, 3]',
      '[1, 2] in [x.list, [1, 2]] && {"a": x.list} == {"a": [1, 2, 3]} && 2 in x.list',
      'string(bytes("ab")) == "ab" && bytes("ab") + bytes("c") == bytes("abc") && size(x.text) == 16',
      'timestamp("2020-01-01T00:00:00Z").getHours("UTC") == 0 && 1 + 2.5 == 3.5 && -x.list[0] + 2 == 1',
      '(x.list == [] ? [] : x.list) + [] == x.list && (x.none == x.list || x.words != x.list)',
    ]) {
      expect(evaluate(source, scope), source).toBe(true);
    }
    for (const source of ['x.list.join() == ""', 'x.list.contains("a")', 'x.text.indexOf("a", 99) == 1']) {
      expect(() => evaluate(source, scope), source).toThrow(expect.objectContaining({ code: 'invalid-plan' }));
    }
  });
});

const rows = (last: number) => Array.from({ length: 300 }, () => [...new Array<number>(1000).fill(0), last]);
const GROWTH = {
  x: {
    list: new Array<number>(5000).fill(1),
    some: new Array<number>(990).fill(1),
    text: 'ab'.repeat(500_000),
    texts: new Array<string>(50).fill('word'),
    half: 'a'.repeat(200_000),
    needle: `b${'a'.repeat(100_000)}`,
    rows: rows(1),
    otherRows: rows(2),
  },
};

describe('compilation', () => {
  it.each([
    ['', 'condition.syntax'],
    ['x..a', 'condition.syntax'],
    ['x.a ==', 'condition.syntax'],
    ['x.a = 1', 'condition.syntax'],
    ['x.?a == 1', 'condition.syntax'],
    ['"\\ud800" == x.a', 'condition.syntax'],
    ['1 + 1', 'condition.type'],
    ['"text"', 'condition.type'],
    ['"a" == 1', 'condition.type'],
    ['foo(x)', 'condition.type'],
    ['x.a.foo()', 'condition.type'],
    ['x.label.matches("(a+)+$")', 'condition.type'],
    ['matches(x.label, "a")', 'condition.type'],
    ['_read(x, "a") == 1', 'condition.type'],
    ["b'a' == x.a", 'condition.type'],
    ['has(x)', 'condition.syntax'],
    ['docs.map(a, docs.map(b, docs.map(c, c))) == []', 'condition.syntax'],
  ])('refuses %s with %s', (source, code) => {
    expect(compile(source)).toMatchObject({ ok: false, code, message: expect.any(String) });
  });

  it('names the unknown head and its place', () => {
    expect(compile('x.a == 1 && foo.bar == 2')).toMatchObject({ code: 'condition.type', unknown: 'foo', at: 12 });
    expect(compile('cel.bind(v, 1, v == 1)')).toMatchObject({ ok: false, unknown: 'cel' });
    expect(compileCondition('foo.a == 1', { heads: (name) => name === 'foo' }).ok).toBe(true);
  });

  it('keeps the names of types for types, whatever the heads', () => {
    const compiled = compileCondition('type(x.a) == string', { heads: () => true });
    if (!compiled.ok) throw new Error(compiled.message);
    expect(compiled.condition.references.map(({ head }) => head)).toEqual(['x']);
    expect(compiled.condition.evaluate({ x: { a: 't' } })).toBe(true);
    expect(compileCondition('optional.of(1) == x', { heads: () => true })).toMatchObject({ unknown: 'optional' });
  });

  it('bounds length and nesting', () => {
    expect(compile(`${' '.repeat(2000)}true`).ok).toBe(false);
    expect(compile(`${'('.repeat(40)}true${')'.repeat(40)}`)).toMatchObject({ code: 'condition.syntax' });
    expect(compile(`x${'.a'.repeat(40)} == 1`)).toMatchObject({ code: 'condition.syntax' });
    expect(compile(`x${'.a'.repeat(20)} == 1`).ok).toBe(true);
    expect(evaluate(new Array(330).fill('true').join('&&'))).toBe(true);
    for (const hostile of ['!'.repeat(1995), '-'.repeat(1995), '[', '{', 'x[', 'x.all(a,', 'true?']) {
      const source = `${hostile.repeat(Math.floor(1900 / hostile.length))}true`;
      expect(compile(source)).toBeTypeOf('object');
    }
  });

  it('lists the longest constant path of every head, variables left out', () => {
    const compiled = compile(
      'docs.hits[0].score > x.score && docs.hits.all(h, h.score == x.list[index]) && has(kind.a.b)',
    );
    if (!compiled.ok) throw new Error(compiled.message);
    expect(compiled.condition.references).toEqual([
      { head: 'docs', path: ['hits', 0, 'score'], text: 'docs.hits[0].score' },
      { head: 'x', path: ['score'], text: 'x.score' },
      { head: 'docs', path: ['hits'], text: 'docs.hits' },
      { head: 'x', path: ['list'], text: 'x.list' },
      { head: 'index', path: [], text: 'index' },
      { head: 'kind', path: ['a', 'b'], text: 'kind.a.b' },
    ]);
  });

  it('lets a variable hide a head of the same name', () => {
    const compiled = compile('docs.hits.all(x, x.score > 0)');
    if (!compiled.ok) throw new Error(compiled.message);
    expect(compiled.condition.references.map(({ head }) => head)).toEqual(['docs']);
    expect(compiled.condition.evaluate(SCOPE)).toBe(true);
  });

  it('takes every name that the library knows as that of a node, except those that are reserved', () => {
    const { variables, functions } = new Environment().getDefinitions();
    const known = [...variables, ...functions].map(({ name }) => name).filter((name) => /^[a-z][a-z0-9_]*$/.test(name));
    expect(known.length).toBeGreaterThan(20);
    for (const name of known.filter((name) => !CEL_RESERVED.has(name))) {
      const value = { a: 1, l: [1, 2] };
      for (const source of [
        `${name}.a == 1`,
        `size(${name}.l) == 2`,
        `${name}.l.exists(x, x == 2)`,
        `has(${name}.a)`,
      ]) {
        const compiled = compileCondition(source, { heads: () => true });
        if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
        expect(compiled.condition.references.map(({ head }) => head)).toEqual([name]);
        expect(compiled.condition.evaluate({ [name]: value }), source).toBe(true);
      }
    }
  });

  it('refuses what is reserved, and nothing else is', () => {
    for (const name of CEL_RESERVED) {
      const compiled = compileCondition(`${name}.of(1) == 1`, { heads: () => true });
      if (compiled.ok) expect(compiled.condition.references).toEqual([]);
    }
  });

  it('reads the name of a type as the type only beside type()', () => {
    const compiled = compileCondition('type(x) == list && list.a == 1 && type(x) in [list, map]', {
      heads: () => true,
    });
    if (!compiled.ok) throw new Error(compiled.message);
    expect(compiled.condition.references.map(({ text }) => text)).toEqual(['x', 'list.a', 'x']);
    expect(compiled.condition.evaluate({ x: [1], list: { a: 1 } })).toBe(true);
    expect(compiled.condition.evaluate({ x: 'text', list: { a: 1 } })).toBe(false);
  });
});

describe('properties', () => {
  const tokens = fc.constantFrom(
    ...['x', 'x.a', 'kind', '.a', '[0]', '(', ')', '&&', '||', '!', '-', '+', '==', '<', 'in', '?', ':', '1', '0.5'],
    ...['"s"', 'null', 'true', '[', ']', '{', '}', ',', '.all(v, v)', '.size()', 'size(', 'has(x.a)', ' ', '//', "'"],
  );

  it('compiles anything without throwing, and evaluates to a bool or an error of the plan', () => {
    fc.assert(
      fc.property(fc.array(tokens, { maxLength: 12 }), fc.jsonValue(), (parts, value) => {
        const compiled = compile(parts.join(' '));
        if (!compiled.ok) return;
        try {
          expect(compiled.condition.evaluate({ x: { a: value }, kind: value })).toBeTypeOf('boolean');
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid-plan' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('compares numbers as numbers, whole or not', () => {
    const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
    fc.assert(
      fc.property(number, fc.integer({ min: -1000, max: 1000 }), (left, right) => {
        const scope = { x: { left, right } };
        expect(evaluate('x.left < x.right', scope)).toBe(left < right);
        expect(evaluate(`x.left > ${right < 0 ? `(${right})` : right}`, scope)).toBe(left > right);
        expect(evaluate('x.right + 1 == x.right + 1.0', scope)).toBe(true);
      }),
    );
  });
});
